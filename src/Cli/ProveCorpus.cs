using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus;

namespace OpenEuroLLM.Cli;

/// <summary>What the proofs about building a corpus have in common.</summary>
internal static class ProveCorpus
{
    /// <summary>All steps that a crawl goes through, in the order of recipes/crawl.jsonc.</summary>
    public const string AllSteps = """
        [{ "step": "rights-reserved" }, { "step": "identification" }, { "step": "mojibake" }, { "step": "unicode-normalization" }, { "step": "url-duplicates" }, { "step": "exact-duplicates" },
         { "step": "segment-identification" }, { "step": "script" }, { "step": "quality" }, { "step": "stop-words" }, { "step": "repetition" }, { "step": "lines" }, { "step": "personal-data" },
         { "step": "near-duplicates" }, { "step": "line-repeats" }, { "step": "substring-repeats" }]
        """;

    /// <summary>Memory that the line may take, in bytes.</summary>
    public const long MemoryBytes = 2L << 30;

    /// <summary>A recipe of a corpus.</summary>
    public static string RecipeText(string steps, long unitBytes) => FormattableString.Invariant($$"""{ "name": "proof", "corpus": { "unitBytes": {{unitBytes}}, "steps": {{steps}} } }""");

    /// <summary>The settings of a build whose speed is measured: identification, filters, exact and near de-duplication.</summary>
    public static CorpusConfig Config(string source) => new(source, Steps:
    [
        new LanguageIdentification(), new MojibakeRepair(), new UnicodeNormalization(), new UrlDuplicates(), new ExactDuplicates(), new ScriptFilter(), new QualityFilter(), new RepetitionFilter(),
        new LineFilter(), new NearDuplicates(),
    ]);

    /// <summary>The command line that builds a corpus.</summary>
    public static string[] Arguments(ProofRun proof, string source, string folder, int workers, params IReadOnlyList<string> more) =>
        ["corpus", "build", proof.RecipePath, $"corpus.source={source}", .. proof.Settings, "--out", folder, "--workers", FormattableString.Invariant($"{workers}"), .. more];

    /// <summary>What became of the documents of a finished corpus: how many were read, and how many stand in one of the other counts.</summary>
    public static (long Read, long Accounted) Accounts(string folder)
    {
        IReadOnlyList<LanguageFunnel> rows = CorpusReport.Of(Manifest.Read(PhysicalFileSystem.Instance, folder));
        return (rows.Sum(row => row.Read), rows.Sum(row => row.Train + row.HeldOut + row.Dropped.Values.Sum()));
    }

    /// <summary>The first difference between two finished corpora, run records aside; null when they are the same.</summary>
    public static string? Difference(string first, string second)
    {
        string[] Files(string folder) => [.. Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(folder, file)).Where(file => file != RunRecord.FileName).Order(StringComparer.Ordinal)];
        string[] files = Files(first), others = Files(second);
        if (files.Except(others).Concat(others.Except(files)).FirstOrDefault() is { } lone) return $"{lone} is in one of them only";
        return files.FirstOrDefault(file => Manifest.HashFile(PhysicalFileSystem.Instance, Path.Combine(first, file)) != Manifest.HashFile(PhysicalFileSystem.Instance, Path.Combine(second, file)));
    }
}
