using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Erasure;

/// <summary>Ends what a killed erasure began. A folder's successor is written beside it, and the moment at which the two exchange their names decides: before it nothing has happened,
/// after it the erasure of that folder has, and what is left beside is the old one. The corpus is exchanged before its tokens; sealed successors of tokens whose corpus has been exchanged
/// take their names.</summary>
internal static class Leftovers
{
    /// <summary>Ends what was begun at a folder.</summary>
    /// <param name="target">The folder.</param>
    /// <param name="corpus">Hash of the manifest of the corpus as it is now, when the folder is one of tokens.</param>
    /// <param name="files">The file system.</param>
    public static void Settle(string target, string? corpus, IFileSystem files)
    {
        IReadOnlyList<string> left = AtomicDirectory.Abandoned(target, files);
        if (left.Count == 0) return;
        string? now = HashOf(target, files);
        foreach (string folder in left)
        {
            if (Sealed(folder, files)?.Replaces is not { Count: > 0 } replaces) continue;
            // Where names cannot be exchanged, a folder has none between two steps.
            if (now is null && !files.DirectoryExists(target)) files.Move(folder, target);
            else if (replaces[^1] != now || corpus is null || !Sealed(folder, files)!.Inputs.Any(input => input.Sha256 == corpus)) continue;
            else if (!files.TryExchange(folder, target))
            {
                string old = AsideOf(folder);
                files.Move(target, old);
                files.Move(folder, target);
            }
            files.FlushDirectory(Path.GetDirectoryName(target)!);
            now = HashOf(target, files);
        }
        foreach (string folder in AtomicDirectory.Abandoned(target, files))
        {
            if (!files.DirectoryExists(target) && Sealed(folder, files) is not null) files.Move(folder, target);
            else files.Delete(folder);
        }
    }

    private static string AsideOf(string folder) => Path.Combine(Path.GetDirectoryName(folder)!, Path.GetFileName(folder).Replace(".partial-", ".replaced-", StringComparison.Ordinal));

    private static string? HashOf(string folder, IFileSystem files)
    {
        string path = Path.Combine(folder, Manifest.FileName);
        return files.FileExists(path) ? Manifest.HashFile(files, path) : null;
    }

    private static Manifest? Sealed(string folder, IFileSystem files)
    {
        try
        {
            return files.FileExists(Path.Combine(folder, Manifest.FileName)) ? Manifest.Read(files, folder) : null;
        }
        catch (UserErrorException)
        {
            return null;   // half deleted
        }
    }
}
