using System.Text.Json;
using static OpenEuroLLM.Serving.Tests.OpenAi.Responses.ResponseEvents;

namespace OpenEuroLLM.Serving.Tests.OpenAi.Responses;

/// <summary>Whatever comes in: the right status, the dialect's shape of an error, and the next request is served.</summary>
public sealed class ResponseBadRequestTests(SmallModel model) : IAsyncLifetime, IClassFixture<SmallModel>
{
    private const string Call = """{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}""";
    private const string Output = """{"type":"function_call_output","call_id":"c","output":"x"}""";
    private RunningServer server = null!;

    public async ValueTask InitializeAsync() => server = await RunningServer.StartAsync(model.Engine);

    public async ValueTask DisposeAsync()
    {
        Assert.Equal("incomplete", (await server.RespondAsync("""{"model":"small","input":"a","max_output_tokens":1}""")).GetProperty("status").GetString());
        await server.DisposeAsync();
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{\"model\":\"small\",\"input\":\"a\"} {}")]
    [InlineData("{\"model\":\"small\",\"input\":\"a\",\"input\":\"b\"}")]
    [InlineData("{\"model\":\"small\",\"input\":[{\"role\":\"user\",\"content\":\"a\",\"content\":\"b\"}]}")]
    [InlineData("{\"model\":\"small\",\"input\":\"\\ud800\"}")]
    [InlineData("{\"model\":\"small\",\"input\":\"a\",\"temperature\":NaN}")]
    [InlineData("{\"model\":\"small\",\"input\":\"a\",\"temperature\":1e}")]
    public async Task Malformed_or_ambiguous_json_is_400(string body)
    {
        Assert.Equal((400, "invalid_json"), (await server.ErrorAsync(body)).Kind);
    }

    [Theory]
    [InlineData(60, 400, "invalid_value")]
    [InlineData(70, 400, "invalid_json")]
    [InlineData(100_000, 400, "invalid_json")]
    public async Task Deep_nesting_is_400(int depth, int status, string code)
    {
        string body = "{\"model\":\"small\",\"input\":" + new string('[', depth) + new string(']', depth) + "}";

        Assert.Equal((status, code), (await server.ErrorAsync(body)).Kind);
    }

    [Theory]
    [InlineData("{\"model\":\"other\",\"input\":\"a\"}", 404, "model_not_found", "model")]
    [InlineData("{\"input\":\"a\"}", 400, "invalid_value", "model")]
    [InlineData("{\"model\":\"small\"}", 400, "invalid_value", "input")]
    [InlineData("{\"model\":\"small\",\"input\":[]}", 400, "invalid_value", "input")]
    [InlineData("{\"model\":\"small\",\"input\":7}", 400, "invalid_value", "input")]
    [InlineData("{\"model\":\"small\",\"input\":{\"role\":\"user\",\"content\":\"a\"}}", 400, "invalid_value", "input")]
    [InlineData("{\"model\":\"small\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}", 400, "unknown_parameter", "messages")]
    public async Task What_is_not_even_a_request_is_refused(string body, int status, string code, string field)
    {
        ReceivedError error = await server.ErrorAsync(body);

        Assert.Equal((status, code, field), (error.Status, error.Code, error.Field));
    }

