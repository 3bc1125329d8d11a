using System.Globalization;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models.Gpt2;

/// <summary>A matrix or a gain, and its bias.</summary>
internal readonly record struct BiasedWeight(Weight Weight, Weight Bias);

/// <summary>Weights of one layer.</summary>
internal sealed record Gpt2Layer(BiasedWeight AttentionNorm, BiasedWeight QueryKeyValue, BiasedWeight AttentionOutput, BiasedWeight MlpNorm, BiasedWeight Up, BiasedWeight Down);

/// <summary>The weights by their place in the forward pass, and their names and sizes.</summary>
internal sealed class Gpt2Weights
{
    private const string EmbeddingName = Gpt2Family.Prefix + "wte", PositionsName = Gpt2Family.Prefix + "wpe", NormName = Gpt2Family.Prefix + "ln_f", HeadName = "lm_head",
        LayersName = Gpt2Family.Prefix + "h.";

    public Gpt2Weights(Gpt2Config config, ModelWeights weights)
    {
        Embedding = weights[EmbeddingName + ".weight"];
        Positions = weights[PositionsName + ".weight"];
        Layers = [.. Enumerable.Range(0, config.Layers).Select(Layer)];
        Norm = Both(NormName);
        Head = weights.Find(HeadName + ".weight") ?? Embedding;

        Gpt2Layer Layer(int index)
        {
            var prefix = string.Create(CultureInfo.InvariantCulture, $"{LayersName}{index}.");
            return new Gpt2Layer(Of("ln_1"), Of("attn.c_attn"), Of("attn.c_proj"), Of("ln_2"), Of("mlp.c_fc"), Of("mlp.c_proj"));

            BiasedWeight Of(string name) => Both(prefix + name);
        }

        BiasedWeight Both(string name) => new(weights[name + ".weight"], weights[name + ".bias"]);
    }

    public Weight Embedding { get; }

    public Weight Positions { get; }

    public IReadOnlyList<Gpt2Layer> Layers { get; }

    public BiasedWeight Norm { get; }

    public Weight Head { get; }

    /// <summary>Every weight once, in the order of the forward pass.</summary>
    public static IEnumerable<WeightShape> Shapes(Gpt2Config config)
    {
        yield return ShapeMaker.Outside.Matrix(EmbeddingName, "token_embd", WeightRole.Embedding, config.VocabularySize, config.Width);
        yield return ShapeMaker.Outside.Matrix(PositionsName, "position_embd", WeightRole.Positions, config.ContextLength, config.Width);
        for (var i = 0; i < config.Layers; i++)
        {
            var layer = ShapeMaker.Layer(i, LayersName);
            yield return layer.Gain("ln_1", "attn_norm", config.Width);
            yield return layer.Bias("ln_1", "attn_norm", config.Width);
            yield return Turned("attn.c_attn", "attn_qkv", WeightRole.QueryKeyValue, 3 * config.Width, config.Width);
            yield return layer.Bias("attn.c_attn", "attn_qkv", 3 * config.Width);
            yield return Turned("attn.c_proj", "attn_output", WeightRole.AttentionOutput, config.Width, config.Width);
            yield return layer.Bias("attn.c_proj", "attn_output", config.Width);
            yield return layer.Gain("ln_2", "ffn_norm", config.Width);
            yield return layer.Bias("ln_2", "ffn_norm", config.Width);
            yield return Turned("mlp.c_fc", "ffn_up", WeightRole.Up, config.Hidden, config.Width);
            yield return layer.Bias("mlp.c_fc", "ffn_up", config.Hidden);
            yield return Turned("mlp.c_proj", "ffn_down", WeightRole.Down, config.Width, config.Hidden);
            yield return layer.Bias("mlp.c_proj", "ffn_down", config.Width);

            WeightShape Turned(string name, string ggufName, WeightRole role, int rows, int columns) => layer.Matrix(name, ggufName, role, rows, columns) with { IsTransposed = true };
        }
        yield return ShapeMaker.Outside.Gain(NormName, "output_norm", config.Width);
        yield return ShapeMaker.Outside.Bias(NormName, "output_norm", config.Width);
        if (!config.TiedHead) yield return ShapeMaker.Outside.Matrix(HeadName, "output", WeightRole.Head, config.VocabularySize, config.Width);
    }
}
