using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models.Pharia;

/// <summary>Pharia-1: pre-norm decoder with layer norms, grouped-query attention, rotary positions of neighbouring numbers, a feed-forward part without a
/// gate and with GELU, biases in every product of a layer. Source: the published configuration and model card of Pharia-1-LLM-7B.</summary>
public sealed class PhariaModel : LanguageModel, ISegment
{
    private readonly PhariaWeights weights;
    private readonly AttentionSettings attention;

    internal PhariaModel(PhariaConfig config, ModelWeights weights, Engine engine) : base(config, weights, engine)
    {
        this.weights = new PhariaWeights(config, weights);
        attention = new AttentionSettings(config.Heads, config.KeyValueHeads, config.Rotary);
    }

    /// <inheritdoc/>
    protected override Weight Head => weights.Head;

    /// <inheritdoc/>
    public override Tensor Forward(ReadOnlySpan<int> tokens, SequenceLayout layout)
    {
        var x = Engine.Embed(tokens, weights.Embedding);
        for (var i = 0; i < weights.Layers.Count; i++) x = Engine.Segment(this, x, layout, i);
        return Engine.LayerNorm(x, weights.Norm, weights.NormBias, Config.NormEpsilon);
    }

    /// <summary>One layer.</summary>
    Tensor ISegment.Forward(Tensor x, SequenceLayout layout, int index)
    {
        var layer = weights.Layers[index];
        var h = Engine.Residual(x, Attention(Engine.LayerNorm(x, layer.AttentionNorm, layer.AttentionNormBias, Config.NormEpsilon), layer, layout, index));
        return Engine.Residual(h, Mlp(Engine.LayerNorm(h, layer.MlpNorm, layer.MlpNormBias, Config.NormEpsilon), layer));
    }

    private Tensor Attention(Tensor x, PhariaLayer layer, SequenceLayout layout, int index)
    {
        var (queries, keys, values) = Engine.Products(x, layer.Query, layer.Key, layer.Value);
        (queries, keys, values) = (Biased(queries, layer.QueryBias), Biased(keys, layer.KeyBias), Biased(values, layer.ValueBias));
        var attended = Engine.Attend(queries, keys, values, layout, attention, index);
        return Biased(Engine.Product(attended, layer.AttentionOutput), layer.AttentionOutputBias);
    }

    private Tensor Mlp(Tensor x, PhariaLayer layer) =>
        Biased(Engine.Product(Engine.Gelu(Biased(Engine.Product(x, layer.Up), layer.UpBias), GeluForm.Exact), layer.Down), layer.DownBias);
}
