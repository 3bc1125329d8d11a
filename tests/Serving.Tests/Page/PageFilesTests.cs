using System.Text.Json;
using System.Text.RegularExpressions;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.Tests.Page;

/// <summary>How the files of the page are served.</summary>
public sealed partial class PageFilesTests
{
    private static IEnumerable<string> Names => typeof(GatewayHost).Assembly.GetManifestResourceNames()
        .Where(name => name.StartsWith("Page/", StringComparison.Ordinal)).Select(name => name["Page/".Length..]);

    [Fact]
    public async Task The_page_and_everything_it_names_are_served_from_the_assembly()
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());
        var named = new HashSet<string>(StringComparer.Ordinal);
        foreach (string name in Names.Where(name => !name.StartsWith("languages/", StringComparison.Ordinal)))
        {
            string content = await server.Client.GetStringAsync(name == "index.html" ? "/" : "/page/" + name, TestContext.Current.CancellationToken);
            Assert.DoesNotMatch("https?://(?!www\\.w3\\.org/2000/svg)[a-z]", content);
            named.UnionWith(Reference().Matches(content).Select(match => "/page/" + match.Groups[1].Value));
        }
        Assert.Contains("/page/chat.js", named);
        Assert.Contains("/page/limits.json", named);
        foreach (string part in named)
        {
            using HttpResponseMessage response = await server.Client.GetAsync(part, TestContext.Current.CancellationToken);
            Assert.True(response.IsSuccessStatusCode, part);
        }
        Assert.DoesNotContain(Names, name => name.EndsWith(".js", StringComparison.Ordinal) && !named.Contains("/page/" + name));
    }

    [Fact]
    public async Task The_policy_forbids_everything_that_is_not_a_file_of_the_server()
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());

        using HttpResponseMessage response = await server.Client.GetAsync("/", TestContext.Current.CancellationToken);

        string policy = response.Headers.GetValues("Content-Security-Policy").Single();
        Assert.StartsWith("default-src 'none';", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("http", policy, StringComparison.Ordinal);
        string page = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.DoesNotMatch("<style|style=|<script>|javascript:|\\son[a-z]+=", page);
        foreach (string name in Names.Where(name => name.EndsWith(".js", StringComparison.Ordinal)))
        {
            string script = await server.Client.GetStringAsync("/page/" + name, TestContext.Current.CancellationToken);
            Assert.DoesNotMatch("innerHTML|outerHTML|insertAdjacentHTML|document\\.write|\\beval\\(|new Function|\\.style\\b", script);
        }
    }

    [Fact]
    public async Task An_unchanged_file_is_not_sent_twice()
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());
        using HttpResponseMessage first = await server.Client.GetAsync("/page/chat.js", TestContext.Current.CancellationToken);
        var again = new HttpRequestMessage(HttpMethod.Get, "/page/chat.js");
        again.Headers.IfNoneMatch.Add(first.Headers.ETag!);

        using HttpResponseMessage second = await server.Client.SendAsync(again, TestContext.Current.CancellationToken);

        Assert.Equal(304, (int)second.StatusCode);
    }

    [Fact]
    public async Task The_ranges_of_the_page_are_those_that_the_server_keeps()
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());
        using JsonDocument ranges = JsonDocument.Parse(await server.Client.GetStringAsync("/page/limits.json", TestContext.Current.CancellationToken));
        var limits = new RequestLimits();
        foreach (JsonElement range in ranges.RootElement.EnumerateArray().Where(range => range.GetProperty("field").GetString() != "stop"))
        {
            string field = range.GetProperty("field").GetString()!;
            string lowest = range.GetProperty("above").GetBoolean() ? "0.001" : range.GetProperty("from").GetRawText();
            var (response, body) = await server.ChatAsync($$"""{"model":"test-model","messages":[{"role":"user","content":"x"}],"{{field}}":{{lowest}}}""");
            Assert.True(response.IsSuccessStatusCode, body);
        }
        Assert.Equal(limits.MaxTemperature, ranges.RootElement[0].GetProperty("to").GetDouble());
    }

    [GeneratedRegex("(?:/page/|\"\\./)([a-z]+\\.(?:json|js|css|svg))")]
    private static partial Regex Reference();
}
