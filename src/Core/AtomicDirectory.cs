using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace OpenEuroLLM.Core;

/// <summary>A folder that appears whole or not at all: files are written to <c>TARGET.partial-PID</c>, hashed, flushed and listed
/// in a manifest, and only then does the folder take its name. Every stage writes through it.</summary>
/// <remarks>Members that record inputs and counts may be called from several threads.</remarks>
public sealed class AtomicDirectory : IDisposable
{
    private const string PartialMark = ".partial-", ReplacedMark = ".replaced-";
    private static readonly ConcurrentDictionary<string, bool> _open = new();

    private readonly IFileSystem _files;
    private readonly StageRecord _record;
    private readonly bool _replace;
    private Manifest? _sealed;
    private bool _finished;

    private AtomicDirectory(string target, string stage, JsonObject settings, IFileSystem files, IClock clock, bool replace)
    {
        (_files, _replace, Target) = (files, replace, target);
        Path = target + PartialMark + ProcessId;
        _record = new StageRecord(target, stage, settings, files, clock);
    }

    /// <summary>The folder to write files into.</summary>
    public string Path { get; }

    /// <summary>The folder's final name, as a full path.</summary>
    public string Target { get; }

    private static string ProcessId => Environment.ProcessId.ToString(CultureInfo.InvariantCulture);

