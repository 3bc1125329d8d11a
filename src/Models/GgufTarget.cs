using System.Runtime.InteropServices;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Formats.Quantization;
using OpenEuroLLM.Models.Llama;

namespace OpenEuroLLM.Models;

/// <summary>A GGUF file of the architecture <c>llama</c>. It takes its name when it is complete.</summary>
/// <param name="path">The file to create or replace.</param>
/// <param name="name">The model's name in its metadata; null leaves it out.</param>
/// <param name="mixed">Whether the types are those of the preset Q4_K_M, which the metadata says.</param>
/// <param name="more">Further metadata, such as the tokenizer's; a key that the model's shape says itself is left out.</param>
public sealed class GgufTarget(string path, string? name = null, bool mixed = false, IEnumerable<KeyValuePair<string, object>>? more = null) : ModelTarget
{
    private readonly GgufWriter writer = new(path);
    private int headDimension;

    internal override void Begin(LlamaConfig config, IReadOnlyList<(LlamaShape Shape, BlockFormat Format)> weights)
    {
        headDimension = config.HeadDimension;
        var (metadata, divisors) = GgufConfig.Describe(config, weights, mixed, name);
        var keys = metadata.Select(entry => entry.Key).ToHashSet(StringComparer.Ordinal);
        foreach (var (key, value) in metadata.Concat((more ?? []).Where(entry => keys.Add(entry.Key)))) writer.Add(key, value);
        if (divisors.Length > 0) writer.Declare(GgufNames.RotaryDivisors, GgufType.Of(BlockFormat.F32), divisors.Length);
        foreach (var (shape, format) in weights) writer.Declare(GgufNames.Of(shape.Name), GgufType.Of(format), GgufNames.Extents(shape));
        if (divisors.Length > 0) writer.Write(GgufNames.RotaryDivisors, MemoryMarshal.AsBytes(divisors.AsSpan()));
    }

    internal override void Write(LlamaShape shape, BlockFormat format, ReadOnlySpan<byte> rows) =>
        writer.Write(GgufNames.Of(shape.Name), GgufNames.IsReordered(shape.Name) ? Reordered(rows, (int)format.RowBytes(shape.Columns)) : rows);

    internal override void Finish() => writer.Finish();

    /// <inheritdoc/>
    public override void Dispose()
    {
        writer.Dispose();
        base.Dispose();
    }

    /// <summary>Whole heads with their rows in GGUF's order.</summary>
    private byte[] Reordered(ReadOnlySpan<byte> rows, int rowBytes)
    {
        var all = new byte[rows.Length];
        for (var row = 0; row < rows.Length / rowBytes; row++)
            rows.Slice(row * rowBytes, rowBytes).CopyTo(all.AsSpan(GgufNames.RowOf(row, headDimension) * rowBytes));
        return all;
    }
}
