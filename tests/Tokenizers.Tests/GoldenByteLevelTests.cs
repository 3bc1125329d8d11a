using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using OpenEuroLLM.Tokenizers.Tests.Fuzz;

namespace OpenEuroLLM.Tokenizers.Tests;

/// <summary>Texts in every language and of every awkward kind, under six split patterns, beside the ids of two independent implementations; <c>bench/peers/tokenizers.mjs golden</c> writes them.</summary>
public sealed class GoldenByteLevelTests
{
    private static readonly JsonObject Golden = Seeds.Read("byte-level.json");

    private static readonly IReadOnlyDictionary<string, byte[]> TextsById = ReadTexts();

    public static IEnumerable<TheoryDataRow<string>> Patterns => Golden["patterns"]!.AsArray().Select(pattern => new TheoryDataRow<string>((string)pattern!["name"]!));

    internal static Tokenizer WithPattern(string regex)
    {
        var json = Seeds.Crossing.DeepClone();
        json["pre_tokenizer"]!["pretokenizers"]![0]!["pattern"]!["Regex"] = regex;
        return TokenizerJson.Parse(Seeds.Utf8(json), "crossing-tokenizer.json");
    }

    private static Dictionary<string, byte[]> ReadTexts()
    {
        using var stream = typeof(GoldenByteLevelTests).Assembly.GetManifestResourceStream("texts.jsonl") ?? throw new InvalidOperationException("texts.jsonl is not embedded.");
        using var reader = new StreamReader(stream);
        var texts = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        while (reader.ReadLine() is string line)
        {
            var json = JsonNode.Parse(line)!;
            texts.Add((string)json["id"]!, json["base64"] is { } base64 ? Convert.FromBase64String((string)base64!)
                : Encoding.UTF8.GetBytes(json["repeat"] is { } repeat ? string.Concat(Enumerable.Repeat((string)repeat!, (int)json["times"]!)) + (string)json["then"]! : (string)json["text"]!));
        }
        return texts;
    }

    [Theory, MemberData(nameof(Patterns))]
    public void Encodes_as_the_independent_implementations_do(string name)
    {
        var pattern = Golden["patterns"]!.AsArray().Single(pattern => (string)pattern!["name"]! == name)!;
        var first = Golden["patterns"]![0]!["ids"]!.AsObject();
        var tokenizer = WithPattern((string)pattern["regex"]!);
        var general = tokenizer.Parts.BuildGeneralPipeline(new AddedTokens(tokenizer.Added, null));
        int compared = 0;
        foreach (var (id, ids) in first)
        {
            byte[] text = TextsById[id];
            int[] expected = Numbers(pattern["ids"]![id] ?? ids!), special = pattern["special"]![id] is { } other ? Numbers(other) : expected;
            Assert.True(expected.SequenceEqual(Encode(text)), $"{id}: {string.Join(' ', Encode(text))}; expected {string.Join(' ', expected)}");
            Assert.True(special.SequenceEqual(Encode(text, allowSpecial: true)), $"{id}, control tokens matched");
            var generally = new List<int>();
            general.Encode(text, generally, ControlPlaces.Of(false));
            Assert.True(expected.SequenceEqual(generally), $"{id}, the general way");
            Assert.Equal(text, tokenizer.DecodeBytes(expected));
            compared++;
        }
        Assert.True(compared > 200);

        int[] Encode(byte[] text, bool allowSpecial = false)
        {
            var result = new List<int>();
            tokenizer.Encode(text, result, allowSpecial);
            return [.. result];
        }
    }

    [Theory, MemberData(nameof(Patterns))]
    public void Words_and_runs_of_a_megabyte_give_the_same_ids(string name)
    {
        var pattern = Golden["patterns"]!.AsArray().Single(pattern => (string)pattern!["name"]! == name)!;
        var tokenizer = WithPattern((string)pattern["regex"]!);
        foreach (var (id, expected) in pattern["large"]!.AsObject())
        {
            var ids = new List<int>();
            tokenizer.Encode(TextsById[id], ids);
            Assert.Equal((id, (int)expected!["count"]!, (string)expected["sha256"]!), (id, ids.Count, IdHash.Of([ids])));
        }
    }

    [Fact]
    public void Broken_text_comes_back_byte_for_byte_under_every_pattern()
    {
        foreach (var pattern in Golden["patterns"]!.AsArray())
        {
            var tokenizer = WithPattern((string)pattern!["regex"]!);
            foreach (var (id, text) in TextsById.Where(text => text.Key.StartsWith("broken", StringComparison.Ordinal)))
            {
                var ids = new List<int>();
                tokenizer.Encode(text, ids);
                Assert.True(text.AsSpan().SequenceEqual(tokenizer.DecodeBytes([.. ids])), id);
            }
        }
    }

    [Fact]
    public void The_texts_cover_every_language() =>
        Assert.All("bg bs ca cs da de el en es et eu fi fr ga gl hr hu is it ka lt lv mk mt nb nl nn pl pt ro sk sl sq sr sv tr uk".Split(' '), code => Assert.Contains(code + "-more", TextsById.Keys));

    private static int[] Numbers(JsonNode list) => [.. list.AsArray().Select(number => (int)number!)];
}

/// <summary>The hash of id streams as the scripts beside the tests write it: each id as 32 bits, low byte first; -1 ends a text.</summary>
internal sealed class IdHash : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public static string Of(IEnumerable<List<int>> texts)
    {
        using var hash = new IdHash();
        foreach (var ids in texts)
            hash.Add(ids);
        return hash.End();
    }

    public void Add(List<int> ids)
    {
        byte[] bytes = new byte[(ids.Count + 1) * 4];
        for (int i = 0; i <= ids.Count; i++)
            System.Buffers.Binary.BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(i * 4), i < ids.Count ? ids[i] : -1);
        _hash.AppendData(bytes);
    }

    public string End() => Convert.ToHexStringLower(_hash.GetHashAndReset());

    public void Dispose() => _hash.Dispose();
}
