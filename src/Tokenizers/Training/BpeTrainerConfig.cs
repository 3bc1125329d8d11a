using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace OpenEuroLLM.Tokenizers;

/// <summary>How digits are split before anything is learnt.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DigitPolicy>))]
public enum DigitPolicy
{
    /// <summary>Up to three digits are a word.</summary>
    Groups,

    /// <summary>Each digit is a word.</summary>
    Single,

    /// <summary>All digits of a number are a word.</summary>
    Runs,
}

/// <summary>Settings of <see cref="BpeTrainer"/>.</summary>
/// <param name="VocabularySize">Tokens wanted: 256 bytes, merges, reserved tokens, and the special tokens last. A small text may yield fewer.</param>
/// <param name="MinimumPairCount">A pair that occurs less often is not merged, whatever the weight of its language.</param>
/// <param name="LanguageExponent">A language counts as if it had bytes^exponent of text: 1 takes the texts as they are, 0 makes all languages
/// equal; in between, small languages get words of their own without crowding out the large ones.</param>
/// <param name="Parity">From 0, where frequency alone decides, to 1, where the language that needs most tokens for the same content nearly decides alone.</param>
/// <param name="Split">The split pattern by name.</param>
/// <param name="Digits">How digits are split; null as the pattern has it.</param>
/// <param name="SpaceRun">Runs of 2 to so many spaces are tokens whatever the text (code is indented), and no longer run is one; 0 leaves it to the text.</param>
/// <param name="LongestTokenBytes">Longer tokens are not made.</param>
/// <param name="Reserve">So many control tokens are set aside for later use, named <c>&lt;|reserved_0|&gt;</c> and so on.</param>
/// <param name="ReservedTokens">Control tokens to set aside by name, such as <c>&lt;|tool_call|&gt;</c>.</param>
/// <param name="Forbidden">Texts that must not become tokens.</param>
/// <param name="SourceWeights">How much the texts of some collections count; the first that fits is taken, others count 1.</param>
/// <param name="ParallelSources">Collections in which documents of one name are translations of one another; languages are compared on them.</param>
/// <param name="HeldBackShare">The share of parallel documents that is not learnt from, but compared on.</param>
public sealed record BpeTrainerConfig(
    [property: Range(263, 4_194_304)] int VocabularySize = 16_384,
    [property: Range(1, 1_000_000_000)] int MinimumPairCount = 2,
    [property: Range(0.0, 1.0)] double LanguageExponent = 0.5,
    [property: Range(0.0, 1.0)] double Parity = 0,
    string Split = TrainingSplit.Default,
    DigitPolicy? Digits = null,
    [property: Range(0, 256)] int SpaceRun = 0,
    [property: Range(2, BpeTrainer.LongestWordBytes)] int LongestTokenBytes = 128,
    [property: Range(0, 65_536)] int Reserve = 0,
    IReadOnlyList<string>? ReservedTokens = null,
    IReadOnlyList<string>? Forbidden = null,
    IReadOnlyList<SourceWeight>? SourceWeights = null,
    IReadOnlyList<string>? ParallelSources = null,
    [property: Range(0.01, 0.99)] double HeldBackShare = 0.2)
{
    /// <summary>Control tokens to set aside by name.</summary>
    public IReadOnlyList<string> ReservedTokens { get; init; } = ReservedTokens ?? [];

    /// <summary>Texts that must not become tokens.</summary>
    public IReadOnlyList<string> Forbidden { get; init; } = Forbidden ?? [];

    /// <summary>How much the texts of some collections count.</summary>
    public IReadOnlyList<SourceWeight> SourceWeights { get; init; } = SourceWeights ?? [];

    /// <summary>Collections of translations.</summary>
    public IReadOnlyList<string> ParallelSources { get; init; } = ParallelSources ?? [];

    /// <summary>All settings that decide the result, as they stand in the manifest.</summary>
    public JsonObject ToJson()
    {
        var settings = new JsonObject
        {
            ["vocabularySize"] = VocabularySize,
            ["minimumPairCount"] = MinimumPairCount,
            ["languageExponent"] = LanguageExponent,
            ["splitPattern"] = TrainingSplit.Find(Split, Digits).Regex,
            ["unicodeVersion"] = CharacterClasses.UnicodeVersion,
            ["parity"] = Parity,
            ["spaceRun"] = SpaceRun,
            ["longestTokenBytes"] = LongestTokenBytes,
            ["reserve"] = Reserve,
            ["reservedTokens"] = List(ReservedTokens),
            ["forbidden"] = List(Forbidden),
            ["sourceWeights"] = new JsonArray([.. SourceWeights.Select(entry => new JsonObject { ["source"] = entry.Source, ["weight"] = entry.Weight })]),
            ["parallelSources"] = List(ParallelSources),
            ["heldBackShare"] = HeldBackShare,
        };
        return settings;

        static JsonArray List(IEnumerable<string> texts) => new([.. texts.Select(text => JsonValue.Create(text))]);
    }
}
