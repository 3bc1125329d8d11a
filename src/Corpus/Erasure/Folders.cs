using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Erasure;

/// <summary>A manifest that was found.</summary>
/// <param name="Folder">Where it lies.</param>
/// <param name="Sha256">Its hash.</param>
/// <param name="Manifest">Its content.</param>
/// <param name="IsCopy">Whether it is one that a model carries (<c>lineage/STAGE.manifest.json</c>) and says nothing of the folder it lies in.</param>
internal sealed record FoundManifest(string Folder, string Sha256, Manifest Manifest, bool IsCopy);

/// <summary>The finished folders below some others, and what was made from what.</summary>
internal sealed class Folders
{
    private const int MostManifestBytes = 1 << 30;

    private readonly IFileSystem _files;
    private readonly Dictionary<string, FoundManifest> _found = new(StringComparer.Ordinal);
    private readonly HashSet<string> _unfinished = new(StringComparer.Ordinal);

    private Folders(IFileSystem files) => _files = files;

    /// <summary>Looks for manifests, in folders and everything below them.</summary>
    public static Folders Below(IEnumerable<string> roots, IFileSystem files, CancellationToken cancellation)
    {
        var folders = new Folders(files);
        foreach (string root in roots) folders.Walk(Path.TrimEndingDirectorySeparator(Path.GetFullPath(root)), cancellation);
        return folders;
    }

    /// <summary>The finished folders.</summary>
    public IEnumerable<FoundManifest> Finished => _found.Values.Where(found => !found.IsCopy).OrderBy(found => found.Folder, StringComparer.Ordinal);

    /// <summary>Names of folders beside which a killed writer left something.</summary>
    public IEnumerable<string> Interrupted => _unfinished.Order(StringComparer.Ordinal);

    /// <summary>The folders that were made, over however many stages, from something that had one of these manifests.</summary>
    /// <param name="seeds">Hashes of manifests.</param>
    public IReadOnlyList<FoundManifest> MadeFrom(IEnumerable<string> seeds)
    {
        HashSet<string> known = [.. seeds];
        var affected = new SortedDictionary<string, FoundManifest>(StringComparer.Ordinal);
        bool more = true;
        while (more)   // a chain has few stages
        {
            more = false;
            foreach ((string path, FoundManifest found) in _found)
            {
                if (affected.ContainsKey(path) || !IsFrom(found, known, affected.Values)) continue;
                affected[path] = found;
                known.Add(found.Sha256);
                more = true;
            }
        }
        return [.. affected.Values.Where(found => !found.IsCopy)];
    }

    private static bool IsFrom(FoundManifest found, HashSet<string> known, IEnumerable<FoundManifest> affected) =>
        found.Manifest.Inputs.Any(input => known.Contains(input.Sha256))
        || (!found.IsCopy && affected.Any(outer => !outer.IsCopy && found.Folder.StartsWith(outer.Folder + Path.DirectorySeparatorChar, StringComparison.Ordinal)));   // a checkpoint lies in the run that wrote it

    private void Walk(string folder, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        if (AtomicDirectory.TargetOf(folder) is { } target)
        {
            _unfinished.Add(target);
            return;
        }
        foreach (string file in _files.EnumerateFiles(folder, recursive: false))
        {
            string name = Path.GetFileName(file);
            bool copy = name.EndsWith("." + Manifest.FileName, StringComparison.Ordinal);
            if ((copy || name == Manifest.FileName) && !_found.ContainsKey(file) && Read(file, copy) is { } found) _found[file] = found;
        }
        foreach (string sub in _files.EnumerateDirectories(folder))
            if (new DirectoryInfo(sub).LinkTarget is null) Walk(sub, cancellation);
    }

    private FoundManifest? Read(string path, bool copy)
    {
        if (_files.FileLength(path) > MostManifestBytes) return null;
        try
        {
            using Stream stream = _files.OpenRead(path);
            using var content = new MemoryStream();
            stream.CopyTo(content);
            return new FoundManifest(Path.GetDirectoryName(path)!, Manifest.Hash(content.ToArray()), Manifest.Parse(content.ToArray(), path), copy);
        }
        catch (UserErrorException)
        {
            return null;   // another program's file of this name
        }
    }
}
