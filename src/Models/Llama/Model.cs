using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models.Llama;

/// <summary>The Llama family: pre-norm decoder, grouped-query attention, rotary positions, SwiGLU. Source: arXiv:2302.13971, arXiv:2307.09288;
/// with a window arXiv:2310.06825 (Mistral).</summary>
public sealed class LlamaModel : LanguageModel, ISegment
{
    private readonly LlamaWeights weights;
    private readonly AttentionSettings[] attention;

    internal LlamaModel(LlamaConfig config, ModelWeights weights, Engine engine) : base(config, weights, engine)
    {
        this.weights = new LlamaWeights(config, weights);
        attention = [.. Enumerable.Range(0, config.Layers).Select(layer =>
            new AttentionSettings(config.Heads, config.KeyValueHeads, config.UnturnedLayers.Contains(layer) ? null : config.Rotary, config.Window))];
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

    private Tensor Attention(Tensor x, LlamaLayer layer, SequenceLayout layout, int index)
    {
        var (queries, keys, values) = Engine.Products(x, layer.Query, layer.Key, layer.Value);
        (queries, keys, values) = (Biased(queries, layer.QueryBias), Biased(keys, layer.KeyBias), Biased(values, layer.ValueBias));
        var attended = Engine.Attend(queries, keys, values, layout, attention[index], index);
        return Biased(Engine.Product(attended, layer.AttentionOutput), layer.AttentionOutputBias);
    }

    private Tensor Mlp(Tensor x, LlamaLayer layer)
    {
        var (gate, up) = Engine.Products(x, layer.Gate, layer.Up);
        (gate, up) = (Biased(gate, layer.GateBias), Biased(up, layer.UpBias));
        return Biased(Engine.Product(Engine.SwiGlu(gate, up), layer.Down), layer.DownBias);
    }
}
