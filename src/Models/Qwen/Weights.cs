using System.Globalization;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models.Qwen;

/// <summary>Weights of one layer.</summary>
internal sealed record QwenLayer(Weight AttentionNorm, Weight Query, Weight Key, Weight Value, Weight AttentionOutput, Weight MlpNorm, Weight Gate, Weight Up, Weight Down)
{
    public Weight? QueryBias { get; init; }

    public Weight? KeyBias { get; init; }

    public Weight? ValueBias { get; init; }

    public Weight? QueryNorm { get; init; }

    public Weight? KeyNorm { get; init; }
}

/// <summary>The weights by their place in the forward pass, and their names and sizes.</summary>
internal sealed class QwenWeights
{
    private const string EmbeddingName = "model.embed_tokens", NormName = "model.norm", HeadName = "lm_head";

    private const string Query = "self_attn.q_proj", Key = "self_attn.k_proj", Value = "self_attn.v_proj", QueryNorm = "self_attn.q_norm", KeyNorm = "self_attn.k_norm";

    public QwenWeights(QwenConfig config, ModelWeights weights)
    {
        Embedding = weights[EmbeddingName + ".weight"];
        Layers = [.. Enumerable.Range(0, config.Layers).Select(Layer)];
        Norm = weights[NormName + ".weight"];
        Head = weights.Find(HeadName + ".weight") ?? Embedding;

        QwenLayer Layer(int index)
        {
            var prefix = string.Create(CultureInfo.InvariantCulture, $"model.layers.{index}.");
            return new QwenLayer(Of("input_layernorm"), Of(Query), Of(Key), Of(Value), Of("self_attn.o_proj"), Of("post_attention_layernorm"),
                Of("mlp.gate_proj"), Of("mlp.up_proj"), Of("mlp.down_proj"))
            {
                QueryBias = weights.Find($"{prefix}{Query}.bias"),
                KeyBias = weights.Find($"{prefix}{Key}.bias"),
                ValueBias = weights.Find($"{prefix}{Value}.bias"),
                QueryNorm = weights.Find($"{prefix}{QueryNorm}.weight"),
                KeyNorm = weights.Find($"{prefix}{KeyNorm}.weight"),
            };

            Weight Of(string name) => weights[$"{prefix}{name}.weight"];
        }
    }

    public Weight Embedding { get; }

    public IReadOnlyList<QwenLayer> Layers { get; }

    public Weight Norm { get; }

    public Weight Head { get; }

    /// <summary>Every weight once, in the order of the forward pass.</summary>
    public static IEnumerable<WeightShape> Shapes(QwenConfig config)
    {
        var (queries, keys) = (config.Heads * config.HeadDimension, config.KeyValueHeads * config.HeadDimension);
        yield return ShapeMaker.Outside.Matrix(EmbeddingName, "token_embd", WeightRole.Embedding, config.VocabularySize, config.Width);
        for (var i = 0; i < config.Layers; i++)
        {
            var layer = ShapeMaker.Layer(i);
            yield return layer.Gain("input_layernorm", "attn_norm", config.Width);
            yield return layer.Matrix(Query, "attn_q", WeightRole.Query, queries, config.Width);
            yield return layer.Matrix(Key, "attn_k", WeightRole.Key, keys, config.Width);
            yield return layer.Matrix(Value, "attn_v", WeightRole.Value, keys, config.Width);
            if (config.HasBias)
            {
                yield return layer.Bias(Query, "attn_q", queries);
                yield return layer.Bias(Key, "attn_k", keys);
                yield return layer.Bias(Value, "attn_v", keys);
            }
            if (config.HasHeadNorms)
            {
                yield return layer.Gain(QueryNorm, "attn_q_norm", config.HeadDimension);
                yield return layer.Gain(KeyNorm, "attn_k_norm", config.HeadDimension);
            }
            yield return layer.Matrix("self_attn.o_proj", "attn_output", WeightRole.AttentionOutput, config.Width, queries);
            yield return layer.Gain("post_attention_layernorm", "ffn_norm", config.Width);
            yield return layer.Matrix("mlp.gate_proj", "ffn_gate", WeightRole.Gate, config.Hidden, config.Width);
            yield return layer.Matrix("mlp.up_proj", "ffn_up", WeightRole.Up, config.Hidden, config.Width);
            yield return layer.Matrix("mlp.down_proj", "ffn_down", WeightRole.Down, config.Width, config.Hidden);
        }
        yield return ShapeMaker.Outside.Gain(NormName, "output_norm", config.Width);
        if (!config.TiedHead) yield return ShapeMaker.Outside.Matrix(HeadName, "output", WeightRole.Head, config.VocabularySize, config.Width);
    }
}
