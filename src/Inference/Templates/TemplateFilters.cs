using System.Globalization;

namespace OpenEuroLLM.Inference;

/// <summary>Turns a value into another.</summary>
internal delegate object? TemplateFilter(TemplateRun run, object? value, CallArguments arguments);

/// <summary>The filters that templates may use.</summary>
internal static partial class TemplateFilters
{
    public static IReadOnlyDictionary<string, TemplateFilter> All { get; } = new Dictionary<string, TemplateFilter>(StringComparer.Ordinal)
    {
        ["abs"] = (run, value, _) => value is long whole ? whole >= 0 ? whole : TemplateArithmetic.Negate(run, whole) : value is double real ? Math.Abs(real) : throw run.Error($"abs got {Values.KindOf(value)}"),
        ["batch"] = Batch,
        ["capitalize"] = (run, value, _) => LetterCase.Capitalize(run, Values.Written(run, value)),
        ["count"] = (run, value, _) => Values.Length(run, value),
        ["d"] = Default,
        ["default"] = Default,
        ["dictsort"] = DictSort,
        ["first"] = First,
        ["float"] = Float,
        ["format"] = (run, value, arguments) => TemplateFormats.Percent(run, Values.Written(run, value), arguments.Positional),
        ["groupby"] = GroupBy,
        ["indent"] = Indent,
        ["int"] = Int,
        ["items"] = (run, value, _) => value is UndefinedValue ? Stream([]) : value is TemplateMap map ? Stream(TemplateMethods.Pairs(map).Items) : throw run.Error($"items got {Values.KindOf(value)}; expected a mapping"),
        ["join"] = Join,
        ["last"] = (run, value, _) => value is TemplateList { IsStream: true } ? throw run.Error($"last got {Values.KindOf(value)}") : Values.Items(run, value) is [.., var last] ? last : new UndefinedValue("there is no last item"),
        ["length"] = (run, value, _) => Values.Length(run, value),
        ["list"] = (run, value, _) => new TemplateList(Values.Items(run, value)),
        ["lower"] = (run, value, _) => LetterCase.Lower(run, Values.Written(run, value)),
        ["map"] = Map,
        ["max"] = (run, value, arguments) => Extreme(run, value, arguments, 1),
        ["min"] = (run, value, arguments) => Extreme(run, value, arguments, -1),
        ["reject"] = (run, value, arguments) => Select(run, value, arguments, byAttribute: false, keeps: false),
        ["rejectattr"] = (run, value, arguments) => Select(run, value, arguments, byAttribute: true, keeps: false),
        ["replace"] = Replace,
        ["reverse"] = (run, value, _) => Reverse(run, value),
        ["round"] = Round,
        ["safe"] = (run, value, _) => Values.Written(run, value).AsSafe(),
        ["select"] = (run, value, arguments) => Select(run, value, arguments, byAttribute: false, keeps: true),
        ["selectattr"] = (run, value, arguments) => Select(run, value, arguments, byAttribute: true, keeps: true),
        ["slice"] = Slice,
        ["sort"] = Sort,
        ["string"] = (run, value, _) => Values.Written(run, value),
        ["sum"] = Sum,
        ["title"] = (run, value, _) => LetterCase.TitleWords(run, Values.Written(run, value)),
        ["tojson"] = ToJson,
        ["trim"] = Trim,
        ["truncate"] = Truncate,
        ["unique"] = Unique,
        ["upper"] = (run, value, _) => LetterCase.Upper(run, Values.Written(run, value)),
        ["wordcount"] = (run, value, _) => (long)TemplateStrings.Split(run, Values.Written(run, value), null, -1, fromRight: false).Items.Count,
    };

    private static T Or<T>(object? argument, T otherwise, Func<object?, T> read) => CallArguments.IsAbsent(argument) ? otherwise : read(argument);

    private static bool Flag(object? argument) => !CallArguments.IsAbsent(argument) && Values.IsTrue(argument);

    private static object? Default(TemplateRun run, object? value, CallArguments arguments)
    {
        var bound = arguments.Bind(run, "default", "default_value", "boolean");
        bool replaced = value is UndefinedValue || (Flag(bound[1]) && !Values.IsTrue(value));
        return replaced ? Or(bound[0], TemplateText.Empty, given => given) : value;
    }

    private static object? Float(TemplateRun run, object? value, CallArguments arguments)
    {
        object? otherwise = Or(arguments.Bind(run, "float", "default")[0], 0.0, given => given);
        return value switch
        {
            TemplateText text => TemplateStrings.Number(text.Value) ?? otherwise,
            UndefinedValue missing => throw run.Error(missing.Description),
            _ => Values.TryNumber(value, out double number) ? number : otherwise,
        };
    }

    private static object? Int(TemplateRun run, object? value, CallArguments arguments)
    {
        var bound = arguments.Bind(run, "int", "default", "base");
        object? otherwise = Or(bound[0], 0L, given => given);
        if (Or(bound[1], 10L, given => Values.Whole(run, given, "base")) != 10) run.Fail("int with another base than 10 is not supported");
        switch (value)
        {
            case UndefinedValue missing: throw run.Error(missing.Description);
            case TemplateText text when TemplateStrings.Whole(text.Value) is long whole: return whole;
            case TemplateText text when TemplateStrings.Number(text.Value) is double real: return Truncated(real);
        }
        return Values.TryWhole(value, out long plain) ? plain : value is double number ? Truncated(number) : otherwise;

        object? Truncated(double real) => double.IsNaN(real) ? otherwise : Math.Abs(real) < 9.2e18 ? (long)Math.Truncate(real) : throw run.Error("a whole number beyond 64 bits");
    }

