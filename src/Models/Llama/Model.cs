using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models.Llama;

/// <summary>The Llama family: pre-norm decoder, grouped-query attention, rotary positions, SwiGLU. Source: arXiv:2302.13971, arXiv:2307.09288.</summary>
public sealed class LlamaModel : LanguageModel, ISegment
{
    private readonly LlamaWeights weights;

    internal LlamaModel(LlamaConfig config, ModelWeights weights, Engine engine) : base(config, weights, engine) => this.weights = new LlamaWeights(config, weights);

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
        var attended = Engine.Attend(queries, keys, values, layout, new AttentionSettings(Config.Heads, Config.KeyValueHeads, Config.Rotary), index);
        return Engine.Product(attended, layer.AttentionOutput);
    }

    private Tensor Mlp(Tensor x, LlamaLayer layer)
    {
        var (gate, up) = Engine.Products(x, layer.Gate, layer.Up);
        return Engine.Product(Engine.SwiGlu(gate, up), layer.Down);
    }
}
