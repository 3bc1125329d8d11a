using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models.Qwen;

/// <summary>Qwen: pre-norm decoder, grouped-query attention, rotary positions, SwiGLU; queries and keys have a bias (2, 2.5) or a norm for each
/// head (3). Source: arXiv:2407.10671, arXiv:2505.09388.</summary>
public sealed class QwenModel : LanguageModel, ISegment
{
    private readonly QwenWeights weights;
    private readonly AttentionSettings[] attention;

    internal QwenModel(QwenConfig config, ModelWeights weights, Engine engine) : base(config, weights, engine)
    {
        this.weights = new QwenWeights(config, weights);
        attention = [.. Enumerable.Range(0, config.Layers).Select(layer =>
            new AttentionSettings(config.Heads, config.KeyValueHeads, config.Rotary, config.WindowLayers.Contains(layer) ? config.Window : null))];
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

    private Tensor Attention(Tensor x, QwenLayer layer, SequenceLayout layout, int index)
    {
        var (queries, keys, values) = Engine.Products(x, layer.Query, layer.Key, layer.Value);
        (queries, keys, values) = (Biased(queries, layer.QueryBias), Biased(keys, layer.KeyBias), Biased(values, layer.ValueBias));
        if (layer.QueryNorm is { } queryNorm) queries = Engine.HeadNorm(queries, queryNorm, Config.NormEpsilon);
        if (layer.KeyNorm is { } keyNorm) keys = Engine.HeadNorm(keys, keyNorm, Config.NormEpsilon);
        return Engine.Product(Engine.Attend(queries, keys, values, layout, attention[index], index), layer.AttentionOutput);
    }

    private Tensor Mlp(Tensor x, QwenLayer layer)
    {
        var (gate, up) = Engine.Products(x, layer.Gate, layer.Up);
        return Engine.Product(Engine.SwiGlu(gate, up), layer.Down);
    }
}
