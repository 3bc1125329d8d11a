namespace OpenEuroLLM.Inference;

/// <summary>One turn of a conversation.</summary>
/// <param name="Role">Who speaks: one of <see cref="ChatTemplate.Roles"/>.</param>
/// <param name="Content">What is said. Always plain text: the text of a special token in it is never a control token.</param>
public sealed record ChatMessage(string Role, string Content)
{
    /// <summary>The calls that an assistant's turn makes; null for none.</summary>
    public IReadOnlyList<ToolCall>? ToolCalls { get; init; }

    /// <summary>Of a tool's turn, the call that it answers (<see cref="ToolCall.Id"/>); null when not said.</summary>
    public string? ToolCallId { get; init; }

    /// <summary>Name of the speaker, or of the tool; null when not said.</summary>
    public string? Name { get; init; }

    /// <summary>What an assistant thought before it answered; null for nothing. Templates decide whether the model sees it again.</summary>
    public string? Reasoning { get; init; }
}

/// <summary>A call of a tool.</summary>
/// <param name="Id">What its answer refers to.</param>
/// <param name="Name">The tool.</param>
/// <param name="Arguments">The arguments by name: the text of a JSON object.</param>
public sealed record ToolCall(string Id, string Name, string Arguments);

/// <summary>A tool that the model may call.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Description">What it does, for the model; null when not said.</param>
/// <param name="Parameters">Its parameters: the text of a JSON Schema object; null for none.</param>
/// <param name="Strict">Whether every call must be valid for <see cref="Parameters"/>, which have to close all objects and require all properties.</param>
public sealed record ToolDefinition(string Name, string? Description = null, string? Parameters = null, bool Strict = false);

/// <summary>How an answer uses the tools of its conversation.</summary>
/// <param name="Required">Whether it must be calls and nothing else (behind reasoning).</param>
/// <param name="Names">The only tools that may be called; null for all of them.</param>
/// <param name="Several">Whether there may be more than one call.</param>
public sealed record ToolUse(bool Required = false, IReadOnlyList<string>? Names = null, bool Several = true);
