namespace OpenEuroLLM.Tokenizers;

/// <summary>The control tokens of this project's models. They stand for structure, never for text: encoding text gives none of them
/// unless the caller allows it.</summary>
public static class SpecialTokens
{
    /// <summary>Starts every document and every chat.</summary>
    public const string BeginOfText = "<|begin_of_text|>";

    /// <summary>Ends every document.</summary>
    public const string EndOfText = "<|end_of_text|>";

    /// <summary>Starts a system message.</summary>
    public const string System = "<|system|>";

    /// <summary>Starts a user's message.</summary>
    public const string User = "<|user|>";

    /// <summary>Starts an answer.</summary>
    public const string Assistant = "<|assistant|>";

    /// <summary>Ends every message of a chat.</summary>
    public const string EndOfTurn = "<|end_of_turn|>";

    /// <summary>Fills rows of unequal length; never trained on.</summary>
    public const string Padding = "<|padding|>";

    /// <summary>All of them in the order of their ids, the last of the vocabulary.</summary>
    public static IReadOnlyList<string> All { get; } = [BeginOfText, EndOfText, System, User, Assistant, EndOfTurn, Padding];
}

/// <summary>The ids of <see cref="SpecialTokens"/> in one tokenizer.</summary>
/// <param name="BeginOfText">Id of <see cref="SpecialTokens.BeginOfText"/>.</param>
/// <param name="EndOfText">Id of <see cref="SpecialTokens.EndOfText"/>.</param>
/// <param name="System">Id of <see cref="SpecialTokens.System"/>.</param>
/// <param name="User">Id of <see cref="SpecialTokens.User"/>.</param>
/// <param name="Assistant">Id of <see cref="SpecialTokens.Assistant"/>.</param>
/// <param name="EndOfTurn">Id of <see cref="SpecialTokens.EndOfTurn"/>.</param>
/// <param name="Padding">Id of <see cref="SpecialTokens.Padding"/>.</param>
public sealed record ChatTokens(int BeginOfText, int EndOfText, int System, int User, int Assistant, int EndOfTurn, int Padding);
