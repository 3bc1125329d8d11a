using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenEuroLLM.Core;
using OpenEuroLLM.Core.Auditing;
using OpenEuroLLM.Inference;
using OpenEuroLLM.Serving.Anthropic;
using OpenEuroLLM.Serving.Gemini;
using OpenEuroLLM.Serving.Metrics;
using OpenEuroLLM.Serving.OpenAi;
using OpenEuroLLM.Serving.Operation;
using OpenEuroLLM.Serving.Security;

namespace OpenEuroLLM.Serving;

/// <summary>The HTTP server: the dialects, the probes and the chat page before a catalogue of models.</summary>
public sealed class GatewayHost : IAsyncDisposable
{
    // Readers that take nothing any more cannot be told of the end; they are cut off.
    private static readonly TimeSpan EndWithin = TimeSpan.FromSeconds(2), AbortAfter = TimeSpan.FromSeconds(1);
    private readonly WebApplication application;
    private readonly ServerOptions options;
    private readonly Drain drain;
    private readonly Auditor? auditor;
    private readonly IModelCatalogue models;

    private GatewayHost(WebApplication application, ServerOptions options, Drain drain, Auditor? auditor, IModelCatalogue models) =>
        (this.application, this.options, this.drain, this.auditor, this.models) = (application, options, drain, auditor, models);

    /// <summary>Where the server answers, e.g. <c>http://127.0.0.1:8080</c>; known once it was started.</summary>
    public Uri Address => new(application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault()
        ?? throw new InvalidOperationException("The server was not started."));

    /// <summary>Every route that it answers.</summary>
    internal IReadOnlyList<RouteEndpoint> Routes => [.. ((IEndpointRouteBuilder)application).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()];

    /// <summary>Puts the server together; nothing listens yet.</summary>
    /// <param name="options">How it listens and what it allows.</param>
    /// <param name="models">What answers; stays the caller's to dispose of, after the server.</param>
    /// <param name="log">Gets one entry per defect, never a prompt or an answer; null for no log.</param>
    /// <param name="time">The clock; null for the system's.</param>
    /// <param name="audit">Where every use of the model is written down; null for nowhere. Stays the caller's to dispose of, after the server.</param>
    /// <param name="requests">Gets a line for each request; null for no such log. Stays the caller's as well.</param>
    /// <exception cref="UserErrorException">The address cannot be used, or others could reach it without keys or TLS.</exception>
    public static GatewayHost Build(ServerOptions options, IModelCatalogue models, TextWriter? log = null, TimeProvider? time = null, IAuditStore? audit = null, RequestLog? requests = null) =>
        Build(options, models, logging => { if (log is not null) logging.AddProvider(new TextLog(log)).SetMinimumLevel(LogLevel.Warning); }, time, audit, requests);

    /// <summary>As for a catalogue, with one model that stays loaded.</summary>
    /// <inheritdoc cref="Build(ServerOptions, IModelCatalogue, TextWriter?, TimeProvider?, IAuditStore?, RequestLog?)"/>
    /// <param name="options">How it listens and what it allows.</param>
    /// <param name="engine">What answers; stays the caller's to dispose of, after the server.</param>
    /// <param name="log">Gets one entry per defect, never a prompt or an answer; null for no log.</param>
    /// <param name="time">The clock; null for the system's.</param>
    /// <param name="audit">Where every use of the model is written down; null for nowhere.</param>
    /// <param name="requests">Gets a line for each request; null for no such log.</param>
    public static GatewayHost Build(ServerOptions options, IInferenceEngine engine, TextWriter? log = null, TimeProvider? time = null, IAuditStore? audit = null, RequestLog? requests = null) =>
        Build(options, new SingleModel(engine), log, time, audit, requests);

    /// <summary>As the public form, with any kind of log.</summary>
    internal static GatewayHost Build(ServerOptions options, IModelCatalogue catalogue, Action<ILoggingBuilder> logging, TimeProvider? time, IAuditStore? audit = null, RequestLog? requests = null)
    {
        // A line of a header ends with CR LF and nothing else, so that a proxy in front and this server agree where it does.
        AppContext.SetSwitch("Microsoft.AspNetCore.Server.Kestrel.DisableHttp1LineFeedTerminators", true);
        time ??= TimeProvider.System;
        ListenAddress address = ListenAddress.Parse(options.Host, options.Port, options.Security);
        ServerCertificate? certificate = ServerCertificate.Load(options.Security, time.GetUtcNow());
        // The empty builder reads no file and no environment variable: only the options decide where the server listens.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(server => Configure(server, address.Address, options, certificate));
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<IHostLifetime, CallerLifetime>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = AbortAfter);
        logging(builder.Logging);

