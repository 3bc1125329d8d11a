using System.CommandLine;
using OpenEuroLLM.Core;
using OpenEuroLLM.Inference;
using OpenEuroLLM.Serving;
using OpenEuroLLM.Serving.Security;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm serve</c>: a model behind an API and a chat page, on this machine only unless keys protect it.</summary>
internal static class ServeCommand
{
    private static readonly ServerOptions Defaults = new();

    public static Command Create()
    {
        var model = SamplingOptions.Model();
        var adapter = SamplingOptions.Adapter();
        var threads = SamplingOptions.ThreadsOption();
        var host = new Option<string>("--host") { Description = "Address to listen on: 127.0.0.1, ::1 or localhost; another one needs --keys, and --certificate or --insecure-http.", HelpName = "H", DefaultValueFactory = _ => Defaults.Host };
        var cacheTokens = new Option<int?>("--cache-tokens") { Description = "Tokens of all answers together that the cache holds; more answers run at once, and more memory is used. Default: eight full contexts, at least 16384.", HelpName = "N" };
        var port = new Option<int>("--port") { Description = "TCP port; 0 takes a free one.", HelpName = "P", DefaultValueFactory = _ => Defaults.Port };
        var command = new Command("serve", "Serves a model: OpenAI's API under /v1, a chat page at /, /health and /ready. Ctrl+C stops it.\n" +
            "Example: oellm serve --port 8080") { model, adapter, host, port, threads, cacheTokens };
        var security = new ServeSecurity();
        security.AddTo(command);
        command.SetAction((parsed, cancellation) => Serve(ModelPath.Resolve(parsed.GetValue(model)), parsed.GetValue(host)!, parsed.GetValue(port),
            RunCommand.ThreadCount(parsed.GetValue(threads)), parsed.GetValue(adapter), parsed.GetValue(cacheTokens), security.Of(parsed), parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error, cancellation));
        return command;
    }

    /// <summary>Serves a model folder until cancelled; running answers may end first.</summary>
    /// <exception cref="UserErrorException">No model, an address that others reach without keys, or the port is taken.</exception>
    public static Task<int> Serve(string modelPath, string host, int port, CancellationToken cancellation) =>
        Serve(modelPath, host, port, threads: null, adapters: null, cacheTokens: null, new(), Console.Out, Console.Error, cancellation);

    private static async Task<int> Serve(
        string modelPath, string host, int port, int? threads, IReadOnlyList<string>? adapters, int? cacheTokens, SecurityOptions security, TextWriter output, TextWriter error, CancellationToken cancellation)
    {
        ServerOptions options = Defaults with { Host = host, Port = port, Security = security };
        if (cacheTokens < 1) throw new UserErrorException(FormattableString.Invariant($"--cache-tokens is {cacheTokens}; expected 1 or more."));
        options.Validate(); // a wrong address is said before the model is loaded
        await using InferenceEngine engine = InferenceEngine.Load(modelPath, threads, new EngineLimits(CacheTokens: cacheTokens), adapters: adapters);
        await using GatewayHost server = GatewayHost.Build(options, engine, error);
        await server.StartAsync(cancellation).ConfigureAwait(false);

        string address = server.Address.GetLeftPart(UriPartial.Authority);
        await output.WriteLineAsync($"{engine.Info.Name} answers at {address}").ConfigureAwait(false);
        await output.WriteLineAsync($"  chat page   {address}/").ConfigureAwait(false);
        await output.WriteLineAsync($"  OpenAI API  {address}/v1 (model \"{engine.Info.Name}\", {(security.KeysFile is null ? "any key" : "with a key")})").ConfigureAwait(false);
        if (engine.ChatObstacle is string obstacle) await output.WriteLineAsync($"  no chat: {obstacle}").ConfigureAwait(false);
        await output.WriteLineAsync("Ctrl+C stops it.").ConfigureAwait(false);
        await output.FlushAsync(cancellation).ConfigureAwait(false);

        await Task.Delay(Timeout.Infinite, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await server.StopAsync().ConfigureAwait(false);
        await output.WriteLineAsync("Stopped.").ConfigureAwait(false);
        return ExitCode.Success;
    }
}
