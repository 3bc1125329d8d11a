using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models.Gpt2;

/// <summary>GPT-2: pre-norm decoder with layer norms, learned positions, full attention with queries, keys and values in one product, GELU, biases in
/// every product. Source: Radford et al., Language Models are Unsupervised Multitask Learners, 2019.</summary>
public sealed class Gpt2Model : LanguageModel, ISegment
{
    private readonly Gpt2Weights weights;
    private readonly AttentionSettings attention;

    internal Gpt2Model(Gpt2Config config, ModelWeights weights, Engine engine) : base(config, weights, engine)
    {
        this.weights = new Gpt2Weights(config, weights);
        attention = new AttentionSettings(config.Heads, config.KeyValueHeads, Rotary: null);
    }

    /// <inheritdoc/>
    protected override Weight Head => weights.Head;

    /// <inheritdoc/>
    public override Tensor Forward(ReadOnlySpan<int> tokens, SequenceLayout layout)
    {
        var x = Engine.AddPositions(Engine.Embed(tokens, weights.Embedding), weights.Positions, layout);
        for (var i = 0; i < weights.Layers.Count; i++) x = Engine.Segment(this, x, layout, i);
        return Norm(x, weights.Norm);
    }

    /// <summary>One layer.</summary>
    Tensor ISegment.Forward(Tensor x, SequenceLayout layout, int index)
    {
        var layer = weights.Layers[index];
        var h = Engine.Residual(x, Attention(Norm(x, layer.AttentionNorm), layer, layout, index));
        return Engine.Residual(h, Mlp(Norm(h, layer.MlpNorm), layer));
    }

    private Tensor Attention(Tensor x, Gpt2Layer layer, SequenceLayout layout, int index)
    {
        var all = Biased(x, layer.QueryKeyValue);
        var (queries, keys, values) = (Engine.Columns(all, 0, Config.Width), Engine.Columns(all, Config.Width, Config.Width), Engine.Columns(all, 2 * Config.Width, Config.Width));
        return Biased(Engine.Attend(queries, keys, values, layout, attention, index), layer.AttentionOutput);
    }

    private Tensor Mlp(Tensor x, Gpt2Layer layer) => Biased(Engine.Gelu(Biased(x, layer.Up), GeluForm.Tanh), layer.Down);

    private Tensor Biased(Tensor x, BiasedWeight product) => Biased(Engine.Product(x, product.Weight), product.Bias);

    private Tensor Norm(Tensor x, BiasedWeight norm) => Engine.LayerNorm(x, norm.Weight, norm.Bias, Config.NormEpsilon);
}
