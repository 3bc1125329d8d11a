using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Readers;

namespace OpenEuroLLM.Corpus.Building;

/// <summary>The finished work of one phase on one unit: a folder of documents with their index, which gets its name when it is whole. A rerun
/// with the same key finds it and goes on with the next.</summary>
internal sealed class WorkUnit
{
    /// <summary>Name of the one group of documents before the last phase; afterwards groups are languages.</summary>
    public const string All = "all";

    /// <summary>What of the input was passed over: an entry a line.</summary>
    public const string SkippedFile = "skipped.jsonl";

    private const string HostsFile = "hosts.txt";
    private const string MarkerName = "done.json";

    private WorkUnit(string folder, string key, IReadOnlyList<Origin> origins, IReadOnlyList<ManifestCount> counts, IReadOnlyDictionary<string, long> files)
    {
        (Folder, Key, Origins, Counts, Files) = (folder, key, origins, counts, files);
    }

    /// <summary>Where it lies.</summary>
    public string Folder { get; }

    /// <summary>Stands for everything the content follows from.</summary>
    public string Key { get; }

    /// <summary>What the index refers to.</summary>
    public IReadOnlyList<Origin> Origins { get; }

    /// <summary>What was counted.</summary>
    public IReadOnlyList<ManifestCount> Counts { get; }

    /// <summary>The files with their lengths.</summary>
    public IReadOnlyDictionary<string, long> Files { get; }

    /// <summary>The documents of a group (a language, or all) as lines.</summary>
    public string Lines(string group) => Path.Combine(Folder, group + ".jsonl");

    /// <summary>The index of a group.</summary>
    public string Index(string group) => Path.Combine(Folder, group + ".index");

    /// <summary>What the step that ends the phase measured: a row for each document of a group.</summary>
    public string Measures(string group) => Path.Combine(Folder, group + ".measures");

    /// <summary>Whether the unit has documents of a group.</summary>
    public bool Has(string group) => Files.ContainsKey(group + ".jsonl");

    /// <summary>Whether its documents have addresses.</summary>
    public bool HasHosts => Files.ContainsKey(HostsFile);

    /// <summary>The hosts that the index of the last phase refers to.</summary>
    public IReadOnlyList<string> Hosts(IFileSystem files)
    {
        if (!HasHosts) return [];
        using var reader = new StreamReader(files.OpenRead(Path.Combine(Folder, HostsFile)), Encoding.UTF8);
        var hosts = new List<string>();
        while (reader.ReadLine() is { } host) hosts.Add(host);
        return hosts;
    }

    /// <summary>The finished work in a folder, or null when there is none for this key.</summary>
    public static WorkUnit? TryOpen(IFileSystem files, string folder, string key)
    {
        string marker = Path.Combine(folder, MarkerName);
        if (!files.FileExists(marker)) return null;
        using Stream stream = files.OpenRead(marker);
        try
        {
            JsonNode root = JsonNode.Parse(stream)!;
            if ((string?)root["key"] != key) return null;
            var unit = new WorkUnit(folder, key,
                [.. root["origins"]!.AsArray().Select(origin => new Origin((string)origin![0]!, (string)origin[1]!, (string)origin[2]!))],
                [.. root["counts"]!.AsArray().Select(count => new ManifestCount(
                    (string)count![0]!, (string)count[1]!, (string?)count[2], (string?)count[3], (string?)count[4], (long)count[5]!, (long)count[6]!, (long)count[7]!))],
                root["files"]!.AsObject().ToDictionary(file => file.Key, file => (long)file.Value!));
            return unit.Files.All(file => Path.Combine(folder, file.Key) is var path && files.FileExists(path) && files.FileLength(path) == file.Value) ? unit : null;
        }
        catch (Exception error) when (error is JsonException or NullReferenceException or InvalidOperationException or FormatException)
        {
            return null;   // not one of ours, or of another version: it is made again
        }
    }

    /// <summary>Writes the marker and gives the folder its name; from here on the work is done.</summary>
    private static WorkUnit Finish(
        IFileSystem files, string partial, string folder, string key, IReadOnlyList<Origin> origins, IReadOnlyList<ManifestCount> counts, IReadOnlyDictionary<string, long> lengths)
    {
        var root = new JsonObject
        {
            ["key"] = key,
            ["origins"] = new JsonArray([.. origins.Select(origin => (JsonNode)new JsonArray(origin.Language, origin.Source, origin.License))]),
            ["counts"] = new JsonArray([.. counts.Select(count => (JsonNode)new JsonArray(
                count.Step, count.Reason, count.Language, count.Source, count.License, count.Documents, count.Bytes, count.Tokens))]),
            ["files"] = new JsonObject(lengths.OrderBy(file => file.Key, StringComparer.Ordinal).Select(file => KeyValuePair.Create(file.Key, (JsonNode?)file.Value))),
        };
        using (Stream stream = files.CreateFile(Path.Combine(partial, MarkerName)))
        {
            stream.Write(CanonicalJson.Write(root));
            files.FlushToDisk(stream);
        }
        files.FlushDirectory(partial);
        files.Delete(folder);   // the work of another version or other settings
        files.Move(partial, folder);
        files.FlushDirectory(Path.GetDirectoryName(folder)!);
        return new WorkUnit(folder, key, origins, counts, lengths);
    }

