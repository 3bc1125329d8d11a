using System.Runtime.InteropServices;
using OpenEuroLLM.Formats.Quantization;

namespace OpenEuroLLM.Models;

/// <summary>Weights by chance, the same as those that training with this seed begins with.</summary>
/// <param name="config">Shape of the model.</param>
/// <param name="seed">Chooses the values.</param>
/// <param name="spread">Deviation of what is added to gains and biases, which in training begin all alike.</param>
public sealed class RandomSource(ModelConfig config, ulong seed, double spread = 0) : ModelSource(config, "random weights")
{
    private readonly RandomWeights random = new(config, seed, spread);

    /// <inheritdoc/>
    public override BlockFormat FormatOf(WeightShape shape) => BlockFormat.F32;

    /// <inheritdoc/>
    public override void Read(WeightShape shape, int firstRow, Span<byte> rows) =>
        random.Fill(shape, (long)firstRow * shape.Columns, MemoryMarshal.Cast<byte, float>(rows));
}
