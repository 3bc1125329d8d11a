using System.Text.Json.Nodes;

namespace OpenEuroLLM.Core;

/// <summary>A folder that grows in place over a long run (training): its children are atomic folders, and its own manifest comes last.
/// Until then it does not exist for readers of finished folders.</summary>
public sealed class LiveDirectory : IDisposable
{
    private readonly IFileSystem _files;
    private readonly StageRecord _record;

    private LiveDirectory(string path, IFileSystem files, StageRecord record) => (Path, _files, _record) = (path, files, record);

    /// <summary>The folder, as a full path.</summary>
    public string Path { get; }

    /// <summary>Opens a folder for a run, or for going on with an interrupted one.</summary>
    /// <param name="path">The folder; created when missing.</param>
    /// <param name="stage">Name of the stage, for the manifest.</param>
    /// <param name="settings">The effective settings, for the manifest.</param>
    /// <param name="fileSystem">The file system; the machine's own by default.</param>
    /// <param name="clock">The clock; the machine's own by default.</param>
    /// <exception cref="UserErrorException">The run is finished already, or the folder cannot be written.</exception>
    public static LiveDirectory Open(string path, string stage, JsonObject settings, IFileSystem? fileSystem = null, IClock? clock = null)
    {
        path = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));
        var files = fileSystem ?? PhysicalFileSystem.Instance;
        try
        {
            if (files.FileExists(System.IO.Path.Combine(path, Manifest.FileName)))
                throw new UserErrorException($"{path}: this run is finished; choose another folder for a new one.");
            files.CreateDirectory(path);
            RemoveAbandoned(files, path);
            bool resumed = files.EnumerateFiles(path, recursive: true).Any();
            return new LiveDirectory(path, files, new StageRecord(path, stage, settings, files, clock ?? SystemClock.Instance)
            {
                EnergyGap = resumed ? "not measured: the run was interrupted and resumed" : null,
            });
        }
        catch (Exception exception) when (StorageFailure.Is(exception))
        {
            throw StorageFailure.Explain(exception, path);
        }
    }

    /// <inheritdoc cref="AtomicDirectory.AddInputFile"/>
    public void AddInputFile(string path, string recordedAs) => _record.AddInputFile(path, recordedAs);

    /// <inheritdoc cref="AtomicDirectory.AddInputDirectory"/>
    public void AddInputDirectory(string directory) => _record.AddInputDirectory(directory);

    /// <inheritdoc cref="AtomicDirectory.Count"/>
    public void Count(ManifestCount count) => _record.Count(count);

    /// <summary>Hashes and flushes everything in the folder and writes run record and, last, the manifest. Sub-folders with a
    /// manifest of their own are covered by its hash.</summary>
    /// <param name="workers">Threads for hashing; recorded as the workers of the run.</param>
    public Manifest Finish(int workers = 1)
    {
        try
        {
            var manifest = _record.Seal(Path, workers);
            _files.FlushDirectory(System.IO.Path.GetDirectoryName(Path)!);
            return manifest;
        }
        catch (Exception exception) when (StorageFailure.Is(exception))
        {
            throw StorageFailure.Explain(exception, Path);
        }
    }

    /// <summary>Ends the measurement; the folder stays as it is, to be gone on with.</summary>
    public void Dispose() => _record.Dispose();

    // Children that a killed run was writing must not be taken for its results.
    private static void RemoveAbandoned(IFileSystem files, string folder)
    {
        foreach (string sub in files.EnumerateDirectories(folder))
        {
            string name = System.IO.Path.GetFileName(sub);
            int mark = name.LastIndexOf('.');
            if (mark > 0 && AtomicDirectory.IsAbandoned(name, mark)) files.Delete(sub);
            else RemoveAbandoned(files, sub);
        }
    }
}
