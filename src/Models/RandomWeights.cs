using OpenEuroLLM.Core;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models;

/// <summary>Random first values: normal with deviation 1/√inputs, for the two products that write to the residual stream divided by √(2·layers)
/// besides, and 0.02 for tables; vectors begin as their shapes say.</summary>
/// <param name="config">Shape of the model.</param>
/// <param name="seed">Chooses the values.</param>
/// <param name="spread">Deviation of what is added to vectors; 0 in training.</param>
/// <remarks>A value depends on seed, name and index alone, so any piece can be had at any time.</remarks>
internal sealed class RandomWeights(ModelConfig config, ulong seed, double spread = 0)
{
    private readonly CounterRandom random = new(seed, 0);

    /// <summary>Trainable weights of a model.</summary>
    public static ModelWeights Create(ModelConfig config, ulong seed)
    {
        var random = new RandomWeights(config, seed);
        return new ModelWeights(config, shape =>
        {
            var weight = Weight.Trainable(shape.Name, shape.Rows, shape.Columns);
            random.Fill(shape, 0, weight.Values);
            return weight;
        });
    }

    /// <summary>Values of a weight, row-major.</summary>
    /// <param name="shape">The weight.</param>
    /// <param name="first">Index of the first value wanted.</param>
    /// <param name="values">Receives as many as it holds.</param>
    public void Fill(WeightShape shape, long first, Span<float> values)
    {
        if (shape.IsVector)
        {
            values.Fill(shape.InitialValue);
            if (spread == 0) return;
            var vector = random.Substream(shape.Name);
            for (var i = 0; i < values.Length; i++) values[i] += (float)spread * vector.NormalAt((ulong)(first + i));
            return;
        }
        var deviation = shape.Role switch
        {
            WeightRole.Embedding or WeightRole.Positions => 0.02f,
            WeightRole.AttentionOutput or WeightRole.Down => (float)(1 / Math.Sqrt(shape.Columns) / Math.Sqrt(2.0 * config.Layers)),
            _ => (float)(1 / Math.Sqrt(shape.Columns)),
        };
        var stream = random.Substream(shape.Name);
        for (var i = 0; i < values.Length; i++) values[i] = deviation * stream.NormalAt((ulong)(first + i));
    }
}
