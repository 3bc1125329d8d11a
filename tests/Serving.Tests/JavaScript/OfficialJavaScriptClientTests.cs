using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.Tests.JavaScript;

/// <summary>The official clients for JavaScript, unmodified: <c>clients.mjs</c> says what is checked.</summary>
public sealed class OfficialJavaScriptClientTests(SmallModel model, SmallToolModel tools) : IClassFixture<SmallModel>, IClassFixture<SmallToolModel>
{
    private const int OldestNode = 20;
    private int left;

    [Theory(Timeout = 120_000)]
    [InlineData("openai")]
    [InlineData("anthropic")]
    [InlineData("google")]
    public async Task Works_unmodified(string client)
    {
        string folder = Folder();
        (_, string version) = await NodeAsync(folder, "--print", "parseInt(process.versions.node)");
        Assert.SkipUnless(int.Parse(version, CultureInfo.InvariantCulture) >= OldestNode, "needs Node.js 20 or later");
        Assert.SkipUnless(Directory.Exists(Path.Combine(folder, "node_modules")), "needs 'npm ci' in tests/Serving.Tests/JavaScript");
        await using RunningServer real = await RunningServer.StartAsync(model.Engine);
        await using RunningServer calling = await RunningServer.StartAsync(tools.Engine);
        await using RunningServer scripted = await RunningServer.StartAsync(Scripted());

        (int exit, string problem) = await NodeAsync(folder, "clients.mjs", client, AddressOf(real), AddressOf(calling), AddressOf(scripted));

        Assert.True(exit == 0, problem);
        while (Volatile.Read(ref left) == 0)
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested(); // the time limit ends a wait in vain
            await Task.Yield();
        }
    }

    /// <summary>Does what the last message says.</summary>
    private ScriptedEngine Scripted() => new()
    {
        Info = new ScriptedEngine().Info with { Name = "scripted", SupportsTools = true, SupportsReasoning = true },
        Script = (request, cancellation) =>
        {
            IReadOnlyList<ChatMessage> messages = ((GenerationInput.Messages)request.Input).Items;
            GenerationEvent[] start = [new GenerationEvent.Text(0, "a")];
            switch (messages[^1].Content)
            {
                case "call":
                    return ScriptedEngine.Events(
                        new GenerationEvent.Token(0, 1), new GenerationEvent.Reasoning(0, "Two calls."), new GenerationEvent.Text(0, "Let me see."),
                        new GenerationEvent.ToolCall(0, "id1", "weather", """{"city":"Říše"}"""), new GenerationEvent.ToolCall(0, "id2", "time", "{}"),
                        new GenerationEvent.Finished(0, FinishReason.Stop, new Usage(90, 5, 64)));
                case "busy":
                    return ScriptedEngine.Gated(Task.FromException(new RequestException(null, "8 requests wait already.", RequestErrorCode.Overloaded)), [], [], cancellation);
                case "fail":
                    return ScriptedEngine.Gated(Task.FromException(new RequestException(null, "The deadline has passed.", RequestErrorCode.DeadlineExceeded)), start, [], cancellation);
                case "wait":
                    cancellation.Register(() => Interlocked.Increment(ref left));
                    return ScriptedEngine.Gated(new TaskCompletionSource().Task, start, [], cancellation);
                default:
                    return ScriptedEngine.Events(new GenerationEvent.Text(0, string.Join(", ", messages.Select(message => message.Role))),
                        new GenerationEvent.Finished(0, FinishReason.Stop, new Usage(9, 3)));
            }
        },
    };

    private static string AddressOf(RunningServer server) => server.Address.GetLeftPart(UriPartial.Authority);

    private static async Task<(int Exit, string Output)> NodeAsync(string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo("node", arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        using Process? node = Started(start);
        Assert.SkipWhen(node is null, "needs Node.js, as 'node'");
        Task<string> errors = node!.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string output = await node.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await node.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (node.ExitCode, output + await errors);
    }

    private static Process? Started(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start);
        }
        catch (Win32Exception) // how a program that is not there is reported
        {
            return null;
        }
    }

    private static string Folder()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "OpenEuroLLM.slnx"))) folder = Path.GetDirectoryName(folder)!;
        return Path.Combine(folder, "tests", "Serving.Tests", "JavaScript");
    }
}
