using System.Globalization;
using System.Text;

namespace OpenEuroLLM.Inference;

/// <summary>How Python writes values and looks at characters.</summary>
internal static class PythonText
{
    /// <summary>What Python takes for white space in texts.</summary>
    public static readonly char[] WhiteSpace = [.. Enumerable.Range(0, 0x10000).Select(value => (char)value).Where(IsWhiteSpace)];

    public static bool IsWhiteSpace(char value) => char.IsWhiteSpace(value) || value is >= '\x1c' and <= '\x1f';

    /// <summary>Whether a text is white space alone, at least one character of it.</summary>
    public static bool IsWhiteSpace(ReadOnlySpan<char> text)
    {
        foreach (char value in text)
            if (!IsWhiteSpace(value)) return false;
        return text.Length > 0;
    }

    /// <summary>A value as Python shows it inside others (<c>repr</c>).</summary>
    public static TemplateText Shown(TemplateRun run, object? value)
    {
        var text = new TemplateText.Builder();
        Show(run, value, text);
        return text.Build();
    }

    /// <summary>A number with the fewest digits that give it back.</summary>
    public static string Number(double value)
    {
        if (double.IsNaN(value)) return "nan";
        if (double.IsInfinity(value)) return value > 0 ? "inf" : "-inf";
        string scientific = value.ToString("E16", CultureInfo.InvariantCulture);
        string shortest = value.ToString("R", CultureInfo.InvariantCulture);
        int exponent = value == 0 ? 0 : int.Parse(scientific.AsSpan(scientific.IndexOf('E') + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var (sign, digits, point) = Parts(shortest);
        if (value != 0) exponent = point - 1;
        if (exponent is < -4 or >= 16)
        {
            string fraction = digits.Length > 1 ? "." + digits[1..] : "";
            return $"{sign}{digits[0]}{fraction}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent).ToString("00", CultureInfo.InvariantCulture)}";
        }
        if (point <= 0) return sign + "0." + new string('0', -point) + digits;
        if (point >= digits.Length) return sign + digits + new string('0', point - digits.Length) + ".0";
        return sign + digits[..point] + "." + digits[point..];
    }

    // The digits without zeros at the ends, and how many of them stand before the point.
    private static (string Sign, string Digits, int Point) Parts(string number)
    {
        string sign = number.StartsWith('-') ? "-" : "";
        number = number[sign.Length..];
        int exponent = 0;
        if (number.IndexOf('E') is var e and >= 0)
        {
            exponent = int.Parse(number.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
            number = number[..e];
        }
        int dot = number.IndexOf('.');
        int point = (dot < 0 ? number.Length : dot) + exponent;
        string digits = number.Replace(".", "", StringComparison.Ordinal);
        string trimmed = digits.TrimStart('0');
        point -= digits.Length - trimmed.Length;
        trimmed = trimmed.TrimEnd('0');
        return trimmed.Length == 0 ? (sign, "0", 1) : (sign, trimmed, point);
    }

    private static void Show(TemplateRun run, object? value, TemplateText.Builder text)
    {
        switch (value)
        {
            case null: text.Append("None", trusted: true); break;
            case bool truth: text.Append(truth ? "True" : "False", trusted: true); break;
            case long whole: text.Append(whole.ToString(CultureInfo.InvariantCulture), trusted: true); break;
            case double real: text.Append(Number(real), trusted: true); break;
            case TemplateText quoted: ShowText(run, quoted, text); break;
            case TemplateList { IsStream: false } list: ShowList(run, list, text); break;
            case TemplateMap map: ShowMap(run, map, text); break;
            case NamespaceValue space:
                text.Append("<Namespace ", trusted: true);
                ShowMap(run, space.Attributes, text);
                text.Append(">", trusted: true);
                break;
            case UndefinedValue: text.Append("Undefined", trusted: true); break;
            default: throw run.Error($"{Values.KindOf(value)} cannot be written as text");
        }
    }

    private static void ShowList(TemplateRun run, TemplateList list, TemplateText.Builder text)
    {
        run.EnterValue();
        text.Append(list.IsTuple ? "(" : "[", trusted: true);
        for (int i = 0; i < list.Items.Count; i++)
        {
            if (i > 0) text.Append(", ", trusted: true);
            Show(run, list.Items[i], text);
        }
        text.Append(!list.IsTuple ? "]" : list.Items.Count == 1 ? ",)" : ")", trusted: true);
        run.LeaveValue();
    }

    private static void ShowMap(TemplateRun run, TemplateMap map, TemplateText.Builder text)
    {
        run.EnterValue();
        text.Append("{", trusted: true);
        bool first = true;
        foreach (var (key, item) in map)
        {
            if (!first) text.Append(", ", trusted: true);
            first = false;
            Show(run, Values.KeyValue(key), text);
            text.Append(": ", trusted: true);
            Show(run, item, text);
        }
        text.Append("}", trusted: true);
        run.LeaveValue();
    }

    private static void ShowText(TemplateRun run, TemplateText value, TemplateText.Builder text)
    {
        run.Characters(value.Value.Length);
        string quote = value.Value.Contains('\'') && !value.Value.Contains('"') ? "\"" : "'";
        text.Append(quote, trusted: true);
        foreach (var (start, end, trusted) in value.Stretches())
        {
            var escaped = new StringBuilder();
            foreach (var rune in value.Value.AsSpan(start, end - start).EnumerateRunes()) Escape(rune, quote[0], escaped);
            text.Append(escaped.ToString(), trusted);
        }
        text.Append(quote, trusted: true);
    }

    private static void Escape(Rune rune, char quote, StringBuilder text)
    {
        switch (rune.Value)
        {
            case '\\': text.Append("\\\\"); return;
            case '\n': text.Append("\\n"); return;
            case '\r': text.Append("\\r"); return;
            case '\t': text.Append("\\t"); return;
        }
        if (rune.Value == quote) text.Append('\\').Append(quote);
        else if (rune.Value == ' ' || IsPrintable(rune)) text.Append(rune.ToString());
        else if (rune.Value < 0x100) text.Append(CultureInfo.InvariantCulture, $"\\x{rune.Value:x2}");
        else if (rune.Value < 0x10000) text.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}");
        else text.Append(CultureInfo.InvariantCulture, $"\\U{rune.Value:x8}");
    }

    private static bool IsPrintable(Rune rune) => Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator);
}
