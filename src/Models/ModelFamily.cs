using System.Collections.ObjectModel;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Models.Apertus;
using OpenEuroLLM.Models.Gemma;
using OpenEuroLLM.Models.Gpt2;
using OpenEuroLLM.Models.Llama;
using OpenEuroLLM.Models.Olmo;
using OpenEuroLLM.Models.Pharia;
using OpenEuroLLM.Models.Phi;
using OpenEuroLLM.Models.Qwen;

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
        QwenFamily.Instance,
        GemmaFamily.Instance,
        OlmoFamily.Instance,
        ApertusFamily.Instance,
        PhiFamily.Instance,
        PhariaFamily.Instance,
        Gpt2Family.Instance,
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
            ?? throw new UserErrorException($"{where}: model_type is {(type is null ? "missing" : $"'{GgufFile.Shown(type)}'{UnreadModels.Reason(json)}")}; this version reads {string.Join(", ", All.SelectMany(family => family.ModelTypes))}.");
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
            ?? throw new UserErrorException($"{file.Path}: general.architecture is {(architecture is null ? "missing" : $"'{GgufFile.Shown(architecture)}'{UnreadModels.Reason(file, architecture)}")}; this version reads {string.Join(", ", All.SelectMany(family => family.GgufArchitectures))}.");
        var config = family.Parse(new GgufMetadata(file, architecture!, family.Name));
        config.Check(file.Path);
        return config;
    }

    /// <summary>What recipes (<c>model.kind</c>) and commands call the generations of the family; one of them where they differ in nothing.</summary>
    public virtual IReadOnlyList<string> Kinds => ModelTypes;

    /// <summary>Every kind of every family, in the order in which messages list them.</summary>
    public static IEnumerable<string> AllKinds => All.SelectMany(family => family.Kinds);

    /// <summary>The family that has a kind, or null.</summary>
    public static ModelFamily? OfKind(string kind) => All.FirstOrDefault(family => family.Kinds.Contains(kind, StringComparer.Ordinal));

    /// <summary>What a kind means for the sizes of a new model.</summary>
    public virtual ModelHabits HabitsOf(string kind) => new();

    /// <summary>A new model, to be trained or measured: sizes as given, everything else as the published models of the kind have it.</summary>
    /// <param name="kind">One of <see cref="Kinds"/>.</param>
    /// <param name="sizes">Its sizes.</param>
    /// <param name="where">Where the sizes come from, for messages.</param>
    /// <exception cref="UserErrorException">The family does not come in these sizes.</exception>
    public ModelConfig Sized(string kind, ModelSizes sizes, string where)
    {
        var natural = Natural(kind, sizes);
        var config = natural with
        {
            Layers = sizes.Layers,
            Width = sizes.Width,
            Heads = sizes.Heads,
            KeyValueHeads = sizes.KeyValueHeads,
            HeadDimension = sizes.HeadDimension,
            Hidden = sizes.Hidden,
            VocabularySize = sizes.VocabularySize,
            ContextLength = sizes.ContextLength,
            TiedHead = sizes.TiedHead ?? natural.TiedHead,
        };
        config.Check(where);
        return config;
    }

    /// <summary>The family's own settings of a new model, and whether its head is tied, as the published models of the kind have them.</summary>
    /// <param name="kind">One of <see cref="Kinds"/>.</param>
    /// <param name="sizes">Its sizes, which <see cref="Sized"/> puts in.</param>
    private protected abstract ModelConfig Natural(string kind, ModelSizes sizes);

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

    /// <summary>Numbers that Hugging Face's files hold beside the weights and that are the same in every model of the family, by their names.</summary>
    internal virtual IReadOnlyDictionary<string, float> Constants(ModelConfig config) => ReadOnlyDictionary<string, float>.Empty;

    /// <summary>Other names that Hugging Face's files may have for a weight.</summary>
    internal virtual IReadOnlyList<string> Aliases(string name) => [];

    /// <summary>Whether a tensor of a folder that is no weight may be passed over, such as a table that follows from the settings.</summary>
    internal virtual bool Ignores(string name) => name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal);
}
