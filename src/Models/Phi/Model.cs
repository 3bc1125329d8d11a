using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models.Phi;

/// <summary>Phi: pre-norm decoder, grouped-query attention, SwiGLU; queries, keys and values in one product, gate and rising product in another; rotary
/// positions that may turn a part of each head, and LongRoPE. Source: arXiv:2404.14219 (Phi-3), arXiv:2412.08905 (Phi-4), arXiv:2503.01743 (Phi-4-mini).</summary>
public sealed class PhiModel : LanguageModel, ISegment
{
    private readonly PhiWeights weights;
    private readonly AttentionSettings attention;

    internal PhiModel(PhiConfig config, ModelWeights weights, Engine engine) : base(config, weights, engine)
    {
        this.weights = new PhiWeights(config, weights);
        attention = new AttentionSettings(config.Heads, config.KeyValueHeads, config.ServedRotary, config.Window);
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

    private Tensor Attention(Tensor x, PhiLayer layer, SequenceLayout layout, int index)
    {
        var (queryWidth, keyWidth) = (Config.Heads * Config.HeadDimension, Config.KeyValueHeads * Config.HeadDimension);
        var all = Engine.Product(x, layer.QueryKeyValue);
        var (queries, keys, values) = (Engine.Columns(all, 0, queryWidth), Engine.Columns(all, queryWidth, keyWidth), Engine.Columns(all, queryWidth + keyWidth, keyWidth));
        return Engine.Product(Engine.Attend(queries, keys, values, layout, attention, index), layer.AttentionOutput);
    }

    private Tensor Mlp(Tensor x, PhiLayer layer)
    {
        var both = Engine.Product(x, layer.GateUp);
        return Engine.Product(Engine.SwiGlu(Engine.Columns(both, 0, Config.Hidden), Engine.Columns(both, Config.Hidden, Config.Hidden)), layer.Down);
    }
}
