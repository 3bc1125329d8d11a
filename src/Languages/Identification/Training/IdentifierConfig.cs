using System.ComponentModel.DataAnnotations;

namespace OpenEuroLLM.Languages.Identification;

/// <summary>How an identification model is trained.</summary>
/// <param name="Seed">Of every random choice.</param>
/// <param name="Windows">Pieces of text per label in one pass.</param>
/// <param name="Passes">Passes; each draws other windows.</param>
/// <param name="LatinBuckets">Buckets of eight features for Latin letters.</param>
/// <param name="CyrillicBuckets">Buckets of eight features for Cyrillic letters.</param>
/// <param name="LearningRate">First step size of AdaGrad; it falls to zero over the training.</param>
/// <param name="DroppedWords">Share of whole-word features that a window goes without, so that single words are not relied upon.</param>
/// <param name="DroppedSequences">Share of the other features that a window goes without.</param>
/// <param name="PlainShare">Share of windows that lose the marks of their letters.</param>
/// <param name="SourceExponent">Weight of a collection within its language: bytes to this power, so that a large one weighs more than a small one, and not a hundred times more.</param>
/// <param name="OwnWeight">Factor on the weight of what was written for this purpose: sentences and word lists, modern and chosen to tell near languages apart, and little.</param>
/// <param name="OldWeight">Factor on the weight of collections of old novels, whose words and spelling are not those of today.</param>
/// <param name="CloseWeight">How much more it counts that a feature tells close languages apart.</param>
/// <param name="ScriptShare">Weight of a text whose language has two scripts: it is less often met in one of them than a language that has no other.</param>
/// <param name="Decay">Pull of every weight towards zero, as a share of the step size.</param>
public sealed record IdentifierConfig(
    [property: Range(0, long.MaxValue)] long Seed = 1,
    [property: Range(100, 10_000_000)] int Windows = 20_000,
    [property: Range(1, 100)] int Passes = 4,
    [property: Range(1, 1_000_000)] int LatinBuckets = 22_400,
    [property: Range(1, 1_000_000)] int CyrillicBuckets = 4_000,
    [property: Range(1e-4, 10)] double LearningRate = 0.5,
    [property: Range(0, 0.9)] double DroppedWords = 0.3,
    [property: Range(0, 0.9)] double DroppedSequences = 0.15,
    [property: Range(0, 0.9)] double PlainShare = 0.06,
    [property: Range(0, 1)] double SourceExponent = 0.3,
    [property: Range(0.01, 100)] double OwnWeight = 5,
    [property: Range(0.01, 100)] double OldWeight = 0.4,
    [property: Range(0, 100)] double CloseWeight = 2,
    [property: Range(0.1, 1)] double ScriptShare = 0.8,
    [property: Range(0, 1)] double Decay = 1e-4);

/// <summary>One text of the training set.</summary>
/// <param name="Label">Language code, as the text's file gives it.</param>
/// <param name="Source">Name of its collection; the collections of a language are balanced against each other.</param>
/// <param name="Text">The text.</param>
public sealed record IdentifierText(string Label, string Source, string Text)
{
    /// <summary>The source of sentences that were written for this training.</summary>
    public const string OwnSentences = "own sentences";
}

/// <summary>How far the training is.</summary>
/// <param name="Phase">What is being done.</param>
/// <param name="Done">Units done.</param>
/// <param name="Total">Units in all; 0 while unknown.</param>
public readonly record struct IdentifierProgress(string Phase, long Done, long Total);
