using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models.Apertus;

/// <summary>Apertus: pre-norm decoder, grouped-query attention with a norm for each head of queries and keys, rotary positions, a feed-forward part
/// without a gate and with xIELU, whose two slopes every layer learns. Source: arXiv:2509.14233, arXiv:2411.13010.</summary>
public sealed class ApertusModel : LanguageModel, ISegment
{
    private readonly ApertusWeights weights;
    private readonly AttentionSettings attention;

    internal ApertusModel(ApertusConfig config, ModelWeights weights, Engine engine) : base(config, weights, engine)
    {
        this.weights = new ApertusWeights(config, weights);
        attention = new AttentionSettings(config.Heads, config.KeyValueHeads, config.Rotary);
    }

    /// <inheritdoc/>
    protected override Weight Head => weights.Head;

    /// <inheritdoc/>
    public override Tensor Forward(ReadOnlySpan<int> tokens, SequenceLayout layout)
    {
        var x = Engine.Embed(tokens, weights.Embedding);
        for (var i = 0; i < weights.Layers.Count; i++) x = Engine.Segment(this, x, layout, i);
        return Engine.RmsNorm(x, weights.Norm, Config.NormEpsilon);
    }

    /// <summary>One layer.</summary>
    Tensor ISegment.Forward(Tensor x, SequenceLayout layout, int index)
    {
        var layer = weights.Layers[index];
        var h = Engine.Residual(x, Attention(Engine.RmsNorm(x, layer.AttentionNorm, Config.NormEpsilon), layer, layout, index));
        return Engine.Residual(h, Mlp(Engine.RmsNorm(h, layer.MlpNorm, Config.NormEpsilon), layer));
    }

    private Tensor Attention(Tensor x, ApertusLayer layer, SequenceLayout layout, int index)
    {
        var (queries, keys, values) = Engine.Products(x, layer.Query, layer.Key, layer.Value);
        queries = Engine.HeadNorm(queries, layer.QueryNorm, Config.NormEpsilon);
        keys = Engine.HeadNorm(keys, layer.KeyNorm, Config.NormEpsilon);
        return Engine.Product(Engine.Attend(queries, keys, values, layout, attention, index), layer.AttentionOutput);
    }

    private Tensor Mlp(Tensor x, ApertusLayer layer) =>
        Engine.Product(Engine.XIelu(Engine.Product(x, layer.Up), layer.AlphaPositive, layer.AlphaNegative, ApertusFamily.Beta, ApertusFamily.Epsilon), layer.Down);
}
