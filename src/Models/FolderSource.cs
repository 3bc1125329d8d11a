using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Formats.Hub;
using OpenEuroLLM.Formats.Quantization;

namespace OpenEuroLLM.Models;

/// <summary>The weights of a folder: <c>model.safetensors</c>, or several such files with an index.</summary>
internal sealed class FolderSource : ModelSource
{
    /// <summary>Some writers store the head beside the embedding that it is tied to.</summary>
    private const string TiedHeadName = "lm_head.weight";

    private readonly Dictionary<string, SafetensorsFile> files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SafetensorsFile> places = new(StringComparer.Ordinal);

    public FolderSource(string folder) : base(ModelFolder.ReadConfig(folder), folder)
    {
        try
        {
            OpenAll(folder);
            Check();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public override BlockFormat FormatOf(WeightShape shape) => SafetensorsTypes.Format(FileWith(shape).Tensor(StoredName(shape)).Type)!;

    public override string FileOf(WeightShape shape) => FileWith(shape).Path;

    public override void Read(WeightShape shape, int firstRow, Span<byte> rows)
    {
        var (file, name, format) = (FileWith(shape), StoredName(shape), FormatOf(shape));
        if (!shape.IsTransposed)
        {
            file.Read(name, firstRow * format.RowBytes(shape.Columns), rows);
            return;
        }
        var count = rows.Length / (int)format.RowBytes(shape.Columns);
        var (number, strip) = (format.BlockBytes, new byte[rows.Length]);
        for (var column = 0; column < shape.Columns; column++)
            file.Read(name, ((long)column * shape.Rows + firstRow) * number, strip.AsSpan(column * count * number, count * number));
        Transposition.Turn(strip, shape.Columns, count, number, rows);
    }

    /// <summary>The extents of a weight in these files.</summary>
    internal static long[] Extents(WeightShape shape) => shape.IsTransposed ? [shape.Columns, shape.Rows] : shape.Extents;

    public override void Dispose()
    {
        foreach (var file in files.Values) file.Dispose();
        base.Dispose();
    }

    private SafetensorsFile FileWith(WeightShape shape) => places[StoredName(shape)];

    private string StoredName(WeightShape shape) => FindName(shape)
        ?? throw new UserErrorException($"{Path}: the weights have no tensor {shape.Name}, which config.json asks for; the folder is incomplete or its files do not belong together.");

    private string? FindName(WeightShape shape) => places.ContainsKey(shape.Name) ? shape.Name : Config.Family.Aliases(shape.Name).FirstOrDefault(places.ContainsKey);

    private void Check()
    {
        var used = new HashSet<string>(StringComparer.Ordinal);
        foreach (var shape in Config.Weights)
        {
            var name = StoredName(shape);
            used.Add(name);
            var (file, expected) = (places[name], Extents(shape));
            var tensor = file.Tensor(name);
            if (!tensor.Shape.SequenceEqual(expected))
                throw new UserErrorException($"{file.Path}: {name} has shape {tensor.ShapeText}; config.json expects [{string.Join(", ", expected)}].");
            if (SafetensorsTypes.Format(tensor.Type) is null)
                throw new UserErrorException($"{file.Path}: {name} is stored as {SafetensorsTypes.Name(tensor.Type)}; this version reads F32, F16 and BF16.");
        }
        var constants = Config.Family.Constants(Config);
        foreach (var name in places.Keys)
        {
            if (constants.TryGetValue(name, out var constant))
            {
                CheckConstant(name, constant);
                continue;
            }
            if (used.Contains(name) || Config.Family.Ignores(name) || (Config.TiedHead && name == TiedHeadName)) continue;
            throw new UserErrorException($"{places[name].Path}: tensor {GgufFile.Shown(name)} has no place in a {Config.Family.Name} model with this config.json; the files do not belong together.");
        }
    }

    /// <summary>Refuses a number that is not what the family's every model has, but for what half precision makes of it.</summary>
    private void CheckConstant(string name, float expected)
    {
        var (file, found) = (places[name], new float[1]);
        if (file.Tensor(name).Shape.Any(extent => extent != 1)) throw new UserErrorException($"{file.Path}: {name} has shape {file.Tensor(name).ShapeText}; expected one number.");
        file.ReadFloats(name, found);
        if (!(Math.Abs(found[0] - expected) <= 1e-2 * Math.Abs(expected)))
            throw new UserErrorException(FormattableString.Invariant($"{file.Path}: {name} is {found[0]}; this version reads {Config.Family.Name} models with {expected} only."));
    }

    private void OpenAll(string folder)
    {
        var single = System.IO.Path.Combine(folder, ModelFolder.WeightsName);
        var index = System.IO.Path.Combine(folder, ModelFolder.IndexName);
        if (System.IO.File.Exists(single))
        {
            var file = files[ModelFolder.WeightsName] = SafetensorsFile.Open(single);
            foreach (var name in file.Tensors.Keys) places[name] = file;
            return;
        }
        if (!System.IO.File.Exists(index) && PickledWeights.In(folder) is { } pickle) throw PickledWeights.Refuse(pickle);
        if (!System.IO.File.Exists(index))
            throw new UserErrorException($"{folder}: neither {ModelFolder.WeightsName} nor {ModelFolder.IndexName} is in this folder; a model folder needs one of them.");
        if (ModelFolder.ReadObject(index, ModelFolder.MaximumIndexBytes)["weight_map"] is not System.Text.Json.Nodes.JsonObject map)
            throw new UserErrorException($"{index}: weight_map is missing; expected an object from tensor to file name.");
        foreach (var (name, value) in map)
        {
            if (value is not System.Text.Json.Nodes.JsonValue text || !text.TryGetValue(out string? shard) || !HubName.IsFile(shard) || shard.Contains('/', StringComparison.Ordinal))
                throw new UserErrorException($"{index}: {GgufFile.Shown(name)} is said to lie in '{GgufFile.Shown(value?.ToString() ?? "")}'; expected a plain file name.");
            if (PickledWeights.IsName(shard)) throw PickledWeights.Refuse(System.IO.Path.Combine(folder, shard));
            if (!files.TryGetValue(shard, out var file)) file = files[shard] = SafetensorsFile.Open(System.IO.Path.Combine(folder, shard));
            if (!file.Tensors.ContainsKey(name))
                throw new UserErrorException($"{index}: {GgufFile.Shown(name)} is said to lie in {shard}, which has no such tensor; the files do not belong together.");
            places[name] = file;
        }
    }
}
