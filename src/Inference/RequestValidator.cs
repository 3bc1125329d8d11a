using System.Globalization;
using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Inference;

/// <summary>A request that was checked and encoded: all that the scheduler needs.</summary>
/// <param name="Prompt">Token ids, at least one.</param>
/// <param name="Sampling">How tokens are chosen.</param>
/// <param name="MaxTokens">Most tokens of each answer; prompt and answer fit into the context.</param>
/// <param name="Stop">Texts that end an answer.</param>
/// <param name="Choices">Number of answers.</param>
/// <param name="Priority">Higher goes first.</param>
/// <param name="Deadline">When the answer is of no use any more.</param>
internal sealed record ValidatedRequest(
    int[] Prompt, Sampling Sampling, int MaxTokens, IReadOnlyList<string> Stop, int Choices, int Priority, DateTimeOffset? Deadline)
{
    public int[] StopTokens { get; init; } = [];
    public int MinTokens { get; init; }
    public bool IgnoreEnd { get; init; }
    public int? Logprobs { get; init; }
    public int? PromptLogprobs { get; init; }
    public Speculation? Speculation { get; init; }
    public string? CacheSalt { get; init; }
    public Grammars.GrammarMatcher? Grammar { get; init; }
    public Grammars.AnswerForm? Form { get; init; }
    public Action? Admitted { get; init; }
    public string? Tenant { get; init; }
}

/// <summary>The one place where requests are checked, against the one table of limits.</summary>
internal sealed class RequestValidator(Tokenizer tokenizer, ModelInfo model, int capacity, string? chatObstacle, RequestLimits limits)
{
    // What fits at most: the model's context, or the whole key/value cache when that is smaller.
    private readonly int _capacity = Math.Min(model.ContextLength, capacity);

    private readonly Grammars.GrammarCache _grammars = new(tokenizer);

    /// <summary>The model's chat template; null for this project's own.</summary>
    public ChatTemplate? Chat { get; init; }

    /// <exception cref="RequestException">Something is outside the limits.</exception>
    public ValidatedRequest Validate(GenerationRequest request)
    {
        var sampling = request.Sampling ?? model.DefaultSampling;
        Check(sampling, limits);
        CheckBias(sampling.LogitBias);
        Require(request.Choices >= 1 && request.Choices <= limits.MaxChoices, "n", request.Choices, $"1 to {limits.MaxChoices}");
        if (request.MaxTokens is int asked && (asked != 0 || request.PromptLogprobs is null)) Require(asked >= 1, "max_tokens", asked, "1 or more");
        if (request.Logprobs is int some) Require(some >= 0 && some <= limits.MaxLogprobs, "logprobs", some, $"0 to {limits.MaxLogprobs}");
        if (request.PromptLogprobs is int more) Require(more >= 0 && more <= limits.MaxLogprobs, "prompt_logprobs", more, $"0 to {limits.MaxLogprobs}");
        var stop = request.Stop ?? [];
        CheckStop(stop);
        CheckStopTokens(request.StopTokens ?? []);
        CheckSpeculation(request.Speculation);
        CheckName(request.CacheSalt, "cache_salt");
        CheckName(request.Tenant, "tenant");

        var prompt = Encode(request.Input);
        var form = FormOf(request, prompt);
        if (form is not null && (request.IgnoreEnd || request.MinTokens > 0))
            throw new RequestException(request.IgnoreEnd ? "ignore_eos" : "min_tokens", "the form of the answer says where it ends; ignore_eos and min_tokens cannot be kept beside it. Leave them out.");
        int maxTokens = MaxTokens(prompt.Length, request.MaxTokens);
        Require(request.MinTokens >= 0 && request.MinTokens <= maxTokens, "min_tokens", request.MinTokens, $"0 to max_tokens ({maxTokens})");
        return new ValidatedRequest(prompt, sampling, maxTokens, stop, request.Choices, request.Priority, request.Deadline)
        {
            StopTokens = [.. request.StopTokens ?? []],
            MinTokens = request.MinTokens,
            IgnoreEnd = request.IgnoreEnd,
            Logprobs = request.Logprobs,
            PromptLogprobs = request.PromptLogprobs,
            Speculation = request.Speculation,
            CacheSalt = request.CacheSalt,
            Grammar = form is null ? null : _grammars.Get(form),
            Form = form,
            Admitted = request.Admitted,
            Tenant = request.Tenant,
        };
    }

