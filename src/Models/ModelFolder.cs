using System.Text.Json;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Models.Llama;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models;

/// <summary>A model in Hugging Face's folder form: <c>config.json</c> and safetensors, one file or several with an index.</summary>
public static class ModelFolder
{
    private const string ConfigName = "config.json";
    private const string WeightsName = "model.safetensors";
    private const string IndexName = "model.safetensors.index.json";
    private const int PieceNumbers = 1 << 20;

    /// <summary>Reads <c>config.json</c>.</summary>
    /// <exception cref="UserErrorException">There is none, or it is not one of this version's families.</exception>
    public static LlamaConfig ReadConfig(string folder)
    {
        var path = Path.Combine(folder, ConfigName);
        if (!Directory.Exists(folder))
            throw new UserErrorException($"{folder}: {(File.Exists(folder) ? "a file" : "nothing")} is there; expected a model folder with {ConfigName} and {WeightsName}.");
        if (!File.Exists(path))
            throw new UserErrorException($"{folder}: no {ConfigName} in this folder; expected a model folder with {ConfigName} and {WeightsName}.");
        var json = ReadObject(path);
        var family = json.TryGetPropertyValue("model_type", out var type) ? type?.ToString() : null;
        if (family != "llama")
            throw new UserErrorException($"{path}: model_type is {family ?? "missing"}; this version reads llama.");
        return LlamaConfig.Parse(json, path);
    }

