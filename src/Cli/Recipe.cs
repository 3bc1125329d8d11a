using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus;
using OpenEuroLLM.Evaluation;
using OpenEuroLLM.Tokenizers;
using OpenEuroLLM.Training;

namespace OpenEuroLLM.Cli;

/// <summary>Everything that decides a model, from text to examination. Absent sections are their defaults.</summary>
/// <param name="Name">Name of the model in its card and in the server.</param>
/// <param name="License">SPDX identifier of the model's licence.</param>
/// <param name="Corpus">What text, and how it is cleaned.</param>
/// <param name="Tokenizer">How the tokenizer is trained.</param>
/// <param name="Model">Shape of the model.</param>
/// <param name="Training">How it is trained.</param>
/// <param name="Evaluation">How it is examined.</param>
public sealed record Recipe(
    string Name = "model",
    string License = "apache-2.0",
    CorpusConfig? Corpus = null,
    BpeTrainerConfig? Tokenizer = null,
    ModelSettings? Model = null,
    TrainingConfig? Training = null,
    EvaluationSettings? Evaluation = null)
{
    /// <summary>What text, and how it is cleaned.</summary>
    public CorpusConfig Corpus { get; init; } = Corpus ?? new();

    /// <summary>How the tokenizer is trained.</summary>
    public BpeTrainerConfig Tokenizer { get; init; } = Tokenizer ?? new();

    /// <summary>Shape of the model.</summary>
    public ModelSettings Model { get; init; } = Model ?? new();

    /// <summary>How it is trained.</summary>
    public TrainingConfig Training { get; init; } = Training ?? new();

    /// <summary>How it is examined.</summary>
    public EvaluationSettings Evaluation { get; init; } = Evaluation ?? new();

    /// <summary>Reads a recipe file.</summary>
    /// <exception cref="UserErrorException">The file or a setting is wrong; all violations in one message.</exception>
    public static Recipe Load(string path, IReadOnlyList<string> overrides) => Directory.Exists(path)
        ? throw new UserErrorException($"{path}: is a folder; expected a recipe file, such as recipes/quickstart.jsonc.")
        : RecipeReader.Read(path, RecipeJson.Default.Recipe, overrides);

    /// <summary>The recipe with all defaults filled in.</summary>
    public JsonObject ToJson() => JsonSerializer.SerializeToNode(this, RecipeJson.Default.Recipe)!.AsObject();
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Recipe))]
internal sealed partial class RecipeJson : JsonSerializerContext;
