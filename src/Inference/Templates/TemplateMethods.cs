using System.Globalization;

namespace OpenEuroLLM.Inference;

/// <summary>The methods of texts, lists and mappings. There are no others: an attribute with another name is undefined.</summary>
internal static class TemplateMethods
{
    private delegate object? TextMethod(TemplateRun run, TemplateText text, CallArguments arguments);

    private static readonly Dictionary<string, TextMethod> OfTexts = new(StringComparer.Ordinal)
    {
        ["strip"] = (run, text, arguments) => Strip(run, text, arguments, TemplateStrings.Sides.Left | TemplateStrings.Sides.Right),
        ["lstrip"] = (run, text, arguments) => Strip(run, text, arguments, TemplateStrings.Sides.Left),
        ["rstrip"] = (run, text, arguments) => Strip(run, text, arguments, TemplateStrings.Sides.Right),
        ["split"] = (run, text, arguments) => Split(run, text, arguments, fromRight: false),
        ["rsplit"] = (run, text, arguments) => Split(run, text, arguments, fromRight: true),
        ["splitlines"] = (run, text, arguments) => TemplateStrings.Lines(run, text, arguments.Bind(run, "splitlines", "keepends")[0] is var keeps && !CallArguments.IsAbsent(keeps) && Values.IsTrue(keeps)),
        ["startswith"] = (run, text, arguments) => Matches(run, arguments, "startswith", part => text.Value.StartsWith(part, StringComparison.Ordinal)),
        ["endswith"] = (run, text, arguments) => Matches(run, arguments, "endswith", part => text.Value.EndsWith(part, StringComparison.Ordinal)),
        ["upper"] = (run, text, _) => LetterCase.Upper(run, text),
        ["lower"] = (run, text, _) => LetterCase.Lower(run, text),
        ["title"] = (run, text, _) => LetterCase.Title(run, text),
        ["capitalize"] = (run, text, _) => LetterCase.Capitalize(run, text),
        ["replace"] = Replace,
        ["join"] = (run, text, arguments) => TemplateStrings.Join(run, text, [.. Values.Items(run, One(run, "join", arguments)).Select(item => Values.Text(run, item, "an element to join"))]),
        ["format"] = TemplateFormats.Format,
        ["find"] = (run, text, arguments) => TemplateStrings.Find(run, text, OneText(run, "find", arguments), last: false),
        ["rfind"] = (run, text, arguments) => TemplateStrings.Find(run, text, OneText(run, "rfind", arguments), last: true),
        ["index"] = (run, text, arguments) => TemplateStrings.Find(run, text, OneText(run, "index", arguments), last: false) is var at and >= 0 ? at : throw run.Error("index: the part is not in the text"),
        ["count"] = (run, text, arguments) => TemplateStrings.CountOf(run, text, OneText(run, "count", arguments)),
        ["removeprefix"] = (run, text, arguments) => OneText(run, "removeprefix", arguments) is var part && text.Value.StartsWith(part.Value, StringComparison.Ordinal) ? text.Part(part.Value.Length, text.Value.Length) : text,
        ["removesuffix"] = (run, text, arguments) => OneText(run, "removesuffix", arguments) is var part && text.Value.EndsWith(part.Value, StringComparison.Ordinal) ? text.Part(0, text.Value.Length - part.Value.Length) : text,
        ["isdigit"] = (_, text, _) => All(text, rune => System.Text.Rune.GetUnicodeCategory(rune) == UnicodeCategory.DecimalDigitNumber),
        ["isalpha"] = (_, text, _) => All(text, System.Text.Rune.IsLetter),
        ["isalnum"] = (_, text, _) => All(text, rune => System.Text.Rune.IsLetter(rune) || System.Text.Rune.IsNumber(rune)),
        ["isspace"] = (_, text, _) => PythonText.IsWhiteSpace(text.Value),
        ["isupper"] = (run, text, _) => IsInCase(run, text, isUpper: true),
        ["islower"] = (run, text, _) => IsInCase(run, text, isUpper: false),
    };

    private static readonly HashSet<string> OfLists = ["append", "extend", "index", "count"], OfMaps = ["items", "keys", "values", "get", "copy"];

    /// <summary>Every name that can be called behind a dot.</summary>
    public static IReadOnlySet<string> Known { get; } = new HashSet<string>([.. OfTexts.Keys, .. OfLists, .. OfMaps, "cycle", "changed"], StringComparer.Ordinal);

    /// <summary>The method of a value, or null.</summary>
    public static TemplateFunction? Find(TemplateRun run, object? target, string name) => target switch
    {
        TemplateText text when OfTexts.TryGetValue(name, out var method) => new TemplateFunction(name, arguments => method(run, text, arguments)),
        TemplateList { IsStream: false } list when OfLists.Contains(name) => new TemplateFunction(name, arguments => Call(run, list, name, arguments)),
        TemplateMap map when OfMaps.Contains(name) => new TemplateFunction(name, arguments => Call(run, map, name, arguments)),
        _ => null,
    };

