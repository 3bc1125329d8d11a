using System.Text;
using System.Text.Json;
using OpenEuroLLM.Inference;
using OpenEuroLLM.Serving.OpenAi;

namespace OpenEuroLLM.Serving.Tests.OpenAi;

public sealed class ChatRequestTests
{
    private static readonly ModelInfo Model = new("m", new Lazy<string>(new string('a', 64)), 300, 128, CanChat: true, new Sampling(0.7, 20, 0.9, 1.1, 42));

    [Fact]
    public void Takes_the_models_own_sampling_where_the_request_says_nothing()
    {
        GenerationRequest request = Read("\"top_p\":0.5").Generation;

        Assert.Equal(new Sampling(0.7, 20, 0.5, 1.1, 42), request.Sampling);
        Assert.Null(request.MaxTokens);
        Assert.Null(request.Stop);
        Assert.Equal(1, request.Choices);
    }

    [Fact]
    public void Translates_every_field_that_it_reads()
    {
        ChatRequest request = Read("""
            "temperature":0,"top_p":1,"top_k":3,"repetition_penalty":2,"seed":-1,"n":2,"stop":["a","b"],"max_completion_tokens":7,"stream":true,"stream_options":{"include_usage":true}
            """);

        Assert.Equal(new Sampling(0, 3, 1, 2, ulong.MaxValue), request.Generation.Sampling);
        Assert.Equal(["a", "b"], request.Generation.Stop!);
        Assert.Equal((7, 2), (request.Generation.MaxTokens, request.Generation.Choices));
        Assert.True(request.Stream && request.IncludeUsage);
        Assert.Empty(request.Ignored);
    }

    [Fact]
    public void Reads_roles_and_contents_in_every_allowed_form()
    {
        ChatRequest request = Parse("""
            {"model":"m","messages":[
              {"role":"developer","content":"be kind"},
              {"role":"user","content":[{"type":"text","text":"one "},{"type":"text","text":"two"}]},
              {"role":"assistant","content":"three","refusal":null,"tool_calls":[],"annotations":[],"audio":null}]}
            """);

        Assert.Equal(
            [new ChatMessage("system", "be kind"), new ChatMessage("user", "one two"), new ChatMessage("assistant", "three")],
            Assert.IsType<GenerationInput.Messages>(request.Generation.Input).Items);
    }

    [Fact]
    public void Translates_penalties_bias_and_likelihoods()
    {
        GenerationRequest request = Read("""
            "presence_penalty":0.5,"frequency_penalty":-0.5,"logit_bias":{"5":-100,"6":2.5},"logprobs":true,"top_logprobs":3,"min_p":0.1,"min_tokens":2,
            "stop_token_ids":[7],"ignore_eos":true,"cache_salt":"s"
            """).Generation;

        Assert.Equal((0.5, -0.5, 0.1), (request.Sampling!.PresencePenalty, request.Sampling.FrequencyPenalty, request.Sampling.MinP));
        Assert.Equal(new Dictionary<int, double> { [5] = -100, [6] = 2.5 }, request.Sampling.LogitBias!);
        Assert.Equal((3, 2, true, "s"), (request.Logprobs, request.MinTokens, request.IgnoreEnd, request.CacheSalt));
        Assert.Equal([7], request.StopTokens!);
    }

    [Fact]
    public void Translates_tools_calls_and_their_answers()
    {
        using JsonDocument document = RequestBody.Parse("""
            {"model":"m","tools":[{"type":"function","function":{"name":"weather","description":"now","parameters":{"type":"object"}}}],"messages":[
              {"role":"user","content":"Praha?"},
              {"role":"assistant","content":null,"reasoning_content":"hm","tool_calls":[{"id":"c1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Praha\"}"}}]},
              {"role":"tool","tool_call_id":"c1","content":"rain"}]}
            """u8.ToArray());

        var conversation = Assert.IsType<GenerationInput.Messages>(ChatRequest.Read(document.RootElement, Model with { SupportsTools = true }).Generation.Input);

        Assert.Equal(new ToolDefinition("weather", "now", """{"type":"object"}"""), Assert.Single(conversation.Tools!));
        Assert.Equal(new ToolCall("c1", "weather", """{"city":"Praha"}"""), Assert.Single(conversation.Items[1].ToolCalls!));
        Assert.Equal(("hm", "c1", "rain"), (conversation.Items[1].Reasoning, conversation.Items[2].ToolCallId, conversation.Items[2].Content));
    }

    [Fact]
    public void Takes_fields_whose_value_asks_for_nothing()
    {
        ChatRequest request = Read("""
            "tools":[],"tool_choice":"none","response_format":{"type":"text"},"logprobs":false,"top_logprobs":null,"presence_penalty":0,
            "frequency_penalty":0.0,"logit_bias":{},"modalities":["text"],"reasoning_effort":"none","verbosity":"medium","stop":null,"max_tokens":null
            """);

        Assert.Empty(request.Ignored);
    }

