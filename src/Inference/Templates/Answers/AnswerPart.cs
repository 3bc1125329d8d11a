namespace OpenEuroLLM.Inference;

/// <summary>A part of an answer.</summary>
internal abstract record AnswerPart
{
    /// <summary>A piece of what is said.</summary>
    public sealed record Said(string Value) : AnswerPart;

    /// <summary>A piece of what is thought.</summary>
    public sealed record Thought(string Value) : AnswerPart;

    /// <summary>A call; the id is null where the model gives none.</summary>
    public sealed record Called(string? Id, string Name, string Arguments) : AnswerPart;
}
