using System.Text.Json;
using System.Text.RegularExpressions;

namespace OpenEuroLLM.Serving.Tests;

public sealed partial class ChatPageTests
{
    [Fact]
    public async Task The_page_and_its_parts_are_served_from_the_assembly()
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());
        string page = await server.Client.GetStringAsync("/", TestContext.Current.CancellationToken);

        string[] parts = [.. Reference().Matches(page).Select(match => match.Groups[1].Value).Distinct()];

        Assert.Equal(["/page/icon.svg", "/page/chat.css", "/page/chat.js"], parts);
        foreach (string part in parts.Append("/page/strings.en.json"))
        {
            using HttpResponseMessage response = await server.Client.GetAsync(part, TestContext.Current.CancellationToken);
            Assert.Equal(200, (int)response.StatusCode);
        }
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
        Assert.Contains("<html lang=\"en\">", page, StringComparison.Ordinal);
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
    public async Task Every_text_of_the_interface_stands_in_the_strings_file_and_is_used()
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());
        string page = await server.Client.GetStringAsync("/", TestContext.Current.CancellationToken);
        string script = await server.Client.GetStringAsync("/page/chat.js", TestContext.Current.CancellationToken);
        using JsonDocument strings = JsonDocument.Parse(await server.Client.GetStringAsync("/page/strings.en.json", TestContext.Current.CancellationToken));

        var used = TextOfPage().Matches(page).Concat(TextOfScript().Matches(script)).Select(match => match.Groups[1].Value).ToHashSet(StringComparer.Ordinal);

        Assert.Equal(strings.RootElement.EnumerateObject().Select(text => text.Name).Order(StringComparer.Ordinal), used.Order(StringComparer.Ordinal));
    }

    [GeneratedRegex("(?:src|href)=\"(/[^\"]*)\"")]
    private static partial Regex Reference();

    [GeneratedRegex("data-(?:text|label|placeholder)=\"(\\w+)\"")]
    private static partial Regex TextOfPage();

    [GeneratedRegex("(?:strings\\.|fill\\(\")([a-z]\\w*)")]
    private static partial Regex TextOfScript();
}