    // Null where the answer may have any form.
    private Grammars.AnswerForm? FormOf(GenerationRequest request, int[] prompt)
    {
        var conversation = request.Input as GenerationInput.Messages;
        var calls = CallsOf(request, conversation?.Tools ?? []);
        if (request.Grammar is null && calls is null) return null;
        var reasoning = conversation is null || Chat is null ? null : ChatAnswers.ReasoningOf(Chat.Format, tokenizer, prompt);
        return new Grammars.AnswerForm(calls is { Required: true } ? null : request.Grammar, calls, reasoning);
    }

    private Grammars.CallsForm? CallsOf(GenerationRequest request, IReadOnlyList<ToolDefinition> tools)
    {
        var use = request.ToolUse ?? new ToolUse();
        foreach (string name in use.Names ?? [])
            if (!tools.Any(tool => tool.Name == name)) throw new RequestException("tool_choice", $"tool_choice names the tool '{ShownText.Of(name)}', which is not among the tools.");
        if (use.Required && tools.Count == 0) throw new RequestException("tool_choice", "tool_choice asks for a call, but there are no tools.");
        if (tools.Count == 0) return null;
        bool bound = use.Required || request.Grammar is not null || !use.Several || use.Names is not null || tools.Any(tool => tool.Strict);
        if (!bound) return null;
        var marks = use.Required ? Chat?.Format.BindableCalls : Chat?.Format.OnlyCalls;
        if (marks is null)
        {
            string field = use.Required || use.Names is not null ? "tool_choice" : request.Grammar is not null ? "grammar" : !use.Several ? "parallel_tool_calls" : "tools";
            throw new RequestException(field, use.Required
                ? "calls cannot be forced with this model: the notation in which it writes calls cannot be held to. Let the model choose (tool_choice auto)."
                : "with this model answers cannot be bound to a form while calls are possible: its calls cannot be told from text before they are complete. " +
                  "Leave out strict, parallel_tool_calls and the form of the answer beside tools, or force a call.");
        }

        ToolDefinition[] named = use.Names is null ? [.. tools] : [.. tools.Where(tool => use.Names.Contains(tool.Name))];
        return new Grammars.CallsForm(marks, named, use.Required, use.Several);
    }

    /// <exception cref="RequestException">A value is outside the limits.</exception>
    public static void Check(Sampling sampling, RequestLimits limits)
    {
        // Written so that NaN fails.
        Require(sampling.Temperature >= 0 && sampling.Temperature <= limits.MaxTemperature, "temperature", sampling.Temperature,
            Invariant($"0 to {limits.MaxTemperature}"));
        Require(sampling.TopK >= 0 && sampling.TopK <= limits.MaxTopK, "top_k", sampling.TopK, Invariant($"0 (off) to {limits.MaxTopK}"));
        Require(sampling.TopP > 0 && sampling.TopP <= 1, "top_p", sampling.TopP, "above 0, up to 1");
        Require(sampling.RepetitionPenalty >= limits.MinRepetitionPenalty && sampling.RepetitionPenalty <= limits.MaxRepetitionPenalty,
            "repetition_penalty", sampling.RepetitionPenalty, Invariant($"{limits.MinRepetitionPenalty} to {limits.MaxRepetitionPenalty}"));
        Require(sampling.MinP >= 0 && sampling.MinP <= 1, "min_p", sampling.MinP, "0 to 1");
        Require(sampling.TypicalP > 0 && sampling.TypicalP <= 1, "typical_p", sampling.TypicalP, "above 0, up to 1");
        Require(Math.Abs(sampling.PresencePenalty) <= limits.MaxPenalty, "presence_penalty", sampling.PresencePenalty, Invariant($"-{limits.MaxPenalty} to {limits.MaxPenalty}"));
        Require(Math.Abs(sampling.FrequencyPenalty) <= limits.MaxPenalty, "frequency_penalty", sampling.FrequencyPenalty, Invariant($"-{limits.MaxPenalty} to {limits.MaxPenalty}"));
    }

    private void CheckBias(IReadOnlyDictionary<int, double>? bias)
    {
        if (bias is null) return;
        if (bias.Count > limits.MaxBiases)
            throw new RequestException("logit_bias", $"logit_bias has {bias.Count} tokens; expected at most {limits.MaxBiases}.");
        foreach (var (id, value) in bias)
        {
            RequireToken(id, "logit_bias");
            Require(Math.Abs(value) <= limits.MaxBias, $"logit_bias[{id}]", value, Invariant($"-{limits.MaxBias} to {limits.MaxBias}"));
        }
    }

