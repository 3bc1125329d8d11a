using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models.Gemma;

/// <summary>Gemma: a norm before and after each sublayer, gains stored as their distance from 1, local and global layers, GeGLU, embeddings times
/// √width; soft caps in Gemma 2, norms of each head of queries and keys in Gemma 3. Source: arXiv:2408.00118, arXiv:2503.19786.</summary>
/// <remarks>The published code rounds √width to the type it computes with; states are single precision here whatever the weights' storage, so it is
/// not rounded further.</remarks>
public sealed class GemmaModel : LanguageModel, ISegment
{
    private readonly GemmaConfig config;
    private readonly GemmaWeights weights;
    private readonly AttentionSettings[] attention;

    internal GemmaModel(GemmaConfig config, ModelWeights weights, Engine engine) : base(config, weights, engine)
    {
        this.config = config;
        this.weights = new GemmaWeights(config, weights);
        var scale = 1 / Math.Sqrt(config.QueryScalar);
        attention = [.. config.LocalLayers.Select(local => new AttentionSettings(config.Heads, config.KeyValueHeads,
            local ? config.LocalRotary : config.Rotary, local ? config.Window : null, scale, config.AttentionSoftCap))];
    }

    /// <inheritdoc/>
    protected override Weight Head => weights.Embedding;

    /// <inheritdoc/>
    protected override double? LogitSoftCap => config.LogitSoftCap;

    /// <inheritdoc/>
    public override Tensor Forward(ReadOnlySpan<int> tokens, SequenceLayout layout)
    {
        var x = Engine.Scale(Engine.Embed(tokens, weights.Embedding), Math.Sqrt(config.Width));
        for (var i = 0; i < weights.Layers.Count; i++) x = Engine.Segment(this, x, layout, i);
        return Norm(x, weights.Norm);
    }

    /// <summary>One layer.</summary>
    Tensor ISegment.Forward(Tensor x, SequenceLayout layout, int index)
    {
        var layer = weights.Layers[index];
        var h = Engine.Residual(x, Norm(Attention(Norm(x, layer.AttentionNorm), layer, layout, index), layer.AfterAttentionNorm));
        return Engine.Residual(h, Norm(Mlp(Norm(h, layer.MlpNorm), layer), layer.AfterMlpNorm));
    }

    private Tensor Attention(Tensor x, GemmaLayer layer, SequenceLayout layout, int index)
    {
        var (queries, keys, values) = Engine.Products(x, layer.Query, layer.Key, layer.Value);
        if (layer.QueryNorm is { } queryNorm) queries = Engine.HeadNorm(queries, queryNorm, config.NormEpsilon, gainPlusOne: true);
        if (layer.KeyNorm is { } keyNorm) keys = Engine.HeadNorm(keys, keyNorm, config.NormEpsilon, gainPlusOne: true);
        return Engine.Product(Engine.Attend(queries, keys, values, layout, attention[index], index), layer.AttentionOutput);
    }

    private Tensor Mlp(Tensor x, GemmaLayer layer)
    {
        var (gate, up) = Engine.Products(x, layer.Gate, layer.Up);
        return Engine.Product(Engine.GeGlu(gate, up, GeluForm.Tanh), layer.Down);
    }

    private Tensor Norm(Tensor x, Weight gain) => Engine.RmsNorm(x, gain, config.NormEpsilon, gainPlusOne: true);
}
