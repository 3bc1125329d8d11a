using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;

namespace OpenEuroLLM.Evaluation;

/// <summary>What is examined, and how much of it.</summary>
/// <param name="Tasks">Some of <see cref="KnownTasks"/>; null for all of them.</param>
/// <param name="HeldoutBytesPerLanguage">Held-out text of each language, in bytes: documents are taken in the order of the file until
/// this much is reached, the rest is counted as left out.</param>
/// <param name="MaxAnswerTokens">Most tokens of a generated answer.</param>
public sealed record EvaluationSettings(
    IReadOnlyList<string>? Tasks = null,
    [property: Range(1, long.MaxValue)] long HeldoutBytesPerLanguage = 262_144,
    [property: Range(1, 4096)] int MaxAnswerTokens = 32)
{
    /// <summary>Name of the task that measures bits per byte of held-out text.</summary>
    public const string BitsPerByteTask = "bits-per-byte";

    /// <summary>Name of the task that asks for the built-in facts.</summary>
    public const string FactsTask = "facts";

    /// <summary>The tasks of this version.</summary>
    public static IReadOnlyList<string> KnownTasks { get; } = [BitsPerByteTask, FactsTask];

    /// <summary>The tasks, all of them when none were named.</summary>
    public IReadOnlyList<string> Tasks { get; init; } = Tasks ?? KnownTasks;

    /// <summary>The settings as they are recorded with the results.</summary>
    public JsonObject ToJson() => new()
    {
        ["tasks"] = new JsonArray([.. Tasks.Order(StringComparer.Ordinal).Select(task => (JsonNode)task)]),
        ["heldoutBytesPerLanguage"] = HeldoutBytesPerLanguage,
        ["maxAnswerTokens"] = MaxAnswerTokens,
    };
}
