using System.Text.Json;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Evaluation;

/// <summary>How many items were right.</summary>
/// <param name="Hits">Items that were right.</param>
/// <param name="Items">All items.</param>
public sealed record Share(int Hits, int Items)
{
    /// <summary>Hits by items; NaN without items.</summary>
    public double Value => (double)Hits / Items;

    /// <summary>The 95 % interval.</summary>
    public Interval Interval => Interval.Wilson(Hits, Items);

    /// <summary>Both together.</summary>
    public Share Plus(bool hit) => new(Hits + (hit ? 1 : 0), Items + 1);
}

/// <summary>Results on the facts, of a language or of one relation of it.</summary>
/// <param name="Seen">Multiple choice on sentences of the training text; the choice with the highest sum of log-probabilities is taken.</param>
/// <param name="Unseen">The same on wordings that the training text does not have.</param>
/// <param name="SeenPerByte">As <paramref name="Seen"/>, the sum divided by the choice's bytes of UTF-8.</param>
/// <param name="UnseenPerByte">As <paramref name="Unseen"/>, the sum divided by the choice's bytes of UTF-8.</param>
/// <param name="Generated">Short answers generated word for word.</param>
/// <param name="ExpectedByChance">Hits that guessing gives, over all multiple-choice items.</param>
public sealed record FactResult(Share Seen, Share Unseen, Share SeenPerByte, Share UnseenPerByte, Share Generated, double ExpectedByChance)
{
    private static readonly Share _none = new(0, 0);

    /// <summary>Before the first item.</summary>
    public static FactResult Empty { get; } = new(_none, _none, _none, _none, _none, 0);

    /// <summary>Share that guessing gives on the multiple-choice items.</summary>
    public double Chance => ExpectedByChance / (Seen.Items + Unseen.Items);
}

/// <summary>The row of one language.</summary>
/// <param name="Text">Held-out text; null when there was none.</param>
/// <param name="HeldoutDocuments">Number of held-out documents that were scored.</param>
/// <param name="Facts">Facts of all relations; null when there were none.</param>
/// <param name="ByRelation">Facts of each relation, by its name.</param>
public sealed record LanguageResult(
    TextScore? Text, int HeldoutDocuments, FactResult? Facts, IReadOnlyDictionary<string, FactResult> ByRelation)
{
    /// <summary>Writes the fields of <c>evaluation.json</c>; what was not tested is absent.</summary>
    public void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        if (Text is { Bytes: > 0 })
        {
            writer.WriteNumber("bitsPerByte", Text.BitsPerByte);
            writer.WriteNumber("heldoutBytes", Text.Bytes);
            writer.WriteNumber("heldoutTokens", Text.Tokens);
            writer.WriteNumber("heldoutDocuments", HeldoutDocuments);
        }

        if (Facts is not null)
        {
            Write(writer, Facts, intervals: true);
            writer.WriteStartObject("byRelation");
            foreach (var (relation, result) in ByRelation.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            {
                writer.WriteStartObject(relation);
                Write(writer, result, intervals: false);
                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, FactResult facts, bool intervals)
    {
        Write(writer, facts.Seen, "seen", "Accuracy", intervals, facts.SeenPerByte);
        Write(writer, facts.Unseen, "unseen", "Accuracy", intervals, facts.UnseenPerByte);
        if (facts.Seen.Items + facts.Unseen.Items > 0) writer.WriteNumber("chance", facts.Chance);
        Write(writer, facts.Generated, "generated", "Exact", intervals);
    }

    private static void Write(Utf8JsonWriter writer, Share share, string kind, string measure, bool interval, Share? perByte = null)
    {
        if (share.Items == 0) return;
        writer.WriteNumber(kind + measure, share.Value);
        if (perByte is not null) writer.WriteNumber(kind + measure + "PerByte", perByte.Value);
        writer.WriteNumber(kind + "Items", share.Items);
        if (!interval) return;
        var (low, high) = share.Interval;
        writer.WriteStartArray(kind + "Interval");
        writer.WriteNumberValue(low);
        writer.WriteNumberValue(high);
        writer.WriteEndArray();
    }
}
