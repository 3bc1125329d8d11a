using System.CommandLine;
using OpenEuroLLM.Core;
using OpenEuroLLM.Inference;
using OpenEuroLLM.Serving;
using OpenEuroLLM.Serving.Auditing;
using OpenEuroLLM.Serving.Operation;
using OpenEuroLLM.Serving.Security;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm serve</c>: models behind an API and a chat page, on this machine only unless keys protect them.</summary>
internal static class ServeCommand
{
    private static readonly ServerOptions Defaults = new();

    public static Command Create()
    {
        var host = new Option<string>("--host") { Description = "Address to listen on: 127.0.0.1, ::1 or localhost; another one needs --keys, and --certificate or --insecure-http.", HelpName = "H", DefaultValueFactory = _ => Defaults.Host };
        var port = new Option<int>("--port") { Description = "TCP port; 0 takes a free one.", HelpName = "P", DefaultValueFactory = _ => Defaults.Port };
        var command = new ServingCommand("serve", "Serves models: OpenAI's API under /v1, a chat page at /, /health and /ready. SIGTERM or Ctrl+C lets running answers finish and stops it; a second one ends them.\n" +
            "Example: oellm serve --port 8080\n" +
            "         oellm serve --model models/europa-nano=small --model big.gguf --memory 12GB --idle-unload 10m") { host, port };
        var models = new ServeModels();
        models.AddTo(command);
        var security = new ServeSecurity();
        security.AddTo(command);
        var operation = new ServeOperation();
        operation.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            var (offered, options, lazy) = models.Of(parsed);
            SecurityOptions secured = security.Of(parsed);
            ServeOperationChoice chosen = operation.Of(parsed, secured.KeysFile);
            return Serve(offered, options, lazy, Defaults with { Host = parsed.GetValue(host)!, Port = parsed.GetValue(port), Security = secured, DrainSeconds = chosen.DrainSeconds }, chosen,
                parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error, cancellation);
        });
        return command;
    }

    /// <summary>Serves a model folder until cancelled; running answers may end first.</summary>
    /// <exception cref="UserErrorException">No model, an address that others reach without keys, or the port is taken.</exception>
    public static Task<int> Serve(string modelPath, string host, int port, CancellationToken cancellation) =>
        Serve([new OfferedModel(modelPath)], new(), lazy: false, Defaults with { Host = host, Port = port, DrainSeconds = ServeOperationChoice.Quick.DrainSeconds }, ServeOperationChoice.Quick, Console.Out, Console.Error, cancellation);

    private static async Task<int> Serve(IReadOnlyList<OfferedModel> models, CatalogueOptions catalogueOptions, bool lazy, ServerOptions options, ServeOperationChoice operation,
        TextWriter output, TextWriter error, CancellationToken cancellation)
    {
        options.Validate(); // a wrong address or audit is said before a model is loaded
        using SqliteAuditStore? audit = operation.OpenAudit();
        TextWriter log = TextWriter.Synchronized(error); // whoever loads a model writes there too
        await using ModelCatalogue catalogue = ModelCatalogue.Open(models, catalogueOptions, log.WriteLine);
        ModelInfo? first = lazy ? null : await LoadFirstAsync(catalogue, cancellation).ConfigureAwait(false);
        await using RequestLog? requests = operation.OpenLog(log);
        await using GatewayHost server = GatewayHost.Build(options, catalogue, log, audit: audit, requests: requests);
        using var signals = new StopSignals(cancellation);
        await server.StartAsync(cancellation).ConfigureAwait(false);

        string address = server.Address.GetLeftPart(UriPartial.Authority), names = string.Join(", ", catalogue.Models.Select(model => $"\"{model.Name}\""));
        await output.WriteLineAsync($"{catalogue.Models[0].Name} answers at {address}").ConfigureAwait(false);
        await output.WriteLineAsync($"  chat page   {address}/").ConfigureAwait(false);
        await output.WriteLineAsync($"  OpenAI API  {address}/v1 (model {names}, {(options.Security.KeysFile is null ? "any key" : "with a key")})").ConfigureAwait(false);
        if (models.Count > 1 || lazy)
            foreach (ModelStatus model in catalogue.Models)
                await output.WriteLineAsync($"  {model.Name}: {(model.State == ModelState.Loaded ? "loaded" : "loads when it is asked for")}, {AvailableMemory.Size(model.Bytes)} of {AvailableMemory.Size(catalogue.MemoryBytes)}").ConfigureAwait(false);
        if (audit is not null) await output.WriteLineAsync($"  audit       {audit.Location} (head {audit.Head})").ConfigureAwait(false);
        foreach (string warning in operation.Warnings()) await log.WriteLineAsync(warning).ConfigureAwait(false);
        if (first?.ChatObstacle is string obstacle) await output.WriteLineAsync($"  no chat: {obstacle}").ConfigureAwait(false);
        await output.WriteLineAsync("Ctrl+C stops it.").ConfigureAwait(false);
        await output.FlushAsync(cancellation).ConfigureAwait(false);

        await Task.Delay(Timeout.Infinite, signals.First).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await server.StopAsync(signals.Second).ConfigureAwait(false);
        // To be noted down elsewhere: with it a history that was cut off or written anew is found.
        if (audit is not null) await log.WriteLineAsync($"The audit ends at {audit.Head}.").ConfigureAwait(false);
        await output.WriteLineAsync("Stopped.").ConfigureAwait(false);
        return ExitCode.Success;
    }

    private static async Task<ModelInfo> LoadFirstAsync(ModelCatalogue catalogue, CancellationToken cancellation)
    {
        try
        {
            using ModelLease lease = await catalogue.LoadAsync(catalogue.Models[0].Name, cancellation).ConfigureAwait(false);
            return lease.Engine.Info;
        }
        catch (RequestException problem)
        {
            throw new UserErrorException(problem.Message, problem);
        }
    }
}
