using System.Text;
using System.Text.Json.Nodes;

namespace OpenEuroLLM.Tokenizers.Tests;

/// <summary>Every component and flag of <c>tokenizer.json</c> beside the reference implementation; see <c>bench/peers/tokenizers-components.mjs</c>.</summary>
public sealed class ComponentTests
{
    private static readonly JsonObject Golden = JsonNode.Parse(
        typeof(ComponentTests).Assembly.GetManifestResourceStream("components.json") ?? throw new InvalidOperationException("components.json is not embedded."))!.AsObject();

    private static readonly string[] Inputs = [.. Golden["texts"]!.AsArray().Select(text => (string)text!)];

    /// <summary>Here a rewritten character stands for all that it came from; the reference gives the first or last of it.</summary>
    private static readonly string[] WiderOffsets = ["NFC", "NFD", "NFKC", "NFKD", "Bert", "word pieces", "Precompiled", "Replace", "unigram", "normalized first", "Sequence of three"];

    /// <summary>Version 0.23 of the reference decodes these tokens to their normalized contents; earlier ones and the other implementation, as we do, to
    /// their contents.</summary>
    private static readonly string[] DecodesAddedTokensNormalized = ["added token normalized", "added tokens, normalized first"];

    public static IEnumerable<TheoryDataRow<string>> Names => Golden["tokenizers"]!.AsArray().Select(entry => new TheoryDataRow<string>((string)entry!["name"]!));

