using System.Globalization;
using System.Text;
using System.Text.Json;

namespace OpenEuroLLM.Inference;

/// <summary>JSON as Python's <c>json.dumps</c> writes it, and values made of JSON.</summary>
internal static class TemplateJson
{
    /// <summary>How JSON is written.</summary>
    /// <param name="Indent">White space for each level, or null for one line.</param>
    /// <param name="Between">Between elements.</param>
    /// <param name="AfterKey">Between key and value.</param>
    /// <param name="SortsKeys">Whether keys are in order.</param>
    /// <param name="AsciiOnly">Whether other characters are escaped.</param>
    public sealed record Style(string? Indent, string Between, string AfterKey, bool SortsKeys, bool AsciiOnly);

    public static TemplateText Write(TemplateRun run, object? value, Style style)
    {
        var text = new TemplateText.Builder();
        Write(run, value, style, 0, text);
        return text.Build();
    }

    /// <summary>A value of JSON; its texts are data.</summary>
    /// <exception cref="FormatException">A number or text cannot be represented.</exception>
    public static object? Read(JsonElement json)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.Object:
                var map = new TemplateMap();
                foreach (var property in json.EnumerateObject()) map.SetData(ReadText(() => property.Name), Read(property.Value));
                return map;
            case JsonValueKind.Array: return new TemplateList([.. json.EnumerateArray().Select(Read)], isData: true);
            case JsonValueKind.String: return TemplateText.Data(ReadText(() => json.GetString()!));
            case JsonValueKind.Number:
                if (json.GetRawText().AsSpan().IndexOfAny('.', 'e', 'E') >= 0) return json.GetDouble();
                return json.TryGetInt64(out long whole) ? whole : throw new FormatException($"the number {Short(json.GetRawText())} is beyond 64 bits");
            case JsonValueKind.True: return true;
            case JsonValueKind.False: return false;
            default: return null;
        }
    }

    private static string Short(string text) => text.Length <= 24 ? text : text[..24] + "...";

    private static string ReadText(Func<string> read)
    {
        try
        {
            return read();
        }
        catch (InvalidOperationException error)     // half a surrogate pair, written as an escape
        {
            throw new FormatException("a text holds half a surrogate pair", error);
        }
    }

    private static void Write(TemplateRun run, object? value, Style style, int depth, TemplateText.Builder text)
    {
        switch (value)
        {
            case null: text.Append("null", trusted: true); break;
            case bool truth: text.Append(truth ? "true" : "false", trusted: true); break;
            case long whole: text.Append(whole.ToString(CultureInfo.InvariantCulture), trusted: true); break;
            case double real: text.Append(Number(real), trusted: true); break;
            case TemplateText quoted: WriteText(run, quoted, style, text); break;
            case TemplateList { IsStream: false } list: WriteMany(run, [.. list.Items.Select(item => ((object?)null, item))], '[', ']', style, depth, text); break;
            case TemplateMap map: WriteMany(run, Pairs(run, map, style), '{', '}', style, depth, text); break;
            default: throw run.Error($"{Values.KindOf(value)} cannot be written as JSON");
        }
    }

    private static List<(object? Key, object? Value)> Pairs(TemplateRun run, TemplateMap map, Style style)
    {
        var pairs = map.Select(pair => ((object?)pair.Key, pair.Value)).ToList();
        if (style.SortsKeys)
            pairs = [.. pairs.Order(Comparer<(object? Key, object? Value)>.Create((a, b) => Values.Compare(run, Values.KeyValue(a.Key!), Values.KeyValue(b.Key!))))];
        return pairs;
    }

    private static void WriteMany(
        TemplateRun run, List<(object? Key, object? Value)> items, char open, char close, Style style, int depth, TemplateText.Builder text)
    {
        run.EnterValue();
        text.Append(open.ToString(), trusted: true);
        for (int i = 0; i < items.Count; i++)
        {
            run.Step();
            if (i > 0) text.Append(style.Between, trusted: true);
            Break(run, style, depth + 1, text);
            if (items[i].Key is { } key)
            {
                WriteText(run, KeyText(key), style, text);
                text.Append(style.AfterKey, trusted: true);
            }
            Write(run, items[i].Value, style, depth + 1, text);
        }
        if (items.Count > 0) Break(run, style, depth, text);
        text.Append(close.ToString(), trusted: true);
        run.LeaveValue();
    }

    private static void Break(TemplateRun run, Style style, int depth, TemplateText.Builder text)
    {
        if (style.Indent is null) return;
        run.Characters((long)style.Indent.Length * depth);
        text.Append("\n" + string.Concat(Enumerable.Repeat(style.Indent, depth)), trusted: true);
    }

    private static TemplateText KeyText(object key) => key switch
    {
        TemplateText text => text,
        bool truth => TemplateText.Trusted(truth ? "true" : "false"),
        long whole => TemplateText.Trusted(whole.ToString(CultureInfo.InvariantCulture)),
        double real => TemplateText.Trusted(Number(real)),
        _ => TemplateText.Trusted("null"),
    };

    private static string Number(double value) =>
        double.IsNaN(value) ? "NaN" : double.IsInfinity(value) ? value > 0 ? "Infinity" : "-Infinity" : PythonText.Number(value);

    private static void WriteText(TemplateRun run, TemplateText value, Style style, TemplateText.Builder text)
    {
        run.Characters(value.Value.Length);
        text.Append("\"", trusted: true);
        foreach (var (start, end, trusted) in value.Stretches())
        {
            var escaped = new StringBuilder();
            foreach (char unit in value.Value.AsSpan(start, end - start)) Escape(unit, style.AsciiOnly, escaped);
            text.Append(escaped.ToString(), trusted);
        }
        text.Append("\"", trusted: true);
    }

    private static void Escape(char unit, bool asciiOnly, StringBuilder text)
    {
        switch (unit)
        {
            case '"': text.Append("\\\""); break;
            case '\\': text.Append("\\\\"); break;
            case '\n': text.Append("\\n"); break;
            case '\r': text.Append("\\r"); break;
            case '\t': text.Append("\\t"); break;
            case '\b': text.Append("\\b"); break;
            case '\f': text.Append("\\f"); break;
            default:
                if (unit < ' ' || (asciiOnly && unit > '~')) text.Append(CultureInfo.InvariantCulture, $"\\u{(int)unit:x4}");
                else text.Append(unit);
                break;
        }
    }
}
