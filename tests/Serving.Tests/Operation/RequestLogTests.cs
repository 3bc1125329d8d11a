using System.Text.Json;
using OpenEuroLLM.Core;
using OpenEuroLLM.Inference;
using OpenEuroLLM.Serving.Operation;

namespace OpenEuroLLM.Serving.Tests.Operation;

public sealed class RequestLogTests
{
    [Fact]
    public async Task Every_request_is_one_line_of_json()
    {
        await using AuditedServer server = await AuditedServer.StartAsync();
        (_, string answered, _) = await server.SendAsync("/v1/chat/completions", AuditedServer.Body);
        (_, string refused, _) = await server.SendAsync("/v1/chat/completions", AuditedServer.Body, withKey: false);
        await server.GetAsync("/v1/models");
        await server.GetAsync("/ready");
        await server.GetAsync("/metrics");
        await server.StopAsync();

        JsonElement[] lines = Lines(server);
        Assert.Equal(["POST /v1/chat/completions", "POST /v1/chat/completions", "GET /v1/models"], lines.Select(line => line.GetProperty("route").GetString()));
        Assert.Equal([200, 401, 200], lines.Select(line => line.GetProperty("status").GetInt32()));
        Assert.Equal(["completed", "refused", "completed"], lines.Select(line => line.GetProperty("outcome").GetString()));
        Assert.Equal([answered, refused], lines.Take(2).Select(line => line.GetProperty("requestId").GetString()));
        Assert.Equal((5, 2, "test-model", "stop"), (lines[0].GetProperty("promptTokens").GetInt32(), lines[0].GetProperty("answerTokens").GetInt32(), lines[0].GetProperty("model").GetString(), lines[0].GetProperty("code").GetString()));
        Assert.Equal(server.Key.Id, lines[0].GetProperty("keyId").GetString());
        Assert.Equal("invalid_api_key", lines[1].GetProperty("code").GetString());
        Assert.DoesNotContain("tajemstv", server.Lines.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("Dobr", server.Lines.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Prompts_and_answers_are_in_it_only_when_that_was_switched_on()
    {
        await using AuditedServer server = await AuditedServer.StartAsync(withContent: true);
        await server.SendAsync("/v1/chat/completions", AuditedServer.Body);
        await server.StopAsync();

        JsonElement content = Assert.Single(Lines(server)).GetProperty("content")[0];
        Assert.Equal("tajemství", content.GetProperty("input")[0].GetProperty("text").GetString());
        Assert.Equal("Dobrý den", content.GetProperty("output").GetString());
        Assert.DoesNotContain(server.Store.Read(), row => System.Text.Encoding.UTF8.GetString(row.Record).Contains("tajemstv", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("/v1/chat/completions%0A%7B%22forged%22%3A1%7D")]
    [InlineData("/v1/models/%0d%0aforged")]
    [InlineData("/v1beta/models/forged%0a:generateContent")]
    public async Task No_line_can_be_forged(string path)
    {
        await using AuditedServer server = await AuditedServer.StartAsync(withContent: true);
        using (HttpRequestMessage request = server.Request(path, """{"contents":[{"role":"user","parts":[{"text":"a\n{\"forged\":1}\u2028"}]}]}"""))
        {
            request.Headers.TryAddWithoutValidation("User-Agent", "x {\"forged\":1}");
            using HttpResponseMessage response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        }
        await server.SendAsync("/v1/chat/completions", """{"model":"test-model","messages":[{"role":"user","content":"a\n{\"forged\":1}\u2028\u0000"}]}""");
        await server.StopAsync();

        Assert.Equal(2, Lines(server).Length);
        Assert.DoesNotContain(server.Lines.ToString(), letter => letter is (< ' ' and not '\n') or > '~');
        Assert.DoesNotContain("forged", Lines(server)[0].GetProperty("route").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reader_that_takes_nothing_holds_up_no_request()
    {
        using var stuck = new StuckWriter();
        await using var log = new RequestLog(stuck);
        var record = new RequestRecord("req_1", "POST", default, 0);
        for (int line = 0; line < 20_000; line++) log.Write(record, 200, TimeSpan.Zero);
        Assert.InRange(log.Dropped, 10_000, 20_000);
        stuck.Go.Set();
    }

    [Fact]
    public async Task A_file_is_added_to_and_is_the_owners_alone()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("oellm-log-");
        string path = Path.Combine(folder.FullName, "requests.jsonl");
        for (int run = 0; run < 2; run++)
        {
            await using RequestLog log = RequestLog.ToFile(path);
            log.Write(new RequestRecord("req_1", "POST", default, 0), 200, TimeSpan.Zero);
        }
        Assert.Equal(2, (await File.ReadAllLinesAsync(path, TestContext.Current.CancellationToken)).Length);
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        Assert.Throws<UserErrorException>(() => RequestLog.ToFile(Path.Combine(folder.FullName, "none", "x")));
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_cancelled_answer_says_so()
    {
        await using AuditedServer server = await AuditedServer.StartAsync();
        server.Engine.Script = (_, cancellation) => ScriptedEngine.Gated(new TaskCompletionSource().Task, [new GenerationEvent.Token(0, 1)], [], cancellation);
        using (HttpResponseMessage response = await server.Client.SendAsync(server.Request("/v1/chat/completions", AuditedServer.Body.Replace("}]}", "}],\"stream\":true}", StringComparison.Ordinal)), HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken))
            Assert.True(response.IsSuccessStatusCode);
        while (server.Rows().Count == 0) await Task.Delay(5, TestContext.Current.CancellationToken);
        await server.StopAsync();
        Assert.Equal("cancelled", Assert.Single(Lines(server)).GetProperty("outcome").GetString());
    }

    private static JsonElement[] Lines(AuditedServer server) => [.. server.Lines.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line))];

    private sealed class StuckWriter : StringWriter
    {
        public ManualResetEventSlim Go { get; } = new();

        public override void WriteLine(string? value) => Go.Wait();

        protected override void Dispose(bool disposing)
        {
            if (disposing) Go.Dispose();
            base.Dispose(disposing);
        }
    }
}
