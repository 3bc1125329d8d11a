namespace OpenEuroLLM.Core.Tests;

public sealed class PhysicalFileSystemTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private void Write(string name)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
        File.WriteAllText(_folder[name], name);
    }

    private static string[] Found(string root) =>
        [.. PhysicalFileSystem.Instance.EnumerateFiles(root, recursive: true).Select(path => Path.GetRelativePath(root, path).Replace('\\', '/'))];

    [Fact]
    public void Links_that_lead_back_are_entered_once()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need a privilege there");
        Write("texts/b/two.txt");
        Write("texts/one.txt");
        Write("other/three.txt");
        Directory.CreateSymbolicLink(_folder["texts/a"], _folder["texts/b"]);        // comes before the folder it leads to
        Directory.CreateSymbolicLink(_folder["texts/b/up"], "..");
        Directory.CreateSymbolicLink(_folder["texts/b/self"], _folder["texts/b"]);
        Directory.CreateSymbolicLink(_folder["texts/x"], _folder["texts/y"]);        // two that lead to each other are no folders
        Directory.CreateSymbolicLink(_folder["texts/elsewhere"], _folder["other"]);
        Directory.CreateSymbolicLink(_folder["other/back"], _folder["texts"]);
        Assert.Equal(["b/two.txt", "elsewhere/three.txt", "one.txt"], Found(_folder["texts"]).Where(name => name != "x"));
        Directory.CreateSymbolicLink(_folder["link"], _folder["texts"]);
        Assert.Contains("one.txt", Found(_folder["link"]));
    }

    [Fact]
    public void Files_of_all_folders_are_in_ordinal_order()
    {
        foreach (string name in new[] { "b/1", "a/2", "a/B/3", "a/b/4", "c" }) Write("texts/" + name);
        Assert.Equal(["a/2", "a/B/3", "a/b/4", "b/1", "c"], Found(_folder["texts"]));
        Assert.Equal(["c"], PhysicalFileSystem.Instance.EnumerateFiles(_folder["texts"], recursive: false).Select(Path.GetFileName));
    }

    [Fact]
    public void A_folder_for_a_file_and_a_file_for_a_folder_are_called_what_they_are()
    {
        Write("texts/one.txt");
        string file = _folder["texts/one.txt"];
        Assert.Equal($"{_folder["texts"]}: is a folder; expected a file.", Explained(() => PhysicalFileSystem.Instance.OpenRead(_folder["texts"]).Dispose(), _folder["texts"]));
        Assert.Equal($"{file}: is a file; expected a folder.", Explained(() => _ = PhysicalFileSystem.Instance.EnumerateFiles(file, recursive: true).ToList(), file));
        Assert.Equal($"{file}: is a file; expected a folder.", Explained(() => PhysicalFileSystem.Instance.OpenRead(Path.Combine(file, "deeper", "x")).Dispose(), Path.Combine(file, "deeper", "x")));
        Assert.Contains("not found", Explained(() => PhysicalFileSystem.Instance.OpenRead(_folder["none"]).Dispose(), _folder["none"]));

        static string Explained(Action action, string path)
        {
            Exception failure = Record.Exception(action)!;
            Assert.True(StorageFailure.Is(failure), $"{failure}");
            return StorageFailure.Explain(failure, path).Message;
        }
    }
}
