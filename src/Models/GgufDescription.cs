using OpenEuroLLM.Formats.Quantization;

namespace OpenEuroLLM.Models;

/// <summary>The metadata of a GGUF file to be written, and the tensors that follow from the settings.</summary>
/// <param name="weights">Every weight and how it will be stored.</param>
/// <param name="mixed">Whether the types are those of a mixed preset.</param>
/// <param name="name">The model's name, or null.</param>
internal sealed class GgufDescription(IReadOnlyList<(WeightShape Shape, BlockFormat Format)> weights, bool mixed, string? name)
{
    private readonly List<KeyValuePair<string, object>> metadata = [];
    private string architecture = "";

    /// <summary>The metadata in the order of the file.</summary>
    public IReadOnlyList<KeyValuePair<string, object>> Metadata => metadata;

    /// <summary>Vectors that stand before the weights.</summary>
    public List<KeyValuePair<string, float[]>> Tensors { get; } = [];

    /// <summary>Adds a value under the architecture's prefix.</summary>
    public void Add(string key, object value) => metadata.Add(new($"{architecture}.{key}", value));

    /// <summary>Adds a value under its key as it is.</summary>
    public void AddBare(string key, object value) => metadata.Add(new(key, value));

    /// <summary>Adds what all families share.</summary>
    /// <param name="config">Settings.</param>
    /// <param name="ggufArchitecture">Value of <c>general.architecture</c>.</param>
    /// <param name="norm">Key of the norms' epsilon.</param>
    public void Decoder(ModelConfig config, string ggufArchitecture, string norm = "attention.layer_norm_rms_epsilon")
    {
        architecture = ggufArchitecture;
        metadata.Add(new("general.architecture", architecture));
        metadata.Add(new("general.type", "model"));
        if (name is not null) metadata.Add(new("general.name", name));
        metadata.Add(new("general.file_type", FileType()));
        if (weights.Any(weight => weight.Format.IsQuantized)) metadata.Add(new("general.quantization_version", 2u));
        Add("block_count", (uint)config.Layers);
        Add("context_length", (uint)config.ContextLength);
        Add("embedding_length", (uint)config.Width);
        Add("feed_forward_length", (uint)config.Hidden);
        Add("vocab_size", (uint)config.VocabularySize);
        Add("attention.head_count", (uint)config.Heads);
        Add("attention.head_count_kv", (uint)config.KeyValueHeads);
        Add("attention.key_length", (uint)config.HeadDimension);
        Add("attention.value_length", (uint)config.HeadDimension);
        Add(norm, (float)config.NormEpsilon);
    }

    private uint FileType()
    {
        var most = weights.Where(weight => !weight.Shape.IsVector).GroupBy(weight => weight.Format).MaxBy(group => group.Sum(weight => weight.Shape.Count))!.Key;
        return most.Name switch
        {
            "F32" => 0,
            "F16" => 1,
            "Q4_0" => 2,
            "Q8_0" => 7,
            "Q4_K" => mixed ? 15u : 14,
            "Q6_K" => 18,
            "Q4_1" => 3,
            "Q5_0" => 8,
            "Q5_1" => 9,
            "Q2_K" => 10,
            "Q3_K" => 12,
            "Q5_K" => mixed ? 17u : 16,
            _ => 32,
        };
    }
}
