using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using OpenEuroLLM.Inference;
using OpenEuroLLM.Serving.OpenAi.Responses;
using OpenEuroLLM.Serving.Tests.Security;
using static OpenEuroLLM.Serving.Tests.OpenAi.Responses.ResponseEvents;

namespace OpenEuroLLM.Serving.Tests.OpenAi.Responses;

/// <summary>What is kept of responses, for whom and for how long.</summary>
public sealed class ResponseStateTests
{
    private const string Body = """{"model":"test-model","input":"a"}""";

    [Fact]
    public async Task A_conversation_goes_on_without_the_instructions_of_before()
    {
        var engine = new ScriptedEngine();
        await using RunningServer server = await RunningServer.StartAsync(engine);
        JsonElement first = await server.RespondAsync("""{"model":"test-model","input":"a","instructions":"x"}""");
        JsonElement second = await server.RespondAsync($$"""{"model":"test-model","input":"b","instructions":"y","previous_response_id":"{{IdOf(first)}}"}""");
        await server.RespondAsync($$"""{"model":"test-model","input":"c","previous_response_id":"{{IdOf(second)}}"}""");

        ChatMessage[][] conversations = [.. engine.Requests.Select(request => ((GenerationInput.Messages)request.Input).Items.ToArray())];
        Assert.Equal([new ChatMessage("system", "y"), new("user", "a"), new("assistant", "Dobrý den"), new("user", "b")], conversations[1]);
        Assert.Equal([new ChatMessage("user", "a"), new("assistant", "Dobrý den"), new("user", "b"), new("assistant", "Dobrý den"), new("user", "c")], conversations[2]);
    }

