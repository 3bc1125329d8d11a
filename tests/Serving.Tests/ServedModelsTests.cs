using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.Tests;

/// <summary>Several real models behind one server, chosen by name.</summary>
public sealed class ServedModelsTests(SmallModel model) : IClassFixture<SmallModel>
{
    // A fixed cache makes the size of a model a fixed number.
    private static readonly EngineLimits Limits = new(CacheTokens: 512);
    private readonly ConcurrentQueue<string> report = [];

    private long Bytes
    {
        get
        {
            ModelCatalogue catalogue = ModelCatalogue.Open([new OfferedModel(model.Path)], new CatalogueOptions(Limits: Limits));
            return catalogue.Models[0].Bytes;
        }
    }

    private ModelCatalogue Catalogue(double room, params string[] names) => ModelCatalogue.Open(
        [.. names.Select(name => new OfferedModel(model.Path, name))], new CatalogueOptions((long)(Bytes * room), Threads: 1, Limits: Limits), report.Enqueue);

    private static string Chat(string name, int seed = 7) =>
        $$"""{"model":"{{name}}","max_tokens":12,"seed":{{seed}},"messages":[{"role":"user","content":"ahoj"}]}""";

    private static HttpRequestMessage[] InEveryDialect(string name) =>
    [
        RunningServer.ChatRequest(Chat(name)),
        RunningServer.Request("/v1/completions", $$"""{"model":"{{name}}","prompt":"ahoj","max_tokens":3}"""),
        RunningServer.Request("/v1/embeddings", $$"""{"model":"{{name}}","input":"ahoj"}"""),
        RunningServer.Request("/tokenize", $$"""{"model":"{{name}}","prompt":"ahoj"}"""),
        RunningServer.Request("/detokenize", $$"""{"model":"{{name}}","tokens":[70,71]}"""),
        RunningServer.Request("/v1/messages", $$"""{"model":"{{name}}","max_tokens":3,"messages":[{"role":"user","content":"ahoj"}]}"""),
        RunningServer.Request("/v1/messages/count_tokens", $$"""{"model":"{{name}}","messages":[{"role":"user","content":"ahoj"}]}"""),
        RunningServer.Request($"/v1beta/models/{name}:generateContent", """{"contents":[{"parts":[{"text":"ahoj"}]}],"generationConfig":{"maxOutputTokens":3}}"""),
        RunningServer.Request($"/v1beta/models/{name}:streamGenerateContent?alt=sse", """{"contents":[{"parts":[{"text":"ahoj"}]}],"generationConfig":{"maxOutputTokens":3}}"""),
        RunningServer.Request($"/v1beta/models/{name}:countTokens", """{"contents":[{"parts":[{"text":"ahoj"}]}]}"""),
        RunningServer.Request($"/v1beta/models/{name}:embedContent", """{"content":{"parts":[{"text":"ahoj"}]}}"""),
    ];

