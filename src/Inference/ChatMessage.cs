namespace OpenEuroLLM.Inference;

/// <summary>One turn of a conversation.</summary>
/// <param name="Role">Who speaks: <c>system</c>, <c>user</c> or <c>assistant</c>.</param>
/// <param name="Content">What is said. Always plain text: the text of a special token in it is never a control token.</param>
public sealed record ChatMessage(string Role, string Content);