    [Theory, MemberData(nameof(Names))]
    public void Encodes_and_decodes_as_the_reference_does(string name)
    {
        var (parts, answers) = Entry(name);
        var tokenizer = new Tokenizer(parts);
        for (int i = 0; i < Inputs.Length; i++)
        {
            byte[] text = Encoding.UTF8.GetBytes(Inputs[i]);
            var answer = answers[i]!.AsObject();
            int[] ids = Numbers(answer["ids"]!);
            Assert.Equal(ids, tokenizer.Encode(Inputs[i], allowSpecial: true));

            var tokens = new List<EncodedToken>();
            tokenizer.EncodeWithOffsets(text, tokens, allowSpecial: true);
            Assert.Equal(ids, tokens.Select(token => token.Id));
            AssertOffsets(name, text, Numbers(answer["offsets"]!), tokens);

            if (!DecodesAddedTokensNormalized.Contains(name))
            {
                Assert.Equal((string)answer["decoded"]!, tokenizer.Decode(ids, skipSpecial: false));
                Assert.Equal((string)(answer["skipped"] ?? answer["decoded"])!, tokenizer.Decode(ids));
            }
            tokens.Clear();
            tokenizer.EncodeWithOffsets(text, tokens, allowSpecial: true, addSpecial: true);
            Assert.Equal(Numbers(answer["whole"] ?? answer["ids"]!), tokens.Select(token => token.Id));
            if (answer["pair"] is { } pair)
            {
                List<int> pairIds = [], segments = [];
                tokenizer.EncodePair(text, "The 2nd"u8, pairIds, segments, allowSpecial: true);
                Assert.Equal(Numbers(pair), pairIds);
                Assert.Equal(Numbers(answer["segments"]!), segments);
            }
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void Decodes_token_by_token_as_at_once(string name)
    {
        var (parts, answers) = Entry(name);
        var tokenizer = new Tokenizer(parts);
        var decoder = new StreamingDecoder(tokenizer, skipSpecial: false);
        for (int i = 0; i < Inputs.Length; i++)
        {
            int[] ids = Numbers(answers[i]!["ids"]!);
            Assert.Equal(tokenizer.Decode(ids, skipSpecial: false), string.Concat(ids.Select(decoder.Push)) + decoder.Flush());
        }
        for (ulong seed = 0; seed < 40; seed++)
        {
            int[] ids = [.. Texts.Numbers(seed).Take(40).Select(number => (int)(number % (uint)tokenizer.VocabularySize)).Where(id => HasToken(parts, id))];
            Assert.Equal(tokenizer.Decode(ids, skipSpecial: false), string.Concat(ids.Select(decoder.Push).ToList()) + decoder.Flush());
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void A_written_tokenizer_is_the_same(string name)
    {
        var (parts, _) = Entry(name);
        var tokenizer = new Tokenizer(parts);
        byte[] written = TokenizerJson.Write(tokenizer);
        var again = TokenizerJson.Parse(written, name);
        Assert.Equal(written, TokenizerJson.Write(again));
        foreach (string text in Inputs)
            Assert.Equal(tokenizer.Encode(text, allowSpecial: true), again.Encode(text, allowSpecial: true));
        // Nothing is lost: what was read and is written says the same, key by key.
        var json = Json(name);
        Assert.True(JsonNode.DeepEquals(json, JsonNode.Parse(written)), "The written file says something else.");
    }

    [Theory, MemberData(nameof(Names))]
    public void The_fast_way_gives_what_the_general_way_gives(string name)
    {
        var (parts, _) = Entry(name);
        var pipeline = parts.BuildPipeline(out var fast);
        Assert.Equal(name.StartsWith("byte level", StringComparison.Ordinal) && !name.Contains("prefix", StringComparison.Ordinal) && !name.Contains("normalizer", StringComparison.Ordinal)
            || name == "post-processors in a row", fast is not null);
        if (fast is null)
            return;
        var general = parts.BuildGeneralPipeline(new AddedTokens(parts.Added, parts.Normalizer));
        foreach (byte[] text in Texts.All.Concat(Inputs).Select(Encoding.UTF8.GetBytes).Concat(Texts.Broken()))
        {
            foreach (bool allowSpecial in (bool[])[false, true])
            {
                List<EncodedToken> expected = [], found = [];
                general.Encode(text, expected, ControlPlaces.Of(allowSpecial));
                pipeline.Encode(text, found, ControlPlaces.Of(allowSpecial));
                Assert.Equal(expected, found);
                List<int> ids = [];
                pipeline.Encode(text, ids, ControlPlaces.Of(allowSpecial));
                Assert.Equal(expected.Select(token => token.Id), ids);
            }
        }
    }

    private static (TokenizerParts Parts, JsonArray Answers) Entry(string name) =>
        (TokenizerJson.ParseParts(Encoding.UTF8.GetBytes(Json(name).ToJsonString()), name), Find(name)["answers"]!.AsArray());

    private static JsonObject Json(string name)
    {
        var json = Find(name)["json"]!.DeepClone().AsObject();
        json["model"] = Golden["models"]![(string)json["model"]!]!.DeepClone();
        return json;
    }

    private static JsonNode Find(string name) => Golden["tokenizers"]!.AsArray().Single(entry => (string)entry!["name"]! == name)!;

    private static int[] Numbers(JsonNode list) => [.. list.AsArray().Select(number => (int)number!)];

    private static bool HasToken(TokenizerParts parts, int id) => (id < parts.Model.Tokens.Count && parts.Model.Tokens[id] is not null) || parts.Added.Any(token => token.Id == id);

    private static void AssertOffsets(string name, byte[] text, int[] expected, List<EncodedToken> tokens)
    {
        if (name == "normalizer Replace empty matches")
            return;     // what is inserted stands for no byte; the reference gives it the character before
        bool wider = WiderOffsets.Any(part => name.Contains(part, StringComparison.Ordinal));
        for (int i = 0; i < tokens.Count; i++)
        {
            // The reference counts whole characters.
            var (start, end) = (tokens[i].Start, tokens[i].End);
            while (start > 0 && start < text.Length && (text[start] & 0xC0) == 0x80)
                start--;
            while (end < text.Length && (text[end] & 0xC0) == 0x80)
                end++;
            var (expectedStart, expectedEnd) = (expected[2 * i], expected[2 * i + 1]);
            Assert.True(wider ? start <= expectedStart && end >= expectedEnd : start == expectedStart && end == expectedEnd,
                $"'{Encoding.UTF8.GetString(text)}': token {i} ({tokens[i].Id}) stands for {start} to {end}; expected {expectedStart} to {expectedEnd}.");
        }
    }
}