    /// <summary>Begins a folder. What earlier processes left unfinished beside the target is removed.</summary>
    /// <param name="target">The folder's final name.</param>
    /// <param name="stage">Name of the stage, for the manifest.</param>
    /// <param name="settings">The effective settings, for the manifest.</param>
    /// <param name="fileSystem">The file system; the machine's own by default.</param>
    /// <param name="clock">The clock; the machine's own by default.</param>
    /// <param name="replace">Whether a finished folder of this name may be replaced, at the moment of <see cref="Commit"/>.</param>
    /// <exception cref="UserErrorException">The target exists, or its place cannot be written.</exception>
    public static AtomicDirectory Create(
        string target, string stage, JsonObject settings, IFileSystem? fileSystem = null, IClock? clock = null, bool replace = false)
    {
        target = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(target));
        var files = fileSystem ?? PhysicalFileSystem.Instance;
        var directory = new AtomicDirectory(target, stage, settings, files, clock ?? SystemClock.Instance, replace);
        if (!_open.TryAdd(directory.Path, true))
            throw new UserErrorException($"{target}: is being written already by this process; use another folder.");
        try
        {
            RefuseOccupied(files, target, replace);
            string parent = System.IO.Path.GetDirectoryName(target) ?? throw new UserErrorException($"{target}: is the root of a disk; choose a folder in it.");
            files.CreateDirectory(parent);
            RemoveStale(files, target, parent);
            files.CreateDirectory(directory.Path);
            return directory;
        }
        catch (Exception exception)
        {
            directory.Dispose();
            if (!StorageFailure.Is(exception)) throw;
            throw StorageFailure.Explain(exception, target);
        }
    }

    /// <summary>Records a file that the stage read.</summary>
    /// <param name="path">The file.</param>
    /// <param name="recordedAs">Its name in the manifest: <c>../</c> and so on relative to the target, for a file that travels with it and is verified; or any
    /// stable name for a file from outside.</param>
    public void AddInputFile(string path, string recordedAs) => _record.AddInputFile(path, recordedAs);

    /// <summary>Records a finished folder that the stage read; its manifest stands for its files.</summary>
    /// <exception cref="UserErrorException">The folder has no matching manifest.</exception>
    public void AddInputDirectory(string directory) => _record.AddInputDirectory(directory);

    /// <summary>Records something that was read earlier, by another run.</summary>
    public void AddInput(ManifestInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        _record.AddInput(input);
    }

    /// <summary>Records the run record of an input folder that was read earlier, by another run.</summary>
    public void AddInput(RunInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        _record.AddInput(input);
    }

    /// <summary>Says of which folders this one is the successor: see <see cref="Manifest.Replaces"/>.</summary>
    public void Succeed(IReadOnlyList<string> manifests) => _record.Replaces = manifests;

    /// <summary>Adds to what was kept or dropped; equal keys are summed.</summary>
    public void Count(ManifestCount count) => _record.Count(count);

    /// <summary>Hashes and flushes everything and writes manifest and run record. The folder is finished and has yet to take its name.</summary>
    /// <param name="workers">Threads for hashing; recorded as the workers of the run.</param>
    /// <exception cref="UserErrorException">The disk failed; nothing is left of the folder.</exception>
    public Manifest Seal(int workers = 1)
    {
        ObjectDisposedException.ThrowIf(_finished, this);
        try
        {
            return _sealed ??= _record.Seal(Path, workers);
        }
        catch (Exception exception)
        {
            Dispose();
            if (!StorageFailure.Is(exception)) throw;
            throw StorageFailure.Explain(exception, Target);
        }
    }

    /// <summary>Hashes and flushes everything, writes manifest and run record, and gives the folder its name. A folder that it replaces goes in the same moment, where
    /// the disk can do that.</summary>
    /// <param name="workers">Threads for hashing; recorded as the workers of the run.</param>
    /// <exception cref="UserErrorException">The disk failed; nothing is left under the target's name.</exception>
    public Manifest Commit(int workers = 1)
    {
        Manifest manifest = Seal(workers);
        try
        {
            TakeName();
            return manifest;
        }
        catch (Exception exception) when (StorageFailure.Is(exception))
        {
            throw StorageFailure.Explain(exception, Target);
        }
        finally
        {
            Dispose();
        }
    }

    /// <summary>Ends the writing and leaves the sealed folder where it is: a later call of whoever knows what it is for finds it by <see cref="Abandoned"/>.</summary>
    public void Leave()
    {
        _finished = _sealed is not null;
        Dispose();
    }

    /// <summary>The folders that writers of a folder left beside it when they were killed: unfinished ones, sealed ones that have not taken their name, and ones that were
    /// replaced and not yet removed. None of them is what it is taken for before its manifest has been read.</summary>
    public static IReadOnlyList<string> Abandoned(string target, IFileSystem? fileSystem = null)
    {
        IFileSystem files = fileSystem ?? PhysicalFileSystem.Instance;
        target = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(target));
        string parent = System.IO.Path.GetDirectoryName(target)!, name = System.IO.Path.GetFileName(target);
        if (!files.DirectoryExists(parent)) return [];
        return [.. files.EnumerateDirectories(parent).Where(sibling =>
            System.IO.Path.GetFileName(sibling) is { } folder && folder.StartsWith(name, StringComparison.Ordinal) && IsAbandoned(folder, name.Length) && !_open.ContainsKey(sibling))];
    }

    /// <summary>The name of the folder beside which writers leave such a one; null of a folder that has a name of its own.</summary>
    public static string? TargetOf(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        string name = System.IO.Path.GetFileName(folder);
        foreach (string mark in (string[])[PartialMark, ReplacedMark])
        {
            int at = name.LastIndexOf(mark, StringComparison.Ordinal);
            if (at > 0 && int.TryParse(name.AsSpan(at + mark.Length), NumberStyles.None, CultureInfo.InvariantCulture, out _))
                return System.IO.Path.Combine(System.IO.Path.GetDirectoryName(folder) ?? "", name[..at]);
        }
        return null;
    }

    /// <summary>Removes the temporary folder when nothing was committed.</summary>
    public void Dispose()
    {
        if (!_open.TryRemove(Path, out _)) return;
        _record.Dispose();
        if (_finished) return;
        _finished = true;
        TryDelete(Path);
    }

    private void TakeName()
    {
        RefuseOccupied(_files, Target, _replace); // another process may have been faster
        string parent = System.IO.Path.GetDirectoryName(Target)!, old = Target + ReplacedMark + ProcessId;
        bool replaces = _files.DirectoryExists(Target);
        if (replaces && _files.TryExchange(Path, Target))
        {
            _finished = true;
            _files.FlushDirectory(parent);
            TryDelete(Path);
            return;
        }
        if (replaces) _files.Move(Target, old);
        try
        {
            _files.Move(Path, Target);
        }
        catch (Exception exception) when (replaces && StorageFailure.Is(exception))
        {
            _files.Move(old, Target);
            throw;
        }

        _finished = true;
        _files.FlushDirectory(parent);
        if (replaces) TryDelete(old);
    }

    private void TryDelete(string path)
    {
        try
        {
            _files.Delete(path);
        }
        catch (Exception exception) when (StorageFailure.Is(exception))
        {
            // The remains carry no name that a reader looks at, and the next run removes them.
        }
    }

    private static void RefuseOccupied(IFileSystem files, string target, bool replace)
    {
        if (files.FileExists(target)) throw new UserErrorException($"{target}: is a file; expected a new folder, choose another name.");
        if (!files.DirectoryExists(target)) return;
        if (files.FileExists(System.IO.Path.Combine(target, Manifest.FileName)))
        {
            if (!replace) throw new UserErrorException($"{target}: exists already; choose another folder or remove it.");
        }
        else if (files.EnumerateFiles(target, recursive: true).Any())
        {
            throw new UserErrorException($"{target}: holds files but no {Manifest.FileName}, so it is not ours to replace; choose another folder.");
        }
        else
        {
            files.Delete(target); // empty: made by the user in advance
        }
    }

    private static void RemoveStale(IFileSystem files, string target, string parent)
    {
        string name = System.IO.Path.GetFileName(target);
        foreach (string sibling in files.EnumerateDirectories(parent))
        {
            string folder = System.IO.Path.GetFileName(sibling);
            if (folder.StartsWith(name, StringComparison.Ordinal) && IsAbandoned(folder, name.Length)) files.Delete(sibling);
        }
    }

    /// <summary>Whether a folder's name ends, from <paramref name="start"/> on, in a mark of a writer that is gone.</summary>
    internal static bool IsAbandoned(string folder, int start)
    {
        foreach (string mark in (string[])[PartialMark, ReplacedMark])
        {
            if (!folder.AsSpan(start).StartsWith(mark, StringComparison.Ordinal)) continue;
            if (!int.TryParse(folder.AsSpan(start + mark.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int process)) continue;
            // This process's own number is a leftover too (containers reuse numbers): Create lets only one writer through.
            return process == Environment.ProcessId || !IsRunning(process);
        }

        return false;
    }

    private static bool IsRunning(int process)
    {
        try
        {
            using var found = Process.GetProcessById(process);
            return !found.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
