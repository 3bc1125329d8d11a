namespace OpenEuroLLM.Inference;

/// <summary>The values that a call was given.</summary>
internal sealed record CallArguments(IReadOnlyList<object?> Positional, IReadOnlyList<(string Name, object? Value)> Named)
{
    public static CallArguments None { get; } = new([], []);

    /// <summary>The arguments in the order of the parameters; an argument that is not given is <see cref="Absent"/>.</summary>
    public object?[] Bind(TemplateRun run, string callee, params ReadOnlySpan<string> parameters)
    {
        var bound = new object?[parameters.Length];
        Array.Fill(bound, Absent);
        if (Positional.Count > parameters.Length) run.Fail($"{callee} got {Positional.Count} arguments; expected at most {parameters.Length}");
        for (int i = 0; i < Positional.Count; i++) bound[i] = Positional[i];
        foreach (var (name, value) in Named)
        {
            int at = parameters.IndexOf(name);
            if (at < 0) run.Fail($"{callee} has no argument '{name}'");
            if (!ReferenceEquals(bound[at], Absent)) run.Fail($"{callee} got the argument '{name}' twice");
            bound[at] = value;
        }
        return bound;
    }

    /// <summary>Stands for an argument that was not given.</summary>
    public static object Absent { get; } = new();

    public static bool IsAbsent(object? argument) => ReferenceEquals(argument, Absent);

    /// <summary>The arguments behind the first ones.</summary>
    public CallArguments After(int count) => this with { Positional = [.. Positional.Skip(count)] };
}