    [Theory]
    [InlineData("7", "invalid_value", "input[0]")]
    [InlineData("null", "invalid_value", "input[0]")]
    [InlineData("{}", "invalid_value", "input[0].type")]
    [InlineData("{\"type\":\"poem\"}", "invalid_value", "input[0].type")]
    [InlineData("{\"type\":7}", "invalid_value", "input[0].type")]
    [InlineData("{\"type\":\"web_search_call\",\"id\":\"ws_1\"}", "unsupported_parameter", "input[0].type")]
    [InlineData("{\"role\":\"king\",\"content\":\"a\"}", "invalid_value", "input[0].role")]
    [InlineData("{\"role\":\"tool\",\"content\":\"a\"}", "invalid_value", "input[0].role")]
    [InlineData("{\"type\":\"message\",\"content\":\"a\"}", "invalid_value", "input[0].role")]
    [InlineData("{\"role\":\"user\"}", "invalid_value", "input[0].content")]
    [InlineData("{\"role\":\"user\",\"content\":7}", "invalid_value", "input[0].content")]
    [InlineData("{\"role\":\"user\",\"content\":[7]}", "invalid_value", "input[0].content[0]")]
    [InlineData("{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"}]}", "unsupported_parameter", "input[0].content[0].type")]
    [InlineData("{\"role\":\"user\",\"content\":[{\"type\":\"output_text\",\"text\":\"a\"}]}", "unsupported_parameter", "input[0].content[0].type")]
    [InlineData("{\"role\":\"assistant\",\"content\":[{\"type\":\"input_text\",\"text\":\"a\"}]}", "unsupported_parameter", "input[0].content[0].type")]
    [InlineData("{\"role\":\"user\",\"content\":[{\"type\":\"input_image\",\"image_url\":\"http://127.0.0.1/a.png\"}]}", "unsupported_parameter", "input[0].content[0].type")]
    [InlineData("{\"role\":\"user\",\"content\":[{\"type\":\"input_text\"}]}", "invalid_value", "input[0].content[0].text")]
    [InlineData("{\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"a\",\"bold\":true}]}", "unknown_parameter", "input[0].content[0].bold")]
    [InlineData("{\"role\":\"user\",\"content\":\"a\",\"tool_calls\":[]}", "unknown_parameter", "input[0].tool_calls")]
    [InlineData("{\"role\":\"user\",\"content\":\"a\",\"status\":\"done\"}", "invalid_value", "input[0].status")]
    [InlineData("{\"role\":\"user\",\"content\":\"a\",\"id\":\"\"}", "invalid_value", "input[0].id")]
    [InlineData(Output, "invalid_value", "input")]
    [InlineData(Call, "invalid_value", "input")]
    [InlineData(Output + "," + Call, "invalid_value", "input")]
    [InlineData(Call + "," + Output + "," + Output, "invalid_value", "input")]
    [InlineData(Call + "," + Call + "," + Output, "invalid_value", "input")]
    [InlineData("{\"type\":\"function_call\",\"call_id\":\"c\",\"name\":\"f\",\"arguments\":\"[]\"}", "invalid_value", "input[0].arguments")]
    [InlineData("{\"type\":\"function_call\",\"call_id\":\"c\",\"name\":\"f\",\"arguments\":\"{\"}", "invalid_value", "input[0].arguments")]
    [InlineData("{\"type\":\"function_call\",\"call_id\":\"c\",\"name\":\"a b\",\"arguments\":\"{}\"}", "invalid_value", "input[0].name")]
    [InlineData("{\"type\":\"function_call\",\"name\":\"f\",\"arguments\":\"{}\"}", "invalid_value", "input[0].call_id")]
    [InlineData("{\"type\":\"function_call_output\",\"call_id\":\"c\"}", "invalid_value", "input[0].output")]
    [InlineData("{\"type\":\"reasoning\",\"summary\":\"x\"}", "invalid_value", "input[0].summary")]
    [InlineData("{\"role\":\"user\",\"content\":\"a\",\"id\":\"m\"},{\"role\":\"user\",\"content\":\"b\",\"id\":\"m\"}", "invalid_value", "input")]
    public async Task Items_that_cannot_be_are_400_with_their_place(string items, string code, string field)
    {
        foreach (string stream in new[] { "", ",\"stream\":true" })
        {
            ReceivedError error = await server.ErrorAsync($"{{\"model\":\"small\",\"input\":[{items}]{stream}}}");

            Assert.Equal((400, code, field), (error.Status, error.Code, error.Field));
        }
    }

    [Theory]
    [InlineData("msg_1")]
    [InlineData("msg_00000000000000000000000000000000o0")]
    [InlineData("_")]
    [InlineData("resp_")]
    public async Task References_to_what_is_not_there_are_404(string id)
    {
        ReceivedError item = await server.ErrorAsync($$"""{"model":"small","input":[{"role":"user","content":"a"},{"id":"{{id}}"}]}""");
        ReceivedError response = await server.ErrorAsync($$"""{"model":"small","input":"a","previous_response_id":"{{id}}"}""");

        Assert.Equal((404, "item_not_found", "input[1]"), (item.Status, item.Code, item.Field));
        Assert.Equal((404, "previous_response_not_found", "previous_response_id"), (response.Status, response.Code, response.Field));
    }

    [Theory]
    [InlineData("\"max_output_tokens\":0", "invalid_value", "max_output_tokens")]
    [InlineData("\"max_output_tokens\":-5", "invalid_value", "max_output_tokens")]
    [InlineData("\"max_output_tokens\":1e400", "invalid_value", "max_output_tokens")]
    [InlineData("\"max_output_tokens\":99999999999999999999", "invalid_value", "max_output_tokens")]
    [InlineData("\"max_output_tokens\":2147483647", "context_length_exceeded", "max_output_tokens")]
    [InlineData("\"temperature\":3", "invalid_value", "temperature")]
    [InlineData("\"temperature\":1e999", "invalid_value", "temperature")]
    [InlineData("\"temperature\":\"warm\"", "invalid_value", "temperature")]
    [InlineData("\"top_p\":0", "invalid_value", "top_p")]
    [InlineData("\"top_logprobs\":21", "invalid_value", "top_logprobs")]
    [InlineData("\"top_logprobs\":-1", "invalid_value", "top_logprobs")]
    [InlineData("\"include\":[\"everything\"]", "invalid_value", "include")]
    [InlineData("\"include\":\"everything\"", "invalid_value", "include")]
    [InlineData("\"truncation\":\"middle\"", "invalid_value", "truncation")]
    [InlineData("\"background\":true", "unsupported_parameter", "background")]
    [InlineData("\"conversation\":\"conv_1\"", "unsupported_parameter", "conversation")]
    [InlineData("\"prompt\":{\"id\":\"pmpt_1\"}", "unsupported_parameter", "prompt")]
    [InlineData("\"parallel_tool_calls\":\"yes\"", "invalid_value", "parallel_tool_calls")]
    [InlineData("\"stream\":\"yes\"", "invalid_value", "stream")]
    [InlineData("\"stream_options\":{\"include_usage\":true}", "unknown_parameter", "stream_options.include_usage")]
    [InlineData("\"stream_options\":{}", "invalid_value", "stream_options")]
    [InlineData("\"store\":\"yes\"", "invalid_value", "store")]
    [InlineData("\"metadata\":{\"a\":1}", "invalid_value", "metadata.a")]
    [InlineData("\"metadata\":{\"\":\"a\"}", "invalid_value", "metadata")]
    [InlineData("\"metadata\":[]", "invalid_value", "metadata")]
    [InlineData("\"reasoning\":{\"effort\":\"endless\"}", "invalid_value", "reasoning.effort")]
    [InlineData("\"reasoning\":\"high\"", "invalid_value", "reasoning")]
    [InlineData("\"text\":{\"format\":{\"type\":\"poem\"}}", null, null)]
    [InlineData("\"text\":{\"verbosity\":\"high\"}", "unsupported_parameter", "text.verbosity")]
    [InlineData("\"tools\":[{\"type\":\"web_search\"}]", "unsupported_parameter", "tools[0].type")]
    [InlineData("\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]", "unknown_parameter", "tools[0].function")]
    [InlineData("\"tools\":[{\"type\":\"function\",\"name\":\"f\"},{\"type\":\"function\",\"name\":\"f\"}]", "invalid_value", "tools")]
    [InlineData("\"tools\":[{\"type\":\"function\",\"name\":\"f\",\"parameters\":[]}]", "invalid_value", "tools[0].parameters")]
    [InlineData("\"tools\":{}", "invalid_value", "tools")]
    [InlineData("\"prompt_cache_key\":\"\"", "invalid_value", "prompt_cache_key")]
    [InlineData("\"instructions\":[]", "invalid_value", "instructions")]
    [InlineData("\"max_tokens\":5", "unknown_parameter", "max_tokens")]
    public async Task Fields_with_impossible_values_are_400_with_their_name(string field, string? code, string? name)
    {
        foreach (string stream in field.StartsWith("\"stream", StringComparison.Ordinal) ? [""] : new[] { "", ",\"stream\":true" })
        {
            ReceivedError error = await server.ErrorAsync($"{{\"model\":\"small\",\"input\":\"a\",{field}{stream}}}");

            Assert.Equal(400, error.Status);
            if (code is not null) Assert.Equal((code, name), (error.Code, error.Field));
        }
    }

    [Fact]
    public async Task Ten_thousand_items_are_refused_by_their_number_and_never_computed()
    {
        string items = string.Join(',', Enumerable.Repeat("""{"role":"user","content":"a"}""", 10_000));
        string calls = string.Join(',', Enumerable.Repeat(Call + "," + Output, 10_000));
        string references = string.Join(',', Enumerable.Repeat("""{"id":"msg_00000000000000000000000000000000o0"}""", 10_000));

        ReceivedError many = await server.ErrorAsync($$"""{"model":"small","input":[{{items}}]}""");
        ReceivedError auto = await server.ErrorAsync($$"""{"model":"small","input":[{{calls}}],"truncation":"auto"}""");
        ReceivedError named = await server.ErrorAsync($$"""{"model":"small","input":[{{references}}]}""");

        Assert.Equal((400, "invalid_value", "input"), (many.Status, many.Code, many.Field));
        Assert.Contains("10000", many.Message, StringComparison.Ordinal);
        Assert.Equal(400, auto.Status);
        Assert.Equal((404, "item_not_found"), named.Kind);
    }

    [Fact]
    public async Task Special_tokens_in_items_stay_text()
    {
        JsonElement response = await server.RespondAsync("""{"model":"small","input":[{"role":"user","content":[{"type":"input_text","text":"<|end_of_turn|>"}]}],"max_output_tokens":1}""");

        Assert.Equal(4 + "<|end_of_turn|>".Length, response.GetProperty("usage").GetProperty("input_tokens").GetInt32());
    }

    [Fact]
    public async Task Other_methods_and_addresses_are_refused()
    {
        string id = IdOf(await server.RespondAsync("""{"model":"small","input":"a","max_output_tokens":1}"""));
        foreach ((string method, string path, int status) in new[]
        {
            ("GET", "/v1/responses", 405), ("PUT", "/v1/responses/" + id, 405), ("POST", "/v1/responses/" + id, 405), ("DELETE", $"/v1/responses/{id}/input_items", 405),
            ("GET", $"/v1/responses/{id}/output_items", 404), ("POST", "/v1/responses/compact", 405), ("GET", "/v1/responses/resp_" + new string('x', 5_000), 404),
            ("GET", "/v1/responses/..%2fmodels", 404),
        })
        {
            ReceivedError error = await server.ErrorAsync(new HttpRequestMessage(new HttpMethod(method), path));
            Assert.True(status == error.Status, $"{method} {path}: {error.Status}");
            Assert.InRange(error.Message.Length, 1, 300);
        }
    }
}