    private void CheckStopTokens(IReadOnlyList<int> ids)
    {
        if (ids.Count > limits.MaxStopTokens)
            throw new RequestException("stop_token_ids", $"stop_token_ids has {ids.Count} ids; expected at most {limits.MaxStopTokens}.");
        for (int i = 0; i < ids.Count; i++) RequireToken(ids[i], $"stop_token_ids[{i}]");
    }

    private void CheckSpeculation(Speculation? speculation)
    {
        if (speculation is not { } asked) return;
        Require(asked.Tokens >= 1 && asked.Tokens <= limits.MaxSpeculation, "speculation.tokens", asked.Tokens, $"1 to {limits.MaxSpeculation}");
        Require(asked.MinMatch >= 1 && asked.MinMatch <= limits.MaxSpeculation, "speculation.min_match", asked.MinMatch, $"1 to {limits.MaxSpeculation}");
        Require(asked.MaxMatch >= asked.MinMatch && asked.MaxMatch <= limits.MaxSpeculation, "speculation.max_match", asked.MaxMatch, $"{asked.MinMatch} (min_match) to {limits.MaxSpeculation}");
    }

    private void RequireToken(int id, string field) =>
        Require(id >= 0 && id < model.VocabularySize, field, id, $"a token id from 0 to {model.VocabularySize - 1}");

    private void CheckStop(IReadOnlyList<string> stop)
    {
        if (stop.Count > limits.MaxStops)
            throw new RequestException("stop", $"stop has {stop.Count} texts; expected at most {limits.MaxStops}.");
        for (int i = 0; i < stop.Count; i++)
        {
            string field = $"stop[{i}]";
            CheckText(stop[i], field);
            int characters = stop[i].EnumerateRunes().Count();
            if (characters == 0 || characters > limits.MaxStopCharacters)
                throw new RequestException(field, $"{field} has {characters} characters; expected 1 to {limits.MaxStopCharacters}.");
        }
    }

    /// <summary>The tokens of inputs for embeddings.</summary>
    /// <exception cref="RequestException">One is malformed or longer than the context.</exception>
    public IReadOnlyList<int[]> EncodeInputs(IReadOnlyList<GenerationInput> inputs)
    {
        if (inputs.Count == 0 || inputs.Count > limits.MaxEmbeddingInputs)
            throw new RequestException("input", $"input has {inputs.Count} texts; expected 1 to {limits.MaxEmbeddingInputs}.");
        var encoded = new int[inputs.Count][];
        for (int i = 0; i < encoded.Length; i++)
        {
            encoded[i] = Encode(inputs[i], answers: false);
            if (encoded[i].Length > model.ContextLength)
                throw new RequestException($"input[{i}]", $"input[{i}] has {encoded[i].Length} tokens; the model's context holds {model.ContextLength}. " +
                    "Shorten it, or split it and embed the parts.", RequestErrorCode.ContextLengthExceeded);
        }

        return encoded;
    }

    /// <summary>The tokens of an input, however many.</summary>
    /// <exception cref="RequestException">It is malformed.</exception>
    public int[] EncodeInput(GenerationInput input, bool beginning)
    {
        if (beginning || input is not GenerationInput.TextInput(var text)) return Encode(input);
        CheckText(text, "prompt");
        CheckBytes(Encoding.UTF8.GetByteCount(text), "prompt");
        return [.. tokenizer.Encode(text, allowSpecial: false)];
    }

    /// <summary>Ids of the vocabulary.</summary>
    /// <exception cref="RequestException">One is not.</exception>
    public int[] RequireTokens(IReadOnlyList<int> ids, string field)
    {
        for (int i = 0; i < ids.Count; i++) RequireToken(ids[i], $"{field}[{i}]");
        return [.. ids];
    }

    private int[] Encode(GenerationInput input, bool answers = true)
    {
        switch (input)
        {
            case GenerationInput.Messages conversation:
                if (chatObstacle is not null) throw new RequestException("messages", chatObstacle, RequestErrorCode.ChatNotSupported);
                CheckMessages(conversation);
                return (Chat ?? ChatTemplate.Own(tokenizer)).Render(conversation, addGenerationPrompt: answers);
            case GenerationInput.TextInput(var text):
                CheckText(text, "prompt");
                CheckBytes(Encoding.UTF8.GetByteCount(text), "prompt");
                return EncodeDocument(tokenizer, text);
            case GenerationInput.Tokens(var ids):
                if (ids is null || ids.Count == 0) throw new RequestException("prompt", "prompt has no tokens; expected at least one.");
                return RequireTokens(ids, "prompt");
            default:
                throw new RequestException("prompt", "the request has no input; expected messages, text or tokens.");
        }
    }

