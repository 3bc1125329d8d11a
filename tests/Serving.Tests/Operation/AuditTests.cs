using System.Text.Json;
using OpenEuroLLM.Core.Auditing;
using OpenEuroLLM.Inference;
using OpenEuroLLM.Serving.Auditing;

namespace OpenEuroLLM.Serving.Tests.Operation;

public sealed class AuditTests
{
    [Theory]
    [InlineData("/v1/chat/completions", """{"model":"test-model","temperature":0.5,"seed":7,"max_tokens":9,"stop":"x","messages":[{"role":"user","content":"tajemství"}]}""", "POST /v1/chat/completions")]
    [InlineData("/v1/chat/completions", """{"model":"test-model","temperature":0.5,"seed":7,"max_tokens":9,"stop":"x","stream":true,"messages":[{"role":"user","content":"tajemství"}]}""", "POST /v1/chat/completions")]
    [InlineData("/v1/completions", """{"model":"test-model","temperature":0.5,"seed":7,"max_tokens":9,"stop":"x","prompt":"tajemství"}""", "POST /v1/completions")]
    public async Task An_answer_has_its_row_before_the_client_has_its_end(string path, string body, string route)
    {
        await using AuditedServer server = await AuditedServer.StartAsync();

        (int status, string id, string answer) = await server.SendAsync(path, body);

        Assert.True(status == 200, answer);
        AuditEntry row = Assert.Single(server.Rows());
        Assert.Equal((id, server.Key.Id, "Úřad", route), (row.RequestId, row.KeyId, row.KeyName, row.Route));
        Assert.Equal(("test-model", new string('a', 16)), (row.Model, row.Fingerprint));
        Assert.Equal((5, 0, 2), (row.PromptTokens, row.CachedTokens, row.AnswerTokens));
        Assert.Equal((AuditOutcome.Completed, "stop"), (row.Outcome, row.Code));
        Assert.Equal((0.5, 7UL, 9, 1, 1), (row.Sampling!.Temperature, row.Sampling.Seed, row.Sampling.MaxTokens, row.Sampling.Choices, row.Sampling.StopTexts));
        Assert.InRange(row.FirstTokenMicroseconds!.Value, 0, row.WholeMicroseconds!.Value);
        Assert.DoesNotContain("tajemství", Everything(server), StringComparison.Ordinal);
        Assert.DoesNotContain(server.Text, Everything(server), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v1/messages", """{"model":"test-model","max_tokens":9,"messages":[{"role":"user","content":"a"}]}""", "POST /v1/messages")]
    [InlineData("/v1beta/models/test-model:generateContent", """{"contents":[{"role":"user","parts":[{"text":"a"}]}]}""", "POST /v1beta/models:generateContent")]
    [InlineData("/v1beta/models/test-model:streamGenerateContent?alt=sse", """{"contents":[{"role":"user","parts":[{"text":"a"}]}]}""", "POST /v1beta/models:streamGenerateContent")]
    [InlineData("/v1/embeddings", """{"model":"test-model","input":["a","b"]}""", "POST /v1/embeddings")]
    [InlineData("/v1/responses", """{"model":"test-model","input":"a"}""", "POST /v1/responses")]
    [InlineData("/v1/responses", """{"model":"test-model","input":"a","stream":true}""", "POST /v1/responses")]
    public async Task Every_dialect_is_recorded(string path, string body, string route)
    {
        await using AuditedServer server = await AuditedServer.StartAsync();

        (int status, string id, string answer) = await server.SendAsync(path, body);

        Assert.True(status == 200, answer);
        AuditEntry row = Assert.Single(server.Rows());
        Assert.Equal((id, route, AuditOutcome.Completed), (row.RequestId, row.Route, row.Outcome));
        Assert.True(row.PromptTokens > 0);
    }

    [Fact]
    public async Task Several_prompts_of_one_request_are_several_rows_with_one_id()
    {
        await using AuditedServer server = await AuditedServer.StartAsync();
        (_, string id, _) = await server.SendAsync("/v1/completions", """{"model":"test-model","prompt":["a","b","c"]}""");
        Assert.Equal([null, 1, 2], server.Rows().Select(row => row.Part).Order());
        Assert.All(server.Rows(), row => Assert.Equal(id, row.RequestId));
        Assert.Equal(1, Assert.Single(AuditUsage.Of(server.Rows())).Requests);
    }

    [Fact]
    public async Task The_hash_of_the_model_comes_when_it_is_known_and_no_request_waits_for_it()
    {
        using var mayHash = new ManualResetEventSlim();
        var engine = new ScriptedEngine
        {
            Info = new ModelInfo("test-model", new Lazy<string>(() =>
            {
                mayHash.Wait();
                return new string('b', 64);
            }), 300, 128, CanChat: true, Sampling.Greedy)
            { Fingerprint = "0123456789abcdef" },
        };
        await using AuditedServer server = await AuditedServer.StartAsync(engine);
        await server.SendAsync("/v1/chat/completions", AuditedServer.Body);
        AuditEntry before = Assert.Single(server.Rows());
        Assert.Equal(("0123456789abcdef", (string?)null), (before.Fingerprint, before.WeightsSha256));

        mayHash.Set();
        while (server.Rows(AuditKind.Model).Count == 0) await Task.Delay(5, TestContext.Current.CancellationToken);

        AuditEntry learned = Assert.Single(server.Rows(AuditKind.Model));
        Assert.Equal(("0123456789abcdef", new string('b', 64)), (learned.Fingerprint, learned.WeightsSha256));
        await server.SendAsync("/v1/chat/completions", AuditedServer.Body);
        Assert.Equal(new string('b', 64), server.Rows()[^1].WeightsSha256);
    }

    [Fact]
    public async Task Refusals_are_recorded_with_their_code_and_whose_they_are_and_cannot_fill_the_disk()
    {
        await using AuditedServer server = await AuditedServer.StartAsync();
        var (limited, _) = server.Keys.Add(new Serving.Security.ApiKey("", "no chat", "", [Serving.Security.KeyScope.Models], default));
        for (int i = 0; i < 30; i++) await server.SendAsync("/v1/chat/completions", AuditedServer.Body, withKey: false);
        (int broken, string id, _) = await server.SendAsync("/v1/chat/completions", "{");
        await server.SendAsync("/v1/no/such/thing\u2028", "{}");
        Assert.Equal(400, broken);

        IReadOnlyList<AuditEntry> rows = server.Rows(AuditKind.Refusal);
        Assert.Equal([("invalid_api_key", 401, null), ("invalid_json", 400, server.Key.Id), ("unknown_url", 404, server.Key.Id)], rows.Select(row => (row.Code!, row.Status!.Value, row.KeyId)));
        Assert.Equal(id, rows[1].RequestId);
        Assert.Equal("unknown", rows[2].Route);
        await server.StopAsync();
        AuditEntry summed = server.Rows(AuditKind.Refusal)[^1];
        Assert.Equal(("invalid_api_key", 29), (summed.Code, summed.Requests));
        Assert.Equal(30, AuditUsage.Of(server.Rows(AuditKind.Refusal)).Where(usage => usage.KeyId is null).Sum(usage => usage.Refused));
        Assert.Equal("no chat", limited.Name);
    }

    [Fact]
    public async Task What_the_engine_refuses_is_a_refusal_with_the_model()
    {
        await using AuditedServer server = await AuditedServer.StartAsync();
        server.Engine.Script = (_, _) => throw new RequestException("messages", "too long", RequestErrorCode.ContextLengthExceeded);
        await server.SendAsync("/v1/chat/completions", AuditedServer.Body);
        AuditEntry row = Assert.Single(server.Rows(AuditKind.Refusal));
        Assert.Equal(("test-model", RequestErrorCode.ContextLengthExceeded, AuditOutcome.Refused), (row.Model, row.Code, row.Outcome));
        Assert.Empty(server.Rows());
    }

    [Fact]
    public async Task A_client_that_leaves_has_its_row_with_the_tokens_so_far()
    {
        await using AuditedServer server = await AuditedServer.StartAsync();
        server.Engine.Script = (_, cancellation) => ScriptedEngine.Gated(new TaskCompletionSource().Task, [new GenerationEvent.Token(0, 1), new GenerationEvent.Text(0, "a")], [], cancellation);
        using (HttpResponseMessage response = await server.Client.SendAsync(server.Request("/v1/chat/completions", AuditedServer.Body.Replace("}]}", "}],\"stream\":true}", StringComparison.Ordinal)), HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken))
            Assert.True(response.IsSuccessStatusCode);
        while (server.Rows().Count == 0) await Task.Delay(5, TestContext.Current.CancellationToken);
        AuditEntry row = Assert.Single(server.Rows());
        Assert.Equal((AuditOutcome.Cancelled, "client_left", 5, 1), (row.Outcome, row.Code, row.PromptTokens, row.AnswerTokens));
    }

    [Fact]
    public async Task An_answer_that_breaks_has_its_row()
    {
        await using AuditedServer server = await AuditedServer.StartAsync();
        server.Engine.Script = (_, cancellation) => ScriptedEngine.Gated(Task.FromException(new ArithmeticException("a secret")), [new GenerationEvent.Token(0, 1)], [], cancellation);
        await server.SendAsync("/v1/chat/completions", AuditedServer.Body);
        AuditEntry row = Assert.Single(server.Rows());
        Assert.Equal((AuditOutcome.Failed, "server_error"), (row.Outcome, row.Code));
        Assert.Empty(server.Rows(AuditKind.Refusal));
    }

    [Fact]
    public async Task Without_room_for_rows_nothing_is_answered_and_with_room_everything_is_again()
    {
        await using AuditedServer server = await AuditedServer.StartAsync();
        server.Store.LimitPages(1);
        int answered = 0;
        (int Status, string Id, string Body) last;
        while ((last = await server.SendAsync("/v1/chat/completions", AuditedServer.Body)).Status == 200) answered++;

        Assert.Equal(503, last.Status);
        Assert.Equal("audit_unavailable", JsonElement.Parse(last.Body).GetProperty("error").GetProperty("code").GetString());
        int asked = server.Engine.Requests.Count;
        Assert.Equal(503, (await server.SendAsync("/v1/messages", """{"model":"test-model","max_tokens":9,"messages":[{"role":"user","content":"a"}]}""")).Status);
        Assert.Equal(asked, server.Engine.Requests.Count);
        Assert.Contains("\"id\":\"test-model\"", await server.GetAsync("/v1/models"), StringComparison.Ordinal);
        Assert.Contains("oellm_audit_writable 0", await server.GetAsync("/metrics"), StringComparison.Ordinal);
        Assert.Contains("the disk is full", server.Log.ToString(), StringComparison.Ordinal);

        server.Store.LimitPages(null);
        while (server.Store.Obstacle is not null) await Task.Delay(10, TestContext.Current.CancellationToken);
        Assert.Equal(200, (await server.SendAsync("/v1/chat/completions", AuditedServer.Body)).Status);
        // The one whose end was held back is there too: it was answered as far as the engine is concerned.
        Assert.Equal(answered + 2, server.Rows().Count);
    }

    [Fact]
    public async Task A_stream_whose_row_cannot_be_written_ends_with_an_error_and_not_with_its_end()
    {
        await using AuditedServer server = await AuditedServer.StartAsync();
        string body = AuditedServer.Body.Replace("}]}", "}],\"stream\":true}", StringComparison.Ordinal);
        server.Store.LimitPages(1);
        (int Status, string Id, string Body) last;
        do last = await server.SendAsync("/v1/chat/completions", body);
        while (last.Body.Contains("[DONE]", StringComparison.Ordinal));
        Assert.Equal(200, last.Status);
        Assert.Contains("audit_unavailable", last.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Starting_and_stopping_are_rows_and_the_chain_holds()
    {
        await using AuditedServer server = await AuditedServer.StartAsync(withKeys: false);
        await server.SendAsync("/v1/chat/completions", AuditedServer.Body, withKey: false);
        await server.StopAsync();
        server.Store.Dispose();
        using var reader = new SqliteAuditReader(server.AuditFile);
        Assert.True(Checked(reader).Holds);
        AuditEntry[] rows = [.. reader.Read().Select(row => row.Entry())];
        Assert.Equal([AuditKind.Created, AuditKind.Started], rows.Take(2).Select(row => row.Kind));
        Assert.Equal(AuditKind.Stopped, rows[^1].Kind);
        Assert.Null(Assert.Single(rows, row => row.Kind == AuditKind.Request).KeyId);
    }

    private static string Everything(AuditedServer server) => string.Join('\n', server.Store.Read().Select(row => System.Text.Encoding.UTF8.GetString(row.Record).Replace("\\u00ED", "í", StringComparison.Ordinal)))
        + server.Lines.ToString() + server.Log.ToString();

    private static AuditVerdict Checked(IAuditReader reader, AuditHead? noted = null) => AuditChain.Verify(reader, noted, TestContext.Current.CancellationToken);
}
