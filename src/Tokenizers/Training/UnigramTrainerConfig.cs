using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Settings of <see cref="UnigramTrainer"/>.</summary>
/// <param name="VocabularySize">Tokens wanted: the unknown token, 256 bytes, pieces, reserved tokens, and the special tokens last. A small text may yield fewer.</param>
/// <param name="LanguageExponent">A language counts as if it had bytes^exponent of text; see <see cref="BpeTrainerConfig"/>.</param>
/// <param name="Split">The split pattern by name.</param>
/// <param name="Digits">How digits are split; null as the pattern has it.</param>
/// <param name="LongestPiece">In characters.</param>
/// <param name="SeedPieces">Pieces to begin with; those that explain the text least are taken away until the vocabulary is left.</param>
/// <param name="CharacterCoverage">The share of characters that have pieces of their own; rarer ones are written in bytes.</param>
/// <param name="ShrinkFactor">What is left of the pieces after each round.</param>
/// <param name="Reserve">Control tokens set aside for later.</param>
/// <param name="ReservedTokens">Control tokens set aside by name.</param>
/// <param name="SourceWeights">How much the texts of some collections count.</param>
public sealed record UnigramTrainerConfig(
    [property: Range(263, 4_194_304)] int VocabularySize = 16_384,
    [property: Range(0.0, 1.0)] double LanguageExponent = 0.5,
    string Split = TrainingSplit.Default,
    DigitPolicy? Digits = null,
    [property: Range(1, 64)] int LongestPiece = 16,
    [property: Range(1_000, 10_000_000)] int SeedPieces = 500_000,
    [property: Range(0.9, 1.0)] double CharacterCoverage = 0.99995,
    [property: Range(0.1, 0.95)] double ShrinkFactor = 0.75,
    [property: Range(0, 65_536)] int Reserve = 0,
    IReadOnlyList<string>? ReservedTokens = null,
    IReadOnlyList<SourceWeight>? SourceWeights = null)
{
    /// <summary>Control tokens to set aside by name.</summary>
    public IReadOnlyList<string> ReservedTokens { get; init; } = ReservedTokens ?? [];

    /// <summary>How much the texts of some collections count.</summary>
    public IReadOnlyList<SourceWeight> SourceWeights { get; init; } = SourceWeights ?? [];

    /// <summary>All settings that decide the result, as they stand in the manifest.</summary>
    public JsonObject ToJson() => new()
    {
        ["algorithm"] = "unigram",
        ["vocabularySize"] = VocabularySize,
        ["languageExponent"] = LanguageExponent,
        ["splitPattern"] = TrainingSplit.Find(Split, Digits).Regex,
        ["unicodeVersion"] = CharacterClasses.UnicodeVersion,
        ["longestPiece"] = LongestPiece,
        ["seedPieces"] = SeedPieces,
        ["characterCoverage"] = CharacterCoverage,
        ["shrinkFactor"] = ShrinkFactor,
        ["reserve"] = Reserve,
        ["reservedTokens"] = new JsonArray([.. ReservedTokens.Select(name => JsonValue.Create(name))]),
        ["sourceWeights"] = new JsonArray([.. SourceWeights.Select(entry => new JsonObject { ["source"] = entry.Source, ["weight"] = entry.Weight })]),
    };
}
