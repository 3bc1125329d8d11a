namespace OpenEuroLLM.Inference;

/// <summary>Says whether something holds of a value.</summary>
internal delegate bool TemplateTest(TemplateRun run, object? value, CallArguments arguments);

/// <summary>The tests that templates may use behind <c>is</c>.</summary>
internal static class TemplateTests
{
    public static IReadOnlyDictionary<string, TemplateTest> All { get; } = Make();

    private static Dictionary<string, TemplateTest> Make()
    {
        var tests = new Dictionary<string, TemplateTest>(StringComparer.Ordinal)
        {
            ["boolean"] = (_, value, _) => value is bool,
            ["callable"] = (_, value, _) => value is TemplateFunction,
            ["defined"] = (_, value, _) => value is not UndefinedValue,
            ["divisibleby"] = (run, value, arguments) => Values.Whole(run, TemplateArithmetic.Apply(run, "%", value, One(run, arguments)), "a remainder") == 0,
            ["even"] = (run, value, _) => IsOdd(run, value) == false,
            ["false"] = (_, value, _) => value is false,
            ["filter"] = (_, value, _) => value is TemplateText { Value: var name } && TemplateFilters.All.ContainsKey(name),
            ["float"] = (_, value, _) => value is double,
            ["in"] = (run, value, arguments) => Values.Contains(run, One(run, arguments), value),
            ["integer"] = (_, value, _) => value is long,
            ["iterable"] = (_, value, _) => Values.IsIterable(value),
            ["lower"] = (run, value, _) => TemplateMethods.IsInCase(run, Values.Written(run, value), isUpper: false),
            ["mapping"] = (_, value, _) => value is TemplateMap,
            ["none"] = (_, value, _) => value is null,
            ["number"] = (_, value, _) => value is long or double or bool,
            ["odd"] = (run, value, _) => IsOdd(run, value),
            ["sameas"] = (run, value, arguments) => IsSame(value, One(run, arguments)),
            ["sequence"] = (_, value, _) => Values.IsIterable(value) && value is not (UndefinedValue or TemplateList { IsStream: true }),
            ["string"] = (_, value, _) => value is TemplateText,
            ["test"] = (_, value, _) => value is TemplateText { Value: var name } && All!.ContainsKey(name),
            ["true"] = (_, value, _) => value is true,
            ["undefined"] = (_, value, _) => value is UndefinedValue,
            ["upper"] = (run, value, _) => TemplateMethods.IsInCase(run, Values.Written(run, value), isUpper: true),
        };
        (string Sign, string[] Names)[] comparisons =
            [("==", ["eq", "equalto"]), ("!=", ["ne"]), ("<", ["lt", "lessthan"]), ("<=", ["le"]), (">", ["gt", "greaterthan"]), (">=", ["ge"])];
        foreach (var (sign, names) in comparisons)
            foreach (string name in names.Append(sign))
                tests[name] = (run, value, arguments) => TemplateArithmetic.Holds(run, sign, value, One(run, arguments));
        return tests;
    }

    private static object? One(TemplateRun run, CallArguments arguments) =>
        arguments.Positional.Count == 1 && arguments.Named.Count == 0 ? arguments.Positional[0] : throw run.Error("a test got the wrong number of arguments; expected 1");

    private static bool IsOdd(TemplateRun run, object? value) => (Values.Whole(run, value, "what is tested") & 1) == 1;

    private static bool IsSame(object? value, object? other) => (value, other) switch
    {
        (null, null) => true,
        (bool a, bool b) => a == b,
        (long a, long b) => a == b,
        (TemplateText a, TemplateText b) => a.Value == b.Value,
        _ => ReferenceEquals(value, other),
    };
}
