using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Formats.Quantization;
using OpenEuroLLM.Models.Llama;

namespace OpenEuroLLM.Models;

/// <summary>The weights of a folder: <c>model.safetensors</c>, or several such files with an index.</summary>
internal sealed class FolderSource : ModelSource
{
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

    public override BlockFormat FormatOf(LlamaShape shape) => SafetensorsTypes.Format(places[shape.Name].Tensor(shape.Name).Type)!;

    public override string FileOf(LlamaShape shape) => places[shape.Name].Path;

    public override void Read(LlamaShape shape, int firstRow, Span<byte> rows) =>
        places[shape.Name].Read(shape.Name, firstRow * FormatOf(shape).RowBytes(shape.Columns), rows);

    public override void Dispose()
    {
        foreach (var file in files.Values) file.Dispose();
        base.Dispose();
    }

    private void Check()
    {
        var used = new HashSet<string>(StringComparer.Ordinal);
        foreach (var shape in LlamaShapes.Of(Config))
        {
            if (!places.TryGetValue(shape.Name, out var file))
                throw new UserErrorException($"{Path}: the weights have no tensor {shape.Name}, which config.json asks for; the folder is incomplete or its files do not belong together.");
            used.Add(shape.Name);
            var tensor = file.Tensor(shape.Name);
            long[] expected = shape.Rows == 1 ? [shape.Columns] : [shape.Rows, shape.Columns];
            if (!tensor.Shape.SequenceEqual(expected))
                throw new UserErrorException($"{file.Path}: {shape.Name} has shape {tensor.ShapeText}; config.json expects [{string.Join(", ", expected)}].");
            if (SafetensorsTypes.Format(tensor.Type) is null)
                throw new UserErrorException($"{file.Path}: {shape.Name} is stored as {SafetensorsTypes.Name(tensor.Type)}; this version reads F32, F16 and BF16.");
        }
        foreach (var name in places.Keys)
        {
            if (used.Contains(name) || name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal) || (Config.TiedHead && name == LlamaShapes.Head)) continue;
            throw new UserErrorException($"{places[name].Path}: tensor {name} has no place in a Llama model with this config.json; the files do not belong together.");
        }
    }

    private void OpenAll(string folder)
    {
        var single = System.IO.Path.Combine(folder, ModelFolder.WeightsName);
        var index = System.IO.Path.Combine(folder, ModelFolder.IndexName);
        if (File.Exists(single))
        {
            var file = files[ModelFolder.WeightsName] = SafetensorsFile.Open(single);
            foreach (var name in file.Tensors.Keys) places[name] = file;
            return;
        }
        if (!File.Exists(index))
            throw new UserErrorException($"{folder}: neither {ModelFolder.WeightsName} nor {ModelFolder.IndexName} is in this folder; a model folder needs one of them.");
        if (ModelFolder.ReadObject(index)["weight_map"] is not System.Text.Json.Nodes.JsonObject map)
            throw new UserErrorException($"{index}: weight_map is missing; expected an object from tensor to file name.");
        foreach (var (name, value) in map)
        {
            var shard = value?.ToString() ?? "";
            if (shard.Length == 0 || shard != System.IO.Path.GetFileName(shard) || shard is "." or "..")
                throw new UserErrorException($"{index}: {name} is said to lie in '{shard}'; expected a plain file name.");
            if (!files.TryGetValue(shard, out var file)) file = files[shard] = SafetensorsFile.Open(System.IO.Path.Combine(folder, shard));
            if (!file.Tensors.ContainsKey(name))
                throw new UserErrorException($"{index}: {name} is said to lie in {shard}, which has no such tensor; the files do not belong together.");
            places[name] = file;
        }
    }
}
