using System.CommandLine;
using OpenEuroLLM.Core;
using OpenEuroLLM.Inference;
using OpenEuroLLM.Serving;
using OpenEuroLLM.Serving.Auditing;
using OpenEuroLLM.Serving.Operation;
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
        var port = new Option<int>("--port") { Description = "TCP port; 0 takes a free one.", HelpName = "P", DefaultValueFactory = _ => Defaults.Port };
        var command = new ServingCommand("serve", "Serves a model: OpenAI's API under /v1, a chat page at /, /health and /ready. SIGTERM or Ctrl+C lets running answers finish and stops it; a second one ends them.\n" +
            "Example: oellm serve --port 8080") { model, adapter, host, port, threads };
        var security = new ServeSecurity();
        security.AddTo(command);
        var operation = new ServeOperation();
        operation.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            SecurityOptions secured = security.Of(parsed);
            return Serve(ModelPath.Resolve(parsed.GetValue(model)), parsed.GetValue(host)!, parsed.GetValue(port),
                RunCommand.ThreadCount(parsed.GetValue(threads)), parsed.GetValue(adapter), secured, operation.Of(parsed, secured.KeysFile), parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error, cancellation);
        });
        return command;
    }

    /// <summary>Serves a model folder until cancelled; running answers may end first.</summary>
    /// <exception cref="UserErrorException">No model, an address that others reach without keys, or the port is taken.</exception>
    public static Task<int> Serve(string modelPath, string host, int port, CancellationToken cancellation) =>
        Serve(modelPath, host, port, threads: null, adapters: null, new(), ServeOperationChoice.Quick, Console.Out, Console.Error, cancellation);

    private static async Task<int> Serve(
        string modelPath, string host, int port, int? threads, IReadOnlyList<string>? adapters, SecurityOptions security, ServeOperationChoice operation, TextWriter output, TextWriter error, CancellationToken cancellation)
    {
        ServerOptions options = Defaults with { Host = host, Port = port, Security = security, DrainSeconds = operation.DrainSeconds };
        options.Validate(); // a wrong address or audit is said before the model is loaded
        using SqliteAuditStore? audit = operation.OpenAudit();
        await using InferenceEngine engine = InferenceEngine.Load(modelPath, threads, adapters: adapters);
        await using RequestLog? requests = operation.OpenLog(error);
        await using GatewayHost server = GatewayHost.Build(options, engine, error, audit: audit, requests: requests);
        using var signals = new StopSignals(cancellation);
        await server.StartAsync(cancellation).ConfigureAwait(false);

        string address = server.Address.GetLeftPart(UriPartial.Authority);
        await output.WriteLineAsync($"{engine.Info.Name} answers at {address}").ConfigureAwait(false);
        await output.WriteLineAsync($"  chat page   {address}/").ConfigureAwait(false);
        await output.WriteLineAsync($"  OpenAI API  {address}/v1 (model \"{engine.Info.Name}\", {(security.KeysFile is null ? "any key" : "with a key")})").ConfigureAwait(false);
        if (audit is not null) await output.WriteLineAsync($"  audit       {audit.Location} (head {audit.Head})").ConfigureAwait(false);
        foreach (string warning in operation.Warnings()) await error.WriteLineAsync(warning).ConfigureAwait(false);
        if (engine.ChatObstacle is string obstacle) await output.WriteLineAsync($"  no chat: {obstacle}").ConfigureAwait(false);
        await output.WriteLineAsync("Ctrl+C stops it.").ConfigureAwait(false);
        await output.FlushAsync(cancellation).ConfigureAwait(false);

        await Task.Delay(Timeout.Infinite, signals.First).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await server.StopAsync(signals.Second).ConfigureAwait(false);
        // To be noted down elsewhere: with it a history that was cut off or written anew is found.
        if (audit is not null) await error.WriteLineAsync($"The audit ends at {audit.Head}.").ConfigureAwait(false);
        await output.WriteLineAsync("Stopped.").ConfigureAwait(false);
        return ExitCode.Success;
    }
}
