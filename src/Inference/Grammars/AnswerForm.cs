using System.Text;

namespace OpenEuroLLM.Inference.Grammars;

/// <summary>What a whole answer is made of, reasoning and calls included.</summary>
/// <param name="Value">The JSON that the answer is; null where it is calls, or text with calls.</param>
/// <param name="Calls">The calls that it may be or must be; null for none.</param>
/// <param name="Reasoning">What may come first; null for nothing.</param>
internal sealed record AnswerForm(Grammar? Value, CallsForm? Calls, ReasoningForm? Reasoning)
{
    /// <summary>The field of a request that asks for it.</summary>
    public string Field => Value is null ? "tools" : "grammar";

    /// <summary>A text that only equal forms have.</summary>
    public string Key()
    {
        var key = new StringBuilder();
        Add(Value switch { Grammar.JsonObject => "object", Grammar.JsonSchema schema => (schema.Strict ? "strict" : "schema") + schema.Schema, _ => "" });
        Add(Reasoning?.ToString());
        Add(Calls is null ? null : $"{Calls.Marks} {Calls.Required} {Calls.Several}");
        foreach (var tool in Calls?.Tools ?? [])
        {
            Add(tool.Name);
            Add(tool.Strict ? "strict" : "");
            Add(tool.Parameters);
        }

        return key.ToString();

        void Add(string? part) => key.Append(part?.Length ?? -1).Append(':').Append(part);
    }
}

/// <summary>Calls of tools in the notation of a family.</summary>
/// <param name="Marks">What stands around them.</param>
/// <param name="Tools">The tools that may be called, at least one.</param>
/// <param name="Required">Whether the answer is calls and nothing else; otherwise it is the value, or any text in which calls may stand.</param>
/// <param name="Several">Whether there may be more than one.</param>
internal sealed record CallsForm(CallMarks Marks, IReadOnlyList<ToolDefinition> Tools, bool Required, bool Several);

/// <summary>Reasoning in front of an answer.</summary>
/// <param name="Open">What it begins with.</param>
/// <param name="Close">What it ends with.</param>
/// <param name="IsOpen">Whether the prompt has begun it, so that it has to be ended; otherwise it may be left out.</param>
internal sealed record ReasoningForm(string Open, string Close, bool IsOpen);
