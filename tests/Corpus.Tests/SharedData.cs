namespace OpenEuroLLM.Corpus.Tests;

/// <summary>Where the open texts lie beside the repository, if they do.</summary>
internal static class SharedData
{
    public static string Corpus => Path.Combine(Root(), "..", "shared", "data", "corpus");

    private static string Root()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "OpenEuroLLM.slnx"))) folder = Path.GetDirectoryName(folder)!;
        return folder;
    }
}
