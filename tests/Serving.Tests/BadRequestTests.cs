using System.Net.Http.Headers;

namespace OpenEuroLLM.Serving.Tests;

/// <summary>Whatever comes in: an error in the dialect's shape, and the next request is served.</summary>
public sealed class BadRequestTests : IAsyncLifetime
{
    private const string Good = """{"model":"test-model","messages":[{"role":"user","content":"a"}]}""";
    private readonly ScriptedEngine engine = new();
    private RunningServer server = null!;

    public async ValueTask InitializeAsync() => server = await RunningServer.StartAsync(engine, new ServerOptions(MaxBodyBytes: 100_000));

    public async ValueTask DisposeAsync()
    {
        engine.Requests.Clear();
        var (response, _) = await server.ChatAsync(Good);
        Assert.Equal(200, (int)response.StatusCode);
        Assert.Single(engine.Requests);
        await server.DisposeAsync();
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("\"text\"")]
    [InlineData("{} {}")]
    [InlineData("{'model':1}")]
    [InlineData("{\"model\":\"test-model\",}")]
    [InlineData("/* why */ {}")]
    [InlineData("{\"model\":\"a\",\"model\":\"b\"}")]
    [InlineData("{\"model\":\"a\",\"mod\\u0065l\":\"b\"}")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"role\":\"system\"}]}")]
    [InlineData("{\"model\":\"\\ud800\"}")]
    [InlineData("{\"\\ud800\":1}")]
    [InlineData("{\"temperature\":NaN}")]
    public async Task Malformed_or_ambiguous_json_is_400(string body)
    {
        ReceivedError error = await server.ErrorAsync(RunningServer.ChatRequest(body));

        Assert.Equal((400, "invalid_request_error", "invalid_json"), (error.Status, error.Type, error.Code));
        Assert.Empty(engine.Requests);
    }

    [Fact]
    public async Task Bytes_that_are_not_utf8_are_400()
    {
        HttpRequestMessage request = RunningServer.ChatRequest("");
        request.Content = new ByteArrayContent([.. "{\"model\":\""u8, 0xC3, 0x28, .. "\"}"u8]);
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");

        Assert.Equal("invalid_json", (await server.ErrorAsync(request)).Code);
    }

    [Theory]
    [InlineData(64, "unknown_parameter")]
    [InlineData(65, "invalid_json")]
    [InlineData(40_000, "invalid_json")]
    public async Task Nesting_is_bounded_at_64_levels(int depth, string code)
    {
        string body = "{\"x\":" + new string('[', depth - 1) + new string(']', depth - 1) + "}";

        Assert.Equal((400, code), (await server.ErrorAsync(RunningServer.ChatRequest(body))).Kind);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_body_over_the_limit_is_413(bool chunked)
    {
        HttpRequestMessage request = RunningServer.ChatRequest(Good + new string(' ', 100_000));
        request.Headers.TransferEncodingChunked = chunked;

        ReceivedError error = await server.ErrorAsync(request);

        Assert.Equal((413, "request_too_large"), error.Kind);
        Assert.Contains("100000 bytes", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/json; charset=utf-16")]
    [InlineData(null)]
    public async Task Another_content_type_is_415(string? type)
    {
        HttpRequestMessage request = RunningServer.ChatRequest(Good);
        request.Content!.Headers.ContentType = type is null ? null : MediaTypeHeaderValue.Parse(type);

        Assert.Equal((415, "unsupported_content_type"), (await server.ErrorAsync(request)).Kind);
    }

    [Fact]
    public async Task A_compressed_body_is_415()
    {
        HttpRequestMessage request = RunningServer.ChatRequest(Good);
        request.Content!.Headers.ContentEncoding.Add("gzip");

        Assert.Equal(415, (await server.ErrorAsync(request)).Status);
    }

    [Fact]
    public async Task An_unknown_model_is_404_and_names_the_known_one()
    {
        ReceivedError error = await server.ErrorAsync(RunningServer.ChatRequest("""{"model":"other","messages":[{"role":"user","content":"a"}]}"""));

        Assert.Equal(new ReceivedError(404, "invalid_request_error", "model_not_found", "model", "The model 'other' does not exist here; this server has 'test-model'."), error);
        Assert.Equal("model_not_found", (await server.ErrorAsync(new HttpRequestMessage(HttpMethod.Get, "/v1/models/other/name"))).Code);
    }

    [Fact]
    public async Task A_missing_model_is_400()
    {
        Assert.Equal("model", (await server.ErrorAsync(RunningServer.ChatRequest("""{"messages":[{"role":"user","content":"a"}]}"""))).Field);
    }

    [Fact]
    public async Task A_huge_unknown_name_is_shown_short_and_without_control_characters()
    {
        ReceivedError error = await server.ErrorAsync(RunningServer.ChatRequest("{\"\\u0000\\u001b" + new string('x', 90_000) + "\":1}"));

        Assert.Equal("unknown_parameter", error.Code);
        Assert.InRange(error.Message.Length, 1, 200);
        Assert.DoesNotContain(error.Message, char.IsControl);
    }

    [Theory]
    [InlineData("GET", "/v1/nothing", 404, "unknown_url")]
    [InlineData("GET", "/page/../GatewayHost.cs", 404, "unknown_url")]
    [InlineData("GET", "/page/%2e%2e%2fchat.css", 404, "unknown_url")]
    [InlineData("GET", "/v1/chat/completions", 405, "method_not_allowed")]
    [InlineData("DELETE", "/v1/models/test-model", 405, "method_not_allowed")]
    public async Task Other_routes_and_methods_are_refused(string method, string path, int status, string code)
    {
        ReceivedError error = await server.ErrorAsync(new HttpRequestMessage(new HttpMethod(method), path));

        Assert.Equal((status, code), error.Kind);
    }

    [Fact]
    public async Task A_defect_is_500_with_the_id_to_look_for_and_nothing_else()
    {
        var log = new StringWriter();
        var failing = new ScriptedEngine { Script = (_, _) => throw new ArithmeticException("a secret of the prompt") };
        await using RunningServer broken = await RunningServer.StartAsync(failing, log: log);

        var (response, body) = await broken.ChatAsync(Good);

        ReceivedError error = ReceivedError.Parse((int)response.StatusCode, body);
        Assert.Equal((500, "server_error"), (error.Status, error.Type));
        string id = response.Headers.GetValues("x-request-id").Single();
        Assert.Contains(id, error.Message, StringComparison.Ordinal);
        Assert.Contains(id, log.ToString(), StringComparison.Ordinal);
        Assert.Contains(nameof(ArithmeticException), log.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", body + log, StringComparison.Ordinal);
    }
}
