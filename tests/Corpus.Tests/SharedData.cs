namespace OpenEuroLLM.Corpus.Tests;

/// <summary>Where the open texts lie beside the repository, if they do.</summary>
internal static class SharedData
{
    public static string Corpus => Path.Combine(Root(), "..", "shared", "data", "corpus");

    /// <summary>Web archives and pages.</summary>
    public static string Web => Path.Combine(Root(), "..", "shared", "data", "web");

    /// <summary>Sentences of 39 languages that are in no corpus.</summary>
    public static string Sentences => Path.Combine(Root(), "..", "shared", "data", "lid", "dev.tsv.gz");

    private static string Root()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "OpenEuroLLM.slnx"))) folder = Path.GetDirectoryName(folder)!;
        return folder;
    }
}
