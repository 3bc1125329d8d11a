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

/// <summary>How the next token is chosen. The steps come in this order: grammar, logit bias, repetition penalty, frequency and presence penalty,
/// temperature, top-k, top-p, min-p, typical, draw.</summary>
/// <remarks>Bias before penalties is the order of llama.cpp and vLLM; temperature before the cuts, and the cuts in this order, is that of
/// Hugging Face's transformers, for whose <c>generation_config.json</c> models choose their values (vLLM has temperature first too;
/// llama.cpp's usual chain has it last). Each cut looks at the probabilities of what the ones before have left, and none removes the
/// last token. Without effect are the default values.</remarks>
/// <param name="Temperature">Divides the logits; 0 takes the most likely token after bias and penalties, the lowest id among equals.</param>
/// <param name="TopK">Keeps this many most likely tokens; 0 keeps all.</param>
/// <param name="TopP">Keeps the smallest set of most likely tokens whose probabilities reach this sum; 1 keeps all.</param>
/// <param name="RepetitionPenalty">Logits of tokens that were seen in the prompt or the answer are divided by it when positive,
/// multiplied when negative; 1 changes nothing. Source: arXiv:1909.05858, section 4.1.</param>
/// <param name="Seed">Seed of the random stream; a draw is a function of (seed, choice, token index).</param>
/// <param name="MinP">Keeps the tokens that are at least this share as likely as the most likely one; 0 keeps all. Source: arXiv:2407.01082.</param>
/// <param name="TypicalP">Keeps the tokens whose surprise is nearest to the expected one until their probabilities reach this sum; 1 keeps
/// all. Source: arXiv:2202.00666.</param>
/// <param name="PresencePenalty">Subtracted from the logit of each token that the answer has already; the prompt does not count, as in
/// OpenAI's interface.</param>
/// <param name="FrequencyPenalty">Subtracted from a token's logit as often as the answer has it already; the prompt does not count.</param>
/// <param name="LogitBias">Added to the logits of these ids; null for none.</param>
public sealed record Sampling(
    double Temperature = 1,
    int TopK = 0,
    double TopP = 1,
    double RepetitionPenalty = 1,
    ulong Seed = 0,
    double MinP = 0,
    double TypicalP = 1,
    double PresencePenalty = 0,
    double FrequencyPenalty = 0,
    IReadOnlyDictionary<int, double>? LogitBias = null)
{
    /// <summary>Always the most likely token.</summary>
    public static Sampling Greedy { get; } = new(Temperature: 0);
}

/// <summary>Guessing ahead by prompt lookup: what followed the last tokens where they stood before is computed in the same step, and kept as
/// far as it is what sampling chooses anyway. Changes the speed of texts that repeat something, and no answer.</summary>
/// <param name="Tokens">Tokens guessed at most in a step; how many really are follows the success so far.</param>
/// <param name="MinMatch">The fewest last tokens that must stand at another place too.</param>
/// <param name="MaxMatch">Among several places the one where more last tokens are the same is taken; beyond this many none is better.</param>
public sealed record Speculation(int Tokens = 8, int MinMatch = 1, int MaxMatch = 6);

/// <summary>What form an answer must have; only tokens that can still lead to it are chosen.</summary>
/// <remarks>The model is not told of it: who wants good contents says in the prompt what is asked for.</remarks>
public abstract record Grammar
{
    private Grammar() { }

    /// <summary>Any JSON object.</summary>
    public sealed record JsonObject : Grammar;

    /// <summary>A JSON value that is valid for a schema.</summary>
    /// <param name="Schema">The JSON Schema, as text. What of it cannot be kept is refused, with the place in the schema.</param>
    /// <param name="Strict">Whether the schema must name every property of an object as required and forbid all others, as OpenAI's strict
    /// structured outputs demand; a schema that does not is refused.</param>
    public sealed record JsonSchema(string Schema, bool Strict) : Grammar;
}

/// <summary>The one request of every dialect, command and evaluation; validated once, against <see cref="RequestLimits"/>.</summary>
/// <param name="Input">What to continue.</param>
/// <param name="Sampling">How tokens are chosen; null takes the model's own defaults (<see cref="ModelInfo.DefaultSampling"/>).</param>
/// <param name="MaxTokens">Most tokens of each answer; null means what the model recommends (<see cref="ModelInfo.DefaultMaxTokens"/>), or else
/// as many as fit into the context. 0 is allowed where the prompt's likelihoods are all that is wanted.</param>
/// <param name="Stop">Texts that end an answer and are not part of it; null for none.</param>
/// <param name="Choices">Number of independent answers.</param>
/// <param name="Priority">Among waiting requests the highest goes first; equal ones take fair turns between tenants, and come in order of arrival within one.</param>
/// <param name="Deadline">The moment after which the answer is of no use; the request then ends with
/// <see cref="RequestErrorCode.DeadlineExceeded"/>.</param>
/// <param name="StopTokens">Ids that end an answer beside the model's own; null for none.</param>
/// <param name="MinTokens">Before so many tokens no token that ends the answer is chosen, and no stop text is looked for.</param>
/// <param name="IgnoreEnd">Whether the model's own end tokens do not end an answer, for measuring.</param>
/// <param name="Logprobs">How many likely alternatives each <see cref="GenerationEvent.Token"/> has beside its own likelihood; null for no likelihoods.</param>
/// <param name="PromptLogprobs">The same for each token of the prompt, as <see cref="GenerationEvent.PromptToken"/>. All of the prompt is computed then.</param>
/// <param name="Speculation">Guessing ahead; null does not.</param>
/// <param name="CacheSalt">Only requests with the same salt use each other's computed beginnings: whoever can measure time cannot learn
/// from another tenant's. Null is a salt of its own.</param>
/// <param name="Grammar">What form each answer must have behind its reasoning; null for any text. Beside tools an answer is either this or calls.</param>
/// <param name="ToolUse">How tools are used; null for as the model likes.</param>
/// <param name="Tenant">Who asks: tenants share the engine fairly, whoever sends more waits longer. Null is one tenant of all who give none.</param>
public sealed record GenerationRequest(
    GenerationInput Input,
    Sampling? Sampling = null,
    int? MaxTokens = null,
    IReadOnlyList<string>? Stop = null,
    int Choices = 1,
    int Priority = 0,
    DateTimeOffset? Deadline = null,
    IReadOnlyList<int>? StopTokens = null,
    int MinTokens = 0,
    bool IgnoreEnd = false,
    int? Logprobs = null,
    int? PromptLogprobs = null,
    Speculation? Speculation = null,
    string? CacheSalt = null,
    Grammar? Grammar = null,
    ToolUse? ToolUse = null,
    string? Tenant = null)
{
    /// <summary>Called once, on the engine's worker, when waiting is over and the first answer has its place; null calls nobody. Must return at once.</summary>
    public Action? Admitted { get; init; }
}
