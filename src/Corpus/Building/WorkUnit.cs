using System.Text.Json;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Building;

/// <summary>The finished work of one phase on one unit: a folder of documents with their index, and a marker written last. A rerun
/// with the same key finds it and goes on with the next.</summary>
internal sealed class WorkUnit
{
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
    public string Measures(string group) => Path.Combine(Folder, group + WorkUnitWriter.MeasuresEnding);

    /// <summary>Whether the unit has documents of a group.</summary>
    public bool Has(string group) => Files.ContainsKey(group + ".jsonl");

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
                    (string)count![0]!, (string)count[1]!, (string)count[2]!, (string)count[3]!, (string)count[4]!, (long)count[5]!, (long)count[6]!))],
                root["files"]!.AsObject().ToDictionary(file => file.Key, file => (long)file.Value!));
            return unit.Files.All(file => Path.Combine(folder, file.Key) is var path && files.FileExists(path) && files.FileLength(path) == file.Value) ? unit : null;
        }
        catch (Exception error) when (error is JsonException or NullReferenceException or InvalidOperationException or FormatException)
        {
            return null;   // not one of ours, or of another version: it is made again
        }
    }

    /// <summary>Writes the marker; from here on the work is done.</summary>
    public static WorkUnit Finish(IFileSystem files, string folder, string key, IReadOnlyList<Origin> origins, IReadOnlyList<ManifestCount> counts, IReadOnlyDictionary<string, long> lengths)
    {
        var root = new JsonObject
        {
            ["key"] = key,
            ["origins"] = new JsonArray([.. origins.Select(origin => (JsonNode)new JsonArray(origin.Language, origin.Source, origin.License))]),
            ["counts"] = new JsonArray([.. counts.Select(count => (JsonNode)new JsonArray(
                count.Step, count.Reason, count.Language, count.Source, count.License, count.Documents, count.Bytes))]),
            ["files"] = new JsonObject(lengths.OrderBy(file => file.Key, StringComparer.Ordinal).Select(file => KeyValuePair.Create(file.Key, (JsonNode?)file.Value))),
        };
        string partial = Path.Combine(folder, MarkerName + ".partial");
        using (Stream stream = files.CreateFile(partial))
        {
            stream.Write(CanonicalJson.Write(root));
            files.FlushToDisk(stream);
        }
        files.Move(partial, Path.Combine(folder, MarkerName));
        files.FlushDirectory(folder);
        return new WorkUnit(folder, key, origins, counts, lengths);
    }
}

/// <summary>Writes the documents of one unit, in groups, each with its index and, where a step measures, its measures.</summary>
internal sealed class WorkUnitWriter(IFileSystem files, string folder, bool measures) : IDisposable
{
    internal const string MeasuresEnding = ".measures";
    private static readonly string[] Endings = [".jsonl", ".index", MeasuresEnding];

    private readonly Dictionary<string, Stream[]> _groups = [];
    private readonly Dictionary<Origin, int> _origins = [];

    /// <summary>Adds a document to a group.</summary>
    public void Add(string group, Document document, UInt128 hash, ReadOnlySpan<byte> measure, Side side, int textBytes)
    {
        if (!_groups.TryGetValue(group, out Stream[]? streams))
            _groups[group] = streams = [.. Endings[..(measures ? 3 : 2)].Select(ending => files.CreateFile(Path.Combine(folder, group + ending)))];
        var origin = new Origin(document.Lang, document.Source, document.License);
        if (!_origins.TryGetValue(origin, out int number)) _origins[origin] = number = _origins.Count;
        streams[0].Write(document.ToJsonLine());
        streams[0].WriteByte((byte)'\n');
        new IndexEntry(hash, number, side, textBytes).WriteTo(streams[1]);
        if (measures) streams[2].Write(measure);
    }

    /// <summary>Flushes everything and writes the marker.</summary>
    public WorkUnit Finish(string key, Funnel funnel)
    {
        var lengths = new Dictionary<string, long>();
        foreach (Stream stream in _groups.Values.SelectMany(streams => streams)) files.FlushToDisk(stream);
        Dispose();
        foreach ((string group, Stream[] streams) in _groups)
            foreach (string ending in Endings[..streams.Length])
                lengths[group + ending] = files.FileLength(Path.Combine(folder, group + ending));
        return WorkUnit.Finish(files, folder, key, [.. _origins.OrderBy(origin => origin.Value).Select(origin => origin.Key)], [.. funnel.Counts()], lengths);
    }

    public void Dispose()
    {
        foreach (Stream stream in _groups.Values.SelectMany(streams => streams)) stream.Dispose();
    }
}
