using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Building;
using OpenEuroLLM.Corpus.Readers;
using OpenEuroLLM.Languages;

namespace OpenEuroLLM.Corpus;

/// <summary>The stage "corpus": texts in, cleaned documents for training and held-out ones out. The folder has
/// <c>train/LANGUAGE-00000.jsonl</c> and so on, <c>heldout/LANGUAGE.jsonl</c>, <c>skipped.jsonl</c> with the places in the input that were no documents, <c>samples.jsonl</c>,
/// <c>domains.tsv</c> where documents have addresses, and for the built-in sample <c>examination.jsonl</c>
/// (see <see cref="ExaminationItem"/>).</summary>
/// <remarks>The output is the same byte for byte whatever the number of workers. Finished units of work are kept in
/// <c>OUT.work</c> until the folder is complete, so that the same call goes on after an interruption.</remarks>
public static class CorpusStage
{
    /// <summary>Name of the stage in manifests.</summary>
    public const string StageName = "corpus";

    /// <summary>File of the examination's items.</summary>
    public const string ExaminationFile = "examination.jsonl";

    /// <summary>Samples of what was kept and dropped, a JSON object a line.</summary>
    public const string SamplesFile = "samples.jsonl";

    /// <summary>What steps record of single documents, such as what was found of personal data and of reserved rights, a JSON object a line.</summary>
    public const string LedgerFile = "ledger.jsonl";

    /// <summary>What training text comes from which host: language, host, documents and bytes, with tabs between.</summary>
    public const string DomainsFile = "domains.tsv";

    /// <summary>Builds the corpus. A finished folder of the same settings and inputs is left as it is.</summary>
    /// <param name="config">The settings.</param>
    /// <param name="target">The folder to make.</param>
    /// <param name="launcher">Runs the units of work.</param>
    /// <param name="progress">Told how far the work is.</param>
    /// <param name="fileSystem">The file system; the machine's own by default.</param>
    /// <param name="clock">The clock; the machine's own by default.</param>
    /// <param name="times">Told where the time goes; absent where nobody asks.</param>
    /// <param name="cancellation">Stops the work between documents' units; what is finished stays for the next call.</param>
    /// <exception cref="UserErrorException">The input cannot be read, the output cannot be written, or nothing is left of the texts.</exception>
    public static Manifest Run(
        CorpusConfig config, string target, ILauncher launcher, IProgress<CorpusProgress>? progress = null,
        IFileSystem? fileSystem = null, IClock? clock = null, StepTimes? times = null, CancellationToken cancellation = default) =>
        RunShare(config, target, null, launcher, progress, fileSystem, clock, times, cancellation).Manifest!;

    /// <summary>Does one task's share of building the corpus, as far as it can be done before other tasks have done theirs. Tasks share the work folder <c>OUT.work</c>; when all have
    /// ended, they are run once more, until one of them finishes the corpus. Their number may change in between.</summary>
    /// <param name="config">The settings, the same for all tasks.</param>
    /// <param name="target">The folder to make, the same for all tasks.</param>
    /// <param name="task">Which of the tasks this is.</param>
    /// <param name="launcher">Runs the units of work.</param>
    /// <param name="progress">Told how far the work is.</param>
    /// <param name="fileSystem">The file system; the machine's own by default.</param>
    /// <param name="clock">The clock; the machine's own by default.</param>
    /// <param name="cancellation">Stops the work; what is finished stays for the next call.</param>
    /// <exception cref="UserErrorException">The input cannot be read, the output cannot be written, or nothing is left of the texts.</exception>
    public static CorpusTaskOutcome RunTask(
        CorpusConfig config, string target, CorpusTask task, ILauncher launcher, IProgress<CorpusProgress>? progress = null,
        IFileSystem? fileSystem = null, IClock? clock = null, CancellationToken cancellation = default) =>
        RunShare(config, target, task, launcher, progress, fileSystem, clock, null, cancellation);

    private static CorpusTaskOutcome RunShare(
        CorpusConfig config, string target, CorpusTask? task, ILauncher launcher, IProgress<CorpusProgress>? progress, IFileSystem? files, IClock? clock, StepTimes? times,
        CancellationToken cancellation)
    {
        try
        {
            CorpusInput.RefuseTarget(config, target, files ?? PhysicalFileSystem.Instance);
            return new CorpusBuild(Checked(config), Path.GetFullPath(target), task, launcher, progress, files ?? PhysicalFileSystem.Instance, clock ?? SystemClock.Instance, times, cancellation).Run();
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, target);
        }
    }

    /// <summary>The settings as they count: languages canonical, sorted and without repetition.</summary>
    private static CorpusConfig Checked(CorpusConfig config)
    {
        var languages = new SortedSet<string>(StringComparer.Ordinal);
        foreach (string code in config.Languages)
        {
            try
            {
                languages.Add(LanguageCatalog.Find(code).Code);
            }
            catch (UserErrorException error)
            {
                throw new UserErrorException($"corpus.languages: {error.Message}", error);
            }
        }
        if (languages.Count == 0) throw new UserErrorException("corpus.languages is empty; expected at least one language code.");
        foreach (LengthFilter length in config.Steps.OfType<LengthFilter>())
            if (length.MaxCharacters < length.MinCharacters)
                throw new UserErrorException($"corpus.steps: step 'length' has maxCharacters {length.MaxCharacters} below minCharacters {length.MinCharacters}.");
        if (config.Mixing is not null)
        {
            config.Mixing.Check(languages);
            if (config.Tokenizer is null) throw new UserErrorException("corpus.mixing counts in tokens, and corpus.tokenizer is not set; name a tokenizer, such as europa-64k.");
            if (config.BytesPerLanguage is not null) throw new UserErrorException("corpus has both 'mixing' and 'bytesPerLanguage'; both say how much a language gets, remove one.");
        }
        return config with { Languages = [.. languages] };
    }
}