    [Fact]
    public async Task What_is_not_to_be_stored_is_not_there_afterwards()
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());
        JsonElement response = await server.RespondAsync("""{"model":"test-model","input":"a","store":false}""");

        Assert.False(response.GetProperty("store").GetBoolean());
        await AssertGoneAsync(server, IdOf(response));
    }

    [Fact]
    public async Task A_deleted_response_is_gone_for_what_was_built_on_it_too()
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());
        string first = IdOf(await server.RespondAsync(Body));
        string second = IdOf(await server.RespondAsync($$"""{"model":"test-model","input":"b","previous_response_id":"{{first}}"}"""));

        using HttpResponseMessage deleted = await server.Client.DeleteAsync(new Uri("/v1/responses/" + first, UriKind.Relative), TestContext.Current.CancellationToken);

        Assert.Equal($$"""{"id":"{{first}}","object":"response","deleted":true}""", await deleted.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        await AssertGoneAsync(server, first);
        Assert.Equal(second, IdOf(await server.GetAsync("/v1/responses/" + second)));
        ReceivedError error = await server.ErrorAsync($$"""{"model":"test-model","input":"c","previous_response_id":"{{second}}"}""");
        Assert.Equal((404, "previous_response_not_found"), error.Kind);
        Assert.Contains(first, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_keys_response_does_not_exist()
    {
        await using KeyedServer server = await KeyedServer.StartAsync();
        string mine = server.AddKey().Text, other = server.AddKey().Text;
        JsonElement response = JsonElement.Parse((await SendAsync(mine, HttpMethod.Post, "/v1/responses", Body)).Body);
        string id = IdOf(response), item = IdOf(response.GetProperty("output")[0]);

        foreach ((HttpMethod method, string path, string? body) in new[]
        {
            (HttpMethod.Get, "/v1/responses/" + id, null), (HttpMethod.Get, $"/v1/responses/{id}/input_items", null), (HttpMethod.Delete, "/v1/responses/" + id, null),
            (HttpMethod.Post, $"/v1/responses/{id}/cancel", null), (HttpMethod.Post, "/v1/responses", $$"""{"model":"test-model","input":"b","previous_response_id":"{{id}}"}"""),
            (HttpMethod.Post, "/v1/responses/input_tokens", $$"""{"model":"test-model","input":"b","previous_response_id":"{{id}}"}"""),
            (HttpMethod.Post, "/v1/responses", $$"""{"model":"test-model","input":[{"type":"item_reference","id":"{{item}}"}]}"""),
        })
        {
            var (status, answer) = await SendAsync(other, method, path, body);
            Assert.True(status == 404, $"{method} {path}: {status}");
            Assert.Contains("it was never stored, was deleted, or has expired", answer, StringComparison.Ordinal);
        }
        Assert.Equal((200, 200), ((await SendAsync(mine, HttpMethod.Get, "/v1/responses/" + id)).Status,
            (await SendAsync(mine, HttpMethod.Post, "/v1/responses", $$"""{"model":"test-model","input":"b","previous_response_id":"{{id}}"}""")).Status));
        string stream = (await SendAsync(mine, HttpMethod.Post, "/v1/responses", Body[..^1] + ",\"stream\":true}")).Body;
        string streamed = IdOf(Parse(stream)[^1].GetProperty("response"));
        Assert.Equal((200, 404), ((await SendAsync(mine, HttpMethod.Get, "/v1/responses/" + streamed)).Status, (await SendAsync(other, HttpMethod.Get, "/v1/responses/" + streamed)).Status));
        Assert.DoesNotContain("Dobrý", server.Log.ToString(), StringComparison.Ordinal);

        async Task<(int Status, string Body)> SendAsync(string key, HttpMethod method, string path, string? body = null)
        {
            using var client = new HttpClient();
            using var request = new HttpRequestMessage(method, new Uri(server.Host.Address, path));
            if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
            using HttpResponseMessage answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
            return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }
    }

    [Fact]
    public async Task The_items_of_a_conversation_are_listed_page_by_page()
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());
        string first = IdOf(await server.RespondAsync("""{"model":"test-model","input":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"id":"msg_own","role":"user","content":"c"}]}"""));
        string path = $"/v1/responses/{IdOf(await server.RespondAsync($$"""{"model":"test-model","input":"d","previous_response_id":"{{first}}"}"""))}/input_items";

        JsonElement all = await server.GetAsync(path + "?order=asc");
        Assert.Equal(["a", "b", "c", "Dobrý den", "d"], TextsOf(all));
        Assert.Equal("msg_own", all.GetProperty("data")[2].GetProperty("id").GetString());
        Assert.Equal(["d", "Dobrý den", "c", "b", "a"], TextsOf(await server.GetAsync(path)));
        var pages = new List<string[]>();
        string? after = null;
        for (bool more = true; more;)
        {
            JsonElement page = await server.GetAsync($"{path}?limit=2{(after is null ? "" : "&after=" + after)}");
            pages.Add(TextsOf(page));
            after = page.GetProperty("last_id").GetString();
            more = page.GetProperty("has_more").GetBoolean();
        }
        Assert.Equal([["d", "Dobrý den"], ["c", "b"], ["a"]], pages);
        Assert.Equal(["a", "b"], TextsOf(await server.GetAsync(path + "?order=asc&before=msg_own")));

        static string[] TextsOf(JsonElement list) => [.. list.GetProperty("data").EnumerateArray().Select(item => item.GetProperty("content")[0].GetProperty("text").GetString()!)];
    }

    [Theory]
    [InlineData("/input_items?limit=0", "limit", "invalid_value")]
    [InlineData("/input_items?limit=101", "limit", "invalid_value")]
    [InlineData("/input_items?limit=-1", "limit", "invalid_value")]
    [InlineData("/input_items?limit=99999999999999999999", "limit", "invalid_value")]
    [InlineData("/input_items?limit=1&limit=2", "limit", "invalid_value")]
    [InlineData("/input_items?order=up", "order", "invalid_value")]
    [InlineData("/input_items?after=msg_nothing", "after", "invalid_value")]
    [InlineData("/input_items?offset=1", "offset", "unknown_parameter")]
    [InlineData("?stream=true", "stream", "unsupported_parameter")]
    [InlineData("?stream=perhaps", "stream", "invalid_value")]
    public async Task What_an_address_asks_for_in_vain_is_400(string rest, string field, string code)
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());
        string id = IdOf(await server.RespondAsync(Body));

        ReceivedError error = await server.ErrorAsync(new HttpRequestMessage(HttpMethod.Get, $"/v1/responses/{id}{rest}"));

        Assert.Equal((400, code, field), (error.Status, error.Code, error.Field));
        Assert.Equal(400, (await server.ErrorAsync(new HttpRequestMessage(HttpMethod.Post, $"/v1/responses/{id}/cancel"))).Status);
        Assert.Equal(id, IdOf(await server.GetAsync("/v1/responses/" + id + "?stream=false")));
    }

    [Fact]
    public async Task Beyond_the_limits_the_longest_unused_is_forgotten_of_ones_own_first()
    {
        var clock = new MovedClock();
        var store = new MemoryResponseStore(new StoredResponseLimits(MaxPerKey: 3, MaxBytesPerKey: 10_000, MaxBytes: 15_000, MaxHours: 2), clock);
        await AddAsync("a", "other", 0);
        foreach (string id in new[] { "a", "b", "c" }) await AddAsync(id, "me", 0);
        await FindAsync("a", "me"); // used again, so that b is the longest unused

        await AddAsync("d", "me", 0);
        Assert.Equal((true, false, true, true), (await FindAsync("a", "me"), await FindAsync("b", "me"), await FindAsync("c", "me"), await FindAsync("d", "me")));
        await AddAsync("e", "me", 8_000); // 8,000 and two times 1,024 are too much
        Assert.Equal((false, false, true, true), (await FindAsync("a", "me"), await FindAsync("c", "me"), await FindAsync("d", "me") || await FindAsync("e", "me"), await FindAsync("a", "other")));
        await AddAsync("f", "third", 8_500); // altogether too much: what was not used for the longest time goes, whose it may be
        Assert.Equal((true, true), (await FindAsync("f", "third"), await FindAsync("a", "other")));
        Assert.InRange(store.Kept.Bytes, 9_000, 15_000);
        await AddAsync("g", "me", 20_000); // more than everything
        Assert.False(await FindAsync("g", "me"));

        clock.Move(TimeSpan.FromHours(1));
        Assert.True(await FindAsync("f", "third"));
        clock.Move(TimeSpan.FromHours(1));
        Assert.Equal((true, false), (await FindAsync("f", "third"), await FindAsync("a", "other")));
        Assert.True(await store.RemoveAsync("third", "f", TestContext.Current.CancellationToken));
        Assert.False(await store.RemoveAsync("third", "f", TestContext.Current.CancellationToken));
        Assert.Equal((0, 0L), store.Kept);

        Task AddAsync(string id, string owner, int bytes) => store.AddAsync(new StoredResponse(id, owner, null, new byte[bytes], ReadOnlyMemory<byte>.Empty), TestContext.Current.CancellationToken);
        async Task<bool> FindAsync(string id, string owner) => await store.FindAsync(owner, id, TestContext.Current.CancellationToken) is not null;
    }

    [Fact]
    public async Task An_idle_server_forgets_in_time()
    {
        var clock = new CalledClock();
        var store = new MemoryResponseStore(new StoredResponseLimits(MaxHours: 1), clock);
        await store.AddAsync(new StoredResponse("a", null, null, new byte[10], ReadOnlyMemory<byte>.Empty), TestContext.Current.CancellationToken);
        clock.Move(TimeSpan.FromMinutes(30));
        await store.AddAsync(new StoredResponse("b", null, null, new byte[10], ReadOnlyMemory<byte>.Empty), TestContext.Current.CancellationToken);
        Assert.Equal(TimeSpan.FromHours(1), Assert.Single(clock.Waits));

        clock.Move(TimeSpan.FromMinutes(30));
        clock.Call();
        Assert.Equal((1, TimeSpan.FromMinutes(30)), (store.Kept.Count, clock.Waits[^1]));
        clock.Move(TimeSpan.FromMinutes(30));
        clock.Call();

        Assert.Equal((0, 2), (store.Kept.Count, clock.Waits.Count));
    }

    [Fact]
    public async Task What_is_too_large_to_be_stored_is_refused_and_answered_without()
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine(), new ServerOptions(StoredResponses: new StoredResponseLimits(MaxBytesPerKey: 2_000)));
        string body = $$"""{"model":"test-model","input":"{{new string('x', 1_500)}}"}""";

        Assert.Equal("store", (await server.ErrorAsync(body)).Field);
        Assert.Equal("Dobrý den", TextOf(await server.RespondAsync(body[..^1] + ",\"store\":false}")));
    }

    private static async Task AssertGoneAsync(RunningServer server, string id)
    {
        Assert.Equal((404, "response_not_found"), (await server.ErrorAsync(new HttpRequestMessage(HttpMethod.Get, "/v1/responses/" + id))).Kind);
        Assert.Equal((404, "response_not_found"), (await server.ErrorAsync(new HttpRequestMessage(HttpMethod.Delete, "/v1/responses/" + id))).Kind);
        Assert.Equal((404, "previous_response_not_found"), (await server.ErrorAsync($$"""{"model":"test-model","input":"b","previous_response_id":"{{id}}"}""")).Kind);
    }

    /// <summary>A clock whose timers a test sets off.</summary>
    private sealed class CalledClock : TimeProvider
    {
        private DateTimeOffset now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
        private Action call = () => { };

        public List<TimeSpan> Waits { get; } = [];

        public override DateTimeOffset GetUtcNow() => now;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Waits.Add(dueTime);
            call = () => callback(state);
            return new Timer();
        }

        public void Move(TimeSpan time) => now += time;

        public void Call() => call();

        private sealed class Timer : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose() { }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
