using System.Runtime.InteropServices;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Formats.Quantization;

namespace OpenEuroLLM.Models;

/// <summary>A GGUF file. It takes its name when it is complete.</summary>
/// <param name="path">The file to create or replace.</param>
/// <param name="name">The model's name in its metadata; null leaves it out.</param>
/// <param name="mixed">Whether the types are those of the presets Q4_K_M and Q5_K_M, which the metadata says.</param>
/// <param name="more">Further metadata, such as the tokenizer's; a key that the model's shape says itself is left out.</param>
public sealed class GgufTarget(string path, string? name = null, bool mixed = false, IEnumerable<KeyValuePair<string, object>>? more = null) : ModelTarget
{
    private readonly GgufWriter writer = new(path);
    private readonly Dictionary<string, float[]> numbers = new(StringComparer.Ordinal);
    private IReadOnlyList<KeyValuePair<string, float[]>> tensors = [];
    private int awaited;

    internal override void Begin(ModelConfig config, IReadOnlyList<(WeightShape Shape, BlockFormat Format)> weights)
    {
        var further = (more ?? []).ToList();
        var description = new GgufDescription(weights, mixed, name is null ? null : GgufName.Of(name, further));
        config.Family.Write(config, description);
        var keys = description.Metadata.Select(entry => entry.Key).ToHashSet(StringComparer.Ordinal);
        foreach (var key in weights.Select(weight => weight.Shape.GgufKey).OfType<string>())
        {
            awaited++;
            if (numbers.TryAdd(key, new float[config.Layers])) keys.Add(key);
        }
        foreach (var (key, value) in description.Metadata.Concat(further.Where(entry => keys.Add(entry.Key)))) writer.Add(key, value);
        foreach (var (tensor, values) in description.Tensors) writer.Declare(tensor, GgufType.Of(BlockFormat.F32), values.Length);
        foreach (var (shape, format) in weights.Where(weight => weight.Shape.GgufKey is null)) writer.Declare(shape.GgufName, GgufType.Of(format), shape.Extents);
        tensors = description.Tensors;
        if (awaited == 0) WriteFirst();
    }

    internal override void Write(WeightShape shape, BlockFormat format, ReadOnlySpan<byte> rows)
    {
        if (shape.GgufKey is { } key)
        {
            format.Decode(rows, numbers[key].AsSpan(shape.Layer!.Value, 1));
            if (--awaited > 0) return;
            foreach (var (name, values) in numbers) writer.Add(name, values);
            WriteFirst();
            return;
        }
        if (shape.GgufOffset != 0)
        {
            var moved = MemoryMarshal.Cast<byte, float>(rows).ToArray();
            foreach (ref var value in moved.AsSpan()) value += shape.GgufOffset;
            writer.Write(shape.GgufName, MemoryMarshal.AsBytes(moved.AsSpan()));
            return;
        }
        writer.Write(shape.GgufName, shape.GgufHeadRows is null ? rows : Reordered(shape, rows, (int)format.RowBytes(shape.IsVector ? 1 : shape.Columns)));
    }

    internal override void Finish() => writer.Finish();

    /// <inheritdoc/>
    public override void Dispose()
    {
        writer.Dispose();
        base.Dispose();
    }

    private void WriteFirst()
    {
        foreach (var (tensor, values) in tensors) writer.Write(tensor, MemoryMarshal.AsBytes(values.AsSpan()));
    }

    /// <summary>Whole heads with their rows, or the numbers of a bias, in GGUF's order.</summary>
    private static byte[] Reordered(WeightShape shape, ReadOnlySpan<byte> rows, int rowBytes)
    {
        var all = new byte[rows.Length];
        for (var row = 0; row < rows.Length / rowBytes; row++)
            rows.Slice(row * rowBytes, rowBytes).CopyTo(all.AsSpan(shape.GgufRow(row) * rowBytes));
        return all;
    }
}
