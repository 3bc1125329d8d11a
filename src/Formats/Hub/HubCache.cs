using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Formats.Hub;

/// <summary>The folder that Hugging Face's programs keep downloads in, read as they lay it out:
/// <c>models--ORG--NAME/{blobs/HASH, refs/BRANCH, snapshots/COMMIT/FILE -> ../../blobs/HASH}</c>. Nothing in it is believed: a link may lead to a blob of the same
/// repository and nowhere else, and small files are hashed again.</summary>
/// <param name="root">The cache's folder.</param>
public sealed class HubCache(string root)
{
    private const int MaximumReferenceBytes = 1024;
    private const int MaximumFiles = 100_000;
    private const int MaximumDepth = 16;

    // Weights were hashed when they were fetched; reading gigabytes again at every start would double its time.
    private const long LargestHashedBytes = 32 << 20;

    /// <summary>The cache's folder.</summary>
    public string Root => root;

    /// <summary>The cache that the environment names: <c>HF_HUB_CACHE</c>, else <c>HF_HOME</c>/hub, else <c>XDG_CACHE_HOME</c> or <c>~/.cache</c>, huggingface/hub.</summary>
    /// <param name="variable">The value of an environment variable, or null.</param>
    public static HubCache Of(Func<string, string?> variable)
    {
        if (Given("HF_HUB_CACHE") is { } cache)
            return new HubCache(cache);
        if (Given("HF_HOME") is { } home)
            return new HubCache(Path.Combine(home, "hub"));
        string folder = Given("XDG_CACHE_HOME") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        return new HubCache(Path.Combine(folder, "huggingface", "hub"));

        string? Given(string name) => variable(name) is { Length: > 0 } value
            ? value.StartsWith("~/", StringComparison.Ordinal) ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), value[2..]) : value
            : null;
    }

    /// <summary>A repository's folder, there or not.</summary>
    public string FolderOf(HubName name) => Path.Combine(root, name.Folder);

    /// <summary>The folder of a repository's files, complete or not, or null when none of that revision is there.</summary>
    /// <exception cref="UserErrorException">What is there is damaged or leads elsewhere.</exception>
    public string? Find(HubName name)
    {
        string folder = FolderOf(name);
        if (!Directory.Exists(folder))
            return null;
        string? commit = name.IsCommit ? name.Revision : Reference(folder, name.Revision);
        if (commit is null)
            return null;
        string snapshots = Path.Combine(folder, "snapshots"), snapshot = Path.Combine(snapshots, commit);
        RequireNoLink(snapshots);
        RequireNoLink(snapshot);
        if (!Directory.Exists(snapshot))
            return null;
        int files = 0;
        Check(folder, snapshot, 0, ref files);
        return snapshot;
    }

    private static string? Reference(string folder, string revision)
    {
        string path = Path.Combine(folder, "refs");
        RequireNoLink(path);
        foreach (string part in revision.Split('/'))
        {
            path = Path.Combine(path, part);
            RequireNoLink(path);
        }
        if (!File.Exists(path))
            return null;
        try
        {
            using var handle = ReadableFile.Open(path);
            long length = RandomAccess.GetLength(handle);
            if (length > MaximumReferenceBytes)
                throw Damaged(path, $"the file has {length} bytes; expected a commit of 40 hexadecimal digits");
            byte[] bytes = new byte[length];
            ReadableFile.ReadExactly(handle, path, bytes, 0);
            string commit = Encoding.ASCII.GetString(bytes).Trim();
            return HubHash.IsCommit(commit) ? commit : throw Damaged(path, $"it holds '{GgufText.Short(commit)}'; expected a commit of 40 hexadecimal digits");
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, path);
        }
    }

    private static void Check(string repository, string folder, int depth, ref int files)
    {
        if (depth > MaximumDepth)
            throw Damaged(folder, $"folders lie {depth} deep; expected at most {MaximumDepth}");
        foreach (var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos())
        {
            if (++files > MaximumFiles)
                throw Damaged(folder, $"there are more than {MaximumFiles} files");
            if (entry.LinkTarget is { } target)
                CheckLink(repository, entry.FullName, target);
            else if (entry is DirectoryInfo)
                Check(repository, entry.FullName, depth + 1, ref files);
        }
    }

    private static void CheckLink(string repository, string path, string target)
    {
        string blobs = Path.GetFullPath(Path.Combine(repository, "blobs"));
        string end = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, target));
        string shown = GgufText.Short(target);
        if (Path.GetDirectoryName(end) != blobs)
            throw Damaged(path, $"it is a link to '{shown}'; expected one of this repository's blobs");
        string hash = Path.GetFileName(end);
        if (!HubHash.IsName(hash))
            throw Damaged(path, $"it is a link to '{shown}'; expected a blob named by 40 or 64 hexadecimal digits");
        RequireNoLink(blobs);
        RequireNoLink(end);
        var blob = new FileInfo(end);
        if (!blob.Exists)
            throw Damaged(path, $"the blob {hash} that it is a link to is missing");
        try
        {
            if (blob.Length <= LargestHashedBytes && !HubHash.Matches(end, hash))
                throw Damaged(path, $"its content does not have the hash {hash} that it is named by");
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, end);
        }
    }

    private static void RequireNoLink(string path)
    {
        if (new FileInfo(path).LinkTarget is { } target)
            throw Damaged(path, $"it is a link to '{GgufText.Short(target)}'; expected a plain {(Directory.Exists(path) ? "folder" : "file")}");
    }

    private static UserErrorException Damaged(string path, string what) => new($"{path}: {what}; remove the repository from the cache and fetch it again with 'oellm fetch'.");
}
