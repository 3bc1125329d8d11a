using System.Globalization;
using System.Runtime.InteropServices;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Formats.Quantization;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models.Llama;

/// <summary>The shape of a model in a GGUF file's metadata.</summary>
internal static class GgufConfig
{
    private const string Architecture = "llama";

    /// <summary>Reads the shape.</summary>
    /// <exception cref="UserErrorException">Something is missing, out of range, or asks for what this family does not do here.</exception>
    public static LlamaConfig Read(GgufFile file)
    {
        var architecture = file.Text("general.architecture");
        if (architecture != Architecture)
            throw new UserErrorException($"{file.Path}: general.architecture is {architecture ?? "missing"}; this version reads {Architecture}.");
        if (file.Value("split.count") is { Integer: > 1 } parts)
            throw new UserErrorException($"{file.Path}: the model is split over {parts} files; this version reads models in one file.");
        if (file.Integer("llama.expert_count", 0, int.MaxValue, 0) is > 0 and var experts)
            throw new UserErrorException($"{file.Path}: llama.expert_count is {experts}; this version reads Llama models without experts only.");
        var width = file.Integer("llama.embedding_length", 2, 1 << 20);
        var heads = file.Integer("llama.attention.head_count", 1, 1 << 14);
        var keyValueHeads = file.Integer("llama.attention.head_count_kv", 1, heads, heads);
        if (heads % keyValueHeads != 0)
            throw new UserErrorException($"{file.Path}: llama.attention.head_count is {heads}; expected a multiple of llama.attention.head_count_kv, {keyValueHeads}.");
        var dimension = file.Integer("llama.attention.key_length", 2, 512, Math.Max(2, width / heads));
        foreach (var key in new[] { "llama.attention.value_length", "llama.rope.dimension_count" })
            if (file.Integer(key, 1, 1 << 20, dimension) is var found && found != dimension)
                throw new UserErrorException($"{file.Path}: {key} is {found}; this version reads Llama models with the length of a key, {dimension}, only.");
        if (dimension % 2 != 0)
            throw new UserErrorException($"{file.Path}: llama.attention.key_length is {dimension}; expected an even number.");
        var vocabulary = VocabularySize(file, width);
        var config = new LlamaConfig(file.Integer("llama.block_count", 1, 4096), width, heads, keyValueHeads, dimension,
            file.Integer("llama.feed_forward_length", 1, 1 << 22), vocabulary, file.Integer("llama.context_length", 1, 1 << 24),
            Shortest(file.Number("llama.attention.layer_norm_rms_epsilon", 1e-5)), Rotary(file, dimension), file.Find(GgufNames.Of(LlamaShapes.Head)) is null,
            Token("bos_token_id"), new[] { Token("eos_token_id"), Token("eot_token_id") }.OfType<int>().Distinct().ToList(), Token("padding_token_id"));
        RotaryJson.Check(config, file.Path);
        return config;

        int? Token(string name)
        {
            var key = $"tokenizer.ggml.{name}";
            return file.Value(key) is null ? null : file.Integer(key, 0, vocabulary - 1);
        }
    }

    /// <summary>The metadata of a shape, and the tensor of divisors where its rotary scaling needs one.</summary>
    /// <param name="config">The shape.</param>
    /// <param name="weights">Every weight and how it will be stored.</param>
    /// <param name="mixed">Whether the types are those of the mixed preset Q4_K_M.</param>
    /// <param name="name">The model's name, or null.</param>
    public static (List<KeyValuePair<string, object>> Metadata, float[] Divisors) Describe(
        LlamaConfig config, IReadOnlyList<(LlamaShape Shape, BlockFormat Format)> weights, bool mixed, string? name)
    {
        var metadata = new List<KeyValuePair<string, object>>();
        Add("general.architecture", Architecture);
        Add("general.type", "model");
        if (name is not null) Add("general.name", name);
        Add("general.file_type", FileType(weights, mixed));
        if (weights.Any(weight => weight.Format.IsQuantized)) Add("general.quantization_version", 2u);
        Add("llama.block_count", (uint)config.Layers);
        Add("llama.context_length", (uint)config.ContextLength);
        Add("llama.embedding_length", (uint)config.Width);
        Add("llama.feed_forward_length", (uint)config.Hidden);
        Add("llama.vocab_size", (uint)config.VocabularySize);
        Add("llama.attention.head_count", (uint)config.Heads);
        Add("llama.attention.head_count_kv", (uint)config.KeyValueHeads);
        Add("llama.attention.key_length", (uint)config.HeadDimension);
        Add("llama.attention.value_length", (uint)config.HeadDimension);
        Add("llama.attention.layer_norm_rms_epsilon", (float)config.NormEpsilon);
        Add("llama.rope.dimension_count", (uint)config.HeadDimension);
        Add("llama.rope.freq_base", (float)config.Rotary.Theta);
        if (config.Rotary.Scaling == RotaryScaling.Linear)
        {
            Add("llama.rope.scaling.type", "linear");
            Add("llama.rope.scaling.factor", (float)config.Rotary.Factor);
        }
        return (metadata, config.Rotary.Scaling == RotaryScaling.Llama3 ? Divisors(config.Rotary, config.HeadDimension) : config.Rotary.Divisors.ToArray());

        void Add(string key, object value) => metadata.Add(new(key, value));
    }

