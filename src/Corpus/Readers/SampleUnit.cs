using System.Text.Json;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Sample;

namespace OpenEuroLLM.Corpus.Readers;

/// <summary>One language of the built-in sample. It brings held-out documents of its own: held out by hash, the only sentence that
/// tells a fact in some wording could be lost to training.</summary>
internal sealed class SampleUnit(string language, SampleConfig config, ulong seed) : CorpusUnit
{
    public override string Name => $"sample/{language}";

    public override long Bytes => config.SentencesPerLanguage;

    public override string Fingerprint(IFileSystem files) => Manifest.Hash(SampleText.Bytes(language));

    public override IEnumerable<Document> Read(IFileSystem files, Action<long> progress, Action<SkippedInput>? skipped = null)
    {
        foreach (Document document in new SampleGenerator(SampleText.Load(language), config, seed).Documents())
        {
            yield return document;
            progress(document.Text.Count(letter => letter is '.' or '\n'));
        }
    }

    public override bool? IsHeldOut(Document document) =>
        document.Metadata is { } metadata && metadata.TryGetPropertyValue("split", out var split)
        && split?.GetValueKind() == JsonValueKind.String && split.GetValue<string>() == "heldout";
}
