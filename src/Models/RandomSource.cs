using System.Runtime.InteropServices;
using OpenEuroLLM.Formats.Quantization;
using OpenEuroLLM.Models.Llama;

namespace OpenEuroLLM.Models;

/// <summary>Weights by chance, the same as those that training with this seed begins with.</summary>
/// <param name="config">Shape of the model.</param>
/// <param name="seed">Chooses the values.</param>
public sealed class RandomSource(LlamaConfig config, ulong seed) : ModelSource(config, "random weights")
{
    private readonly LlamaRandom random = new(config, seed);

    /// <inheritdoc/>
    public override BlockFormat FormatOf(LlamaShape shape) => BlockFormat.F32;

    /// <inheritdoc/>
    public override void Read(LlamaShape shape, int firstRow, Span<byte> rows) =>
        random.Fill(shape, (long)firstRow * shape.Columns, MemoryMarshal.Cast<byte, float>(rows));
}
