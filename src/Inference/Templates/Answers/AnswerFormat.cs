namespace OpenEuroLLM.Inference;

/// <summary>How calls are written between their marks.</summary>
internal enum CallNotation
{
    /// <summary><c>{"name", "arguments"}</c> or a list of them; <c>parameters</c> is the same as <c>arguments</c>.</summary>
    Json,

    /// <summary><c>[{"NAME": {...}}]</c>.</summary>
    JsonByName,

    /// <summary><c>NAME[ARGS]{...}</c>.</summary>
    NameAndArguments,

    /// <summary><c>NAME(key=value, ...)</c>.</summary>
    Python,
}

/// <summary>What stands around calls.</summary>
/// <param name="Open">In front of them; empty where an answer that begins with <c>{</c> is a call.</param>
/// <param name="Close">Behind them; null where they end by themselves.</param>
/// <param name="Notation">How they are written.</param>
internal sealed record CallMarks(string Open, string? Close, CallNotation Notation)
{
    /// <summary>Whether models write a list between the marks, however many calls there are.</summary>
    public bool IsList => Notation == CallNotation.JsonByName || (Notation == CallNotation.Json && Open is "[TOOL_CALLS]" or "functools" or "<|tool_call|>");

    /// <summary>What <see cref="CallNotation.Json"/> calls the arguments.</summary>
    public string ArgumentsKey => Open is "" or "<|python_tag|>" ? "parameters" : "arguments";
}

/// <summary>How a family's answers mark reasoning and calls.</summary>
/// <param name="Reasoning">What stands around reasoning; null where there is none.</param>
/// <param name="Calls">The kinds of calls that may come.</param>
internal sealed record AnswerFormat((string Open, string Close)? Reasoning, IReadOnlyList<CallMarks> Calls)
{
    /// <summary>Stands between name and arguments of <see cref="CallNotation.NameAndArguments"/>.</summary>
    public const string ArgumentsMark = "[ARGS]";

    private const string InnerOpen = "<|inner_prefix|>";

    /// <summary>Stands between name and id of <see cref="CallNotation.NameAndArguments"/>, where there is an id.</summary>
    public const string IdMark = "[CALL_ID]";

    /// <summary>The names by which templates ask for reasoning of earlier turns.</summary>
    public static IReadOnlyList<string> ReasoningKeys { get; } = ["reasoning_content", "reasoning", "thinking"];

    /// <summary>Calls as a list of JSON, where templates have tools in the system's message.</summary>
    public static CallMarks ListedCalls { get; } = new("<|tool_call|>", "<|/tool_call|>", CallNotation.Json);

    private static readonly (string Open, string Close)[] KnownReasoning = [(InnerOpen, "<|inner_suffix|>"), ("[THINK]", "[/THINK]"), ("<think>", "</think>")];

    // A mark that occurs in a template means that its model was trained with it.
    private static readonly CallMarks[] KnownCalls =
    [
        new("<tool_call>", "</tool_call>", CallNotation.Json),
        ListedCalls,
        new("<|tools_prefix|>", "<|tools_suffix|>", CallNotation.JsonByName),
        new("<|python_tag|>", null, CallNotation.Json),
        new("functools", null, CallNotation.Json),
        new("<function_calls>", "</function_calls>", CallNotation.Python),
        new("```tool_code", "```", CallNotation.Python),
    ];

    /// <summary>Whether calls stand inside of reasoning, which goes on behind them; elsewhere a mark in reasoning is a thought.</summary>
    public bool CallsInReasoning => Reasoning?.Open == InnerOpen;

    public bool IsPlain => Reasoning is null && Calls.Count == 0;

    /// <summary>The calls that an answer can be held to: those without marks in front before others; null where there are none.</summary>
    public CallMarks? BindableCalls => Calls.Where(call => call.Notation != CallNotation.Python).OrderBy(call => call.Open.Length > 0).FirstOrDefault();

    /// <summary>The calls that can be told from text around them before they are read; null where there are none, or several kinds.</summary>
    public CallMarks? OnlyCalls => Calls is [{ Open.Length: > 0, Notation: not CallNotation.Python } only] ? only : null;

    /// <summary>Every text that may be a control token of its own.</summary>
    public IEnumerable<string> Marks
    {
        get
        {
            var marks = Calls.SelectMany(call => new[] { call.Open, call.Close ?? "" });
            if (Reasoning is var (open, close)) marks = [.. marks, open, close];
            if (Calls.Any(call => call.Notation == CallNotation.NameAndArguments)) marks = [.. marks, ArgumentsMark, IdMark];
            return marks.Where(mark => mark.Length > 0);
        }
    }

    /// <summary>The format that a template shows.</summary>
    public static AnswerFormat Of(string template)
    {
        bool Has(string text) => template.Contains(text, StringComparison.Ordinal);
        var calls = KnownCalls.Where(marks => Has(marks.Open)).ToList();
        if (Has("<|tool|>") && calls.Count == 0) calls.AddRange([ListedCalls, new("functools", null, CallNotation.Json)]);
        if (Has("[TOOL_CALLS]")) calls.Add(new CallMarks("[TOOL_CALLS]", null, Has(ArgumentsMark) ? CallNotation.NameAndArguments : CallNotation.Json));
        if (Has("python_tools")) calls.Add(new CallMarks("<code>", "</code>", CallNotation.Python));
        if (Has("\"parameters\"") && Has("ipython"))
        {
            calls.Add(new CallMarks("", null, CallNotation.Json));
            if (!Has("<|python_tag|>")) calls.Add(new CallMarks("<|python_tag|>", null, CallNotation.Json));
        }
        (string, string)? reasoning = KnownReasoning.FirstOrDefault(marks => Has(marks.Open) || Has(marks.Close)) is { Open: not null } found ? found : null;
        return new AnswerFormat(reasoning, calls);
    }
}
