using System.Globalization;
using System.Text.Json;
using OpenEuroLLM.Core;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Cli;

/// <summary>What a conversion cost one language.</summary>
/// <param name="Language">Code of the language.</param>
/// <param name="Bytes">UTF-8 bytes that were scored.</param>
/// <param name="Before">Bits per byte of the model as it was.</param>
/// <param name="After">Bits per byte of the model as it was written.</param>
internal sealed record LanguageLoss(string Language, long Bytes, double Before, double After)
{
    /// <summary>By which part the bits grew; negative when they became fewer.</summary>
    public double Share => After / Before - 1;
}

/// <summary>The losses of all languages, one row each.</summary>
internal sealed record QuantizationLoss(IReadOnlyList<LanguageLoss> Languages)
{
    /// <summary>Name of the bound that <c>--gate</c> sets.</summary>
    public const string GateName = "loss";

    /// <summary>The language that lost most.</summary>
    public LanguageLoss Worst => Languages.MaxBy(row => row.Share)!;

    /// <summary>Bits per byte of texts, one score for each language.</summary>
    public static IReadOnlyList<TextScore> Measure(InferenceEngine engine, IReadOnlyList<CalibrationTexts> texts, Action<string> progress, CancellationToken cancellation)
    {
        var scorer = new Scorer(engine);
        return [.. texts.Select(language =>
        {
            progress(language.Language);
            return scorer.Score(language.Measurement, cancellation).Aggregate((sum, next) => sum.Plus(next));
        })];
    }

    public static QuantizationLoss Of(IReadOnlyList<CalibrationTexts> texts, IReadOnlyList<TextScore> before, IReadOnlyList<TextScore> after) =>
        new([.. texts.Select((language, i) => new LanguageLoss(language.Language, before[i].Bytes, before[i].BitsPerByte, after[i].BitsPerByte))]);

    /// <summary>One row for each language, the worst one named below.</summary>
    public IEnumerable<string> Lines()
    {
        yield return "language      bytes  bits/byte before      after     loss";
        foreach (var row in Languages)
            yield return string.Create(CultureInfo.InvariantCulture, $"{row.Language,-8}  {row.Bytes,9}  {row.Before,16:F4}  {row.After,9:F4}  {100 * row.Share,6:+0.00;-0.00;0.00} %");
        yield return string.Create(CultureInfo.InvariantCulture, $"most lost: {Worst.Language}, {100 * Worst.Share:+0.00;-0.00;0.00} %");
    }

    public void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteStartObject("loss");
        writer.WriteString("worst", Worst.Language);
        writer.WriteStartObject("languages");
        foreach (var row in Languages)
        {
            writer.WriteStartObject(row.Language);
            writer.WriteNumber("bytes", row.Bytes);
            writer.WriteNumber("bitsPerByteBefore", Math.Round(row.Before, 6));
            writer.WriteNumber("bitsPerByteAfter", Math.Round(row.After, 6));
            writer.WriteNumber("loss", Math.Round(row.Share, 6));
            writer.WriteEndObject();
        }
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    /// <summary>The languages that break a bound, a sentence each.</summary>
    public IEnumerable<string> Broken(IReadOnlyList<LossGate> gates)
    {
        foreach (var gate in gates)
        {
            if (gate.Language is { } only && Languages.All(row => row.Language != only))
                yield return $"{only}: there is no text of it to hold {GateName} against {gate.Text}";
            foreach (var row in Languages.Where(row => gate.Language is null ? !gates.Any(other => other.Language == row.Language) : gate.Language == row.Language))
                if (!(row.Share <= gate.Bound))
                    yield return string.Create(CultureInfo.InvariantCulture, $"{row.Language}: bits per byte grew from {row.Before:F4} to {row.After:F4}, by {row.Share:0.####}; the bound is at most {gate.Text}");
        }
    }
}

/// <summary>A bound of <c>--gate</c>: <c>loss=0.02</c> for every language, or <c>mt:loss=0.03</c> for one, which then has no other.</summary>
internal sealed record LossGate(string? Language, double Bound)
{
    public string Text => Bound.ToString(CultureInfo.InvariantCulture);

    public static IReadOnlyList<LossGate> Parse(string[] texts)
    {
        var gates = texts.Select(Parse).ToList();
        return gates.GroupBy(gate => gate.Language).FirstOrDefault(group => group.Count() > 1) is { } twice
            ? throw new UserErrorException($"--gate {(twice.Key is null ? "" : twice.Key + ":")}{QuantizationLoss.GateName} is given twice; give it once.") : gates;
    }

    private static LossGate Parse(string text)
    {
        var sign = text.IndexOf('=', StringComparison.Ordinal);
        var left = sign < 0 ? text : text[..sign];
        var colon = left.IndexOf(':', StringComparison.Ordinal);
        if (left[(colon + 1)..] != QuantizationLoss.GateName)
            throw new UserErrorException($"--gate '{text}': '{left[(colon + 1)..]}' is unknown; known: {QuantizationLoss.GateName}.");
        if (sign < 0 || !double.TryParse(text[(sign + 1)..], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var bound) || !double.IsFinite(bound))
            throw new UserErrorException($"--gate '{text}': '{(sign < 0 ? "" : text[(sign + 1)..])}' is no bound; expected a number from 0, as in {QuantizationLoss.GateName}=0.02 for two per cent.");
        return new LossGate(colon < 0 ? null : TokenizerReportInput.Canonical(left[..colon]), bound);
    }
}