    /// <summary>What Llama 3's scaling divides each frequency by: 1 for short waves, the factor for long ones, a blend between.</summary>
    internal static float[] Divisors(RotarySettings rotary, int dimension)
    {
        var divisors = new float[dimension / 2];
        for (var i = 0; i < divisors.Length; i++)
        {
            var wave = 2 * Math.PI / Numerics.Pow(rotary.Theta, -2.0 * i / dimension);
            var turns = rotary.OriginalContextLength / wave;
            var kept = Math.Clamp((turns - rotary.LowFrequencyFactor) / (rotary.HighFrequencyFactor - rotary.LowFrequencyFactor), 0, 1);
            divisors[i] = (float)(1 / ((1 - kept) / rotary.Factor + kept));
        }
        return divisors;
    }

    private static int VocabularySize(GgufFile file, int width)
    {
        var table = file.Tensor(GgufNames.Of(LlamaShapes.Embedding));
        if (table.Shape.Count != 2 || table.Shape[1] != width || table.Shape[0] is < 1 or > 1 << 24)
            throw new UserErrorException($"{file.Path}: tensor '{table.Name}' has shape {table.ShapeText}; llama.embedding_length expects [tokens, {width}].");
        var tokens = (int)table.Shape[0];
        var said = file.Integer("llama.vocab_size", 1, 1 << 24, tokens);
        if (said != tokens)
            throw new UserErrorException($"{file.Path}: llama.vocab_size is {said}, and tensor '{table.Name}' has {tokens} rows; expected them to agree.");
        return tokens;
    }

    private static RotarySettings Rotary(GgufFile file, int dimension)
    {
        var rotary = new RotarySettings(Shortest(file.Number("llama.rope.freq_base", 10_000)));
        var type = file.Text("llama.rope.scaling.type") ?? (file.Value("llama.rope.scale_linear") is null ? "none" : "linear");
        rotary = type switch
        {
            "none" => rotary,
            "linear" => rotary with
            {
                Scaling = RotaryScaling.Linear,
                Factor = Shortest(file.Number("llama.rope.scaling.factor", file.Number("llama.rope.scale_linear", 1))),
            },
            _ => throw new UserErrorException($"{file.Path}: llama.rope.scaling.type is {GgufFile.Shown(type)}; this version reads none and linear, and Llama 3's as tensor '{GgufNames.RotaryDivisors}'."),
        };
        if (file.Find(GgufNames.RotaryDivisors) is not { } tensor) return rotary;
        if (tensor.Type.Format != BlockFormat.F32 || !tensor.Shape.SequenceEqual([dimension / 2]))
            throw new UserErrorException($"{file.Path}: tensor '{tensor.Name}' is {tensor.ShapeText} of {tensor.Type.Name}; expected [{dimension / 2}] of F32.");
        var divisors = new float[dimension / 2];
        file.Read(tensor.Name, 0, MemoryMarshal.AsBytes(divisors.AsSpan()));
        return rotary.Scaling == RotaryScaling.None ? Recognize(rotary, divisors) : rotary with { Divisors = divisors };
    }

    /// <summary>Divisors that Llama 3's scaling gives for the published settings (only the factor differs between releases) are that scaling.</summary>
    private static RotarySettings Recognize(RotarySettings rotary, float[] divisors)
    {
        var scaled = rotary with { Scaling = RotaryScaling.Llama3, Factor = Shortest(divisors.Max()), LowFrequencyFactor = 1, HighFrequencyFactor = 4, OriginalContextLength = 8192 };
        return scaled.Factor > 1 && Divisors(scaled, 2 * divisors.Length).Zip(divisors).All(pair => Math.Abs(pair.First - pair.Second) <= 1e-5 * pair.First)
            ? scaled : rotary with { Divisors = divisors };
    }

    /// <summary>The number meant by its single-precision form: 1e-5, not 9.99999974e-6.</summary>
    private static double Shortest(double value) => (float)value == value && (float)value is var single
        ? double.Parse(single.ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) : value;

    private static uint FileType(IReadOnlyList<(LlamaShape Shape, BlockFormat Format)> weights, bool mixed)
    {
        var most = weights.Where(weight => weight.Shape.Rows > 1).GroupBy(weight => weight.Format).MaxBy(group => group.Sum(weight => weight.Shape.Count))!.Key;
        return most.Name switch
        {
            "F32" => 0,
            "F16" => 1,
            "Q4_0" => 2,
            "Q8_0" => 7,
            "Q4_K" => mixed ? 15u : 14,
            "Q6_K" => 18,
            _ => 32,
        };
    }
}
