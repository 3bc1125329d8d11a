using System.Globalization;

namespace OpenEuroLLM.Inference;

/// <summary>Cutting, joining and replacing of texts, as Python's <c>str</c> does it; every piece keeps its origin.</summary>
internal static class TemplateStrings
{
    [Flags]
    public enum Sides
    {
        Left = 1,
        Right = 2,
    }

    /// <param name="characters">What is taken off, in any order; null for white space.</param>
    public static TemplateText Strip(TemplateText text, TemplateText? characters, Sides sides)
    {
        string value = text.Value;
        int start = 0, end = value.Length;
        bool Goes(int at) => characters is null ? PythonText.IsWhiteSpace(value[at]) : characters.Value.Contains(value[at]);
        if (sides.HasFlag(Sides.Left)) while (start < end && Goes(start)) start++;
        if (sides.HasFlag(Sides.Right)) while (end > start && Goes(end - 1)) end--;
        return text.Part(start, end);
    }

    public static TemplateText Concat(TemplateRun run, TemplateText left, TemplateText right)
    {
        bool isSafe = left.IsSafe || right.IsSafe;
        if (isSafe) (left, right) = (Escaped(run, left), Escaped(run, right));
        run.Characters((long)left.Value.Length + right.Value.Length);
        var sum = new TemplateText.Builder().Append(left).Append(right).Build();
        return isSafe ? sum.AsSafe() : sum;
    }

    private static TemplateText Escaped(TemplateRun run, TemplateText text)
    {
        if (text.IsSafe || text.Value.AsSpan().IndexOfAny("&<>'\"") < 0) return text;
        run.Characters(text.Value.Length * 5L);
        var escaped = new TemplateText.Builder();
        foreach (var (start, end, trusted) in text.Stretches())
        {
            foreach (char unit in text.Value.AsSpan(start, end - start))
                escaped.Append(unit switch { '&' => "&amp;", '<' => "&lt;", '>' => "&gt;", '\'' => "&#39;", '"' => "&#34;", _ => unit.ToString() }, trusted);
        }
        return escaped.Build();
    }

    public static TemplateText Repeat(TemplateRun run, TemplateText text, long times)
    {
        if (times <= 0 || text.Value.Length == 0) return TemplateText.Empty;
        run.Characters(times > int.MaxValue ? long.MaxValue : times * text.Value.Length);
        var repeated = new TemplateText.Builder();
        for (long i = 0; i < times; i++)
        {
            run.Step();
            repeated.Append(text);
        }
        return repeated.Build();
    }

    public static TemplateText Join(TemplateRun run, TemplateText separator, IReadOnlyList<TemplateText> parts)
    {
        run.Characters(parts.Sum(part => (long)part.Value.Length) + separator.Value.Length * Math.Max(0L, parts.Count - 1));
        var joined = new TemplateText.Builder();
        for (int i = 0; i < parts.Count; i++)
        {
            run.Step();
            if (i > 0) joined.Append(separator);
            joined.Append(parts[i]);
        }
        return joined.Build();
    }

    public static TemplateText Replace(TemplateRun run, TemplateText text, TemplateText old, TemplateText replacement, long count)
    {
        var places = Places(run, text, old, count);
        run.Characters(text.Value.Length + (long)places.Count * (replacement.Value.Length - old.Value.Length));
        if (places.Count == 0) return text;
        var replaced = new TemplateText.Builder();
        int written = 0;
        foreach (int place in places)
        {
            replaced.Append(text, written, place).Append(replacement);
            written = place + old.Value.Length;
        }
        return replaced.Append(text, written, text.Value.Length).Build();
    }

    /// <summary>How often a part is in a text, without overlaps.</summary>
    public static long CountOf(TemplateRun run, TemplateText text, TemplateText part) => Places(run, text, part, -1).Count;

    /// <summary>The parts between separators.</summary>
    /// <param name="run">The rendering.</param>
    /// <param name="text">The text.</param>
    /// <param name="separator">What stands between; null for any white space, which then gives no empty parts.</param>
    /// <param name="most">Most cuts; negative for all.</param>
    /// <param name="fromRight">Whether the last cuts are made when there are too many.</param>
    public static TemplateList Split(TemplateRun run, TemplateText text, TemplateText? separator, long most, bool fromRight)
    {
        if (separator is null) return SplitWords(run, text, most, fromRight);
        if (separator.Value.Length == 0) run.Fail("split with an empty separator");
        var places = Places(run, text, separator, fromRight ? -1 : most);
        if (fromRight && most >= 0 && places.Count > most) places = places[(places.Count - (int)most)..];
        var parts = new List<object?>(places.Count + 1);
        int start = 0;
        foreach (int place in places)
        {
            parts.Add(text.Part(start, place));
            start = place + separator.Value.Length;
        }
        parts.Add(text.Part(start, text.Value.Length));
        return new TemplateList(parts);
    }

