using System.Globalization;
using System.Text;
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
    int[] Prompt, Sampling Sampling, int MaxTokens, IReadOnlyList<string> Stop, int Choices, int Priority, DateTimeOffset? Deadline);

/// <summary>The one place where requests are checked, against the one table of limits.</summary>
internal sealed class RequestValidator(Tokenizer tokenizer, ModelInfo model, int capacity, string? chatObstacle, RequestLimits limits)
{
    // What fits at most: the model's context, or the whole key/value cache when that is smaller.
    private readonly int _capacity = Math.Min(model.ContextLength, capacity);

    /// <summary>The model's chat template; null for this project's own.</summary>
    public ChatTemplate? Chat { get; init; }

    /// <exception cref="RequestException">Something is outside the limits.</exception>
    public ValidatedRequest Validate(GenerationRequest request)
    {
        var sampling = request.Sampling ?? model.DefaultSampling;
        Check(sampling, limits);
        Require(request.Choices >= 1 && request.Choices <= limits.MaxChoices, "n", request.Choices, $"1 to {limits.MaxChoices}");
        if (request.MaxTokens is int asked) Require(asked >= 1, "max_tokens", asked, "1 or more");
        var stop = request.Stop ?? [];
        CheckStop(stop);
        var prompt = Encode(request.Input);
        return new ValidatedRequest(prompt, sampling, MaxTokens(prompt.Length, request.MaxTokens), stop,
            request.Choices, request.Priority, request.Deadline);
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
    }

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

    private int[] Encode(GenerationInput input)
    {
        switch (input)
        {
            case GenerationInput.Messages conversation:
                if (chatObstacle is not null) throw new RequestException("messages", chatObstacle, RequestErrorCode.ChatNotSupported);
                CheckMessages(conversation);
                return (Chat ?? ChatTemplate.Own(tokenizer)).Render(conversation, addGenerationPrompt: true);
            case GenerationInput.TextInput(var text):
                CheckText(text, "prompt");
                CheckBytes(Encoding.UTF8.GetByteCount(text), "prompt");
                return EncodeDocument(tokenizer, text);
            case GenerationInput.Tokens(var ids):
                if (ids is null || ids.Count == 0) throw new RequestException("prompt", "prompt has no tokens; expected at least one.");
                for (int i = 0; i < ids.Count; i++)
                    Require(ids[i] >= 0 && ids[i] < model.VocabularySize, $"prompt[{i}]", ids[i], $"a token id from 0 to {model.VocabularySize - 1}");
                return [.. ids];
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

    /// <summary>The token that begins every document, or null when the tokenizer has none.</summary>
    public static int? BeginOfText(Tokenizer tokenizer) =>
        tokenizer.TokenId(SpecialTokens.BeginOfText) is int id && tokenizer.IsSpecial(id) ? id : null;

    private void CheckMessages(GenerationInput.Messages conversation)
    {
        var messages = conversation.Items;
        if (messages is null || messages.Count == 0 || messages.Count > limits.MaxMessages)
            throw new RequestException("messages", $"messages has {messages?.Count ?? 0} entries; expected 1 to {limits.MaxMessages}.");
        for (int i = 0; i < messages.Count; i++)
            if (!ChatTemplate.Roles.Contains(messages[i].Role))
                throw new RequestException($"messages[{i}].role", $"messages[{i}].role is '{messages[i].Role}'; expected one of {string.Join(", ", ChatTemplate.Roles)}.");
        long bytes = 0;
        foreach (var (field, text) in ConversationTexts.Of(conversation))
        {
            CheckText(text, field);
            bytes += Encoding.UTF8.GetByteCount(text);
            CheckBytes(bytes, "messages");
        }
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
        if (room < 1)
            throw new RequestException("prompt", $"the prompt has {promptTokens} tokens; the model's context holds {_capacity}, " +
                "one of them for the answer. Shorten the prompt.", RequestErrorCode.ContextLengthExceeded);
        if (asked > room)
            throw new RequestException("max_tokens", $"the prompt has {promptTokens} tokens and max_tokens is {asked}, together " +
                $"{(long)promptTokens + asked}; the model's context holds {_capacity}. Lower max_tokens to {room} or shorten the prompt.",
                RequestErrorCode.ContextLengthExceeded);
        return asked ?? room;
    }

    private static void Require(bool holds, string field, double found, string expected)
    {
        if (!holds) throw new RequestException(field, Invariant($"{field} is {found}; expected {expected}."));
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