    public static bool IsInCase(TemplateRun run, TemplateText text, bool isUpper)
    {
        bool cased = text.Value.EnumerateRunes().Any(LetterCase.IsCased);
        return cased && text.Value == (isUpper ? LetterCase.Upper(run, text) : LetterCase.Lower(run, text)).Value;
    }

    private static object? Call(TemplateRun run, TemplateList list, string name, CallArguments arguments)
    {
        object? argument = One(run, name, arguments);
        switch (name)
        {
            case "index":
                int at = list.Items.FindIndex(item => Values.AreEqual(run, item, argument));
                return at >= 0 ? (long)at : throw run.Error("index: the value is not in the list");
            case "count": return list.Items.LongCount(item => Values.AreEqual(run, item, argument));
        }
        if (list.IsTuple || list.IsData) run.Fail($"{name}: a list of the conversation cannot be changed");
        var added = name == "append" ? [argument] : Values.Items(run, argument);
        run.Step(added.Count);
        list.Items.AddRange(added);
        return null;
    }

    private static object? Call(TemplateRun run, TemplateMap map, string name, CallArguments arguments)
    {
        if (name == "get")
        {
            var bound = arguments.Bind(run, "get", "key", "default");
            return bound[0] is not UndefinedValue && map.TryGet(Values.Key(run, bound[0]), out object? found) ? found : CallArguments.IsAbsent(bound[1]) ? null : bound[1];
        }
        arguments.Bind(run, name);
        run.Step(map.Count);
        return name switch
        {
            "keys" => new TemplateList([.. map.Keys.Select(Values.KeyValue)]),
            "values" => new TemplateList([.. map.Select(pair => pair.Value)]),
            "items" => Pairs(map),
            _ => Copy(map),
        };
    }

    public static TemplateList Pairs(TemplateMap map) =>
        new([.. map.Select(pair => (object?)new TemplateList([Values.KeyValue(pair.Key), pair.Value], isTuple: true))]);

    public static TemplateMap Copy(TemplateMap map)
    {
        var copy = new TemplateMap();
        foreach (var (key, value) in map) copy.Set(key, value);
        return copy;
    }

    private static object? One(TemplateRun run, string name, CallArguments arguments) =>
        arguments.Positional.Count == 1 && arguments.Named.Count == 0 ? arguments.Positional[0] : throw run.Error($"{name} got {arguments.Positional.Count + arguments.Named.Count} arguments; expected 1");

    private static TemplateText OneText(TemplateRun run, string name, CallArguments arguments) => Values.Text(run, One(run, name, arguments), $"the argument of {name}");

    private static TemplateText Strip(TemplateRun run, TemplateText text, CallArguments arguments, TemplateStrings.Sides sides)
    {
        object? characters = arguments.Bind(run, "strip", "chars")[0];
        return TemplateStrings.Strip(text, characters is null || CallArguments.IsAbsent(characters) ? null : Values.Text(run, characters, "the argument of strip"), sides);
    }

    private static TemplateList Split(TemplateRun run, TemplateText text, CallArguments arguments, bool fromRight)
    {
        var bound = arguments.Bind(run, "split", "sep", "maxsplit");
        var separator = bound[0] is null || CallArguments.IsAbsent(bound[0]) ? null : Values.Text(run, bound[0], "the separator of split");
        return TemplateStrings.Split(run, text, separator, CallArguments.IsAbsent(bound[1]) ? -1 : Values.Whole(run, bound[1], "maxsplit"), fromRight);
    }

    private static TemplateText Replace(TemplateRun run, TemplateText text, CallArguments arguments)
    {
        var bound = arguments.Bind(run, "replace", "old", "new", "count");
        return TemplateStrings.Replace(run, text, Values.Text(run, bound[0], "what is to be replaced"), Values.Text(run, bound[1], "the replacement"),
            CallArguments.IsAbsent(bound[2]) ? -1 : Values.Whole(run, bound[2], "count"));
    }

    private static bool Matches(TemplateRun run, CallArguments arguments, string name, Func<string, bool> matches) => One(run, name, arguments) switch
    {
        TemplateText part => matches(part.Value),
        TemplateList { IsTuple: true } parts => parts.Items.Any(part => matches(Values.Text(run, part, $"an argument of {name}").Value)),
        var other => throw run.Error($"the argument of {name} is {Values.KindOf(other)}; expected a text or a tuple of texts"),
    };

    private static bool All(TemplateText text, Func<System.Text.Rune, bool> holds) => text.Value.Length > 0 && text.Value.EnumerateRunes().All(holds);
}