        WebApplication application = builder.Build();
        ILogger logger = application.Services.GetRequiredService<ILoggerFactory>().CreateLogger("OpenEuroLLM.Serving");
        var metrics = new GatewayMetrics(catalogue, time);
        metrics.Count(application);
        Auditor? auditor = metrics.Auditor = audit is null ? null : new Auditor(audit, time, logger);
        var drain = new Drain(time);
        var records = new RequestRecords(auditor, requests, metrics, time);
        application.Use((context, next) => records.InvokeAsync(context, next));
        var guard = new RequestGuard(address, records, drain, logger);
        application.Use((context, next) => guard.InvokeAsync(context, next));
        application.UseRouting();
        application.Use((context, next) => RequestRecords.RoutedAsync(context, next));
        var access = new AccessPolicy(options.Security.KeysFile is string keys ? new KeyStore(keys, time) : null, time, logger);
        application.Use((context, next) => access.InvokeAsync(context, next));
        metrics.Map(application);
        ChatPage.Map(application);
        var models = new ServedModels(catalogue, metrics, auditor, drain, time, keepContent: requests is { WithContent: true });
        new Probes(models, options, drain, time, logger).Map(application);
        new ModelRoutes(models, time).Map(application);
        new OpenAiRoutes(models, options, time, logger).Map(application);
        new AnthropicRoutes(models, options, time, logger).Map(application);
        new GeminiRoutes(models, options, time, logger).Map(application);
        return new GatewayHost(application, options, drain, auditor, catalogue);
    }

    /// <summary>Starts to listen.</summary>
    /// <exception cref="UserErrorException">The port is taken, or not allowed, or the audit cannot be written.</exception>
    public async Task StartAsync(CancellationToken cancellation = default)
    {
        if (auditor is not null)
        {
            await auditor.StartAsync().ConfigureAwait(false);
            foreach (ModelStatus model in models.Models)
            {
                using ModelLease? loaded = models.TryUse(model.Name);
                if (loaded is not null) auditor.Learn(loaded.Engine.Info);
            }
        }
        try
        {
            await application.StartAsync(cancellation).ConfigureAwait(false);
        }
        catch (IOException problem) when (problem.InnerException is AddressInUseException)
        {
            throw new UserErrorException(FormattableString.Invariant($"port {options.Port} of {options.Host} is in use; choose another with --port."), problem);
        }
        catch (SocketException problem)
        {
            throw new UserErrorException(FormattableString.Invariant($"cannot listen on port {options.Port} of {options.Host}: {problem.SocketErrorCode}; choose another with --port or --host."), problem);
        }
    }

    /// <summary>Is not ready and takes no more requests from now on, lets running answers go on for <see cref="ServerOptions.DrainSeconds"/>, then ends
    /// them with an error that says so. When this ends, every request has its row in the audit.</summary>
    /// <param name="hurry">Ends running answers at once.</param>
    public async Task StopAsync(CancellationToken hurry = default)
    {
        drain.Begin();
        await drain.IdleAsync(TimeSpan.FromSeconds(options.DrainSeconds), hurry).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await drain.EndAsync().ConfigureAwait(false);
        await drain.IdleAsync(EndWithin, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await application.StopAsync(CancellationToken.None).ConfigureAwait(false);
        await drain.IdleAsync(EndWithin, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (auditor is not null) await auditor.DisposeAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await application.DisposeAsync().ConfigureAwait(false);
        if (auditor is not null) await auditor.DisposeAsync().ConfigureAwait(false);
        drain.Dispose();
    }

    private static void Configure(KestrelServerOptions server, IPAddress address, ServerOptions options, ServerCertificate? certificate)
    {
        server.AddServerHeader = false;
        server.Limits.MaxRequestBodySize = options.MaxBodyBytes;
        server.Limits.MaxConcurrentConnections = HttpLimits.Connections;
        server.Limits.MaxRequestHeadersTotalSize = HttpLimits.HeaderBytes;
        server.Limits.MaxRequestHeaderCount = HttpLimits.Headers;
        server.Limits.MaxRequestLineSize = HttpLimits.RequestLineBytes;
        server.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(HttpLimits.HeaderSeconds);
        server.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(HttpLimits.IdleSeconds);
        TimeSpan grace = TimeSpan.FromSeconds(HttpLimits.GraceSeconds);
        server.Limits.MinRequestBodyDataRate = new MinDataRate(HttpLimits.RequestBytesPerSecond, grace);
        server.Limits.MinResponseDataRate = new MinDataRate(HttpLimits.ResponseBytesPerSecond, grace);
        server.Listen(address, options.Port, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            if (certificate is not null) listen.UseHttps(https => (https.ServerCertificate, https.ServerCertificateChain) = (certificate.Own, certificate.Chain));
        });
    }

    /// <summary>The caller starts and stops the server; the host itself listens to no signal.</summary>
    private sealed class CallerLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
