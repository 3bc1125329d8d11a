namespace OpenEuroLLM.Inference;

/// <summary>What the model continues: a conversation, a text, or token ids.</summary>
public abstract record GenerationInput
{
    private GenerationInput() { }

    /// <summary>A conversation; rendered with the model's chat template, followed by the start of the assistant's turn.</summary>
    /// <param name="Items">The turns, at least one.</param>
    /// <param name="Tools">The tools that the answer may call; null for none.</param>
    /// <param name="TemplateArguments">What the template is told beside them, as the text of a JSON object (<c>{"enable_thinking": false}</c>); null for nothing.</param>
    public sealed record Messages(
        IReadOnlyList<ChatMessage> Items, IReadOnlyList<ToolDefinition>? Tools = null, string? TemplateArguments = null) : GenerationInput;

    /// <summary>A text to be continued, encoded as the beginning of a document (the begin-of-text token comes first).</summary>
    /// <param name="Value">The text; may be empty.</param>
    public sealed record TextInput(string Value) : GenerationInput;

    /// <summary>Token ids, taken exactly as they are (nothing is added in front).</summary>
    /// <param name="Ids">At least one id of the model's vocabulary.</param>
    public sealed record Tokens(IReadOnlyList<int> Ids) : GenerationInput;
}

/// <summary>How the next token is chosen. The steps come in this order: repetition penalty, temperature, top-k, top-p, draw.</summary>
/// <param name="Temperature">Divides the logits; 0 takes the most likely token, the lowest id among equals.</param>
/// <param name="TopK">Keeps this many most likely tokens; 0 keeps all.</param>
/// <param name="TopP">Keeps the smallest set of most likely tokens whose probabilities reach this sum; 1 keeps all.</param>
/// <param name="RepetitionPenalty">Logits of tokens that were seen in the prompt or the answer are divided by it when positive,
/// multiplied when negative; 1 changes nothing. Source: arXiv:1909.05858, section 4.1.</param>
/// <param name="Seed">Seed of the random stream; a draw is a function of (seed, choice, token index).</param>
public sealed record Sampling(
    double Temperature = 1,
    int TopK = 0,
    double TopP = 1,
    double RepetitionPenalty = 1,
    ulong Seed = 0)
{
    /// <summary>Always the most likely token.</summary>
    public static Sampling Greedy { get; } = new(Temperature: 0);
}

/// <summary>The one request of every dialect, command and evaluation; validated once, against <see cref="RequestLimits"/>.</summary>
/// <param name="Input">What to continue.</param>
/// <param name="Sampling">How tokens are chosen; null takes the model's own defaults (<see cref="ModelInfo.DefaultSampling"/>).</param>
/// <param name="MaxTokens">Most tokens of each answer; null means as many as fit into the context.</param>
/// <param name="Stop">Texts that end an answer and are not part of it; null for none.</param>
/// <param name="Choices">Number of independent answers.</param>
/// <param name="Priority">Among waiting requests the highest goes first; equal ones in order of arrival.</param>
/// <param name="Deadline">The moment after which the answer is of no use; the request then ends with
/// <see cref="RequestErrorCode.DeadlineExceeded"/>.</param>
public sealed record GenerationRequest(
    GenerationInput Input,
    Sampling? Sampling = null,
    int? MaxTokens = null,
    IReadOnlyList<string>? Stop = null,
    int Choices = 1,
    int Priority = 0,
    DateTimeOffset? Deadline = null);