    [Theory]
    [InlineData("\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]", "tools")]
    [InlineData("\"tools\":[{\"type\":\"custom\"}]", "tools[0].type")]
    [InlineData("\"reasoning_effort\":\"high\"", "reasoning_effort")]
    [InlineData("\"modalities\":[\"text\",\"audio\"]", "modalities")]
    [InlineData("\"web_search_options\":{}", "web_search_options")]
    public void Refuses_features_that_do_not_exist_by_name(string field, string name)
    {
        ApiError error = Assert.Throws<ApiException>(() => Read(field)).Error;

        Assert.Equal((400, "unsupported_parameter", name), (error.Status, error.Code, error.Field));
        Assert.Contains($"'{name}'", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"temprature\":1", "temprature", "did you mean 'temperature'?")]
    [InlineData("\"max_token\":1", "max_token", "did you mean 'max_tokens'?")]
    [InlineData("\"zzzzzzzzzzzz\":1", "zzzzzzzzzzzz", "leave it out.")]
    [InlineData("\"stream\":true,\"stream_options\":{\"include_use\":true}", "stream_options.include_use", "did you mean 'stream_options.include_usage'?")]
    public void Refuses_unknown_fields_and_names_the_closest(string fields, string name, string hint)
    {
        ApiError error = Assert.Throws<ApiException>(() => Read(fields)).Error;

        Assert.Equal((400, "unknown_parameter", name), (error.Status, error.Code, error.Field));
        Assert.EndsWith(hint, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"temperature\":\"hot\"", "temperature")]
    [InlineData("\"temperature\":1e999", "temperature")]
    [InlineData("\"max_tokens\":1.5", "max_tokens")]
    [InlineData("\"max_tokens\":99999999999", "max_tokens")]
    [InlineData("\"max_tokens\":true", "max_tokens")]
    [InlineData("\"max_tokens\":5,\"max_completion_tokens\":5", "max_tokens")]
    [InlineData("\"seed\":18446744073709551616", "seed")]
    [InlineData("\"top_logprobs\":3", "top_logprobs")]
    [InlineData("\"logit_bias\":{\"five\":1}", "logit_bias")]
    [InlineData("\"logit_bias\":{\"5\":1,\"05\":1}", "logit_bias")]
    [InlineData("\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"a b\"}}]", "tools[0].function.name")]
    [InlineData("\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}},{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]", "tools")]
    [InlineData("\"stop\":[1]", "stop")]
    [InlineData("\"stop\":{}", "stop")]
    [InlineData("\"stream\":\"yes\"", "stream")]
    [InlineData("\"stream_options\":{\"include_usage\":true}", "stream_options")]
    public void Refuses_values_of_the_wrong_type(string field, string name)
    {
        ApiError error = Assert.Throws<ApiException>(() => Read(field)).Error;

        Assert.Equal((400, "invalid_value", name), (error.Status, error.Code, error.Field));
    }

    [Theory]
    [InlineData("""{"role":"robot","content":"a"}""", "messages[1].role", "invalid_value")]
    [InlineData("""{"role":"tool","content":"a"}""", "messages[1].tool_call_id", "invalid_value")]
    [InlineData("""{"content":"a"}""", "messages[1].role", "invalid_value")]
    [InlineData("""{"role":1,"content":"a"}""", "messages[1].role", "invalid_value")]
    [InlineData("""{"role":"user"}""", "messages[1].content", "invalid_value")]
    [InlineData("""{"role":"user","content":null}""", "messages[1].content", "invalid_value")]
    [InlineData("""{"role":"user","content":5}""", "messages[1].content", "invalid_value")]
    [InlineData("""{"role":"user","content":"a","contents":"b"}""", "messages[1].contents", "unknown_parameter")]
    [InlineData("""{"role":"assistant","content":"a","tool_calls":[{}]}""", "messages[1].tool_calls[0].function", "invalid_value")]
    [InlineData("""{"role":"assistant","tool_calls":[{"id":"1","function":{"name":"f","arguments":"[]"}}]}""", "messages[1].tool_calls[0].function.arguments", "invalid_value")]
    [InlineData("""{"role":"assistant","tool_calls":[{"id":"1","function":{"name":"f","arguments":"{\"a\":1,\"a\":2}"}}]}""", "messages[1].tool_calls[0].function.arguments", "invalid_value")]
    [InlineData("""{"role":"user","content":"a","tool_calls":[{"id":"1","function":{"name":"f","arguments":"{}"}}]}""", "messages[1].tool_calls", "invalid_value")]
    [InlineData("""{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:,"}}]}""", "messages[1].content[0].type", "unsupported_parameter")]
    [InlineData("""{"role":"user","content":[{"type":"text","text":"a"},{"type":"text"}]}""", "messages[1].content[1].text", "invalid_value")]
    [InlineData("""{"role":"user","content":["a"]}""", "messages[1].content[0]", "invalid_value")]
    [InlineData("5", "messages[1]", "invalid_value")]
    public void Refuses_messages_that_it_cannot_render_and_says_which(string message, string name, string code)
    {
        ApiError error = Assert.Throws<ApiException>(() => Parse($$"""{"model":"m","messages":[{"role":"user","content":"a"},{{message}}]}""")).Error;

        Assert.Equal((400, code, name), (error.Status, error.Code, error.Field));
    }

    [Theory]
    [InlineData("max_tokens")]
    [InlineData("max_completion_tokens")]
    public void Names_the_token_limit_as_the_client_did(string name)
    {
        ApiError error = Read($"\"{name}\":5").Names.Translate(new RequestException("max_tokens", "max_tokens is too many", RequestErrorCode.ContextLengthExceeded));

        Assert.Equal(new ApiError(400, "context_length_exceeded", name + " is too many", name), error);
    }

    private static ChatRequest Read(string fields) => Parse($$"""{"model":"m","messages":[{"role":"user","content":"a"}],{{fields}}}""");

    private static ChatRequest Parse(string json)
    {
        using JsonDocument document = RequestBody.Parse(Encoding.UTF8.GetBytes(json));
        return ChatRequest.Read(document.RootElement, Model);
    }
}
