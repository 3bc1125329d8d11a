using System.Globalization;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models.Gemma;

/// <summary>Weights of one layer.</summary>
internal sealed record GemmaLayer(Weight AttentionNorm, Weight Query, Weight Key, Weight Value, Weight? QueryNorm, Weight? KeyNorm, Weight AttentionOutput, Weight AfterAttentionNorm,
    Weight MlpNorm, Weight Gate, Weight Up, Weight Down, Weight AfterMlpNorm);

/// <summary>The weights by their place in the forward pass, and their names and sizes.</summary>
internal sealed class GemmaWeights
{
    private const string EmbeddingName = "model.embed_tokens", NormName = "model.norm", QueryNorm = "self_attn.q_norm", KeyNorm = "self_attn.k_norm";

    public GemmaWeights(GemmaConfig config, ModelWeights weights)
    {
        Embedding = weights[EmbeddingName + ".weight"];
        Layers = [.. Enumerable.Range(0, config.Layers).Select(Layer)];
        Norm = weights[NormName + ".weight"];

        GemmaLayer Layer(int index)
        {
            var prefix = string.Create(CultureInfo.InvariantCulture, $"model.layers.{index}.");
            return new GemmaLayer(Of("input_layernorm"), Of("self_attn.q_proj"), Of("self_attn.k_proj"), Of("self_attn.v_proj"), Find(QueryNorm), Find(KeyNorm), Of("self_attn.o_proj"),
                Of("post_attention_layernorm"), Of("pre_feedforward_layernorm"), Of("mlp.gate_proj"), Of("mlp.up_proj"), Of("mlp.down_proj"), Of("post_feedforward_layernorm"));

            Weight Of(string name) => weights[$"{prefix}{name}.weight"];

            Weight? Find(string name) => weights.Find($"{prefix}{name}.weight");
        }
    }

    public Weight Embedding { get; }

    public IReadOnlyList<GemmaLayer> Layers { get; }

    public Weight Norm { get; }

    /// <summary>Every weight once, in the order of the forward pass.</summary>
    public static IEnumerable<WeightShape> Shapes(GemmaConfig config)
    {
        var (queries, keys) = (config.Heads * config.HeadDimension, config.KeyValueHeads * config.HeadDimension);
        yield return ShapeMaker.Outside.Matrix(EmbeddingName, "token_embd", WeightRole.Embedding, config.VocabularySize, config.Width);
        for (var i = 0; i < config.Layers; i++)
        {
            var layer = ShapeMaker.Layer(i);
            yield return layer.GainPlusOne("input_layernorm", "attn_norm", config.Width);
            yield return layer.Matrix("self_attn.q_proj", "attn_q", WeightRole.Query, queries, config.Width);
            yield return layer.Matrix("self_attn.k_proj", "attn_k", WeightRole.Key, keys, config.Width);
            yield return layer.Matrix("self_attn.v_proj", "attn_v", WeightRole.Value, keys, config.Width);
            if (config.HasHeadNorms)
            {
                yield return layer.GainPlusOne(QueryNorm, "attn_q_norm", config.HeadDimension);
                yield return layer.GainPlusOne(KeyNorm, "attn_k_norm", config.HeadDimension);
            }
            yield return layer.Matrix("self_attn.o_proj", "attn_output", WeightRole.AttentionOutput, config.Width, queries);
            yield return layer.GainPlusOne("post_attention_layernorm", "post_attention_norm", config.Width);
            yield return layer.GainPlusOne("pre_feedforward_layernorm", "ffn_norm", config.Width);
            yield return layer.Matrix("mlp.gate_proj", "ffn_gate", WeightRole.Gate, config.Hidden, config.Width);
            yield return layer.Matrix("mlp.up_proj", "ffn_up", WeightRole.Up, config.Hidden, config.Width);
            yield return layer.Matrix("mlp.down_proj", "ffn_down", WeightRole.Down, config.Width, config.Hidden);
            yield return layer.GainPlusOne("post_feedforward_layernorm", "post_ffw_norm", config.Width);
        }
        yield return ShapeMaker.Outside.GainPlusOne(NormName, "output_norm", config.Width);
    }
}
