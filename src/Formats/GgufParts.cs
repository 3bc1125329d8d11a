using System.Globalization;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Formats;

/// <summary>The files of one GGUF model: one, or <c>NAME-00001-of-0000N.gguf</c> and those after it, of which the first has the metadata. Each is checked by itself;
/// here they are checked against each other.</summary>
internal sealed class GgufParts : IDisposable
{
    private const string NumberKey = "split.no";
    private const string CountKey = "split.count";
    private const string TensorsKey = "split.tensors.count";
    private const string Extension = ".gguf";

    private readonly List<StoredFile> _files = [];
    private readonly List<GgufHeader> _headers = [];

    /// <summary>Opens a model by its file, or by its first file.</summary>
    /// <exception cref="UserErrorException">A file is missing, malformed, or belongs to another model.</exception>
    public GgufParts(string path)
    {
        try
        {
            Add(path);
            long count = Number(0, CountKey) ?? 1;
            if (count > 1)
                AddOthers(path, count);
            RequireOneOfEachName();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public IReadOnlyList<StoredFile> Files => _files;

    public GgufHeader First => _headers[0];

    /// <summary>The first file's metadata without what says how the model was split.</summary>
    public IEnumerable<KeyValuePair<string, GgufValue>> Metadata => First.Metadata.Where(entry => entry.Key is not (NumberKey or CountKey or TensorsKey));

    /// <summary>All tensors in the order of the files, each with its file.</summary>
    public IEnumerable<(GgufTensor Tensor, StoredFile File)> Tensors => _headers.Zip(_files).SelectMany(part => part.First.Tensors.Select(tensor => (tensor, part.Second)));

    public void Dispose()
    {
        foreach (var file in _files)
            file.Dispose();
    }

    private void AddOthers(string path, long count)
    {
        long number = Number(0, NumberKey) ?? throw Refuse(path, $"{CountKey} is {count} and {NumberKey} is missing; the file is damaged, fetch it again.");
        string? name = NameBeforeNumber(path, number + 1, count);
        if (number != 0)
            throw Refuse(path, $"is file {number + 1} of a model in {count} files; name the first one{(name is null ? "" : $", {PathOf(name, 1, count)}")}.");
        if (name is null)
            throw Refuse(path, string.Create(CultureInfo.InvariantCulture, $"is the first of {count} files, which are found by their names; expected a name that ends in -00001-of-{count:D5}{Extension}."));
        for (long i = 1; i < count; i++)
        {
            string other = PathOf(name, i + 1, count);
            if (!File.Exists(other))
                throw Refuse(other, $"not found; the model in {path} has {count} files, fetch the missing one into the same folder.");
            Add(other);
            if (Number((int)i, NumberKey) != i || Number((int)i, CountKey) != count)
                throw Refuse(other, $"says {NumberKey} {Shown((int)i, NumberKey)} and {CountKey} {Shown((int)i, CountKey)}; expected {i} and {count}: the file belongs to another model or was renamed.");
        }
        long found = _headers.Sum(header => (long)header.Tensors.Count);
        if (Number(0, TensorsKey) is long expected && expected != found)
            throw Refuse(path, $"{TensorsKey} is {expected}; the {count} files have {found} tensors: they do not belong together.");
    }

    private void Add(string path)
    {
        var handle = ReadableFile.Open(path);
        _files.Add(new StoredFile(path, handle));
        _headers.Add(new GgufHeader(handle, path));
    }

    private long? Number(int part, string key)
    {
        if (Value(part, key) is not { } value)
            return null;
        return value.Integer is long number and >= 0 and <= int.MaxValue ? number : throw Refuse(_files[part].Path, $"{key} is {value}; expected a whole number of 0 or more.");
    }

    private GgufValue? Value(int part, string key) => _headers[part].Metadata.FirstOrDefault(entry => entry.Key == key).Value;

    private string Shown(int part, string key) => Value(part, key)?.ToString() ?? "nothing";

    private void RequireOneOfEachName()
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (tensor, file) in Tensors)
            if (!seen.Add(tensor.Name))
                throw Refuse(file.Path, $"tensor '{GgufText.Short(tensor.Name)}' stands in two of the files; they do not belong together.");
    }

    private static string? NameBeforeNumber(string path, long number, long count)
    {
        string end = string.Create(CultureInfo.InvariantCulture, $"-{number:D5}-of-{count:D5}{Extension}");
        return path.EndsWith(end, StringComparison.OrdinalIgnoreCase) ? path[..^end.Length] : null;
    }

    private static string PathOf(string name, long number, long count) => string.Create(CultureInfo.InvariantCulture, $"{name}-{number:D5}-of-{count:D5}{Extension}");

    private static UserErrorException Refuse(string path, string what) => new($"{path}: {what}");
}
