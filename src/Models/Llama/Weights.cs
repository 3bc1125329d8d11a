using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models.Llama;

/// <summary>Weights of one layer.</summary>
internal sealed record LlamaLayer(Weight AttentionNorm, Weight Query, Weight Key, Weight Value, Weight AttentionOutput,
    Weight MlpNorm, Weight Gate, Weight Up, Weight Down);

/// <summary>All weights of a model under their names in the model's files.</summary>
internal sealed class LlamaWeights : IDisposable
{
    private readonly List<Weight> all = [];

    /// <summary>Builds the weights in the order of the forward pass.</summary>
    /// <param name="create">Makes a weight.</param>
    public LlamaWeights(LlamaConfig config, Func<LlamaShape, Weight> create)
    {
        try
        {
            foreach (var shape in LlamaShapes.Of(config)) all.Add(create(shape));
        }
        catch
        {
            Dispose();
            throw;
        }
        Embedding = all[0];
        Layers = [.. all[1..].Chunk(LlamaShapes.LayerWeights).Take(config.Layers)
            .Select(w => new LlamaLayer(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8]))];
        Norm = all[1 + LlamaShapes.LayerWeights * config.Layers];
        Head = config.TiedHead ? Embedding : all[^1];
    }

    public Weight Embedding { get; }

    public IReadOnlyList<LlamaLayer> Layers { get; }

    public Weight Norm { get; }

    public Weight Head { get; }

    /// <summary>Every weight once, in the order of the forward pass.</summary>
    public IReadOnlyList<Weight> All => all;

    /// <summary>Trainable weights with random first values; see <see cref="LlamaRandom"/>.</summary>
    public static LlamaWeights Random(LlamaConfig config, ulong seed)
    {
        var random = new LlamaRandom(config, seed);
        return new LlamaWeights(config, shape =>
        {
            var weight = Weight.Trainable(shape.Name, shape.Rows, shape.Columns);
            random.Fill(shape, 0, weight.Values);
            return weight;
        });
    }

    public void Dispose()
    {
        foreach (var weight in all) weight.Dispose();
    }
}
