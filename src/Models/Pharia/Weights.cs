using System.Globalization;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models.Pharia;

/// <summary>Weights of one layer.</summary>
internal sealed record PhariaLayer(Weight AttentionNorm, Weight AttentionNormBias, Weight Query, Weight Key, Weight Value, Weight AttentionOutput,
    Weight MlpNorm, Weight MlpNormBias, Weight Up, Weight Down)
{
    public Weight? QueryBias { get; init; }

    public Weight? KeyBias { get; init; }

    public Weight? ValueBias { get; init; }

    public Weight? AttentionOutputBias { get; init; }

    public Weight? UpBias { get; init; }

    public Weight? DownBias { get; init; }
}

/// <summary>The weights by their place in the forward pass, and their names and sizes.</summary>
internal sealed class PhariaWeights
{
    private const string EmbeddingName = "model.embed_tokens", NormName = "model.norm", HeadName = "lm_head";

    private const string AttentionNorm = "input_layernorm", Query = "self_attn.q_proj", Key = "self_attn.k_proj", Value = "self_attn.v_proj", Output = "self_attn.o_proj",
        MlpNorm = "post_attention_layernorm", Up = "mlp.up_proj", Down = "mlp.down_proj";

    public PhariaWeights(PhariaConfig config, ModelWeights weights)
    {
        Embedding = weights[EmbeddingName + ".weight"];
        Layers = [.. Enumerable.Range(0, config.Layers).Select(Layer)];
        Norm = weights[NormName + ".weight"];
        NormBias = weights[NormName + ".bias"];
        Head = weights.Find(HeadName + ".weight") ?? Embedding;

        PhariaLayer Layer(int index)
        {
            var prefix = string.Create(CultureInfo.InvariantCulture, $"model.layers.{index}.");
            return new PhariaLayer(Of(AttentionNorm), weights[$"{prefix}{AttentionNorm}.bias"], Of(Query), Of(Key), Of(Value), Of(Output),
                Of(MlpNorm), weights[$"{prefix}{MlpNorm}.bias"], Of(Up), Of(Down))
            {
                QueryBias = BiasOf(Query),
                KeyBias = BiasOf(Key),
                ValueBias = BiasOf(Value),
                AttentionOutputBias = BiasOf(Output),
                UpBias = BiasOf(Up),
                DownBias = BiasOf(Down),
            };

            Weight Of(string name) => weights[$"{prefix}{name}.weight"];

            Weight? BiasOf(string name) => weights.Find($"{prefix}{name}.bias");
        }
    }

    public Weight Embedding { get; }

    public IReadOnlyList<PhariaLayer> Layers { get; }

    public Weight Norm { get; }

    public Weight NormBias { get; }

    public Weight Head { get; }

    /// <summary>Every weight once, in the order of the forward pass. GGUF has no such architecture; its names are never used.</summary>
    public static IEnumerable<WeightShape> Shapes(PhariaConfig config)
    {
        var (queries, keys) = (config.Heads * config.HeadDimension, config.KeyValueHeads * config.HeadDimension);
        yield return ShapeMaker.Outside.Matrix(EmbeddingName, "", WeightRole.Embedding, config.VocabularySize, config.Width);
        for (var i = 0; i < config.Layers; i++)
        {
            var layer = ShapeMaker.Layer(i);
            yield return layer.Gain(AttentionNorm, "", config.Width);
            yield return layer.Bias(AttentionNorm, "", config.Width);
            yield return layer.Matrix(Query, "", WeightRole.Query, queries, config.Width);
            yield return layer.Matrix(Key, "", WeightRole.Key, keys, config.Width);
            yield return layer.Matrix(Value, "", WeightRole.Value, keys, config.Width);
            if (config.AttentionBias)
            {
                yield return layer.Bias(Query, "", queries);
                yield return layer.Bias(Key, "", keys);
                yield return layer.Bias(Value, "", keys);
            }
            yield return layer.Matrix(Output, "", WeightRole.AttentionOutput, config.Width, queries);
            if (config.AttentionBias) yield return layer.Bias(Output, "", config.Width);
            yield return layer.Gain(MlpNorm, "", config.Width);
            yield return layer.Bias(MlpNorm, "", config.Width);
            yield return layer.Matrix(Up, "", WeightRole.Up, config.Hidden, config.Width);
            if (config.MlpBias) yield return layer.Bias(Up, "", config.Hidden);
            yield return layer.Matrix(Down, "", WeightRole.Down, config.Width, config.Hidden);
            if (config.MlpBias) yield return layer.Bias(Down, "", config.Width);
        }
        yield return ShapeMaker.Outside.Gain(NormName, "", config.Width);
        yield return ShapeMaker.Outside.Bias(NormName, "", config.Width);
        if (!config.TiedHead) yield return ShapeMaker.Outside.Matrix(HeadName, "", WeightRole.Head, config.VocabularySize, config.Width);
    }
}
