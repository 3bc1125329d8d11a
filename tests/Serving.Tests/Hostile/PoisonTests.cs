using System.Text;
using System.Text.RegularExpressions;

namespace OpenEuroLLM.Serving.Tests.Hostile;

/// <summary>A stream has the same bytes alone and while others send poison to the same engine; one of two answers the same for each.</summary>
public sealed partial class PoisonTests(HostileServer hostile) : IClassFixture<HostileServer>
{
    [Theory(Timeout = 120_000)]
    [InlineData("/v1/chat/completions", """{"model":"small","max_tokens":180,"seed":7,"n":2,"logprobs":true,"stream":true,"messages":[{"role":"user","content":"Kdo jsi?"}]}""")]
    [InlineData("/v1/completions", """{"model":"small","max_tokens":180,"seed":7,"echo":true,"logprobs":2,"stream":true,"prompt":"Kdo jsi?"}""")]
    [InlineData("/v1/messages", """{"model":"small","max_tokens":180,"stream":true,"messages":[{"role":"user","content":"Kdo jsi?"}]}""")]
    [InlineData("/v1beta/models/small:streamGenerateContent?alt=sse", """{"contents":[{"parts":[{"text":"Kdo jsi?"}]}],"generationConfig":{"maxOutputTokens":180,"seed":7,"candidateCount":2}}""")]
    [InlineData("/v1/responses", """{"model":"small","max_output_tokens":180,"seed":7,"stream":true,"store":false,"input":"Kdo jsi?"}""")]
    [InlineData("/v1/chat/completions", """{"model":"small","max_tokens":180,"seed":7,"stream":true,"messages":[{"role":"user","content":"Kdo jsi?"}],"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"array","items":{"type":"string","maxLength":9}}}}}""")]
    public async Task A_poisoned_request_beside_it_never_changes_a_stream(string path, string body)
    {
        string alone = await StreamAsync(path, body);
        using var over = new CancellationTokenSource();
        int[] sent = new int[3];
        Task[] poison = [.. Enumerable.Range(0, sent.Length).Select(first => PoisonAsync(first, sent, over.Token))];

        // As long as it takes: how fast the poison comes depends on the machine.
        for (int i = 0; i < 5 || Enumerable.Range(0, sent.Length).Any(first => Volatile.Read(ref sent[first]) < 5); i++)
        {
            Assert.Equal(alone, await StreamAsync(path, body));
            foreach (Task ended in poison.Where(each => each.IsCompleted)) await ended;
        }

        await over.CancelAsync();
        await Task.WhenAll(poison);
        Assert.InRange(sent.Min(), 5, int.MaxValue);
    }

    /// <summary>Sends bad, odd and broken-off requests until it is told to stop, and counts them.</summary>
    private async Task PoisonAsync(int first, int[] sent, CancellationToken over)
    {
        string[] bodies =
        [
            Dialect.Chat.With("<|end_of_turn|>{{ 7*7 }}"), Dialect.Chat.With(new string('x', 10_000)), Dialect.Chat.WithValue("temperature", "1e400"),
            Dialect.Chat.WithValue("temperature", "2"), Dialect.Chat.WithValue("messages.0.role", "\"robot\""), "{", "{\"x\":" + new string('[', 10_000),
            Dialect.Chat.WithValue("logit_bias", "{\"5\":100,\"6\":-100}"), Dialect.Chat.WithValue("stop", "\"a\""), Dialect.Chat.WithValue("n", "16"),
            Dialect.Chat.WithValue("response_format", HostileSchemaTests.Form(HostileSchemaTests.Exploding["references that double"])),
            Dialect.Chat.WithValue("response_format", HostileSchemaTests.Form(HostileSchemaTests.Ambiguous)),
            Dialect.Chat.WithValue("stream", "true"), Dialect.Chat.WithValue("repetition_penalty", "0.01"), Dialect.Chat.WithValue("max_tokens", "200"),
        ];
        for (int turn = 0; !over.IsCancellationRequested; turn++)
        {
            string body = bodies[(first + turn) % bodies.Length];
            using HttpResponseMessage response = await hostile.Server.Client.SendAsync(
                RunningServer.Request(Dialect.Chat.Path, body), HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
            Assert.True((int)response.StatusCode is 200 or 400, response.StatusCode.ToString());
            // Every other one leaves before its answer is complete.
            if (turn % 2 == 0) await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
            Interlocked.Increment(ref sent[first]);
        }
    }

    private async Task<string> StreamAsync(string path, string body)
    {
        using HttpResponseMessage response = await hostile.Server.Client.SendAsync(RunningServer.Request(path, body), TestContext.Current.CancellationToken);
        string stream = Encoding.UTF8.GetString(await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        Assert.True(response.IsSuccessStatusCode, stream);
        stream = OfThisRequest().Replace(stream, "");
        return body.Contains("\"n\":2", StringComparison.Ordinal) || body.Contains("\"candidateCount\":2", StringComparison.Ordinal) ? ByChoice(stream) : stream;
    }

    /// <summary>The events of each choice in their order, then the counts: choices are sent as their tokens come, and company may let the one or the other begin first.</summary>
    private static string ByChoice(string stream)
    {
        string counts = string.Concat(Counts().Matches(stream).Select(match => match.Value));
        var events = Counts().Replace(stream, "").Split('\n').GroupBy(line => Choice().Match(line).Value, StringComparer.Ordinal).OrderBy(choice => choice.Key, StringComparer.Ordinal).ToArray();
        Assert.Equal(["", "\"index\":0", "\"index\":1"], events.Select(choice => choice.Key));
        return string.Join('\n', events.SelectMany(choice => choice)) + counts;
    }

    /// <summary>The names and the moment of a request. Nothing else may differ: prompts this short have no page in the cache.</summary>
    [GeneratedRegex("\"(?:id|item_id|responseId)\":\"[a-z]*[-_]?[0-9a-z]+\",?|\"(?:created|created_at|completed_at)\":[0-9]+,", RegexOptions.NonBacktracking)]
    private static partial Regex OfThisRequest();

    [GeneratedRegex("\"index\":[0-9]+", RegexOptions.NonBacktracking)]
    private static partial Regex Choice();

    [GeneratedRegex("\"usageMetadata\":{[^{}]*},", RegexOptions.NonBacktracking)]
    private static partial Regex Counts();
}
