using System.Globalization;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models.Llama;

/// <summary>Weights of one layer.</summary>
internal sealed record LlamaLayer(Weight AttentionNorm, Weight Query, Weight Key, Weight Value, Weight AttentionOutput, Weight MlpNorm, Weight Gate, Weight Up, Weight Down)
{
    public Weight? QueryBias { get; init; }

    public Weight? KeyBias { get; init; }

    public Weight? ValueBias { get; init; }

    public Weight? AttentionOutputBias { get; init; }

    public Weight? GateBias { get; init; }

    public Weight? UpBias { get; init; }

    public Weight? DownBias { get; init; }
}

/// <summary>The weights by their place in the forward pass, and their names and sizes.</summary>
internal sealed class LlamaWeights
{
    private const string EmbeddingName = "model.embed_tokens", NormName = "model.norm", HeadName = "lm_head";

    private const string Query = "self_attn.q_proj", Key = "self_attn.k_proj", Value = "self_attn.v_proj", Output = "self_attn.o_proj",
        Gate = "mlp.gate_proj", Up = "mlp.up_proj", Down = "mlp.down_proj";

    public LlamaWeights(LlamaConfig config, ModelWeights weights)
    {
        Embedding = weights[EmbeddingName + ".weight"];
        Layers = [.. Enumerable.Range(0, config.Layers).Select(Layer)];
        Norm = weights[NormName + ".weight"];
        Head = weights.Find(HeadName + ".weight") ?? Embedding;

        LlamaLayer Layer(int index)
        {
            var prefix = string.Create(CultureInfo.InvariantCulture, $"model.layers.{index}.");
            return new LlamaLayer(Of("input_layernorm"), Of(Query), Of(Key), Of(Value), Of(Output), Of("post_attention_layernorm"), Of(Gate), Of(Up), Of(Down))
            {
                QueryBias = BiasOf(Query),
                KeyBias = BiasOf(Key),
                ValueBias = BiasOf(Value),
                AttentionOutputBias = BiasOf(Output),
                GateBias = BiasOf(Gate),
                UpBias = BiasOf(Up),
                DownBias = BiasOf(Down),
            };

            Weight Of(string name) => weights[$"{prefix}{name}.weight"];

            Weight? BiasOf(string name) => weights.Find($"{prefix}{name}.bias");
        }
    }

    public Weight Embedding { get; }

    public IReadOnlyList<LlamaLayer> Layers { get; }

    public Weight Norm { get; }

    public Weight Head { get; }

    /// <summary>Every weight once, in the order of the forward pass.</summary>
    public static IEnumerable<WeightShape> Shapes(LlamaConfig config)
    {
        var (queries, keys) = (config.Heads * config.HeadDimension, config.KeyValueHeads * config.HeadDimension);
        yield return ShapeMaker.Outside.Matrix(EmbeddingName, "token_embd", WeightRole.Embedding, config.VocabularySize, config.Width);
        for (var i = 0; i < config.Layers; i++)
        {
            var layer = ShapeMaker.Layer(i);
            yield return layer.Gain("input_layernorm", "attn_norm", config.Width);
            yield return layer.Matrix(Query, "attn_q", WeightRole.Query, queries, config.Width) with { GgufHeadRows = config.HeadDimension };
            yield return layer.Matrix(Key, "attn_k", WeightRole.Key, keys, config.Width) with { GgufHeadRows = config.HeadDimension };
            yield return layer.Matrix(Value, "attn_v", WeightRole.Value, keys, config.Width);
            if (config.AttentionBias)
            {
                yield return layer.Bias(Query, "attn_q", queries) with { GgufHeadRows = config.HeadDimension };
                yield return layer.Bias(Key, "attn_k", keys) with { GgufHeadRows = config.HeadDimension };
                yield return layer.Bias(Value, "attn_v", keys);
            }
            yield return layer.Matrix(Output, "attn_output", WeightRole.AttentionOutput, config.Width, queries);
            if (config.AttentionBias) yield return layer.Bias(Output, "attn_output", config.Width);
            yield return layer.Gain("post_attention_layernorm", "ffn_norm", config.Width);
            yield return layer.Matrix(Gate, "ffn_gate", WeightRole.Gate, config.Hidden, config.Width);
            yield return layer.Matrix(Up, "ffn_up", WeightRole.Up, config.Hidden, config.Width);
            if (config.MlpBias)
            {
                yield return layer.Bias(Gate, "ffn_gate", config.Hidden);
                yield return layer.Bias(Up, "ffn_up", config.Hidden);
            }
            yield return layer.Matrix(Down, "ffn_down", WeightRole.Down, config.Width, config.Hidden);
            if (config.MlpBias) yield return layer.Bias(Down, "ffn_down", config.Width);
        }
        yield return ShapeMaker.Outside.Gain(NormName, "output_norm", config.Width);
        if (!config.TiedHead) yield return ShapeMaker.Outside.Matrix(HeadName, "output", WeightRole.Head, config.VocabularySize, config.Width);
    }
}
