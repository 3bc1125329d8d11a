using OpenEuroLLM.Core;
using OpenEuroLLM.Formats.Hub;

namespace OpenEuroLLM.Cli;

/// <summary>A file of a repository as the server describes it.</summary>
/// <param name="Name">Its path in the repository.</param>
/// <param name="Hash">What its content is named by.</param>
/// <param name="Bytes">Its size.</param>
internal sealed record FetchFile(string Name, string Hash, long Bytes);

/// <summary>Where fetched files are kept. A file has another name until its hash is right, so that what was interrupted is never taken for whole.</summary>
internal abstract class FetchStore
{
    /// <summary>The file that is being filled.</summary>
    public abstract string Incomplete(FetchFile file);

    /// <summary>Whether the whole file is there, by its hash; one with another content is removed.</summary>
    public bool Has(FetchFile file, CancellationToken cancellation)
    {
        var found = new FileInfo(PathOf(file));
        if (found.LinkTarget is null && !found.Exists) return false;
        if (found.LinkTarget is null && found.Length == file.Bytes && HubHash.Matches(found.FullName, file.Hash, cancellation)) return true;
        found.Delete();
        return false;
    }

    /// <summary>How much of an unfinished file is there.</summary>
    public long Begun(FetchFile file)
    {
        var found = new FileInfo(Incomplete(file));
        if (found.LinkTarget is not null) found.Delete(); // what it leads to is not ours to write
        else if (found.Exists && found.Length <= file.Bytes) return found.Length;
        return 0;
    }

    /// <summary>Gives a file that is whole its name.</summary>
    public virtual void Keep(FetchFile file)
    {
        using (var handle = File.OpenHandle(Incomplete(file), FileMode.Open, FileAccess.ReadWrite)) RandomAccess.FlushToDisk(handle);
        File.Move(Incomplete(file), PathOf(file), overwrite: true);
    }

    /// <summary>The right to write a file, or null while another process has it. The same kind of lock as Hugging Face's programs use.</summary>
    public FileStream? TryLock(FetchFile file)
    {
        try
        {
            return new FileStream(LockOf(file), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException exception) when (exception is not (DirectoryNotFoundException or FileNotFoundException or PathTooLongException) && File.Exists(LockOf(file)))
        {
            return null;
        }
    }

    /// <summary>Creates what files are put into.</summary>
    public abstract void Prepare(IReadOnlyList<FetchFile> files);

    /// <summary>Makes the files visible together; returns the folder that holds them.</summary>
    public abstract string Finish(HubName name, string commit, IReadOnlyList<FetchFile> files);

    /// <summary>The folder whose disk must have room.</summary>
    public abstract string Root { get; }

    protected abstract string PathOf(FetchFile file);

    protected abstract string LockOf(FetchFile file);

    /// <summary>Creates the folders of a path below a root, none of which may be a link to elsewhere.</summary>
    protected static string Folder(string root, params ReadOnlySpan<string> parts)
    {
        string path = Directory.CreateDirectory(root).FullName;
        foreach (string part in parts)
        {
            path = Path.Combine(path, part);
            if (new DirectoryInfo(path).LinkTarget is { } target)
                throw new UserErrorException($"{path}: is a link to '{target}'; expected a plain folder. Remove it and fetch again.");
            Directory.CreateDirectory(path);
        }
        return path;
    }
}

/// <summary>Hugging Face's cache.</summary>
internal sealed class FetchCacheStore(HubCache cache, HubName name) : FetchStore
{
    private readonly string folder = cache.FolderOf(name);

    public override string Root => cache.Root;

    public override string Incomplete(FetchFile file) => Path.Combine(folder, "blobs", file.Hash + ".incomplete");

    public override void Prepare(IReadOnlyList<FetchFile> files)
    {
        Folder(folder, "blobs");
        Folder(cache.Root, ".locks", name.Folder);
    }

    public override string Finish(HubName name, string commit, IReadOnlyList<FetchFile> files)
    {
        string snapshot = Folder(folder, "snapshots", commit);
        foreach (var file in files)
        {
            string[] parts = file.Name.Split('/');
            string link = Path.Combine(Folder(snapshot, parts.AsSpan()[..^1]), parts[^1]);
            string target = Path.Combine([.. Enumerable.Repeat("..", parts.Length + 1), "blobs", file.Hash]);
            var found = new FileInfo(link);
            if (found.LinkTarget == target) continue;
            if (found.LinkTarget is not null || found.Exists) found.Delete();
            try
            {
                File.CreateSymbolicLink(link, target);
            }
            catch (Exception exception) when (StorageFailure.Is(exception))
            {
                File.Copy(PathOf(file), link); // no links on this disk, or none allowed
            }
        }
        if (!name.IsCommit)
        {
            string[] parts = name.Revision.Split('/');
            string reference = Path.Combine(Folder(folder, ["refs", .. parts.AsSpan()[..^1]]), parts[^1]);
            string written = FormattableString.Invariant($"{reference}.{Environment.ProcessId}.new");
            File.WriteAllText(written, commit);
            File.Move(written, reference, overwrite: true);
        }
        return snapshot;
    }

    protected override string PathOf(FetchFile file) => Path.Combine(folder, "blobs", file.Hash);

    protected override string LockOf(FetchFile file) => Path.Combine(cache.Root, ".locks", name.Folder, file.Hash + ".lock");
}

/// <summary>A plain folder with the repository's files, and nothing beside them once all are there.</summary>
internal sealed class FetchFolderStore(string folder) : FetchStore
{
    private const string Unfinished = ".fetch";

    public override string Root => folder;

    public override string Incomplete(FetchFile file) => Path.Combine(folder, Unfinished, file.Hash + ".incomplete");

    public override void Prepare(IReadOnlyList<FetchFile> files)
    {
        Folder(folder, Unfinished);
        foreach (var file in files) Folder(folder, file.Name.Split('/').AsSpan()[..^1]);
    }

    public override string Finish(HubName name, string commit, IReadOnlyList<FetchFile> files)
    {
        Directory.Delete(Path.Combine(folder, Unfinished), recursive: true);
        return folder;
    }

    protected override string PathOf(FetchFile file) => Path.Combine([folder, .. file.Name.Split('/')]);

    protected override string LockOf(FetchFile file) => Path.Combine(folder, Unfinished, file.Hash + ".lock");
}
