using System.Text.Json.Nodes;

namespace OpenEuroLLM.Models.Tests.References;

/// <summary>A model family written down plainly: whole sequences, double precision, loops in the order of its paper, nothing shared with the
/// engine. Built from a <c>config.json</c> as it is published and weights under the names of the published files.</summary>
internal abstract class ReferenceModel(JsonObject config, Func<string, (int[] Shape, float[] Values)> weights)
{
    /// <summary>The reference of the family that <c>model_type</c> names.</summary>
    public static ReferenceModel Of(JsonObject config, Func<string, (int[] Shape, float[] Values)> weights) => (string)config["model_type"]! switch
    {
        "llama" or "mistral" or "smollm3" => new LlamaReference(config, weights),
        "qwen2" or "qwen3" => new QwenReference(config, weights),
        "gemma2" or "gemma3_text" => new GemmaReference(config, weights),
        "gemma3" => new GemmaReference((JsonObject)config["text_config"]!, weights),
        "olmo2" or "olmo3" => new OlmoReference(config, weights),
        "apertus" => new ApertusReference(config, weights),
        "phi3" => new PhiReference(config, weights),
        "pharia-v1" => new PhariaReference(config, weights),
        "gpt2" => new Gpt2Reference(config, weights),
        var other => throw new ArgumentException($"No reference for {other}."),
    };

    /// <summary>Logits of every position: (tokens, vocabulary).</summary>
    public double[,] Logits(int[] tokens)
    {
        var rows = Forward(tokens);
        var logits = new double[rows.Length, rows[0].Length];
        for (var t = 0; t < rows.Length; t++)
            for (var i = 0; i < rows[t].Length; i++) logits[t, i] = rows[t][i];
        return logits;
    }

    protected abstract double[][] Forward(int[] tokens);

    protected JsonObject Config => config;

    protected int Width => Whole("hidden_size");

    protected int Layers => Whole("num_hidden_layers");

    protected int Heads => Whole("num_attention_heads");

    protected int KeyValueHeads => Has("num_key_value_heads") ? Whole("num_key_value_heads") : Heads;

    protected int HeadDimension => Has("head_dim") ? Whole("head_dim") : Width / Heads;

    protected double NormEpsilon => Number("rms_norm_eps");

    /// <summary>Whether a setting is there and not null.</summary>
    protected bool Has(string key) => config[key] is not null;

    protected int Whole(string key) => (int)config[key]!;

    protected double Number(string key) => Plain.Number(config[key]!);

    protected bool Is(string key) => config[key] is { } value && (bool)value;

    /// <summary>A matrix as rows.</summary>
    protected double[][] Matrix(string name)
    {
        var (shape, values) = weights(name);
        return [.. Enumerable.Range(0, shape[0]).Select(row => values.Skip(row * shape[1]).Take(shape[1]).Select(value => (double)value).ToArray())];
    }

    protected double[] Vector(string name) => [.. weights(name).Values.Select(value => (double)value)];

    /// <summary>A linear map of each row: name.weight (out, in), and name.bias where <paramref name="bias"/>.</summary>
    protected double[][] Linear(double[][] x, string name, bool bias = false)
    {
        var matrix = Matrix(name + ".weight");
        var offset = bias ? Vector(name + ".bias") : null;
        return [.. x.Select(row => Plain.Product(matrix, row, offset))];
    }

    protected double[][] RmsNorm(double[][] x, string name, double gainOffset = 0)
    {
        var gain = Vector(name + ".weight");
        return [.. x.Select(row => Plain.RmsNorm(row, gain, NormEpsilon, gainOffset))];
    }

    /// <summary>RMS norm of each head by itself, with one gain for all heads.</summary>
    protected double[][] HeadNorm(double[][] x, string name, double gainOffset = 0)
    {
        var gain = Vector(name + ".weight");
        return [.. x.Select(row => row.Chunk(gain.Length).SelectMany(head => Plain.RmsNorm(head, gain, NormEpsilon, gainOffset)).ToArray())];
    }

    protected double[][] LayerNorm(double[][] x, string name, double epsilon)
    {
        var (gain, bias) = (Vector(name + ".weight"), Vector(name + ".bias"));
        return [.. x.Select(row => Plain.LayerNorm(row, gain, bias, epsilon))];
    }

    protected double[][] Attend(double[][] q, double[][] k, double[][] v, int? window = null, double? scale = null, double? softCap = null) =>
        Plain.Attention(q, k, v, Heads, KeyValueHeads, HeadDimension, scale ?? 1 / Math.Sqrt(HeadDimension), window, softCap);

    /// <summary>The rotation of a layer. Both published forms are read: <c>rope_parameters</c> (also one for each type of layer), and
    /// <c>rope_theta</c> with <c>rope_scaling</c>.</summary>
    protected PlainRotary Rotary(int sequenceLength, string layerType = "full_attention", bool interleaved = false)
    {
        var parameters = config["rope_parameters"] as JsonObject;
        if (parameters?[layerType] is JsonObject nested) parameters = nested;
        var scaling = parameters ?? config["rope_scaling"] as JsonObject;
        var theta = Plain.Number(parameters?["rope_theta"] ?? config["rope_theta"]!);
        var partial = Plain.Number(parameters?["partial_rotary_factor"] ?? config["partial_rotary_factor"] ?? 1.0);
        var original = scaling?["original_max_position_embeddings"] ?? config["original_max_position_embeddings"];
        return new PlainRotary(theta, (int)(HeadDimension * partial), scaling, Whole("max_position_embeddings"), (int?)original, sequenceLength, interleaved);
    }

    /// <summary>Logits by the head, or by the embeddings where the two are tied.</summary>
    protected double[][] Head(double[][] x, bool tied) => Linear(x, tied ? "model.embed_tokens" : "lm_head");

    protected double[][] Embed(int[] tokens, string name = "model.embed_tokens.weight")
    {
        var table = Matrix(name);
        return [.. tokens.Select(token => table[token].ToArray())];
    }

    protected static double[][] Add(double[][] x, double[][] y) => [.. x.Zip(y, (a, b) => a.Zip(b, (p, q) => p + q).ToArray())];

    protected static double[][] Times(double[][] x, double[][] y) => [.. x.Zip(y, (a, b) => a.Zip(b, (p, q) => p * q).ToArray())];

    protected static double[][] Map(double[][] x, Func<double, double> function) => [.. x.Select(row => row.Select(function).ToArray())];
}
