using System.Text.Json.Nodes;

namespace OpenEuroLLM.Transparency;

/// <summary>A share of right answers with its 95 % interval.</summary>
internal sealed record Accuracy(double Value, long Items, double? Low, double? High)
{
    /// <summary><c>0.912 (0.88–0.94)</c></summary>
    public override string ToString() => Low is double low && High is double high
        ? $"{Figure.Fixed(Value, 3)} ({Figure.Fixed(low, 2)}–{Figure.Fixed(high, 2)})"
        : Figure.Fixed(Value, 3);
}

/// <summary>The row of one language in <c>evaluation.json</c>; a test that was not held is null.</summary>
internal sealed record LanguageScore(double? BitsPerByte, long? HeldoutBytes, Accuracy? Seen, Accuracy? Unseen, Accuracy? Generated, double? Chance)
{
    /// <summary>Whether the interval on unseen wordings reaches down to guessing.</summary>
    public bool IsAtChance => Unseen?.Low is double low && Chance is double chance && low <= chance;

    public static IReadOnlyDictionary<string, LanguageScore> ParseAll(JsonObject? evaluation)
    {
        var scores = new SortedDictionary<string, LanguageScore>(StringComparer.Ordinal);
        foreach (var (language, row) in evaluation?["languages"] as JsonObject ?? [])
        {
            if (row is not JsonObject json) continue;
            Accuracy? Of(string kind, string measure) => Figure.Number(json[kind + measure]) is not double value ? null : new Accuracy(
                value, (long)(Figure.Number(json[kind + "Items"]) ?? 0), Figure.Number((json[kind + "Interval"] as JsonArray)?.ElementAtOrDefault(0)),
                Figure.Number((json[kind + "Interval"] as JsonArray)?.ElementAtOrDefault(1)));
            scores[language] = new LanguageScore(
                Figure.Number(json["bitsPerByte"]), (long?)Figure.Number(json["heldoutBytes"]), Of("seen", "Accuracy"), Of("unseen", "Accuracy"), Of("generated", "Exact"),
                Figure.Number(json["chance"]));
        }

        return scores;
    }
}
