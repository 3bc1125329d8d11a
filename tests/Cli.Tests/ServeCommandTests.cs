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
    public void Addresses_beyond_this_machine_are_refused()
    {
        Oellm.Refuses(["serve", "--model", run.Model, "--host", "0.0.0.0"], "0.0.0.0", "127.0.0.1");
        Oellm.Refuses(["serve", "--model", run.Model, "--port", "70000"], "70000", "65535");
        Oellm.Refuses(["serve", "--model", run.Model, "--threads", "0"], "--threads is 0");
    }
}