    private static TemplateText Join(TemplateRun run, object? value, CallArguments arguments)
    {
        var bound = arguments.Bind(run, "join", "d", "attribute");
        var separator = Or(bound[0], TemplateText.Empty, given => Values.Written(run, given));
        var items = Values.Items(run, value);
        if (!CallArguments.IsAbsent(bound[1])) items = [.. items.Select(item => AttributePath(run, item, bound[1]))];
        return TemplateStrings.Join(run, separator, [.. items.Select(item => Values.Written(run, item))]);
    }

    private static TemplateText Replace(TemplateRun run, object? value, CallArguments arguments)
    {
        var bound = arguments.Bind(run, "replace", "old", "new", "count");
        return TemplateStrings.Replace(run, Values.Written(run, value), Values.Written(run, Given(run, bound[0], "replace")), Values.Written(run, Given(run, bound[1], "replace")),
            Or(bound[2], -1L, given => given is null ? -1 : Values.Whole(run, given, "count")));
    }

    private static object? Given(TemplateRun run, object? argument, string filter) => CallArguments.IsAbsent(argument) ? throw run.Error($"{filter} lacks an argument") : argument;

    private static TemplateText Trim(TemplateRun run, object? value, CallArguments arguments)
    {
        var characters = Or(arguments.Bind(run, "trim", "chars")[0], null, given => given is null ? null : Values.Text(run, given, "the argument of trim"));
        return TemplateStrings.Strip(Values.Written(run, value), characters, TemplateStrings.Sides.Left | TemplateStrings.Sides.Right);
    }

    private static TemplateText Truncate(TemplateRun run, object? value, CallArguments arguments)
    {
        var bound = arguments.Bind(run, "truncate", "length", "killwords", "end", "leeway");
        var text = Values.Text(run, value, "what truncate got");
        var end = Or(bound[2], TemplateText.Trusted("..."), given => Values.Text(run, given, "end"));
        long length = Or(bound[0], 255L, given => Values.Whole(run, given, "length")), leeway = Or(bound[3], 5L, given => Values.Whole(run, given, "leeway"));
        if (length < end.Count || leeway < 0) run.Fail("truncate: the length is too small");
        if (text.Count <= length + leeway) return text;
        var kept = text.Part(0, text.Position((int)length - end.Count));
        if (!Flag(bound[1]) && kept.Value.LastIndexOf(' ') is var space and >= 0) kept = kept.Part(0, space);
        return TemplateStrings.Concat(run, kept, end);
    }

    private static TemplateText Indent(TemplateRun run, object? value, CallArguments arguments)
    {
        var bound = arguments.Bind(run, "indent", "width", "first", "blank");
        var width = Or(bound[0], TemplateText.Trusted("    "), given => given as TemplateText ?? TemplateStrings.Repeat(run, TemplateText.Trusted(" "), Values.Whole(run, given, "width")));
        bool first = Flag(bound[1]), blank = Flag(bound[2]);
        var lines = TemplateStrings.Lines(run, TemplateStrings.Concat(run, Values.Text(run, value, "what indent got"), TemplateText.Trusted("\n")), keepsEnds: false).Items;
        run.Characters(lines.Sum(line => (long)((TemplateText)line!).Value.Length + width.Value.Length + 1));
        var indented = new TemplateText.Builder();
        for (int i = 0; i < lines.Count; i++)
        {
            var line = (TemplateText)lines[i]!;
            if (i > 0) indented.Append("\n", trusted: true);
            if (i == 0 ? first : blank || line.Value.Length > 0) indented.Append(width);
            indented.Append(line);
        }
        return indented.Build();
    }

    private static object? Round(TemplateRun run, object? value, CallArguments arguments)
    {
        var bound = arguments.Bind(run, "round", "precision", "method");
        long precision = Or(bound[0], 0L, given => Values.Whole(run, given, "precision"));
        string method = Or(bound[1], "common", given => Values.Text(run, given, "method").Value);
        if (!Values.TryNumber(value, out double number)) run.Fail($"round got {Values.KindOf(value)}; expected a number");
        if (precision is < 0 or > 15 || !double.IsFinite(number)) run.Fail("round: expected a number and 0 to 15 digits");
        double scale = 1;
        for (int i = 0; i < precision; i++) scale *= 10;
        switch (method)
        {
            case "ceil": return Math.Ceiling(number * scale) / scale;
            case "floor": return Math.Floor(number * scale) / scale;
            case "common" when value is long or bool: return Values.Whole(run, value, "round");
            case "common" when precision == 0: return Math.Round(number, MidpointRounding.ToEven);
            case "common": return double.Parse(number.ToString("F" + precision.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
            default: throw run.Error($"round: the method '{method}' is unknown; known: common, ceil, floor");
        }
    }

    private static TemplateText ToJson(TemplateRun run, object? value, CallArguments arguments)
    {
        var bound = arguments.Bind(run, "tojson", "ensure_ascii", "indent", "separators", "sort_keys");
        string? indent = Or(bound[1], null, given => given switch
        {
            null => null,
            TemplateText text => text.Value,
            _ => TemplateStrings.Repeat(run, TemplateText.Trusted(" "), Values.Whole(run, given, "indent")).Value,
        });
        var (between, afterKey) = (indent is null ? ", " : ",", ": ");
        if (!CallArguments.IsAbsent(bound[2]) && bound[2] is not null)
        {
            if (bound[2] is not TemplateList { Items: [TemplateText a, TemplateText b] }) throw run.Error("tojson: separators are not two texts");
            (between, afterKey) = (a.Value, b.Value);
        }
        return TemplateJson.Write(run, value, new TemplateJson.Style(indent, between, afterKey, Flag(bound[3]), Flag(bound[0])));
    }
}
