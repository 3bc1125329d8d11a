using System.ComponentModel.DataAnnotations;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Settings of <see cref="BpeTrainer"/>.</summary>
/// <param name="VocabularySize">Tokens wanted: 256 bytes, merges, and the special tokens last. A small text may yield fewer.</param>
/// <param name="MinimumPairCount">A pair that occurs less often is not merged, whatever the weight of its language.</param>
/// <param name="LanguageExponent">A language counts as if it had bytes^exponent of text: 1 takes the texts as they are, 0 makes all languages
/// equal; in between, small languages get words of their own without crowding out the large ones.</param>
public sealed record BpeTrainerConfig(
    [property: Range(263, 4_194_304)] int VocabularySize = 16_384,
    [property: Range(1, 1_000_000_000)] int MinimumPairCount = 2,
    [property: Range(0.0, 1.0)] double LanguageExponent = 0.5);

/// <summary>A text to train on.</summary>
/// <param name="Utf8">The text; any bytes are taken.</param>
/// <param name="Language">The key under which texts are weighted together, usually a language code.</param>
public readonly record struct TrainingText(ReadOnlyMemory<byte> Utf8, string Language);

/// <summary>How far training is.</summary>
/// <param name="Phase"><c>counting</c> (in bytes of text, total unknown) or <c>merging</c> (in tokens).</param>
/// <param name="Done">What is done.</param>
/// <param name="Total">Of how much; null while unknown.</param>
public readonly record struct BpeTrainingProgress(string Phase, long Done, long? Total);
