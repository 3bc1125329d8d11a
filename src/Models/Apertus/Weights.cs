using System.Globalization;
using OpenEuroLLM.Core;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models.Apertus;

/// <summary>Weights of one layer.</summary>
internal sealed record ApertusLayer(Weight AttentionNorm, Weight Query, Weight Key, Weight Value, Weight QueryNorm, Weight KeyNorm, Weight AttentionOutput,
    Weight MlpNorm, Weight Up, Weight AlphaPositive, Weight AlphaNegative, Weight Down);

/// <summary>The weights by their place in the forward pass, and their names and sizes.</summary>
internal sealed class ApertusWeights
{
    private const string EmbeddingName = "model.embed_tokens", NormName = "model.norm", HeadName = "lm_head";

    /// <summary>The slopes begin at 0.8 and 0.8; stored before softplus, and below zero without the part that beta is.</summary>
    private static readonly float FirstPositive = BeforeSoftplus(0.8), FirstNegative = BeforeSoftplus(0.8 - ApertusFamily.Beta);

    public ApertusWeights(ApertusConfig config, ModelWeights weights)
    {
        Embedding = weights[EmbeddingName + ".weight"];
        Layers = [.. Enumerable.Range(0, config.Layers).Select(Layer)];
        Norm = weights[NormName + ".weight"];
        Head = weights.Find(HeadName + ".weight") ?? Embedding;

        ApertusLayer Layer(int index)
        {
            var prefix = string.Create(CultureInfo.InvariantCulture, $"model.layers.{index}.");
            return new ApertusLayer(Of("attention_layernorm"), Of("self_attn.q_proj"), Of("self_attn.k_proj"), Of("self_attn.v_proj"), Of("self_attn.q_norm"), Of("self_attn.k_norm"),
                Of("self_attn.o_proj"), Of("feedforward_layernorm"), Of("mlp.up_proj"), weights[$"{prefix}mlp.act_fn.alpha_p"], weights[$"{prefix}mlp.act_fn.alpha_n"], Of("mlp.down_proj"));

            Weight Of(string name) => weights[$"{prefix}{name}.weight"];
        }
    }

    public Weight Embedding { get; }

    public IReadOnlyList<ApertusLayer> Layers { get; }

    public Weight Norm { get; }

    public Weight Head { get; }

    /// <summary>Every weight once, in the order of the forward pass.</summary>
    public static IEnumerable<WeightShape> Shapes(ApertusConfig config)
    {
        var (queries, keys) = (config.Heads * config.HeadDimension, config.KeyValueHeads * config.HeadDimension);
        yield return ShapeMaker.Outside.Matrix(EmbeddingName, "token_embd", WeightRole.Embedding, config.VocabularySize, config.Width);
        for (var i = 0; i < config.Layers; i++)
        {
            var layer = ShapeMaker.Layer(i);
            yield return layer.Gain("attention_layernorm", "attn_norm", config.Width);
            yield return layer.Matrix("self_attn.q_proj", "attn_q", WeightRole.Query, queries, config.Width);
            yield return layer.Matrix("self_attn.k_proj", "attn_k", WeightRole.Key, keys, config.Width);
            yield return layer.Matrix("self_attn.v_proj", "attn_v", WeightRole.Value, keys, config.Width);
            yield return layer.Gain("self_attn.q_norm", "attn_q_norm", config.HeadDimension);
            yield return layer.Gain("self_attn.k_norm", "attn_k_norm", config.HeadDimension);
            yield return layer.Matrix("self_attn.o_proj", "attn_output", WeightRole.AttentionOutput, config.Width, queries);
            yield return layer.Gain("feedforward_layernorm", "ffn_norm", config.Width);
            yield return layer.Matrix("mlp.up_proj", "ffn_up", WeightRole.Up, config.Hidden, config.Width);
            yield return layer.Number("mlp.act_fn.alpha_p", "xielu.alpha_p", FirstPositive);
            yield return layer.Number("mlp.act_fn.alpha_n", "xielu.alpha_n", FirstNegative);
            yield return layer.Matrix("mlp.down_proj", "ffn_down", WeightRole.Down, config.Width, config.Hidden);
        }
        yield return ShapeMaker.Outside.Gain(NormName, "output_norm", config.Width);
        if (!config.TiedHead) yield return ShapeMaker.Outside.Matrix(HeadName, "output", WeightRole.Head, config.VocabularySize, config.Width);
    }

    private static float BeforeSoftplus(double slope) => (float)Numerics.Log(Numerics.Exp(slope) - 1);
}