    /// <summary>Reads a model.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="engine">Where its weights will live.</param>
    /// <param name="trainable">Weights row-major in single precision with gradients, instead of packed for reading.</param>
    public static LanguageModel Load(string folder, Engine engine, bool trainable)
    {
        var config = ReadConfig(folder);
        var files = new Dictionary<string, SafetensorsFile>(StringComparer.Ordinal);
        var weights = default(LlamaWeights);
        try
        {
            var places = OpenAll(folder, files);
            var used = new HashSet<string>(StringComparer.Ordinal);
            weights = new LlamaWeights(config, (name, rows, columns) =>
            {
                if (!places.TryGetValue(name, out var file))
                    throw new UserErrorException($"{folder}: the weights have no tensor {name}, which config.json asks for; the folder is incomplete or its files do not belong together.");
                used.Add(name);
                return Read(file, name, rows, columns, trainable);
            });
            foreach (var name in places.Keys)
            {
                if (used.Contains(name) || name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal) || (config.TiedHead && name == "lm_head.weight")) continue;
                throw new UserErrorException($"{places[name].Path}: tensor {name} has no place in a Llama model with this config.json; the files do not belong together.");
            }
            return new LlamaModel(config, weights, engine);
        }
        catch
        {
            weights?.Dispose();
            throw;
        }
        finally
        {
            foreach (var file in files.Values) file.Dispose();
        }
    }

    /// <summary>Writes <c>config.json</c>, <c>generation_config.json</c> and <c>model.safetensors</c> into a folder that the caller makes whole.</summary>
    /// <param name="model">The model.</param>
    /// <param name="folder">An existing folder, normally inside an <see cref="AtomicDirectory"/>.</param>
    /// <param name="type">F32, or BF16: nearest values, half to even.</param>
    public static void Save(LanguageModel model, string folder, SafetensorsType type)
    {
        var name = type switch
        {
            SafetensorsType.F32 => "float32",
            SafetensorsType.BF16 => "bfloat16",
            _ => throw new ArgumentException($"models are written as F32 or BF16, not {type}", nameof(type)),
        };
        var config = model.Config;
        File.WriteAllBytes(Path.Combine(folder, ConfigName), CanonicalJson.Write(config.ToJson(name)));
        File.WriteAllBytes(Path.Combine(folder, "generation_config.json"), CanonicalJson.Write(new JsonObject
        {
            ["bos_token_id"] = config.BeginOfTextId,
            ["eos_token_id"] = new JsonArray([.. config.EndIds.Select(id => (JsonNode)id)]),
            ["pad_token_id"] = config.PaddingId,
        }));
        using var writer = new SafetensorsWriter(Path.Combine(folder, WeightsName), new Dictionary<string, string> { ["format"] = "pt" });
        foreach (var weight in model.Weights)
        {
            if (weight.Rows == 1) writer.Declare(weight.Name, type, weight.Columns);
            else writer.Declare(weight.Name, type, weight.Rows, weight.Columns);
        }
        foreach (var weight in model.Weights.OrderBy(weight => weight.Name, StringComparer.Ordinal))
        {
            if (weight.IsTrainable)
            {
                writer.WriteFloats(weight.Name, weight.Values); // as it lies: training has no memory to spare for a copy
                continue;
            }
            var rows = new float[checked(weight.Rows * weight.Columns)];
            for (var r = 0; r < weight.Rows; r++) weight.CopyRow(r, rows.AsSpan(r * weight.Columns, weight.Columns));
            writer.WriteFloats(weight.Name, rows);
        }
        writer.Finish();
    }

    private static Dictionary<string, SafetensorsFile> OpenAll(string folder, Dictionary<string, SafetensorsFile> files)
    {
        var places = new Dictionary<string, SafetensorsFile>(StringComparer.Ordinal);
        var single = Path.Combine(folder, WeightsName);
        var index = Path.Combine(folder, IndexName);
        if (File.Exists(single))
        {
            var file = files[WeightsName] = SafetensorsFile.Open(single);
            foreach (var name in file.Tensors.Keys) places[name] = file;
            return places;
        }
        if (!File.Exists(index))
            throw new UserErrorException($"{folder}: neither {WeightsName} nor {IndexName} is in this folder; a model folder needs one of them.");
        if (ReadObject(index)["weight_map"] is not JsonObject map)
            throw new UserErrorException($"{index}: weight_map is missing; expected an object from tensor to file name.");
        foreach (var (name, value) in map)
        {
            var shard = value?.ToString() ?? "";
            if (shard.Length == 0 || shard != Path.GetFileName(shard) || shard is "." or "..")
                throw new UserErrorException($"{index}: {name} is said to lie in '{shard}'; expected a plain file name.");
            if (!files.TryGetValue(shard, out var file)) file = files[shard] = SafetensorsFile.Open(Path.Combine(folder, shard));
            if (!file.Tensors.ContainsKey(name))
                throw new UserErrorException($"{index}: {name} is said to lie in {shard}, which has no such tensor; the files do not belong together.");
            places[name] = file;
        }
        return places;
    }

    private static Weight Read(SafetensorsFile file, string name, int rows, int columns, bool trainable)
    {
        var tensor = file.Tensor(name);
        long[] expected = rows == 1 ? [columns] : [rows, columns];
        if (!tensor.Shape.SequenceEqual(expected))
            throw new UserErrorException($"{file.Path}: {name} has shape {tensor.ShapeText}; config.json expects [{string.Join(", ", expected)}].");
        if (tensor.Type is not (SafetensorsType.F32 or SafetensorsType.F16 or SafetensorsType.BF16))
            throw new UserErrorException($"{file.Path}: {name} is stored as {SafetensorsTypes.Name(tensor.Type)}; this version reads F32, F16 and BF16.");
        var weight = trainable ? Weight.Trainable(name, rows, columns)
            : rows == 1 ? Weight.Vector(name, columns)
            : Weight.Packed(name, rows, columns, tensor.Type == SafetensorsType.BF16 ? ElementType.BF16 : ElementType.F32);
        var rowsPerPiece = Math.Max(1, PieceNumbers / columns);
        var piece = new float[Math.Min(rows, rowsPerPiece) * columns];
        for (var first = 0; first < rows; first += rowsPerPiece)
        {
            var count = Math.Min(rowsPerPiece, rows - first);
            file.ReadFloats(name, (long)first * columns, piece.AsSpan(0, count * columns));
            for (var r = 0; r < count; r++) weight.SetRow(first + r, piece.AsSpan(r * columns, columns));
        }
        return weight;
    }

    private static JsonObject ReadObject(string path)
    {
        try
        {
            return JsonNode.Parse(File.ReadAllBytes(path), documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false }) as JsonObject
                ?? throw new UserErrorException($"{path}: expected a JSON object.");
        }
        catch (JsonException exception)
        {
            throw new UserErrorException($"{path}: not valid JSON ({exception.Message.Split('\n')[0]}); the file is damaged, fetch or make it again.", exception);
        }
    }
}
