using System.Text.Json.Nodes;

namespace OpenEuroLLM.Transparency;

/// <summary>A value that the size dial chose, and why.</summary>
internal sealed record DialChoice(string Setting, string Value, string Reason);

/// <summary>The content of <c>training.json</c>; what is absent there is null.</summary>
internal sealed record TrainingResult(
    long? Parameters, int? Layers, int? Width, int? Heads, int? KeyValueHeads, int? Hidden, int? VocabularySize, int? ContextLength, long? Steps, long? BatchTokens,
    long? Tokens, double? Epochs, double? Flops, double? FinalTrainLoss, string? WeightsSha256, IReadOnlyList<DialChoice> Dial)
{
    public static TrainingResult Parse(JsonObject json) => new(
        Whole(json, "parameters"), (int?)Whole(json, "layers"), (int?)Whole(json, "width"), (int?)Whole(json, "heads"), (int?)Whole(json, "keyValueHeads"), (int?)Whole(json, "hidden"),
        (int?)Whole(json, "vocabularySize"), (int?)Whole(json, "contextLength"), Whole(json, "steps"), Whole(json, "batchTokens"), Whole(json, "tokens"),
        Figure.Number(json["epochs"]), Figure.Number(json["flops"]), Figure.Number(json["finalTrainLoss"]), json["weightsSha256"]?.ToString(),
        [.. (json["dial"] as JsonArray ?? []).OfType<JsonObject>().Select(choice => new DialChoice(Text(choice, "setting"), Text(choice, "value"), Text(choice, "reason")))]);

    private static long? Whole(JsonObject json, string key) => Figure.Number(json[key]) is double value ? (long)value : null;

    private static string Text(JsonObject json, string key) => json[key]?.ToString() ?? "";
}
