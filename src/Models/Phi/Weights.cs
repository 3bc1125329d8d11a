using System.Globalization;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models.Phi;

/// <summary>Weights of one layer.</summary>
internal sealed record PhiLayer(Weight AttentionNorm, Weight QueryKeyValue, Weight AttentionOutput, Weight MlpNorm, Weight GateUp, Weight Down);

/// <summary>The weights by their place in the forward pass, and their names and sizes.</summary>
internal sealed class PhiWeights
{
    private const string EmbeddingName = "model.embed_tokens", NormName = "model.norm", HeadName = "lm_head";

    public PhiWeights(PhiConfig config, ModelWeights weights)
    {
        Embedding = weights[EmbeddingName + ".weight"];
        Layers = [.. Enumerable.Range(0, config.Layers).Select(Layer)];
        Norm = weights[NormName + ".weight"];
        Head = weights.Find(HeadName + ".weight") ?? Embedding;

        PhiLayer Layer(int index)
        {
            var prefix = string.Create(CultureInfo.InvariantCulture, $"model.layers.{index}.");
            return new PhiLayer(Of("input_layernorm"), Of("self_attn.qkv_proj"), Of("self_attn.o_proj"), Of("post_attention_layernorm"), Of("mlp.gate_up_proj"), Of("mlp.down_proj"));

            Weight Of(string name) => weights[$"{prefix}{name}.weight"];
        }
    }

    public Weight Embedding { get; }

    public IReadOnlyList<PhiLayer> Layers { get; }

    public Weight Norm { get; }

    public Weight Head { get; }

    /// <summary>Every weight once, in the order of the forward pass.</summary>
    public static IEnumerable<WeightShape> Shapes(PhiConfig config)
    {
        var (queries, keys) = (config.Heads * config.HeadDimension, config.KeyValueHeads * config.HeadDimension);
        yield return ShapeMaker.Outside.Matrix(EmbeddingName, "token_embd", WeightRole.Embedding, config.VocabularySize, config.Width);
        for (var i = 0; i < config.Layers; i++)
        {
            var layer = ShapeMaker.Layer(i);
            yield return layer.Gain("input_layernorm", "attn_norm", config.Width);
            yield return layer.Matrix("self_attn.qkv_proj", "attn_qkv", WeightRole.QueryKeyValue, queries + 2 * keys, config.Width);
            yield return layer.Matrix("self_attn.o_proj", "attn_output", WeightRole.AttentionOutput, config.Width, queries);
            yield return layer.Gain("post_attention_layernorm", "ffn_norm", config.Width);
            yield return layer.Matrix("mlp.gate_up_proj", "ffn_up", WeightRole.GateUp, 2 * config.Hidden, config.Width); // GGUF's name for both
            yield return layer.Matrix("mlp.down_proj", "ffn_down", WeightRole.Down, config.Width, config.Hidden);
        }
        yield return ShapeMaker.Outside.Gain(NormName, "output_norm", config.Width);
        if (!config.TiedHead) yield return ShapeMaker.Outside.Matrix(HeadName, "output", WeightRole.Head, config.VocabularySize, config.Width);
    }
}
