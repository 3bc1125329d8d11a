using System.Globalization;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models.Olmo;

/// <summary>Weights of one layer.</summary>
internal sealed record OlmoLayer(Weight Query, Weight Key, Weight Value, Weight QueryNorm, Weight KeyNorm, Weight AttentionOutput, Weight AfterAttentionNorm,
    Weight Gate, Weight Up, Weight Down, Weight AfterMlpNorm);

/// <summary>The weights by their place in the forward pass, and their names and sizes.</summary>
internal sealed class OlmoWeights
{
    private const string EmbeddingName = "model.embed_tokens", NormName = "model.norm", HeadName = "lm_head";

    public OlmoWeights(OlmoConfig config, ModelWeights weights)
    {
        Embedding = weights[EmbeddingName + ".weight"];
        Layers = [.. Enumerable.Range(0, config.Layers).Select(Layer)];
        Norm = weights[NormName + ".weight"];
        Head = weights.Find(HeadName + ".weight") ?? Embedding;

        OlmoLayer Layer(int index)
        {
            var prefix = string.Create(CultureInfo.InvariantCulture, $"model.layers.{index}.");
            return new OlmoLayer(Of("self_attn.q_proj"), Of("self_attn.k_proj"), Of("self_attn.v_proj"), Of("self_attn.q_norm"), Of("self_attn.k_norm"), Of("self_attn.o_proj"),
                Of("post_attention_layernorm"), Of("mlp.gate_proj"), Of("mlp.up_proj"), Of("mlp.down_proj"), Of("post_feedforward_layernorm"));

            Weight Of(string name) => weights[$"{prefix}{name}.weight"];
        }
    }

    public Weight Embedding { get; }

    public IReadOnlyList<OlmoLayer> Layers { get; }

    public Weight Norm { get; }

    public Weight Head { get; }

    /// <summary>Every weight once, in the order of the forward pass.</summary>
    public static IEnumerable<WeightShape> Shapes(OlmoConfig config)
    {
        var (queries, keys) = (config.Heads * config.HeadDimension, config.KeyValueHeads * config.HeadDimension);
        yield return ShapeMaker.Outside.Matrix(EmbeddingName, "token_embd", WeightRole.Embedding, config.VocabularySize, config.Width);
        for (var i = 0; i < config.Layers; i++)
        {
            var layer = ShapeMaker.Layer(i);
            yield return layer.Matrix("self_attn.q_proj", "attn_q", WeightRole.Query, queries, config.Width);
            yield return layer.Matrix("self_attn.k_proj", "attn_k", WeightRole.Key, keys, config.Width);
            yield return layer.Matrix("self_attn.v_proj", "attn_v", WeightRole.Value, keys, config.Width);
            yield return layer.Gain("self_attn.q_norm", "attn_q_norm", queries);
            yield return layer.Gain("self_attn.k_norm", "attn_k_norm", keys);
            yield return layer.Matrix("self_attn.o_proj", "attn_output", WeightRole.AttentionOutput, config.Width, queries);
            yield return layer.Gain("post_attention_layernorm", "post_attention_norm", config.Width);
            yield return layer.Matrix("mlp.gate_proj", "ffn_gate", WeightRole.Gate, config.Hidden, config.Width);
            yield return layer.Matrix("mlp.up_proj", "ffn_up", WeightRole.Up, config.Hidden, config.Width);
            yield return layer.Matrix("mlp.down_proj", "ffn_down", WeightRole.Down, config.Width, config.Hidden);
            yield return layer.Gain("post_feedforward_layernorm", "post_ffw_norm", config.Width);
        }
        yield return ShapeMaker.Outside.Gain(NormName, "output_norm", config.Width);
        if (!config.TiedHead) yield return ShapeMaker.Outside.Matrix(HeadName, "output", WeightRole.Head, config.VocabularySize, config.Width);
    }
}
