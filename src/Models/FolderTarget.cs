using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Formats.Quantization;
using OpenEuroLLM.Models.Llama;

namespace OpenEuroLLM.Models;

/// <summary>A model folder: <c>config.json</c>, <c>generation_config.json</c> and safetensors, in several files with an index when one would become too large.</summary>
/// <param name="folder">An existing folder, normally inside an <see cref="AtomicDirectory"/>.</param>
/// <param name="largestFileBytes">What one file of weights may hold; a single larger weight has a file of its own.</param>
public sealed class FolderTarget(string folder, long largestFileBytes = 5_000_000_000) : ModelTarget
{
    private readonly Dictionary<string, SafetensorsWriter> places = new(StringComparer.Ordinal);
    private readonly List<SafetensorsWriter> writers = [];

    internal override void Begin(LlamaConfig config, IReadOnlyList<(LlamaShape Shape, BlockFormat Format)> weights)
    {
        var files = Split(weights);
        var main = weights.Where(weight => weight.Shape.Rows > 1).GroupBy(weight => weight.Format).MaxBy(group => group.Sum(weight => weight.Shape.Count))!.Key;
        Store(ModelFolder.ConfigName, config.ToJson(NameOf(main)));
        Store("generation_config.json", new JsonObject
        {
            ["bos_token_id"] = config.BeginOfTextId,
            ["eos_token_id"] = new JsonArray([.. config.EndIds.Select(id => (JsonNode)id)]),
            ["pad_token_id"] = config.PaddingId,
        });
        var map = new JsonObject();
        var total = 0L;
        for (var i = 0; i < files.Count; i++)
        {
            var name = files.Count == 1 ? ModelFolder.WeightsName : FormattableString.Invariant($"model-{i + 1:D5}-of-{files.Count:D5}.safetensors");
            var writer = new SafetensorsWriter(Path.Combine(folder, name), new Dictionary<string, string> { ["format"] = "pt" });
            writers.Add(writer);
            foreach (var (shape, format) in files[i])
            {
                if (shape.Rows == 1) writer.Declare(shape.Name, TypeOf(format), shape.Columns);
                else writer.Declare(shape.Name, TypeOf(format), shape.Rows, shape.Columns);
                places[shape.Name] = writer;
                map[shape.Name] = name;
                total += shape.Rows * format.RowBytes(shape.Columns);
            }
        }
        if (files.Count > 1) Store(ModelFolder.IndexName, new JsonObject { ["metadata"] = new JsonObject { ["total_size"] = total }, ["weight_map"] = map });
    }

    internal override void Write(LlamaShape shape, BlockFormat format, ReadOnlySpan<byte> rows) => places[shape.Name].Write(shape.Name, rows);

    internal override void Finish()
    {
        foreach (var writer in writers) writer.Finish();
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (var writer in writers) writer.Dispose();
        base.Dispose();
    }

    private List<List<(LlamaShape Shape, BlockFormat Format)>> Split(IReadOnlyList<(LlamaShape Shape, BlockFormat Format)> weights)
    {
        var files = new List<List<(LlamaShape, BlockFormat)>>();
        var room = 0L;
        foreach (var (shape, format) in weights)
        {
            var bytes = shape.Rows * format.RowBytes(shape.Columns);
            if (files.Count == 0 || bytes > room)
            {
                files.Add([]);
                room = largestFileBytes;
            }
            files[^1].Add((shape, format));
            room -= bytes;
        }
        return files;
    }

    private void Store(string name, JsonObject json)
    {
        var path = Path.Combine(folder, name);
        try
        {
            File.WriteAllBytes(path, CanonicalJson.Write(json));
        }
        catch (Exception exception) when (StorageFailure.Is(exception))
        {
            throw StorageFailure.Explain(exception, path);
        }
    }

    private static SafetensorsType TypeOf(BlockFormat format) => SafetensorsTypes.Find(format.Name)
        ?? throw new UserErrorException($"{format} has no place in safetensors; expected F32, F16 or BF16.");

    private static string NameOf(BlockFormat format) => TypeOf(format) switch
    {
        SafetensorsType.F16 => "float16",
        SafetensorsType.BF16 => "bfloat16",
        _ => "float32",
    };
}
