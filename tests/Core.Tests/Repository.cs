namespace OpenEuroLLM.Core.Tests;

internal static class Repository
{
    /// <summary>The folder that holds the solution.</summary>
    public static string Root { get; } = Find();

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "OpenEuroLLM.slnx"))) return folder.FullName;
        throw new InvalidOperationException("The tests must run from inside the repository.");
    }
}
