using OpenEuroLLM.Formats.Quantization;

namespace OpenEuroLLM.Models;

/// <summary>Where a model is written to.</summary>
public abstract class ModelTarget : IDisposable
{
    private protected ModelTarget() { }

    /// <summary>Writes what stands before the weights.</summary>
    /// <param name="config">Shape of the model.</param>
    /// <param name="weights">Every weight and how it will be stored.</param>
    internal abstract void Begin(ModelConfig config, IReadOnlyList<(WeightShape Shape, BlockFormat Format)> weights);

    /// <summary>Appends rows of a weight, in order; a piece of queries or keys is a whole number of heads.</summary>
    internal abstract void Write(WeightShape shape, BlockFormat format, ReadOnlySpan<byte> rows);

    /// <summary>Completes what was written.</summary>
    internal abstract void Finish();

    /// <inheritdoc/>
    public virtual void Dispose() => GC.SuppressFinalize(this);
}