    private static async Task<(int Status, string Body, int? RetryAfter)> SendAsync(RunningServer server, HttpRequestMessage request)
    {
        using HttpResponseMessage response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        string? retry = response.Headers.TryGetValues("Retry-After", out IEnumerable<string>? values) ? values.Single() : null;
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), retry is null ? null : int.Parse(retry, CultureInfo.InvariantCulture));
    }

    private static async Task<string> StatesAsync(RunningServer server)
    {
        JsonElement list = JsonElement.Parse(await server.Client.GetStringAsync(new Uri("/v1/models", UriKind.Relative), TestContext.Current.CancellationToken));
        return string.Join(' ', list.GetProperty("data").EnumerateArray().Select(each => $"{each.GetProperty("id").GetString()}:{each.GetProperty("state").GetString()}"));
    }

    [Fact]
    public async Task Every_dialect_chooses_by_name_and_names_the_model_that_answered()
    {
        await using ModelCatalogue catalogue = Catalogue(5, "one", "org/two:q8");
        await using RunningServer server = await RunningServer.StartAsync(catalogue);
        Assert.Equal("one:unloaded org/two:q8:unloaded", await StatesAsync(server));

        foreach (string name in new[] { "org/two:q8", "one" })
        {
            foreach (HttpRequestMessage request in InEveryDialect(name))
            {
                string path = request.RequestUri!.OriginalString;
                var (status, body, _) = await SendAsync(server, request);
                Assert.True(status == 200, $"{path}: {status} {body}");
                if (body.Contains("\"model\":", StringComparison.Ordinal)) Assert.Contains($"\"model\":\"{name}\"", body, StringComparison.Ordinal);
                if (path.Contains("generateContent", StringComparison.OrdinalIgnoreCase)) Assert.Contains($"\"modelVersion\":\"{name}\"", body, StringComparison.Ordinal);
            }
        }

        Assert.Equal("one:loaded org/two:q8:loaded", await StatesAsync(server));
        JsonElement google = JsonElement.Parse(await server.Client.GetStringAsync(new Uri("/v1beta/models", UriKind.Relative), TestContext.Current.CancellationToken));
        Assert.Equal(["models/one loaded 256", "models/org/two:q8 loaded 256"], google.GetProperty("models").EnumerateArray().Select(
            each => $"{each.GetProperty("name").GetString()} {each.GetProperty("description").GetString()} {each.GetProperty("inputTokenLimit").GetInt32()}"));
        Assert.Contains("\"id\":\"org/two:q8\"", await server.Client.GetStringAsync(new Uri("/v1/models/org/two:q8", UriKind.Relative), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        // Where no name is needed, the first model is meant.
        Assert.Equal(200, (await SendAsync(server, RunningServer.Request("/tokenize", """{"prompt":"ahoj"}"""))).Status);
    }

    [Fact]
    public async Task An_unknown_name_is_404_in_the_shape_of_the_dialect_and_lists_what_there_is()
    {
        await using ModelCatalogue catalogue = Catalogue(5, "one", "two");
        await using RunningServer server = await RunningServer.StartAsync(catalogue);
        foreach (HttpRequestMessage request in InEveryDialect("three"))
        {
            string path = request.RequestUri!.OriginalString;
            var (status, body, _) = await SendAsync(server, request);
            JsonElement error = JsonElement.Parse(body).GetProperty("error");
            Assert.Equal(404, status);
            Assert.Equal("The model 'three' does not exist here; this server has 'one', 'two'.", error.GetProperty("message").GetString());
            if (path.StartsWith("/v1beta", StringComparison.Ordinal)) Assert.Equal("NOT_FOUND", error.GetProperty("status").GetString());
            else if (path.StartsWith("/v1/messages", StringComparison.Ordinal)) Assert.Equal("not_found_error", error.GetProperty("type").GetString());
            else Assert.Equal("model_not_found", error.GetProperty("code").GetString());
        }

        Assert.Empty(report);
    }

    [Fact]
    public async Task Without_room_every_dialect_answers_503_with_a_time_and_the_model_in_use_stays()
    {
        await using ModelCatalogue catalogue = Catalogue(1.5, "one", "two");
        await using RunningServer server = await RunningServer.StartAsync(catalogue);
        using (ModelLease used = await catalogue.UseAsync("one", TestContext.Current.CancellationToken))
        {
            foreach (HttpRequestMessage request in InEveryDialect("two"))
            {
                var (status, body, retry) = await SendAsync(server, request);
                Assert.True(status == 503, body);
                Assert.InRange(retry!.Value, 1, 600);
                Assert.Contains("models in use leave no room", body, StringComparison.Ordinal);
            }
            Assert.Equal("one:loaded two:unloaded", await StatesAsync(server));
            Assert.Equal(200, (await SendAsync(server, RunningServer.ChatRequest(Chat("one")))).Status);
        }

        await EventuallyAsync(async () => (await SendAsync(server, RunningServer.ChatRequest(Chat("two")))).Status == 200);
        Assert.Equal("one:unloaded two:loaded", await StatesAsync(server));
    }

    [Fact]
    public async Task Models_take_turns_under_load_and_every_answer_is_the_right_one()
    {
        await using ModelCatalogue catalogue = Catalogue(1.5, "one", "two");
        await using RunningServer server = await RunningServer.StartAsync(catalogue);
        var (_, alone, _) = await SendAsync(server, RunningServer.ChatRequest(Chat("one")));
        string expected = TextOf(alone);
        int answered = 0;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async worker =>
        {
            for (int i = 0; i < 10; i++)
            {
                var (status, body, retry) = await SendAsync(server, RunningServer.ChatRequest(Chat((worker + (i / 3)) % 2 == 0 ? "one" : "two")));
                Assert.True(status == 200 || (status == 503 && retry >= 1), $"{status} {body}");
                if (status != 200) continue;
                Assert.Equal(expected, TextOf(body));
                Interlocked.Increment(ref answered);
            }
        }));
        Assert.True(answered > 0);
        Assert.Equal("""{"status":"ready"}""", await server.Client.GetStringAsync(new Uri("/ready", UriKind.Relative), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Fifty_first_requests_at_once_load_once_and_all_are_answered()
    {
        await using ModelCatalogue catalogue = Catalogue(5, "one", "two");
        await using RunningServer server = await RunningServer.StartAsync(catalogue);
        Assert.Equal("""{"status":"ready"}""", await server.Client.GetStringAsync(new Uri("/ready", UriKind.Relative), TestContext.Current.CancellationToken));
        Assert.Empty(report); // readiness loads nothing

        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => SendAsync(server, RunningServer.ChatRequest(Chat("two")))));

        Assert.All(answers, answer => Assert.Equal(200, answer.Status));
        Assert.Single(answers.Select(answer => TextOf(answer.Body)).Distinct());
        Assert.Single(report, line => line.StartsWith("two: loaded in ", StringComparison.Ordinal));
        string metrics = await server.Client.GetStringAsync(new Uri("/metrics", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Contains("oellm_model_loaded{model_name=\"one\",engine=\"0\"} 0\noellm_model_loaded{model_name=\"two\",engine=\"0\"} 1\n", metrics, StringComparison.Ordinal);
        Assert.Contains("vllm:e2e_request_latency_seconds_count{model_name=\"two\",engine=\"0\"} 50\n", metrics, StringComparison.Ordinal);
        Assert.Contains("vllm:e2e_request_latency_seconds_count{model_name=\"one\",engine=\"0\"} 0\n", metrics, StringComparison.Ordinal);
        Assert.Single(metrics.Split('\n'), line => line == "# TYPE vllm:time_to_first_token_seconds histogram");
    }

    [Fact]
    public async Task A_model_that_cannot_be_loaded_is_503_and_the_others_go_on()
    {
        string broken = Directory.CreateTempSubdirectory("oellm-broken-").FullName;
        try
        {
            foreach (string file in Directory.EnumerateFiles(model.Path)) File.Copy(file, Path.Combine(broken, Path.GetFileName(file)));
            await using ModelCatalogue catalogue = ModelCatalogue.Open([new OfferedModel(model.Path, "one"), new OfferedModel(broken, "broken")],
                new CatalogueOptions(Threads: 1, Limits: Limits), report.Enqueue);
            await using RunningServer server = await RunningServer.StartAsync(catalogue);
            using (FileStream weights = File.OpenWrite(Path.Combine(broken, "model.safetensors"))) weights.SetLength(weights.Length / 2);

            foreach (HttpRequestMessage request in InEveryDialect("broken"))
            {
                var (status, body, retry) = await SendAsync(server, request);
                Assert.True(status == 503, body);
                Assert.InRange(retry!.Value, 1, 30);
                Assert.Contains("The model 'broken' could not be loaded; the server's log says why.", body, StringComparison.Ordinal);
                Assert.DoesNotContain(broken, body, StringComparison.Ordinal);
            }

            Assert.Contains(broken, Assert.Single(report, line => line.StartsWith("broken: could not be loaded: ", StringComparison.Ordinal)), StringComparison.Ordinal);
            Assert.Equal("one:unloaded broken:failed", await StatesAsync(server));
            Assert.Equal(200, (await SendAsync(server, RunningServer.ChatRequest(Chat("one")))).Status);
        }
        finally
        {
            Directory.Delete(broken, recursive: true);
        }
    }

    [Fact]
    public async Task A_slip_of_the_pen_loads_no_model()
    {
        await using ModelCatalogue catalogue = Catalogue(5, "one", "two");
        await using RunningServer server = await RunningServer.StartAsync(catalogue);
        ReceivedError error = await server.ErrorAsync(RunningServer.ChatRequest("""{"modle":"two","messages":[]}"""));
        Assert.Contains("did you mean 'model'?", error.Message, StringComparison.Ordinal);
        Assert.Contains("this server has 'one', 'two'", (await server.ErrorAsync(RunningServer.ChatRequest("""{"messages":[]}"""))).Message, StringComparison.Ordinal);
        Assert.Empty(report);
    }

    [Fact]
    public async Task A_full_queue_says_when_to_come_back_in_every_dialect()
    {
        var engine = new ScriptedEngine { Script = (_, _) => throw new RequestException(null, "9 answers wait already.", RequestErrorCode.Overloaded) { RetryAfterSeconds = 17 } };
        await using RunningServer server = await RunningServer.StartAsync(engine);
        int generating = 0;
        foreach (HttpRequestMessage request in InEveryDialect("test-model"))
        {
            var (status, body, retry) = await SendAsync(server, request);
            if (status == 200) continue; // counts tokens, or makes vectors
            generating++;
            Assert.Equal((429, 17), (status, retry));
            if (body.Contains("RESOURCE_EXHAUSTED", StringComparison.Ordinal))
                Assert.Equal("17s", JsonElement.Parse(body).GetProperty("error").GetProperty("details")[0].GetProperty("retryDelay").GetString());
        }
        Assert.Equal(5, generating);
    }

    private static string TextOf(string body) => JsonElement.Parse(body).GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!;

    // A lease ends a moment after its response.
    private static async Task EventuallyAsync(Func<Task<bool>> holds)
    {
        for (int i = 0; !await holds(); i++) Assert.True(i < 200);
    }
}
