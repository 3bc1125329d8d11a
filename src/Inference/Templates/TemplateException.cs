namespace OpenEuroLLM.Inference;

/// <summary>A template cannot be read or rendered.</summary>
/// <param name="message">What was found and what was expected, one line without the line number.</param>
/// <param name="line">Line of the template, from 1.</param>
/// <param name="raised">Whether the template itself refused the conversation (<c>raise_exception</c>).</param>
internal sealed class TemplateException(string message, int line, bool raised = false) : Exception($"line {line}: {message}")
{
    public int Line { get; } = line;

    /// <summary>The message without the line number.</summary>
    public string Reason { get; } = message;

    public bool Raised { get; } = raised;
}
