using System.Text;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers.Tests;

/// <summary>SentencePiece models beside SentencePiece itself; see <c>bench/peers/sentencepiece.mjs</c>.</summary>
public sealed class SentencePieceTests
{
    private static readonly JsonObject Golden = JsonNode.Parse(Resource("sentencepiece.json"))!.AsObject();

    public static IEnumerable<TheoryDataRow<string>> Names => Golden["models"]!.AsObject().Select(entry => new TheoryDataRow<string>(entry.Key));

    internal static Tokenizer Load(string name) => SentencePieceTokenizer.Parse(File(name), name);

    [Theory, MemberData(nameof(Names))]
    public void Encodes_and_decodes_as_the_reference_does(string name)
    {
        var tokenizer = Load(name);
        var inputs = Golden["inputs"]!.AsArray();
        var answers = Golden["models"]![name]!.AsArray();
        Assert.Equal(inputs.Count, answers.Count);
        for (int i = 0; i < inputs.Count; i++)
        {
            byte[] text = Convert.FromBase64String((string)inputs[i]!);
            int[] expected = [.. ((string)answers[i]!["ids"]!).Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)];
            var ids = new List<int>();
            tokenizer.Encode(text, ids);
            Assert.Equal(expected, ids);
            var tokens = new List<EncodedToken>();
            tokenizer.EncodeWithOffsets(text, tokens);
            Assert.Equal(expected, tokens.Select(token => token.Id));
            Assert.All(tokens, token => Assert.True(token.Start >= 0 && token.Start <= token.End && token.End <= text.Length));
            byte[] decoded = tokenizer.DecodeBytes(expected);
            Assert.Equal((string)answers[i]!["text"]!, Convert.ToBase64String(decoded));
            var stream = new StreamingDecoder(tokenizer);
            Assert.Equal(Encoding.UTF8.GetString(decoded), string.Concat(expected.Select(stream.Push)) + stream.Flush());
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void A_file_is_written_back_with_what_is_not_known_here(string name)
    {
        var file = SentencePieceFormat.Read(File(name), name);
        var (unknown, other) = (new ProtobufWriter(), new ProtobufWriter());
        unknown.WriteBytes(200, "later"u8);
        other.WriteBytes(77, "future"u8);
        var extended = file with { Other = other.Message.ToArray(), Pieces = [file.Pieces[0] with { Other = unknown.Message.ToArray() }, .. file.Pieces.Skip(1)] };
        byte[] written = SentencePieceFormat.Write(extended);
        var read = SentencePieceFormat.Read(written, name);
        Assert.Equal(extended.Other, read.Other);
        Assert.Equal(extended.Pieces[0].Other, read.Pieces[0].Other);
        Assert.Equal(file.Training.Other, read.Training.Other);
        Assert.Equal(file.Normalization.CharacterMap, read.Normalization.CharacterMap);
        Assert.Equal(written, SentencePieceFormat.Write(read));
        var (before, after) = (Load(name), new Tokenizer(SentencePieceTokenizer.ToParts(read, name)));
        Assert.All(Texts.All, text => Assert.Equal(before.Encode(text), after.Encode(text)));
    }

    [Theory, InlineData("unigram-nfkc"), InlineData("unigram-bytes"), InlineData("bpe-bytes"), InlineData("bpe-whole"), InlineData("character"), InlineData("word")]
    public void A_model_saved_for_other_programs_gives_the_same_ids_on_ordinary_text(string name)
    {
        var tokenizer = Load(name);
        string folder = Directory.CreateTempSubdirectory("oellm-sentencepiece-").FullName;
        try
        {
            tokenizer.Save(folder);
            var saved = Tokenizer.Load(folder);
            Assert.IsNotType<SentencePieceSettings>(saved.Parts.Model);
            foreach (var (_, text) in Texts.Languages)
            {
                Assert.Equal(tokenizer.Encode(text), saved.Encode(text));
                if (!tokenizer.Encode(text).Contains(0))
                    Assert.Equal(tokenizer.Decode(tokenizer.Encode(text)), saved.Decode(saved.Encode(text)));
            }
            Assert.Equal(tokenizer.Encode(Texts.Code), Tokenizer.Load(Path.Combine(folder, "tokenizer.model")).Encode(Texts.Code));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void A_form_without_a_place_in_the_other_format_is_refused() =>
        Assert.Contains("spaces behind words", Assert.Throws<UserErrorException>(() => TokenizerJson.Write(Load("unigram-suffix"))).Message, StringComparison.Ordinal);

    [Fact]
    public void Control_pieces_come_from_text_only_where_that_is_allowed()
    {
        var tokenizer = Load("unigram-bytes");
        int control = tokenizer.TokenId("<control>")!.Value;
        Assert.True(tokenizer.IsSpecial(control));
        Assert.DoesNotContain(control, tokenizer.Encode("a<control>b"));
        Assert.Contains(control, tokenizer.Encode("a<control>b", allowSpecial: true));
    }

    [Fact]
    public void A_megabyte_without_a_space_is_encoded()
    {
        byte[] word = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("ßaλж", 1 << 17)));
        foreach (string name in new[] { "unigram-nfkc", "bpe-bytes" })
        {
            var tokenizer = Load(name);
            var ids = new List<int>();
            tokenizer.Encode(word, ids);
            Assert.InRange(ids.Count, 1 << 17, word.Length + 1);
            // The other one may have no piece for a character.
            if (name == "bpe-bytes")
                Assert.Equal(word, tokenizer.DecodeBytes([.. ids]));
        }
    }

    [Theory]
    [InlineData("0A FF FF FF FF 0F 00", "field 1 of 4294967295 bytes where 1 are left")]
    [InlineData("0A 02 0A", "where 1 are left")]
    [InlineData("0B", "wire type 3 in field 1")]
    [InlineData("08 01", "wire type 0 in field 1; expected 2")]
    [InlineData("00", "field number 0")]
    [InlineData("0A FF FF FF FF FF FF FF FF FF FF 01", "a number of more than 10 bytes")]
    [InlineData("0A 80", "its end in the middle of a number")]
    [InlineData("0A 00", "piece 0 is empty")]
    [InlineData("0A 03 0A 01 FF", "piece 0 is no valid UTF-8")]
    [InlineData("0A 08 0A 01 61 15 00 00 C0 7F", "has the score NaN")]
    [InlineData("0A 05 0A 01 61 18 09", "has the type 9")]
    [InlineData("0A 03 0A 01 61 12 02 18 07", "model_type is 7")]
    [InlineData("0A 03 0A 01 61", "it has no unknown piece")]
    [InlineData("0A 05 0A 01 61 18 02 0A 05 0A 01 62 18 02", "are both the unknown piece")]
    [InlineData("0A 05 0A 01 61 18 02 0A 03 0A 01 62 0A 03 0A 01 62", "piece 2 ('b') stands there twice")]
    [InlineData("0A 05 0A 01 61 18 02 0A 0A 0A 06 3C 30 78 2D 31 3E 18 06 12 03 98 02 01", "('<0x-1>') is no byte")]
    [InlineData("0A 05 0A 01 61 18 02 0A 0A 0A 06 3C 30 78 34 31 3E 18 06", "is a byte, but the model has no byte fallback")]
    [InlineData("0A 05 0A 01 61 18 02 1A 03 12 01 00", "the character map is damaged")]
    [InlineData("", "the model has no pieces")]
    public void A_damaged_file_is_refused(string bytes, string message) =>
        Assert.Contains(message, Assert.Throws<UserErrorException>(() => SentencePieceTokenizer.Parse(Convert.FromHexString(bytes.Replace(" ", "", StringComparison.Ordinal)), "x.model")).Message, StringComparison.Ordinal);

    [Theory, InlineData("bpe-bytes"), InlineData("unigram-suffix")]
    public void Any_bytes_are_a_tokenizer_or_refused(string name)
    {
        byte[] file = File(name);
        using var numbers = Texts.Numbers(5).GetEnumerator();
        for (int round = 0; round < 150; round++)
        {
            byte[] damaged = [.. file];
            for (int i = 0; i < 4; i++)
                damaged[Next(damaged.Length)] = (byte)Next(256);
            try
            {
                SentencePieceTokenizer.Parse(damaged.AsSpan(0, round % 3 == 0 ? Next(damaged.Length) : damaged.Length), name).Encode("Zażółć  gęślą jaźń");
            }
            catch (UserErrorException)
            {
                // Refused with a message.
            }
        }

        int Next(int below)
        {
            numbers.MoveNext();
            return (int)(numbers.Current % (uint)below);
        }
    }

    internal static byte[] File(string name) => Resource($"sentencepiece-{name}.model");

    private static byte[] Resource(string name)
    {
        using var stream = typeof(SentencePieceTests).Assembly.GetManifestResourceStream(name) ?? throw new InvalidOperationException($"{name} is not embedded.");
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }
}
