namespace OpenEuroLLM.Inference;

internal enum TemplateTokenKind
{
    Text,
    PrintBegin,
    PrintEnd,
    TagBegin,
    TagEnd,
    Name,
    String,
    Integer,
    Float,
    Operator,
    End,
}

/// <summary>A word of a template.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">Its text; of a string what it means.</param>
/// <param name="Line">Where it begins, from 1.</param>
/// <param name="Number">Value of an integer or float.</param>
internal readonly record struct TemplateToken(TemplateTokenKind Kind, string Text, int Line, object? Number = null)
{
    public bool Is(string text) => Kind == TemplateTokenKind.Operator && Text == text;

    public bool IsName(string name) => Kind == TemplateTokenKind.Name && Text == name;

    public override string ToString() => Kind switch
    {
        TemplateTokenKind.End => "the end of the template",
        TemplateTokenKind.PrintEnd => "'}}'",
        TemplateTokenKind.TagEnd => "'%}'",
        TemplateTokenKind.String => "a text",
        _ => Text.Length <= 40 ? $"'{Text}'" : $"'{Text[..40]}...'",
    };
}
