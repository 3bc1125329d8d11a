namespace OpenEuroLLM.Inference;

/// <summary>Something that happened to one answer. The events of one choice come in order: tokens, texts, reasoning and calls, then one
/// <see cref="Finished"/>; those of several choices may be mixed.</summary>
/// <param name="Choice">The answer meant, from 0.</param>
public abstract record GenerationEvent(int Choice)
{
    /// <summary>A token was chosen, the token that ends the answer included.</summary>
    /// <param name="Choice">The answer meant, from 0.</param>
    /// <param name="Id">The token's id.</param>
    /// <param name="Likelihood">How likely it was; null unless <see cref="GenerationRequest.Logprobs"/> asks for it.</param>
    public sealed record Token(int Choice, int Id, TokenLikelihood? Likelihood = null) : GenerationEvent(Choice);

    /// <summary>A token of the prompt with its likelihood, where <see cref="GenerationRequest.PromptLogprobs"/> asks for it: all of them in
    /// order, before the first token of the first answer.</summary>
    /// <param name="Choice">0.</param>
    /// <param name="Id">The token's id.</param>
    /// <param name="Likelihood">How likely it was after those before it; null for the first.</param>
    public sealed record PromptToken(int Choice, int Id, TokenLikelihood? Likelihood) : GenerationEvent(Choice);

    /// <summary>The next piece of text: whole characters, nothing that may still turn out to be a stop text.</summary>
    /// <param name="Choice">The answer meant, from 0.</param>
    /// <param name="Value">The piece, never empty.</param>
    public sealed record Text(int Choice, string Value) : GenerationEvent(Choice);

    /// <summary>The next piece of what the model thinks before it answers, where its family marks that.</summary>
    /// <param name="Choice">The answer meant, from 0.</param>
    /// <param name="Value">The piece, never empty.</param>
    public sealed record Reasoning(int Choice, string Value) : GenerationEvent(Choice);

    /// <summary>A complete, well-formed call of a tool; a malformed one comes as <see cref="Text"/>.</summary>
    /// <param name="Choice">The answer meant, from 0.</param>
    /// <param name="Id">The model's own id of the call, or one made here, the same whenever the request is repeated.</param>
    /// <param name="Name">The tool.</param>
    /// <param name="Arguments">The arguments by name: the text of a JSON object.</param>
    public sealed record ToolCall(int Choice, string Id, string Name, string Arguments) : GenerationEvent(Choice);

    /// <summary>The answer is complete.</summary>
    /// <param name="Choice">The answer meant, from 0.</param>
    /// <param name="Reason">Why it ended.</param>
    /// <param name="Usage">Tokens of the prompt and of this answer.</param>
    /// <param name="StopText">The stop text that ended it, or null.</param>
    public sealed record Finished(int Choice, FinishReason Reason, Usage Usage, string? StopText = null) : GenerationEvent(Choice)
    {
        /// <summary>Whether the form of the answer was complete, so that no token that ends answers was needed: the last one is a part of the answer.</summary>
        public bool EndedByForm { get; init; }
    }
}

/// <summary>Why an answer ended.</summary>
public enum FinishReason
{
    /// <summary>The model ended its turn, or a stop text came.</summary>
    Stop,

    /// <summary>The most tokens asked for, or the end of the context, was reached.</summary>
    Length,
}

/// <summary>Tokens that one answer used.</summary>
/// <param name="PromptTokens">Tokens of the prompt.</param>
/// <param name="CompletionTokens">Tokens that were generated, the one that ended the answer included.</param>
/// <param name="CachedTokens">Tokens of the prompt that earlier requests with the same beginning had left in the cache.</param>
/// <param name="GuessedTokens">Tokens that speculation offered.</param>
/// <param name="AcceptedTokens">Those of them that were the answer's.</param>
public sealed record Usage(int PromptTokens, int CompletionTokens, int CachedTokens = 0, int GuessedTokens = 0, int AcceptedTokens = 0);
