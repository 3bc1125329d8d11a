using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Sample;

namespace OpenEuroLLM.Corpus;

/// <summary>The texts of the built-in sample.</summary>
public static class SampleDocuments
{
    /// <summary>The documents of one language: training documents, then held-out ones. A function of language, seed and settings.</summary>
    /// <param name="language">A language of the built-in sample: each of the 24 official ones.</param>
    /// <param name="seed">Chooses the order and the mixes.</param>
    /// <param name="config">How much; null for the default.</param>
    public static IReadOnlyList<Document> Of(string language, ulong seed, SampleConfig? config = null) =>
        new SampleGenerator(SampleText.Load(language), config ?? new SampleConfig(), seed).Documents();
}
