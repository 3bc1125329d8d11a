using System.Text.Json.Nodes;

namespace OpenEuroLLM.Cli.Tests;

public sealed class ServeCommandTests(SmallRun run)
{
    [Fact]
    public async Task Serves_until_it_is_stopped()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var ready = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var output = new ListeningWriter(line =>
        {
            if (line.Contains(" answers at ", StringComparison.Ordinal)) ready.TrySetResult(line.Split(' ')[^1]);
        });
        await using var error = new StringWriter();
        var served = Program.RunAsync(["serve", "--model", run.Model, "--port", "0"], output, error, stop.Token);
        Assert.True(await Task.WhenAny(ready.Task, served) == ready.Task, error.ToString());
        using var client = new HttpClient { BaseAddress = new Uri(await ready.Task) };
        Assert.True(client.BaseAddress.IsLoopback);
        var models = JsonNode.Parse(await client.GetStringAsync(new Uri("/v1/models", UriKind.Relative), stop.Token))!;
        Assert.Equal("model", (string)models["data"]![0]!["id"]!);
        await stop.CancelAsync();
        Assert.Equal(0, await served);
        Assert.Equal("Stopped.", output.Lines[^1]);
    }

    [Fact]
    public async Task Several_models_are_served_by_name_and_loaded_when_they_are_named()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var ready = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var output = new ListeningWriter(line =>
        {
            if (line.Contains(" answers at ", StringComparison.Ordinal)) ready.TrySetResult(line.Split(' ')[^1]);
        });
        await using var error = new StringWriter();
        var served = Program.RunAsync(["serve", "--model", run.Model, "--model", run.Model + "=other/name", "--memory", "4GB", "--idle-unload", "10m", "--port", "0"], output, error, stop.Token);
        Assert.True(await Task.WhenAny(ready.Task, served) == ready.Task, error.ToString());
        using var client = new HttpClient { BaseAddress = new Uri(await ready.Task) };
        Assert.Equal("model loaded other/name unloaded", await States());
        using var body = new StringContent("""{"model":"other/name","prompt":"a"}""", System.Text.Encoding.UTF8, "application/json");
        using var answer = await client.PostAsync(new Uri("/tokenize", UriKind.Relative), body, stop.Token);
        Assert.True(answer.IsSuccessStatusCode);
        Assert.Equal("model loaded other/name loaded", await States());
        await stop.CancelAsync();
        Assert.Equal(0, await served);
        Assert.Contains(output.Lines, line => line.StartsWith("  other/name: loads when it is asked for, ", StringComparison.Ordinal));
        Assert.Contains("other/name: loaded in ", error.ToString(), StringComparison.Ordinal);

        async Task<string> States() => string.Join(' ', JsonNode.Parse(await client.GetStringAsync(new Uri("/v1/models", UriKind.Relative), stop.Token))!["data"]!.AsArray()
            .Select(model => $"{(string)model!["id"]!} {(string)model["state"]!}"));
    }

    [Fact]
    public void Models_that_cannot_be_served_are_refused_at_the_start()
    {
        Oellm.Refuses(["serve", "--model", run.Model, "--model", run.Model], "are both called 'model'", "PATH=NAME");
        Oellm.Refuses(["serve", "--model", run.Model + "=a b"], "the name behind '=' is 'a b'");
        Oellm.Refuses(["serve", "--model", run.Model, "--model", "nowhere=x"], "nowhere: there is no such folder");
        Oellm.Refuses(["serve", "--model", run.Model, "--memory", "1MB"], "needs about", "--memory");
        Oellm.Refuses(["serve", "--model", run.Model, "--memory", "much"], "--memory is 'much'");
        Oellm.Refuses(["serve", "--model", run.Model, "--idle-unload", "soon"], "--idle-unload is 'soon'; expected a span of time such as 90s");
        Oellm.Refuses(["serve", "--model", run.Model, "--model", run.Model + "=b", "--adapter", "x"], "--adapter belongs to one model");
    }

    [Fact]
    public void Addresses_beyond_this_machine_are_refused()
    {
        Oellm.Refuses(["serve", "--model", run.Model, "--host", "0.0.0.0"], "0.0.0.0", "127.0.0.1");
        Oellm.Refuses(["serve", "--model", run.Model, "--port", "70000"], "70000", "65535");
        Oellm.Refuses(["serve", "--model", run.Model, "--threads", "0"], "--threads is 0");
    }
}
