using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models.Olmo;

/// <summary>OLMo: no norm before a sublayer but one after it, within the residual branch; queries and keys normed over their whole width before they
/// turn; SwiGLU; in OLMo 3 windows in all but every fourth layer. Source: arXiv:2501.00656 (OLMo 2), arXiv:2512.13961 (OLMo 3).</summary>
public sealed class OlmoModel : LanguageModel, ISegment
{
    private readonly OlmoWeights weights;
    private readonly AttentionSettings[] attention;

    internal OlmoModel(OlmoConfig config, ModelWeights weights, Engine engine) : base(config, weights, engine)
    {
        this.weights = new OlmoWeights(config, weights);
        attention = [.. config.WindowLayers.Select(window =>
            new AttentionSettings(config.Heads, config.KeyValueHeads, window ? config.WindowRotary : config.Rotary, window ? config.Window : null))];
    }

    /// <inheritdoc/>
    protected override Weight Head => weights.Head;

    /// <inheritdoc/>
    public override Tensor Forward(ReadOnlySpan<int> tokens, SequenceLayout layout)
    {
        var x = Engine.Embed(tokens, weights.Embedding);
        for (var i = 0; i < weights.Layers.Count; i++) x = Engine.Segment(this, x, layout, i);
        return Norm(x, weights.Norm);
    }

    /// <summary>One layer.</summary>
    Tensor ISegment.Forward(Tensor x, SequenceLayout layout, int index)
    {
        var layer = weights.Layers[index];
        var h = Engine.Residual(x, Norm(Attention(x, layer, layout, index), layer.AfterAttentionNorm));
        return Engine.Residual(h, Norm(Mlp(h, layer), layer.AfterMlpNorm));
    }

    private Tensor Attention(Tensor x, OlmoLayer layer, SequenceLayout layout, int index)
    {
        var (queries, keys, values) = Engine.Products(x, layer.Query, layer.Key, layer.Value);
        (queries, keys) = (Norm(queries, layer.QueryNorm), Norm(keys, layer.KeyNorm));
        return Engine.Product(Engine.Attend(queries, keys, values, layout, attention[index], index), layer.AttentionOutput);
    }

    private Tensor Mlp(Tensor x, OlmoLayer layer)
    {
        var (gate, up) = Engine.Products(x, layer.Gate, layer.Up);
        return Engine.Product(Engine.SwiGlu(gate, up), layer.Down);
    }

    private Tensor Norm(Tensor x, Weight gain) => Engine.RmsNorm(x, gain, Config.NormEpsilon);
}