    /// <summary>Writes the documents of one unit, in groups, each with its index and, where a step measures, its measures.</summary>
    internal sealed class Writer : IDisposable
    {
        private const int LoggedOfReason = 1_000;
        private static readonly string[] Endings = [".jsonl", ".index", ".measures"];

        private readonly IFileSystem _files;
        private readonly string _folder;
        private readonly string _partial;
        private readonly bool _measures;
        private readonly Dictionary<string, Stream[]> _groups = [];
        private readonly Dictionary<Origin, int> _origins = [];
        private readonly Dictionary<string, int> _hosts = [];
        private readonly Dictionary<string, int> _logged = [];
        private Stream? _skipped, _ledger;

        /// <param name="files">The file system.</param>
        /// <param name="folder">The unit's folder.</param>
        /// <param name="writer">Names this process among those that work at the same corpus.</param>
        /// <param name="measures">Whether documents have measures.</param>
        public Writer(IFileSystem files, string folder, string writer, bool measures)
        {
            (_files, _folder, _partial, _measures) = (files, folder, $"{folder}.{writer}.partial", measures);
            files.Delete(_partial);   // half-done work of an earlier run
            files.CreateDirectory(_partial);
        }

        /// <summary>Adds a document to a group.</summary>
        public void Add(string group, PassingDocument passing, UInt128 hash, string? host, ReadOnlySpan<byte> measures)
        {
            if (!_groups.TryGetValue(group, out Stream[]? streams))
                _groups[group] = streams = [.. Endings[..(_measures ? 3 : 2)].Select(ending => _files.CreateFile(Path.Combine(_partial, group + ending)))];
            int origin = Number(_origins, passing.Origin);
            int hostNumber = host is null ? -1 : Number(_hosts, host);
            new IndexEntry(hash, streams[0].Position, origin, passing.Bytes, passing.Tokens ?? 0, hostNumber, passing.Side).WriteTo(streams[1]);
            streams[0].Write(passing.Document.ToJsonLine());
            streams[0].WriteByte((byte)'\n');
            if (_measures) streams[2].Write(measures);
        }

        /// <summary>Logs what was passed over, of every reason the first ones; all are counted elsewhere.</summary>
        public void Skip(SkippedInput skipped)
        {
            if (skipped.Place is null) return;
            int logged = _logged[skipped.Reason] = _logged.GetValueOrDefault(skipped.Reason) + 1;
            if (logged > LoggedOfReason) return;
            _skipped ??= _files.CreateFile(Path.Combine(_partial, SkippedFile));
            _skipped.Write(skipped.ToJsonLine());
            _skipped.WriteByte((byte)'\n');
        }

        /// <summary>Adds a line to the ledger.</summary>
        public void Record(ReadOnlySpan<byte> line)
        {
            _ledger ??= _files.CreateFile(Path.Combine(_partial, CorpusStage.LedgerFile));
            _ledger.Write(line);
            _ledger.WriteByte((byte)'\n');
        }

        /// <summary>Flushes everything and gives the folder its name.</summary>
        public WorkUnit Finish(string key, Funnel funnel, Samples samples)
        {
            if (samples.Lines(withRanks: true).ToList() is { Count: > 0 } sampled) WriteLines(CorpusStage.SamplesFile, sampled);
            if (_hosts.Count > 0) WriteLines(HostsFile, _hosts.OrderBy(host => host.Value).Select(host => host.Key));
            foreach (Stream stream in _groups.Values.SelectMany(streams => streams)) _files.FlushToDisk(stream);
            foreach (Stream log in new[] { _skipped, _ledger }.OfType<Stream>()) _files.FlushToDisk(log);
            Dispose();
            var lengths = new Dictionary<string, long>();
            foreach (string path in _files.EnumerateFiles(_partial, recursive: false)) lengths[Path.GetFileName(path)] = _files.FileLength(path);
            return WorkUnit.Finish(_files, _partial, _folder, key, [.. _origins.OrderBy(origin => origin.Value).Select(origin => origin.Key)], [.. funnel.Counts()], lengths);
        }

        public void Dispose()
        {
            _skipped?.Dispose();
            _ledger?.Dispose();
            foreach (Stream stream in _groups.Values.SelectMany(streams => streams)) stream.Dispose();
        }

        private void WriteLines(string name, IEnumerable<string> lines)
        {
            using Stream stream = _files.CreateFile(Path.Combine(_partial, name));
            foreach (string line in lines) stream.Write(Encoding.UTF8.GetBytes(line + "\n"));
            _files.FlushToDisk(stream);
        }

        private static int Number<TKey>(Dictionary<TKey, int> numbers, TKey key) where TKey : notnull
        {
            if (!numbers.TryGetValue(key, out int number)) numbers[key] = number = numbers.Count;
            return number;
        }
    }
}
