using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Routing;
using OpenEuroLLM.Serving.Security;

namespace OpenEuroLLM.Serving.Tests.Security;

public sealed class AccessTests
{
    private static readonly string[] OpenRoutes = ["/", "/health", "/ready"];

    [Fact]
    public async Task Every_route_but_page_and_probes_demands_a_key_of_its_scope()
    {
        await using KeyedServer server = await KeyedServer.StartAsync();
        string[] keys = [.. KeyScope.All.Select(scope => server.AddKey([scope]).Text)];
        Assert.True(server.Host.Routes.Count >= 8);
        foreach (RouteEndpoint route in server.Host.Routes)
        {
            string pattern = "/" + route.RoutePattern.RawText!.TrimStart('/');
            string path = pattern.Replace("{**id}", "test-model", StringComparison.Ordinal).Replace("{**name}", "test-model", StringComparison.Ordinal)
                .Replace("{**call}", "test-model:generateContent", StringComparison.Ordinal);
            foreach (string method in route.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods)
            {
                using HttpResponseMessage without = await server.SendAsync(new HttpMethod(method), path);
                if (OpenRoutes.Contains(pattern) || pattern.StartsWith("/page/", StringComparison.Ordinal))
                {
                    Assert.Equal(200, (int)without.StatusCode);
                    continue;
                }
                Assert.True(401 == (int)without.StatusCode, $"{method} {path}: {(int)without.StatusCode}");
                Assert.Equal("Bearer", Assert.Single(without.Headers.WwwAuthenticate).Scheme);
                int open = 0;
                foreach (string key in keys)
                {
                    using HttpResponseMessage with = await server.SendAsync(new HttpMethod(method), path, ("x-api-key", key));
                    if ((int)with.StatusCode != 403) open++;
                    else Assert.Contains(ScopeError(path), await with.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
                }
                Assert.True(open == 1, $"{method} {path} is open to {open} scopes; expected one: is the route in RouteScopes?");
            }
        }
    }

    /// <summary>What each dialect calls a key without the scope.</summary>
    private static string ScopeError(string path) => path.StartsWith("/v1beta", StringComparison.Ordinal) ? "PERMISSION_DENIED"
        : path.StartsWith("/v1/messages", StringComparison.Ordinal) ? "permission_error" : "insufficient_scope";

    [Theory]
    [InlineData("/nowhere")]
    [InlineData("/v1/nowhere")]
    [InlineData("/V1/CHAT/COMPLETIONS")]
    [InlineData("/v1/chat/completions/")]
    [InlineData("/page/../v1/models")]
    [InlineData("/health/../v1/models")]
    [InlineData("/v1beta/models/x:generateContent")]
    public async Task Without_a_key_nobody_learns_what_is_there(string path)
    {
        await using KeyedServer server = await KeyedServer.StartAsync();

        using HttpResponseMessage response = await server.SendAsync(HttpMethod.Post, path);

        Assert.Equal(401, (int)response.StatusCode);
    }

    [Theory]
    [InlineData("Authorization", "Bearer {0}")]
    [InlineData("Authorization", "bearer {0}")]
    [InlineData("x-api-key", "{0}")]
    [InlineData("x-goog-api-key", "{0}")]
    public async Task Every_dialects_way_to_send_a_key_is_taken(string header, string form)
    {
        await using KeyedServer server = await KeyedServer.StartAsync();
        string key = server.AddKey().Text;

        using HttpResponseMessage response = await server.SendAsync(HttpMethod.Post, "/v1/chat/completions", (header, string.Format(CultureInfo.InvariantCulture, form, key)));

        Assert.Equal(200, (int)response.StatusCode);
    }

    [Fact]
    public async Task A_key_in_the_address_counts_in_geminis_dialect_only()
    {
        await using KeyedServer server = await KeyedServer.StartAsync();
        string key = server.AddKey().Text;

        using HttpResponseMessage elsewhere = await server.SendAsync(HttpMethod.Get, "/v1/models?key=" + key);
        using HttpResponseMessage gemini = await server.SendAsync(HttpMethod.Get, "/v1beta/models?key=" + key);

        Assert.Equal(401, (int)elsewhere.StatusCode);
        Assert.NotEqual(401, (int)gemini.StatusCode);
    }

    [Fact]
    public async Task Wrong_keys_are_refused_and_never_repeated()
    {
        await using KeyedServer server = await KeyedServer.StartAsync();
        string key = server.AddKey().Text, other = server.AddKey().Text;
        string[] wrong =
        [
            "", " ", "x", key[..^1], key + "0", key.ToUpperInvariant(), key[..^1] + (key[^1] == '0' ? '1' : '0'), key[..19] + other[19..],
            "oellm_" + new string('0', 12) + "_" + new string('0', 64), new string('a', 5000), "oellm_" + new string('!', 77), key + "," + other,
        ];
        foreach (string presented in wrong)
        {
            using HttpResponseMessage response = await server.SendAsync(HttpMethod.Get, "/v1/models", ("x-api-key", presented));
            string body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Assert.True((int)response.StatusCode == 401, $"{presented}: {(int)response.StatusCode}");
            if (presented.Length > 3) Assert.DoesNotContain(presented, body + server.Log, StringComparison.Ordinal);
        }
        using HttpResponseMessage two = await server.SendAsync(HttpMethod.Get, "/v1/models", ("x-api-key", key), ("Authorization", "Bearer " + other));
        using HttpResponseMessage basic = await server.SendAsync(HttpMethod.Get, "/v1/models", ("Authorization", "Basic " + key));
        using HttpResponseMessage right = await server.SendAsync(HttpMethod.Get, "/v1/models", ("x-api-key", key), ("Authorization", "Bearer " + key));
        Assert.Equal((401, 401, 200), ((int)two.StatusCode, (int)basic.StatusCode, (int)right.StatusCode));
    }

    [Fact]
    public async Task Revoked_and_expired_keys_are_refused_at_the_next_request()
    {
        await using KeyedServer server = await KeyedServer.StartAsync();
        (ApiKey key, string text) = server.AddKey();
        string brief = server.AddKey(expires: server.Clock.GetUtcNow().AddHours(1)).Text;
        Assert.Equal((200, 200), (await server.ChatStatusAsync(text), await server.ChatStatusAsync(brief)));

        new KeyStore(server.StorePath).Revoke(key.Id);
        server.Clock.Move(TimeSpan.FromHours(1));

        Assert.Equal((401, 401), (await server.ChatStatusAsync(text), await server.ChatStatusAsync(brief)));
    }

    [Fact]
    public async Task A_rotated_key_stays_valid_for_the_overlap()
    {
        await using KeyedServer server = await KeyedServer.StartAsync();
        (ApiKey old, string oldText) = server.AddKey(requestsPerMinute: 5);

        (ApiKey key, string text) = server.Keys.Rotate(old.Id, TimeSpan.FromHours(2));

        Assert.Equal((old.Name, 5), (key.Name, key.RequestsPerMinute));
        Assert.Equal((200, 200), (await server.ChatStatusAsync(oldText), await server.ChatStatusAsync(text)));
        server.Clock.Move(TimeSpan.FromHours(2));
        Assert.Equal((401, 200), (await server.ChatStatusAsync(oldText), await server.ChatStatusAsync(text)));
    }

    [Fact]
    public async Task A_broken_store_lets_nobody_in_and_heals()
    {
        await using KeyedServer server = await KeyedServer.StartAsync();
        string key = server.AddKey().Text;
        Assert.Equal(200, await server.ChatStatusAsync(key));
        string content = await File.ReadAllTextAsync(server.StorePath, TestContext.Current.CancellationToken);

        await File.WriteAllTextAsync(server.StorePath, content[..^9], TestContext.Current.CancellationToken);
        using (HttpResponseMessage response = await server.ChatAsync(key))
        {
            Assert.Equal(503, (int)response.StatusCode);
            Assert.DoesNotContain(server.StorePath, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }
        await File.WriteAllTextAsync(server.StorePath, content, TestContext.Current.CancellationToken);

        Assert.Equal(200, await server.ChatStatusAsync(key));
    }

    [Fact]
    public async Task Requests_per_minute_are_limited_per_key_and_come_back()
    {
        await using KeyedServer server = await KeyedServer.StartAsync();
        string key = server.AddKey(requestsPerMinute: 2).Text, other = server.AddKey().Text;
        Assert.Equal((200, 200), (await server.ChatStatusAsync(key), await server.ChatStatusAsync(key)));

        using (HttpResponseMessage response = await server.ChatAsync(key))
        {
            Assert.Equal(429, (int)response.StatusCode);
            Assert.Equal(TimeSpan.FromSeconds(30), response.Headers.RetryAfter!.Delta);
        }
        Assert.Equal(200, await server.ChatStatusAsync(other));
        server.Clock.Move(TimeSpan.FromSeconds(30));

        Assert.Equal((200, 429), (await server.ChatStatusAsync(key), await server.ChatStatusAsync(key)));
    }

    [Fact]
    public async Task Tokens_per_day_are_limited_per_key_and_come_back_at_midnight()
    {
        await using KeyedServer server = await KeyedServer.StartAsync();
        string key = server.AddKey(tokensPerDay: 8).Text;
        // Each answer takes 5 tokens of the prompt and 2 of the answer.
        Assert.Equal((200, 200), (await server.ChatStatusAsync(key), await server.ChatStatusAsync(key)));

        using (HttpResponseMessage response = await server.ChatAsync(key))
        {
            Assert.Equal(429, (int)response.StatusCode);
            Assert.Equal(TimeSpan.FromHours(12), response.Headers.RetryAfter!.Delta);
        }
        server.Clock.Move(TimeSpan.FromHours(12));

        Assert.Equal(200, await server.ChatStatusAsync(key));
    }

    [Fact]
    public async Task Requests_at_the_same_time_are_limited_per_key()
    {
        await using KeyedServer server = await KeyedServer.StartAsync();
        string key = server.AddKey(streams: 1).Text, other = server.AddKey().Text;
        var script = server.Engine.Script;
        TaskCompletionSource gate = new(), begun = new();
        server.Engine.Script = (request, cancellation) =>
        {
            begun.TrySetResult();
            return ScriptedEngine.Gated(gate.Task, [], [new Inference.GenerationEvent.Finished(0, Inference.FinishReason.Stop, new Inference.Usage(1, 1))], cancellation);
        };
        Task<int> first = server.ChatStatusAsync(key);
        await begun.Task.WaitAsync(TestContext.Current.CancellationToken);
        server.Engine.Script = script;

        Assert.Equal((429, 200), (await server.ChatStatusAsync(key), await server.ChatStatusAsync(other)));
        gate.SetResult();
        Assert.Equal(200, await first);

        Assert.Equal(200, await server.ChatStatusAsync(key));
    }

    [Fact]
    public async Task Two_keys_never_share_computed_beginnings()
    {
        await using KeyedServer server = await KeyedServer.StartAsync();
        (ApiKey one, string text) = server.AddKey();
        (ApiKey two, string other) = server.AddKey();

        await server.ChatStatusAsync(text);
        await server.ChatStatusAsync(other);

        Assert.Equal([one.Id, two.Id], server.Engine.Requests.Select(request => request.CacheSalt));
        Assert.Equal([one.Id, two.Id], server.Engine.Requests.Select(request => request.Tenant));
    }

    [Fact]
    public async Task The_store_holds_no_key()
    {
        await using KeyedServer server = await KeyedServer.StartAsync();
        (ApiKey key, string text) = server.AddKey();

        string content = await File.ReadAllTextAsync(server.StorePath, TestContext.Current.CancellationToken);

        Assert.DoesNotContain(text[19..], content, StringComparison.Ordinal);
        using JsonDocument document = JsonDocument.Parse(content);
        Assert.Equal(key.Sha256, document.RootElement.GetProperty("keys")[0].GetProperty("sha256").GetString());
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(server.StorePath));
    }

    [Theory]
    [InlineData(70, 10)]
    [InlineData(1, 20_000)]
    public async Task Too_many_or_too_long_headers_are_refused_and_the_next_request_is_served(int count, int length)
    {
        await using KeyedServer server = await KeyedServer.StartAsync();
        string key = server.AddKey().Text;

        using HttpResponseMessage response = await server.SendAsync(HttpMethod.Get, "/v1/models",
            [.. Enumerable.Range(0, count).Select(index => (FormattableString.Invariant($"x-{index}"), new string('a', length)))]);

        Assert.Equal(431, (int)response.StatusCode);
        Assert.Equal(200, await server.ChatStatusAsync(key));
    }
}