    public static TemplateList Lines(TemplateRun run, TemplateText text, bool keepsEnds)
    {
        run.Characters(text.Value.Length);
        var lines = new List<object?>();
        string value = text.Value;
        int start = 0;
        for (int at = 0; at < value.Length;)
        {
            if (!(value[at] is '\n' or '\r' or '\v' or '\f' or '\x1c' or '\x1d' or '\x1e' or '\x85' or '\u2028' or '\u2029'))
            {
                at++;
                continue;
            }
            run.Step();
            int end = at + (value[at] == '\r' && at + 1 < value.Length && value[at + 1] == '\n' ? 2 : 1);
            lines.Add(text.Part(start, keepsEnds ? end : at));
            start = at = end;
        }
        if (start < value.Length) lines.Add(text.Part(start, value.Length));
        return new TemplateList(lines);
    }

    /// <summary>The position of a part in code points, or -1.</summary>
    public static long Find(TemplateRun run, TemplateText text, TemplateText part, bool last)
    {
        run.Characters(text.Value.Length);
        int at = last ? text.Value.LastIndexOf(part.Value, StringComparison.Ordinal) : text.Value.IndexOf(part.Value, StringComparison.Ordinal);
        return at <= 0 ? at : text.Part(0, at).Count;
    }

    /// <summary>A number that is written out, or null.</summary>
    public static double? Number(string text)
    {
        string trimmed = text.Trim(PythonText.WhiteSpace);
        const NumberStyles styles = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        if (trimmed.Length > 0 && !trimmed.EndsWith('_') && !trimmed.StartsWith('_') && !trimmed.Contains("__", StringComparison.Ordinal) &&
            double.TryParse(trimmed.Replace("_", "", StringComparison.Ordinal), styles, CultureInfo.InvariantCulture, out double number) && char.IsAsciiLetter(trimmed[^1]) == false)
            return number;
        return trimmed.TrimStart('+', '-').ToLowerInvariant() switch
        {
            "inf" or "infinity" => trimmed.StartsWith('-') ? double.NegativeInfinity : double.PositiveInfinity,
            "nan" => double.NaN,
            _ => null,
        };
    }

    /// <summary>A whole number that is written out, or null.</summary>
    public static long? Whole(string text)
    {
        string trimmed = text.Trim(PythonText.WhiteSpace);
        bool wellFormed = trimmed.Length > 0 && char.IsAsciiDigit(trimmed[^1]) && !trimmed.Contains("__", StringComparison.Ordinal) && char.IsAsciiDigit(trimmed.TrimStart('+', '-').FirstOrDefault());
        return wellFormed && long.TryParse(trimmed.Replace("_", "", StringComparison.Ordinal), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number) ? number : null;
    }

    private static List<int> Places(TemplateRun run, TemplateText text, TemplateText part, long count)
    {
        run.Characters(text.Value.Length);
        var places = new List<int>();
        string value = text.Value;
        for (int at = 0; at <= value.Length && (count < 0 || places.Count < count);)
        {
            if (part.Value.Length > 0) at = value.IndexOf(part.Value, at, StringComparison.Ordinal);
            if (at < 0) break;
            run.Step();
            places.Add(at);
            at += part.Value.Length > 0 ? part.Value.Length : at < value.Length && char.IsHighSurrogate(value[at]) ? 2 : 1;
        }
        return places;
    }

    private static TemplateList SplitWords(TemplateRun run, TemplateText text, long most, bool fromRight)
    {
        run.Characters(text.Value.Length);
        string value = text.Value;
        var words = new List<(int Start, int End)>();
        for (int at = 0; at < value.Length;)
        {
            int start = at;
            while (at < value.Length && PythonText.IsWhiteSpace(value[at]) == PythonText.IsWhiteSpace(value[start])) at++;
            if (!PythonText.IsWhiteSpace(value[start])) words.Add((start, at));
        }
        run.Step(words.Count);
        if (most >= 0 && words.Count > most + 1)
        {
            int kept = (int)most;
            if (fromRight) words = [(words[0].Start, words[words.Count - kept - 1].End), .. words[(words.Count - kept)..]];
            else words = [.. words[..kept], (words[kept].Start, value.Length)];
            if (fromRight) words[0] = (0, words[0].End);
        }
        return new TemplateList([.. words.Select(word => (object?)text.Part(word.Start, word.End))]);
    }
}