    /// <summary>A text as the beginning of a document: the begin-of-text token, if the tokenizer has one, then the text. An empty text
    /// without such a token has nothing that could be continued and is refused.</summary>
    public static int[] EncodeDocument(Tokenizer tokenizer, string text)
    {
        var ids = new List<int>();
        if (BeginOfText(tokenizer) is int begin) ids.Add(begin);
        ids.AddRange(tokenizer.Encode(text, allowSpecial: false));
        if (ids.Count == 0) throw new RequestException("prompt", "prompt is empty and the model has no begin-of-text token; expected some text.");
        return [.. ids];
    }

    /// <summary>The token that begins every document: this project's own, or the one that the tokenizer puts in front of a text; null
    /// when there is none.</summary>
    public static int? BeginOfText(Tokenizer tokenizer)
    {
        if (tokenizer.TokenId(SpecialTokens.BeginOfText) is int id && tokenizer.IsSpecial(id)) return id;
        var tokens = new List<EncodedToken>();
        tokenizer.EncodeWithOffsets("a"u8, tokens, addSpecial: true);
        return tokens.Count > 0 && tokenizer.IsSpecial(tokens[0].Id) ? tokens[0].Id : null;
    }

    private void CheckMessages(GenerationInput.Messages conversation)
    {
        var messages = conversation.Items;
        if (messages is null || messages.Count == 0 || messages.Count > limits.MaxMessages)
            throw new RequestException("messages", $"messages has {messages?.Count ?? 0} entries; expected 1 to {limits.MaxMessages}.");
        for (int i = 0; i < messages.Count; i++)
            if (!ChatTemplate.Roles.Contains(messages[i].Role))
                throw new RequestException($"messages[{i}].role", $"messages[{i}].role is '{messages[i].Role}'; expected one of {string.Join(", ", ChatTemplate.Roles)}.");
        if (conversation.Tools?.Count > limits.MaxTools)
            throw new RequestException("tools", $"tools has {conversation.Tools.Count} entries; expected at most {limits.MaxTools}.");
        long bytes = 0;
        foreach (var (field, text) in ConversationTexts.Of(conversation))
        {
            CheckText(text, field);
            bytes += Encoding.UTF8.GetByteCount(text);
            CheckBytes(bytes, "messages");
        }
    }

    private void CheckName(string? name, string field)
    {
        if (name is null) return;
        CheckText(name, field);
        if (name.Length == 0 || name.Length > limits.MaxSaltLength)
            throw new RequestException(field, Invariant($"{field} has {name.Length} characters; expected 1 to {limits.MaxSaltLength}."));
    }

    private void CheckBytes(long bytes, string field)
    {
        if (bytes > limits.MaxInputBytes)
            throw new RequestException(field, $"{field} has more than {limits.MaxInputBytes} bytes of text; shorten it.");
    }

    // Half a surrogate pair has no UTF-8 form; encoding would silently put U+FFFD there.
    private static void CheckText(string? text, string field)
    {
        if (text is null) throw new RequestException(field, $"{field} is absent; expected a text.");
        for (int at = 0; at < text.Length;)
        {
            if (Rune.TryGetRuneAt(text, at, out var rune)) at += rune.Utf16SequenceLength;
            else throw new RequestException(field, $"{field} has half of a surrogate pair at UTF-16 position {at}; expected well-formed Unicode.");
        }
    }

    private int MaxTokens(int promptTokens, int? asked)
    {
        int room = _capacity - promptTokens;
        if (asked == 0 && room == 0) return 0;
        if (room < 1)
            throw new RequestException("prompt", $"the prompt has {promptTokens} tokens; the model's context holds {_capacity}, " +
                "one of them for the answer. Shorten the prompt.", RequestErrorCode.ContextLengthExceeded);
        if (asked > room)
            throw new RequestException("max_tokens", $"the prompt has {promptTokens} tokens and max_tokens is {asked}, together " +
                $"{(long)promptTokens + asked}; the model's context holds {_capacity}. Lower max_tokens to {room} or shorten the prompt.",
                RequestErrorCode.ContextLengthExceeded);
        return asked ?? Math.Min(room, model.DefaultMaxTokens ?? room);
    }

    private static void Require(bool holds, string field, double found, string expected)
    {
        if (!holds) throw new RequestException(field, Invariant($"{field} is {found}; expected {expected}."));
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
