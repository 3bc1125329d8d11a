using System.Diagnostics;
using System.Text.Json.Nodes;

namespace OpenEuroLLM.Core;

/// <summary>Collects what a stage read and counted, and seals its folder with manifest and run record.</summary>
internal sealed class StageRecord : IDisposable
{
    private readonly IFileSystem _files;
    private readonly IClock _clock;
    private readonly string _target;
    private readonly string _stage;
    private readonly JsonObject _settings;
    private readonly DateTimeOffset _started;
    private readonly long _startedTimestamp;
    private readonly EnergyMeasurement _energy = EnergyMeter.Start();
    private readonly Lock _gate = new();
    private readonly Dictionary<string, ManifestInput> _inputs = [];
    private readonly List<RunInput> _runInputs = [];
    private readonly List<ManifestCount> _counts = [];

    public StageRecord(string target, string stage, JsonObject settings, IFileSystem files, IClock clock)
    {
        (_files, _clock, _target, _stage) = (files, clock, target, stage);
        _settings = settings.DeepClone().AsObject();
        (_started, _startedTimestamp) = (clock.UtcNow, clock.Timestamp);
    }

    /// <summary>Why the energy cannot be told, when that is known in advance.</summary>
    public string? EnergyGap { get; init; }

    /// <summary>Hashes of the manifests that the folder's takes the place of.</summary>
    public IReadOnlyList<string>? Replaces { get; set; }

    public void AddInput(ManifestInput input)
    {
        lock (_gate) _inputs[input.Path] = input;
    }

    public void AddInput(RunInput input)
    {
        lock (_gate) _runInputs.Add(input);
    }

    public void AddInputFile(string path, string recordedAs) => Guard(path, () =>
    {
        string hash = Manifest.HashFile(_files, path);
        lock (_gate) _inputs[recordedAs] = new ManifestInput(recordedAs.Replace('\\', '/'), hash);
    });

    public void AddInputDirectory(string directory) => Guard(directory, () =>
    {
        _ = Manifest.Read(_files, directory); // refuses an unfinished folder
        string Recorded(string file) => Path.GetRelativePath(_target, Path.GetFullPath(Path.Combine(directory, file))).Replace('\\', '/');
        string hash = Manifest.HashFile(_files, Path.Combine(directory, Manifest.FileName));
        string run = Path.Combine(directory, RunRecord.FileName);
        lock (_gate)
        {
            string recorded = Recorded(Manifest.FileName);
            if (!_inputs.TryAdd(recorded, new ManifestInput(recorded, hash, hash))) return;
            if (_files.FileExists(run)) _runInputs.Add(new RunInput(Recorded(RunRecord.FileName), Manifest.HashFile(_files, run)));
        }
    });

    public void Count(ManifestCount count)
    {
        lock (_gate) _counts.Add(count);
    }

    /// <summary>Hashes and flushes every file below <paramref name="folder"/>, then writes run.json and, last, manifest.json.</summary>
    public Manifest Seal(string folder, int workers)
    {
        string manifestPath = Path.Combine(folder, Manifest.FileName), partial = manifestPath + ".partial";
        _files.Delete(partial);
        string[] paths = [.. OutputFiles(folder)];
        var outputs = new ManifestOutput[paths.Length];
        new LocalLauncher(workers).Run(paths.Length, index =>
        {
            string path = paths[index];
            using var stream = _files.OpenRead(path);
            string hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(stream));
            _files.FlushToDisk(stream);
            outputs[index] = new ManifestOutput(Path.GetRelativePath(folder, path).Replace('\\', '/'), _files.FileLength(path), hash);
        });

        var manifest = new Manifest(_stage, _settings, [.. _inputs.Values], outputs, _counts, BuildVersion.Current, Replaces);
        byte[] json = manifest.ToJson();
        using var process = Process.GetCurrentProcess();
        var run = new RunRecord(
            Manifest.Hash(json), _runInputs, _started, _clock.UtcNow, _clock.SecondsSince(_startedTimestamp), RunRecord.ThisHost,
            Environment.ProcessorCount, workers, EnergyGap is null ? _energy.Joules : null, EnergyGap ?? _energy.Source, process.PeakWorkingSet64);
        Write(Path.Combine(folder, RunRecord.FileName), run.ToJson());
        Write(partial, json);
        _files.Move(partial, manifestPath); // last: only now does the folder exist for readers
        FlushTree(folder);
        return Manifest.Parse(json, manifestPath); // sorted as written
    }

    public void Dispose() => _energy.Dispose();

    // Files of the folder; of a sub-folder with its own manifest only the manifest, which stands for the rest. Its run record may differ
    // between equal runs, so it is no output; it carries a hash of itself.
    private IEnumerable<string> OutputFiles(string folder)
    {
        foreach (string file in _files.EnumerateFiles(folder, recursive: false))
            if (Path.GetFileName(file) is not (Manifest.FileName or RunRecord.FileName)) yield return file;
        foreach (string sub in _files.EnumerateDirectories(folder))
        {
            string manifest = Path.Combine(sub, Manifest.FileName);
            if (!_files.FileExists(manifest))
            {
                foreach (string file in OutputFiles(sub)) yield return file;
                continue;
            }

            yield return manifest;
        }
    }

    private void Write(string path, byte[] content)
    {
        using var stream = _files.CreateFile(path);
        stream.Write(content);
        _files.FlushToDisk(stream);
    }

    private void FlushTree(string folder)
    {
        foreach (string sub in _files.EnumerateDirectories(folder)) FlushTree(sub);
        _files.FlushDirectory(folder);
    }

    private static void Guard(string path, Action action)
    {
        try
        {
            action();
        }
        catch (Exception exception) when (StorageFailure.Is(exception))
        {
            throw StorageFailure.Explain(exception, path);
        }
    }
}
