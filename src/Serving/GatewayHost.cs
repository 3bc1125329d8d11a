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
using OpenEuroLLM.Inference;
using OpenEuroLLM.Serving.Anthropic;
using OpenEuroLLM.Serving.Gemini;
using OpenEuroLLM.Serving.Metrics;
using OpenEuroLLM.Serving.OpenAi;
using OpenEuroLLM.Serving.Security;

namespace OpenEuroLLM.Serving;

/// <summary>The HTTP server: the dialects, the probes and the chat page before a catalogue of models.</summary>
public sealed class GatewayHost : IAsyncDisposable
{
    private readonly WebApplication application;
    private readonly ServerOptions options;

    private GatewayHost(WebApplication application, ServerOptions options)
    {
        this.application = application;
        this.options = options;
    }

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
    /// <exception cref="UserErrorException">The address cannot be used, or others could reach it without keys or TLS.</exception>
    public static GatewayHost Build(ServerOptions options, IModelCatalogue models, TextWriter? log = null, TimeProvider? time = null) =>
        Build(options, models, logging => { if (log is not null) logging.AddProvider(new TextLog(log)).SetMinimumLevel(LogLevel.Warning); }, time);

    /// <summary>As for a catalogue, with one model that stays loaded.</summary>
    /// <inheritdoc cref="Build(ServerOptions, IModelCatalogue, TextWriter?, TimeProvider?)"/>
    /// <param name="options">How it listens and what it allows.</param>
    /// <param name="engine">What answers; stays the caller's to dispose of, after the server.</param>
    /// <param name="log">Gets one entry per defect, never a prompt or an answer; null for no log.</param>
    /// <param name="time">The clock; null for the system's.</param>
    public static GatewayHost Build(ServerOptions options, IInferenceEngine engine, TextWriter? log = null, TimeProvider? time = null) =>
        Build(options, new SingleModel(engine), log, time);

    /// <summary>As the public form, with any kind of log.</summary>
    internal static GatewayHost Build(ServerOptions options, IModelCatalogue catalogue, Action<ILoggingBuilder> logging, TimeProvider? time)
    {
        ListenAddress address = ListenAddress.Parse(options.Host, options.Port, options.Security);
        ServerCertificate? certificate = ServerCertificate.Load(options.Security, (time ?? TimeProvider.System).GetUtcNow());
        var metrics = new GatewayMetrics(catalogue, time ?? TimeProvider.System);
        var models = new ServedModels(catalogue, metrics, time ?? TimeProvider.System);
        // The empty builder reads no file and no environment variable: only the options decide where the server listens.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(server => Configure(server, address.Address, options, certificate));
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<IHostLifetime, CallerLifetime>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(options.DrainSeconds));
        logging(builder.Logging);

        WebApplication application = builder.Build();
        ILogger logger = application.Services.GetRequiredService<ILoggerFactory>().CreateLogger("OpenEuroLLM.Serving");
        metrics.Count(application);
        var guard = new RequestGuard(address, logger);
        application.Use((context, next) => guard.InvokeAsync(context, next));
        application.UseRouting();
        var access = new AccessPolicy(options.Security.KeysFile is string keys ? new KeyStore(keys, time) : null, time ?? TimeProvider.System, logger);
        application.Use((context, next) => access.InvokeAsync(context, next));
        metrics.Map(application);
        ChatPage.Map(application);
        new Probes(models, TimeSpan.FromSeconds(options.ReadySeconds), time ?? TimeProvider.System, logger).Map(application);
        new OpenAiRoutes(models, options, time ?? TimeProvider.System, logger).Map(application);
        new AnthropicRoutes(models, options, time ?? TimeProvider.System, logger).Map(application);
        new GeminiRoutes(models, options, time ?? TimeProvider.System, logger).Map(application);
        return new GatewayHost(application, options);
    }

    /// <summary>Starts to listen.</summary>
    /// <exception cref="UserErrorException">The port is taken, or not allowed.</exception>
    public async Task StartAsync(CancellationToken cancellation = default)
    {
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

    /// <summary>Takes no more requests, lets running answers go on for <see cref="ServerOptions.DrainSeconds"/>, then ends them.</summary>
    public Task StopAsync() => application.StopAsync(CancellationToken.None);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => application.DisposeAsync();

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
