using System.Collections.ObjectModel;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Formats.Quantization;

namespace OpenEuroLLM.Models;

/// <summary>A model folder: <c>config.json</c>, <c>generation_config.json</c> and safetensors, in several files with an index when one would become too large.</summary>
/// <param name="folder">An existing folder, normally inside an <see cref="AtomicDirectory"/>.</param>
/// <param name="largestFileBytes">What one file of weights may hold; a single larger weight has a file of its own.</param>
public sealed class FolderTarget(string folder, long largestFileBytes = 5_000_000_000) : ModelTarget
{
    private readonly Dictionary<string, SafetensorsWriter> places = new(StringComparer.Ordinal);
    private readonly List<SafetensorsWriter> writers = [];
    private readonly List<byte> whole = [];
    private IReadOnlyDictionary<string, float> constants = ReadOnlyDictionary<string, float>.Empty;

    internal override void Begin(ModelConfig config, IReadOnlyList<(WeightShape Shape, BlockFormat Format)> weights)
    {
        var files = Split(weights);
        var main = weights.Where(weight => !weight.Shape.IsVector).GroupBy(weight => weight.Format).MaxBy(group => group.Sum(weight => weight.Shape.Count))!.Key;
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
                writer.Declare(shape.Name, TypeOf(format), FolderSource.Extents(shape));
                places[shape.Name] = writer;
                map[shape.Name] = name;
                total += shape.Rows * format.RowBytes(shape.Columns);
            }
        }
        constants = config.Family.Constants(config);
        foreach (var name in constants.Keys)
        {
            writers[^1].Declare(name, SafetensorsType.F32);
            map[name] = $"{(files.Count == 1 ? ModelFolder.WeightsName : map[weights[^1].Shape.Name])}";
            total += sizeof(float);
        }
        if (files.Count > 1) Store(ModelFolder.IndexName, new JsonObject { ["metadata"] = new JsonObject { ["total_size"] = total }, ["weight_map"] = map });
    }

    internal override void Write(WeightShape shape, BlockFormat format, ReadOnlySpan<byte> rows)
    {
        if (!shape.IsTransposed)
        {
            places[shape.Name].Write(shape.Name, rows);
            return;
        }
        whole.AddRange(rows); // the first number of every row comes first in the file
        if (whole.Count < shape.Rows * format.RowBytes(shape.Columns)) return;
        var turned = new byte[whole.Count];
        Transposition.Turn(CollectionsMarshal.AsSpan(whole), shape.Rows, shape.Columns, format.BlockBytes, turned);
        whole.Clear();
        places[shape.Name].Write(shape.Name, turned);
    }

    internal override void Finish()
    {
        foreach (var (name, value) in constants) writers[^1].WriteFloats(name, [value]);
        foreach (var writer in writers) writer.Finish();
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (var writer in writers) writer.Dispose();
        base.Dispose();
    }

    private List<List<(WeightShape Shape, BlockFormat Format)>> Split(IReadOnlyList<(WeightShape Shape, BlockFormat Format)> weights)
    {
        var files = new List<List<(WeightShape, BlockFormat)>>();
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
