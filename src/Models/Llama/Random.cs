using OpenEuroLLM.Core;

namespace OpenEuroLLM.Models.Llama;

/// <summary>Random first values: normal with deviation 1/√inputs, for the two products that write to the residual stream divided by √(2·layers)
/// besides, and 0.02 for the embedding; norms begin at 1.</summary>
/// <remarks>A value depends on seed, name and index alone, so any piece can be had at any time.</remarks>
internal sealed class LlamaRandom(LlamaConfig config, ulong seed)
{
    private readonly CounterRandom random = new(seed, 0);

    /// <summary>Values of a weight, row-major.</summary>
    /// <param name="shape">The weight.</param>
    /// <param name="first">Index of the first value wanted.</param>
    /// <param name="values">Receives as many as it holds.</param>
    public void Fill(LlamaShape shape, long first, Span<float> values)
    {
        if (shape.Rows == 1)
        {
            values.Fill(1);
            return;
        }
        var writesResidual = shape.Name.EndsWith("o_proj.weight", StringComparison.Ordinal) || shape.Name.EndsWith("down_proj.weight", StringComparison.Ordinal);
        var isTable = shape.Name == LlamaShapes.Embedding;
        var deviation = isTable ? 0.02f : (float)(1 / Math.Sqrt(shape.Columns) / (writesResidual ? Math.Sqrt(2.0 * config.Layers) : 1));
        var stream = random.Substream(shape.Name);
        for (var i = 0; i < values.Length; i++) values[i] = deviation * stream.NormalAt((ulong)(first + i));
    }
}
