namespace OpenEuroLLM.Languages.Tests.Identification;

/// <summary>Where the open texts lie beside the repository, if they do.</summary>
internal static class SharedData
{
    public static string Gold => Path.Combine(Root(), "..", "shared", "data", "lid", "dev.tsv.gz");

    private static string Root()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "OpenEuroLLM.slnx"))) folder = Path.GetDirectoryName(folder)!;
        return folder;
    }
}
