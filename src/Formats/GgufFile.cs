using OpenEuroLLM.Core;
using OpenEuroLLM.Formats.Quantization;

namespace OpenEuroLLM.Formats;

/// <summary>An open GGUF file, version 2 or 3: its header is checked completely, its data is read in pieces or mapped as it lies.</summary>
public sealed class GgufFile : TensorFile
{
    private readonly Dictionary<string, GgufValue> _values;
    private readonly Dictionary<string, (GgufTensor Tensor, StoredFile File)> _byName;

    private GgufFile(GgufParts parts) : base(parts.Files)
    {
        Version = (int)parts.First.FileVersion;
        Alignment = parts.First.Alignment;
        Metadata = [.. parts.Metadata];
        Tensors = [.. parts.Tensors.Select(place => place.Tensor)];
        _values = new(Metadata, StringComparer.Ordinal);
        _byName = parts.Tensors.ToDictionary(place => place.Tensor.Name, StringComparer.Ordinal);
    }

    /// <summary>2 or 3; they differ in nothing that is read here.</summary>
    public int Version { get; }

    /// <summary>Every tensor begins at a multiple of this many bytes.</summary>
    public int Alignment { get; }

    /// <summary>The metadata in the order of the file; what a split model says of its files is left out, since they are one here.</summary>
    public IReadOnlyList<KeyValuePair<string, GgufValue>> Metadata { get; }

    /// <summary>The tensors in the order of the file.</summary>
    public IReadOnlyList<GgufTensor> Tensors { get; }

    /// <summary>Opens a file and checks its header: counts, texts, names, types, shapes, and that the tensors follow each other without holes.
    /// A model in several files is opened by its first one, and those after it lie beside it.</summary>
    /// <exception cref="UserErrorException">The file is missing, truncated or malformed; the message names the place.</exception>
    public static GgufFile Open(string path) => new(new GgufParts(path));

    /// <summary>A text from a file as messages show it: one line, not too long.</summary>
    public static string Shown(string text) => GgufText.Short(text);

    /// <summary>A metadata value, or null when there is none.</summary>
    public GgufValue? Value(string key) => _values.GetValueOrDefault(key);

    /// <summary>A whole number of any width.</summary>
    /// <param name="key">The metadata key.</param>
    /// <param name="least">Smallest value expected.</param>
    /// <param name="most">Largest value expected.</param>
    /// <param name="absent">What a missing key means; null when it may not be missing.</param>
    /// <exception cref="UserErrorException">It is missing, no whole number, or out of range.</exception>
    public int Integer(string key, int least, int most, int? absent = null)
    {
        var value = Value(key);
        if (value is null && absent is int given)
            return given;
        return value?.Integer is long found && found >= least && found <= most ? (int)found
            : throw new UserErrorException($"{Path}: {key} is {value?.ToString() ?? "missing"}; expected a whole number from {least} to {most}.");
    }

    /// <summary>A number above 0.</summary>
    /// <inheritdoc cref="Integer"/>
    public double Number(string key, double? absent = null)
    {
        var value = Value(key);
        if (value is null && absent is double given)
            return given;
        return value?.Number is double found && found > 0 && double.IsFinite(found) ? found
            : throw new UserErrorException($"{Path}: {key} is {value?.ToString() ?? "missing"}; expected a number above 0.");
    }

    /// <summary>A text, or null when the key is missing.</summary>
    /// <exception cref="UserErrorException">The value is no text.</exception>
    public string? Text(string key) => Value(key) is not { } value ? null
        : value.Content as string ?? throw new UserErrorException($"{Path}: {key} is {value}; expected a text.");

    /// <summary>The tensor with a name, or null when there is none.</summary>
    public GgufTensor? Find(string name) => _byName.GetValueOrDefault(name).Tensor;

    /// <summary>The tensor with a name.</summary>
    /// <exception cref="UserErrorException">There is none.</exception>
    public GgufTensor Tensor(string name) => Find(name)
        ?? throw new UserErrorException($"{Path}: tensor '{name}' is missing; the file has {Tensors.Count} tensors.");

    private protected override Place PlaceOf(string name)
    {
        var tensor = Tensor(name);
        return new Place(_byName[name].File, tensor.FileOffset, tensor.SizeBytes, tensor.Elements);
    }

    private protected override BlockFormat FormatOf(string name)
    {
        var type = Tensor(name).Type;
        return type.Format ?? throw new UserErrorException($"{Path}: tensor '{name}' has the type {type.Name}, which is not decoded here.");
    }
}
