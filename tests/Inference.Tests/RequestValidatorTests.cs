namespace OpenEuroLLM.Inference.Tests;

public sealed class RequestValidatorTests : IDisposable
{
    private readonly TestFolder _folder = new();

    private RequestValidator Validator(int context = 64, int capacity = 1024, string? chatObstacle = null, RequestLimits? limits = null) => new(
        _folder.Tokenizer, new ModelInfo("tiny", new Lazy<string>(""), _folder.Tokenizer.VocabularySize, context, true, new Sampling(0.5, 7)), capacity, chatObstacle,
        limits ?? new RequestLimits());

    private static GenerationRequest Text(string text) => new(new GenerationInput.TextInput(text));

    private static GenerationRequest Chat(params ChatMessage[] messages) => new(new GenerationInput.Messages(messages));

    private void Refuses(GenerationRequest request, string? field, string message, string code = RequestErrorCode.InvalidValue, RequestValidator? validator = null)
    {
        var error = Assert.Throws<RequestException>(() => (validator ?? Validator()).Validate(request));
        Assert.Equal((field, code), (error.Field, error.Code));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void A_text_begins_a_document_and_fills_the_context()
    {
        var request = Validator().Validate(Text("xyz"));
        Assert.Equal([_folder.Tokenizer.Chat.BeginOfText, .. _folder.Tokenizer.Encode("xyz")], request.Prompt);
        Assert.Equal(64 - 4, request.MaxTokens);
        Assert.Equal(new Sampling(0.5, 7), request.Sampling); // the model's own
    }

    [Fact]
    public void Token_ids_are_taken_as_they_are() =>
        Assert.Equal([5, 6], Validator().Validate(new(new GenerationInput.Tokens([5, 6]), Sampling.Greedy, 3)).Prompt);

    [Theory]
    [InlineData(-0.1, 0, 1.0, 1.0, "temperature")]
    [InlineData(2.1, 0, 1.0, 1.0, "temperature")]
    [InlineData(double.NaN, 0, 1.0, 1.0, "temperature")]
    [InlineData(1.0, -1, 1.0, 1.0, "top_k")]
    [InlineData(1.0, 1_000_001, 1.0, 1.0, "top_k")]
    [InlineData(1.0, 0, 0.0, 1.0, "top_p")]
    [InlineData(1.0, 0, 1.01, 1.0, "top_p")]
    [InlineData(1.0, 0, double.NaN, 1.0, "top_p")]
    [InlineData(1.0, 0, 1.0, 0.0, "repetition_penalty")]
    [InlineData(1.0, 0, 1.0, 10.5, "repetition_penalty")]
    public void Sampling_outside_the_table_is_refused(double temperature, int topK, double topP, double repetitionPenalty, string field) =>
        Refuses(Text("a") with { Sampling = new Sampling(temperature, topK, topP, repetitionPenalty) }, field, $"{field} is ");

    public static TheoryData<GenerationRequest, string, string> Refused => new()
    {
        { Text("a") with { Sampling = new Sampling(MinP: -0.1) }, "min_p", "expected 0 to 1" },
        { Text("a") with { Sampling = new Sampling(MinP: double.NaN) }, "min_p", "expected 0 to 1" },
        { Text("a") with { Sampling = new Sampling(TypicalP: 0) }, "typical_p", "above 0, up to 1" },
        { Text("a") with { Sampling = new Sampling(PresencePenalty: 2.1) }, "presence_penalty", "-2 to 2" },
        { Text("a") with { Sampling = new Sampling(FrequencyPenalty: double.NaN) }, "frequency_penalty", "-2 to 2" },
        { Text("a") with { Sampling = new Sampling(LogitBias: new Dictionary<int, double> { [100_000] = 1 }) }, "logit_bias", "a token id from 0 to" },
        { Text("a") with { Sampling = new Sampling(LogitBias: new Dictionary<int, double> { [5] = 101 }) }, "logit_bias[5]", "-100 to 100" },
        { Text("a") with { Sampling = new Sampling(LogitBias: Enumerable.Range(0, 1025).ToDictionary(id => id, _ => 1.0)) }, "logit_bias", "at most 1024" },
        { Text("a") with { StopTokens = [-1] }, "stop_token_ids[0]", "a token id from 0 to" },
        { Text("a") with { StopTokens = new int[65] }, "stop_token_ids", "at most 64" },
        { Text("a") with { MinTokens = -1 }, "min_tokens", "expected 0 to max_tokens" },
        { Text("a") with { MinTokens = 6, MaxTokens = 5 }, "min_tokens", "expected 0 to max_tokens (5)" },
        { Text("a") with { Logprobs = 21 }, "logprobs", "expected 0 to 20" },
        { Text("a") with { PromptLogprobs = -1 }, "prompt_logprobs", "expected 0 to 20" },
        { Text("a") with { MaxTokens = 0, Logprobs = 1 }, "max_tokens", "expected 1 or more" },
        { Text("a") with { Speculation = new Speculation(0) }, "speculation.tokens", "expected 1 to 64" },
        { Text("a") with { Speculation = new Speculation(4, 0) }, "speculation.min_match", "expected 1 to 64" },
        { Text("a") with { Speculation = new Speculation(4, 5, 4) }, "speculation.max_match", "expected 5 (min_match) to 64" },
        { Text("a") with { CacheSalt = "" }, "cache_salt", "expected 1 to 256" },
    };

    [Theory]
    [MemberData(nameof(Refused), DisableDiscoveryEnumeration = true)]
    public void Everything_else_outside_the_table_is_refused(GenerationRequest request, string field, string message) => Refuses(request, field, message);

    [Theory]
    [InlineData(0.0, 0, 1.0, 0.01)]
    [InlineData(2.0, 1_000_000, 0.0001, 10.0)]
    public void The_ends_of_the_table_are_allowed(double temperature, int topK, double topP, double repetitionPenalty) =>
        Assert.NotNull(Validator().Validate(Text("a") with { Sampling = new Sampling(temperature, topK, topP, repetitionPenalty) }));

    [Theory]
    [InlineData(0)]
    [InlineData(-5)]
    [InlineData(int.MinValue)]
    public void An_answer_has_at_least_one_token(int tokens) => Refuses(Text("a") with { MaxTokens = tokens }, "max_tokens", "expected 1 or more");

    [Fact]
    public void Prompt_and_answer_must_fit_into_the_context()
    {
        Assert.Equal(62, Validator().Validate(Text("x") with { MaxTokens = 62 }).MaxTokens);
        Refuses(Text("x") with { MaxTokens = 63 }, "max_tokens", "the prompt has 2 tokens and max_tokens is 63, together 65; the model's context holds 64",
            RequestErrorCode.ContextLengthExceeded);
        Refuses(Text("x") with { MaxTokens = int.MaxValue }, "max_tokens", "together 2147483649", RequestErrorCode.ContextLengthExceeded);
        Refuses(Text(new string('x', 63)), "prompt", "the prompt has 64 tokens; the model's context holds 64", RequestErrorCode.ContextLengthExceeded);
        Assert.Equal(1, Validator().Validate(Text(new string('x', 62))).MaxTokens);
    }

    [Fact]
    public void What_never_fits_into_the_cache_is_refused_as_well() => Refuses(Text("x") with { MaxTokens = 40 }, "max_tokens", "holds 32",
        RequestErrorCode.ContextLengthExceeded, Validator(capacity: 32));

    [Fact]
    public void The_number_of_answers_is_limited()
    {
        Refuses(Text("a") with { Choices = 0 }, "n", "expected 1 to 16");
        Refuses(Text("a") with { Choices = 17 }, "n", "n is 17");
    }

    [Fact]
    public void Stop_texts_are_limited_in_number_and_in_characters()
    {
        Refuses(Text("a") with { Stop = ["a", ""] }, "stop[1]", "has 0 characters");
        Refuses(Text("a") with { Stop = [.. Enumerable.Range(0, 17).Select(i => $"{i}")] }, "stop", "17 texts");
        Refuses(Text("a") with { Stop = [string.Concat(Enumerable.Repeat("\U0001F600", 257))] }, "stop[0]", "has 257 characters");
        Assert.NotNull(Validator().Validate(Text("a") with { Stop = [string.Concat(Enumerable.Repeat("\U0001F600", 256))] }));
        Refuses(Text("a") with { Stop = ["a\ud83d"] }, "stop[0]", "half of a surrogate pair at UTF-16 position 1");
    }

    [Fact]
    public void Half_of_a_surrogate_pair_is_refused_not_replaced()
    {
        Refuses(Text("ab\ud83d!"), "prompt", "UTF-16 position 2");
        Refuses(Chat(new("user", "fine"), new("user", "\ude00")), "messages[1].content", "UTF-16 position 0");
    }

    [Fact]
    public void Roles_outside_the_template_are_refused()
    {
        Refuses(Chat(new("user", "a"), new("narrator", "b")), "messages[1].role", "is 'narrator'; expected one of system, developer, user, assistant, tool");
        Refuses(Chat(new("user", "a"), new("tool", "b")), "messages", "refuses the conversation: unknown role tool");
    }

    [Fact]
    public void A_conversation_needs_a_message_and_has_a_limit()
    {
        Refuses(Chat(), "messages", "has 0 entries");
        Refuses(Chat([.. Enumerable.Repeat(new ChatMessage("user", ""), 4097)]), "messages", "has 4097 entries");
    }

    [Fact]
    public void A_model_without_template_refuses_conversations_and_continues_text()
    {
        var validator = Validator(chatObstacle: "no template");
        Refuses(Chat(new ChatMessage("user", "a")), "messages", "no template", RequestErrorCode.ChatNotSupported, validator);
        Assert.NotNull(validator.Validate(Text("a")));
    }

    [Fact]
    public void Very_long_input_is_refused_before_it_is_encoded()
    {
        var validator = Validator(limits: new RequestLimits(MaxInputBytes: 10));
        Refuses(Text("12345678901"), "prompt", "more than 10 bytes", validator: validator);
        Refuses(Chat(new("user", "123456"), new("user", "ééé")), "messages", "more than 10 bytes", validator: validator);
        Assert.NotNull(validator.Validate(Chat(new("user", "1234"), new("user", "ééé"))));
    }

    [Fact]
    public void Token_ids_must_be_of_the_vocabulary()
    {
        int size = _folder.Tokenizer.VocabularySize;
        Refuses(new(new GenerationInput.Tokens([0, size])), "prompt[1]", $"expected a token id from 0 to {size - 1}");
        Refuses(new(new GenerationInput.Tokens([-1])), "prompt[0]", "prompt[0] is -1");
        Refuses(new(new GenerationInput.Tokens([])), "prompt", "has no tokens");
    }

    public void Dispose() => _folder.Dispose();
}
