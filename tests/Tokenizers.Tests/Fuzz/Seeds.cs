using System.Text;
using System.Text.Json.Nodes;

namespace OpenEuroLLM.Tokenizers.Tests.Fuzz;

/// <summary>Valid files of every kind, small enough to be damaged thousands of times.</summary>
internal static class Seeds
{
    public const string Probe = "Tá sé fuar — „Žluťoučký kůň“  <s> 🙂e\u0301 12,5\t\n<|user|>ok Ω中";

    /// <summary>A tokenizer.json for every component and combination in the golden files, with the name it has there.</summary>
    public static IReadOnlyList<(string Name, JsonObject Json)> Json { get; } = [.. ReadJson()];

    /// <summary>A byte-level tokenizer whose merges cross every border.</summary>
    public static JsonObject Crossing { get; } = Read("crossing-tokenizer.json");

    /// <summary>SentencePiece models of every kind.</summary>
    public static IReadOnlyList<(string Name, SentencePieceFile File)> Models { get; } = [.. MakeModels()];

    public static JsonObject Read(string resource) =>
        JsonNode.Parse(typeof(Seeds).Assembly.GetManifestResourceStream(resource) ?? throw new InvalidOperationException($"{resource} is not embedded."))!.AsObject();

    public static byte[] Utf8(JsonNode json) => Encoding.UTF8.GetBytes(json.ToJsonString());

    private static IEnumerable<(string, JsonObject)> ReadJson()
    {
        var golden = Read("components.json");
        foreach (var entry in golden["tokenizers"]!.AsArray())
        {
            var json = entry!["json"]!.DeepClone().AsObject();
            if (json["model"] is JsonValue name)
                json["model"] = golden["models"]![(string)name!]!.DeepClone();
            yield return ((string)entry["name"]!, json);
        }
    }

    private static IEnumerable<(string, SentencePieceFile)> MakeModels()
    {
        byte[] map = CharacterMapWriter.Write([("ﬁ"u8.ToArray(), "fi"u8.ToArray()), ("Ａ"u8.ToArray(), "A"u8.ToArray()), ("e\u0301"u8.ToArray(), "é"u8.ToArray()), ("\t"u8.ToArray(), " "u8.ToArray())]);
        var normalization = new SentencePieceNormalization("made"u8.ToArray(), map);
        SentencePiece[] control = [new("<unk>"u8.ToArray(), 0, SentencePieceKind.Unknown), new("<s>"u8.ToArray(), 0, SentencePieceKind.Control), new("</s>"u8.ToArray(), 0, SentencePieceKind.Control)];
        SentencePiece[] bytes = [.. Enumerable.Range(0, 256).Select(value => new SentencePiece(Encoding.ASCII.GetBytes(FormattableString.Invariant($"<0x{value:X2}>")), 0, SentencePieceKind.Byte))];
        SentencePiece[] letters = [.. "▁aefiknorstuáéčěžůřT,.".EnumerateRunes().Select((rune, i) => new SentencePiece(Encoding.UTF8.GetBytes(rune.ToString()), -4 - (i * 0.25f)))];
        SentencePiece[] pieces = [.. new[] { "▁T", "ku", "ůň", "▁se", "ou", "ur", "▁T" + "á", "fi", "čk" }.Select((text, i) => new SentencePiece(Encoding.UTF8.GetBytes(text), -2 - i))];
        SentencePiece[] more = [new("<user>"u8.ToArray(), 0, SentencePieceKind.UserDefined), new("ab"u8.ToArray(), -9, SentencePieceKind.Unused)];
        yield return ("unigram", new([.. control, .. letters, .. pieces, .. more], new(SentencePieceAlgorithm.Unigram), normalization));
        yield return ("unigram with bytes", new([.. control, .. bytes, .. letters, .. pieces], new(SentencePieceAlgorithm.Unigram, ByteFallback: true), SentencePieceNormalization.Identity));
        yield return ("pairs with bytes", new([.. control, .. bytes, .. pieces, .. letters, .. more], new(SentencePieceAlgorithm.Bpe, ByteFallback: true), SentencePieceNormalization.Identity with { RemoveExtraWhitespaces = false }));
        yield return ("words", new([.. control, .. letters, .. pieces], new(SentencePieceAlgorithm.Word), normalization));
        yield return ("characters", new([.. control, .. letters, .. more], new(SentencePieceAlgorithm.Character, WhitespaceAsSuffix: true), normalization, normalization));
    }
}
