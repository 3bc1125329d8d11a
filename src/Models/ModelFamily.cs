using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Models.Llama;

namespace OpenEuroLLM.Models;

/// <summary>An architecture with everything that files know of it: reads and writes <c>config.json</c> and the metadata of GGUF.</summary>
/// <remarks>A family is a folder beside this file: Config (settings, and this class derived), Model (the forward pass), Weights (names and
/// shapes). One line in <see cref="All"/> makes it known.</remarks>
public abstract class ModelFamily
{
    private protected ModelFamily() { }

    /// <summary>Every family, in the order in which messages list them.</summary>
    public static IReadOnlyList<ModelFamily> All { get; } =
    [
        LlamaFamily.Instance,
    ];

    /// <summary>Name for people.</summary>
    public abstract string Name { get; }

    /// <summary>Values of <c>model_type</c> that mean this family.</summary>
    public abstract IReadOnlyList<string> ModelTypes { get; }

    /// <summary>Values of <c>general.architecture</c> that mean this family; empty when GGUF has none.</summary>
    public abstract IReadOnlyList<string> GgufArchitectures { get; }

    /// <summary>Reads <c>config.json</c>.</summary>
    /// <exception cref="UserErrorException">The model is of no known family, or a setting is missing, out of range, or asks for what the family does not do here.</exception>
    public static ModelConfig Read(JsonObject json, string where)
    {
        var type = (ConfigJson.Find(json, "model_type") as JsonValue)?.ToString();
        var family = All.FirstOrDefault(family => type is not null && family.ModelTypes.Contains(type, StringComparer.Ordinal))
            ?? throw new UserErrorException($"{where}: model_type is {(type is null ? "missing" : $"'{GgufFile.Shown(type)}'")}; this version reads {string.Join(", ", All.SelectMany(family => family.ModelTypes))}.");
        var config = family.Parse(new ConfigJson(json, where, family.Name));
        config.Check(where);
        return config;
    }

    /// <summary>Reads the metadata of a GGUF file.</summary>
    /// <inheritdoc cref="Read(JsonObject, string)"/>
    internal static ModelConfig Read(GgufFile file)
    {
        var architecture = file.Text("general.architecture");
        var family = All.FirstOrDefault(family => architecture is not null && family.GgufArchitectures.Contains(architecture, StringComparer.Ordinal))
            ?? throw new UserErrorException($"{file.Path}: general.architecture is {(architecture is null ? "missing" : $"'{GgufFile.Shown(architecture)}'")}; this version reads {string.Join(", ", All.SelectMany(family => family.GgufArchitectures))}.");
        var config = family.Parse(new GgufMetadata(file, architecture!, family.Name));
        config.Check(file.Path);
        return config;
    }

    /// <summary>Settings from <c>config.json</c>; <see cref="ConfigJson.Decoder"/> reads what all families share.</summary>
    internal abstract ModelConfig Parse(ConfigJson json);

    /// <summary>Settings from the metadata of GGUF; <see cref="GgufMetadata.Decoder"/> reads what all families share.</summary>
    internal abstract ModelConfig Parse(GgufMetadata metadata);

    /// <summary><c>config.json</c>; <see cref="ConfigJson.Describe"/> writes what all families share.</summary>
    /// <param name="config">Settings of this family.</param>
    /// <param name="type">Storage type of the weights: <c>float32</c>, <c>float16</c> or <c>bfloat16</c>.</param>
    internal abstract JsonObject Write(ModelConfig config, string type);

    /// <summary>Adds the metadata of GGUF; <see cref="GgufDescription.Decoder"/> adds what all families share.</summary>
    /// <exception cref="UserErrorException">The architecture has no form in GGUF.</exception>
    internal abstract void Write(ModelConfig config, GgufDescription metadata);

    /// <summary>Another name that Hugging Face's files may have for a weight, or null.</summary>
    internal virtual string? Alias(string name) => null;

    /// <summary>Whether a tensor of a folder that is no weight may be passed over, such as a table that follows from the settings.</summary>
    internal virtual bool Ignores(string name) => name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal);
}
