using System.CommandLine;
using OpenEuroLLM.Core;
using OpenEuroLLM.Inference;
using OpenEuroLLM.Serving;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm serve</c>: a model behind OpenAI's API and a chat page, on this machine only.</summary>
internal static class ServeCommand
{
    private static readonly ServerOptions Defaults = new();

    public static Command Create()
    {
        var model = SamplingOptions.Model();
        var adapter = SamplingOptions.Adapter();
        var threads = SamplingOptions.ThreadsOption();
        var host = new Option<string>("--host") { Description = "Address to listen on: 127.0.0.1, ::1 or localhost.", HelpName = "H", DefaultValueFactory = _ => Defaults.Host };
        var port = new Option<int>("--port") { Description = "TCP port; 0 takes a free one.", HelpName = "P", DefaultValueFactory = _ => Defaults.Port };
        var command = new Command("serve", "Serves a model: OpenAI's API under /v1, a chat page at /, /health and /ready. Ctrl+C stops it.\n" +
            "Example: oellm serve --port 8080") { model, adapter, host, port, threads };
        command.SetAction((parsed, cancellation) => Serve(ModelPath.Resolve(parsed.GetValue(model)), parsed.GetValue(host)!, parsed.GetValue(port),
            RunCommand.ThreadCount(parsed.GetValue(threads)), parsed.GetValue(adapter), parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error, cancellation));
        return command;
    }

    /// <summary>Serves a model folder until cancelled; running answers may end first.</summary>
    /// <exception cref="UserErrorException">No model, no loopback address, or the port is taken.</exception>
    public static Task<int> Serve(string modelPath, string host, int port, CancellationToken cancellation) =>
        Serve(modelPath, host, port, threads: null, adapters: null, Console.Out, Console.Error, cancellation);

    private static async Task<int> Serve(
        string modelPath, string host, int port, int? threads, IReadOnlyList<string>? adapters, TextWriter output, TextWriter error, CancellationToken cancellation)
    {
        ServerOptions options = Defaults with { Host = host, Port = port };
        options.Validate(); // a wrong address is said before the model is loaded
        await using InferenceEngine engine = InferenceEngine.Load(modelPath, threads, adapters: adapters);
        await using GatewayHost server = GatewayHost.Build(options, engine, error);
        await server.StartAsync(cancellation).ConfigureAwait(false);

        string address = server.Address.GetLeftPart(UriPartial.Authority);
        await output.WriteLineAsync($"{engine.Info.Name} answers at {address}").ConfigureAwait(false);
        await output.WriteLineAsync($"  chat page   {address}/").ConfigureAwait(false);
        await output.WriteLineAsync($"  OpenAI API  {address}/v1 (model \"{engine.Info.Name}\", any key)").ConfigureAwait(false);
        if (engine.ChatObstacle is string obstacle) await output.WriteLineAsync($"  no chat: {obstacle}").ConfigureAwait(false);
        await output.WriteLineAsync("Ctrl+C stops it.").ConfigureAwait(false);
        await output.FlushAsync(cancellation).ConfigureAwait(false);

        await Task.Delay(Timeout.Infinite, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await server.StopAsync().ConfigureAwait(false);
        await output.WriteLineAsync("Stopped.").ConfigureAwait(false);
        return ExitCode.Success;
    }
}
