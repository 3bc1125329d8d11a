using OpenEuroLLM.Core;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models.Llama;

/// <summary>Weights of one layer.</summary>
internal sealed record LlamaLayer(Weight AttentionNorm, Weight Query, Weight Key, Weight Value, Weight AttentionOutput,
    Weight MlpNorm, Weight Gate, Weight Up, Weight Down);

/// <summary>All weights of a model under their names in the model's files.</summary>
internal sealed class LlamaWeights : IDisposable
{
    /// <summary>Builds the weights in the order of the forward pass.</summary>
    /// <param name="create">Makes a weight from name, rows (1 for a vector) and columns.</param>
    public LlamaWeights(LlamaConfig config, Func<string, int, int, Weight> create)
    {
        var all = new List<Weight>();
        Embedding = Make("model.embed_tokens.weight", config.VocabularySize, config.Width);
        var layers = new LlamaLayer[config.Layers];
        var (queries, keys) = (config.Heads * config.HeadDimension, config.KeyValueHeads * config.HeadDimension);
        for (var i = 0; i < layers.Length; i++)
        {
            var prefix = FormattableString.Invariant($"model.layers.{i}.");
            layers[i] = new LlamaLayer(
                Make(prefix + "input_layernorm.weight", 1, config.Width),
                Make(prefix + "self_attn.q_proj.weight", queries, config.Width),
                Make(prefix + "self_attn.k_proj.weight", keys, config.Width),
                Make(prefix + "self_attn.v_proj.weight", keys, config.Width),
                Make(prefix + "self_attn.o_proj.weight", config.Width, queries),
                Make(prefix + "post_attention_layernorm.weight", 1, config.Width),
                Make(prefix + "mlp.gate_proj.weight", config.Hidden, config.Width),
                Make(prefix + "mlp.up_proj.weight", config.Hidden, config.Width),
                Make(prefix + "mlp.down_proj.weight", config.Width, config.Hidden));
        }
        Layers = layers;
        Norm = Make("model.norm.weight", 1, config.Width);
        Head = config.TiedHead ? Embedding : Make("lm_head.weight", config.VocabularySize, config.Width);
        All = all;

        Weight Make(string name, int rows, int columns)
        {
            var weight = create(name, rows, columns);
            all.Add(weight);
            return weight;
        }
    }

    public Weight Embedding { get; }

    public IReadOnlyList<LlamaLayer> Layers { get; }

    public Weight Norm { get; }

    public Weight Head { get; }

    /// <summary>Every weight once, in the order of the forward pass.</summary>
    public IReadOnlyList<Weight> All { get; }

    /// <summary>Trainable weights with random first values: normal with deviation 1/√inputs, for the two products that write to the residual
    /// stream divided by √(2·layers) besides, and 0.02 for the embedding; norms begin at 1.</summary>
    /// <remarks>A value depends on seed, name and index alone.</remarks>
    public static LlamaWeights Random(LlamaConfig config, ulong seed)
    {
        var random = new CounterRandom(seed, 0);
        return new LlamaWeights(config, (name, rows, columns) =>
        {
            var weight = Weight.Trainable(name, rows, columns);
            var values = weight.Values;
            if (rows == 1)
            {
                values.Fill(1);
                return weight;
            }
            var writesResidual = name.EndsWith("o_proj.weight", StringComparison.Ordinal) || name.EndsWith("down_proj.weight", StringComparison.Ordinal);
            var isTable = name.StartsWith("model.embed", StringComparison.Ordinal);
            var deviation = isTable ? 0.02f : (float)(1 / Math.Sqrt(columns) / (writesResidual ? Math.Sqrt(2.0 * config.Layers) : 1));
            var stream = random.Substream(name);
            for (var i = 0; i < values.Length; i++) values[i] = deviation * stream.NormalAt((ulong)i);
            return weight;
        });
    }

    public void Dispose()
    {
        foreach (var weight in All) weight.Dispose();
    }
}
