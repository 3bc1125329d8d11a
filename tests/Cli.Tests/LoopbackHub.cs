using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace OpenEuroLLM.Cli.Tests;

/// <summary>A request that the hub saw.</summary>
internal sealed record HubRequest(string Method, string Path, string? Range, string? Token, bool FromStore);

/// <summary>A server on this machine that speaks the hub's endpoints, with large files in a store of another address, and with faults on demand.</summary>
internal sealed class LoopbackHub : IAsyncDisposable
{
    public const string Repository = "org/name", Commit = "0123456789abcdef0123456789abcdef01234567", Token = "hf_secret";

    private readonly WebApplication hub, store;

    private LoopbackHub()
    {
        store = Build(application => application.Run(context => Serve(context, fromStore: true)));
        hub = Build(application => application.Run(context => Serve(context, fromStore: false)));
    }

    public SortedDictionary<string, byte[]> Files { get; } = new(StringComparer.Ordinal);

    public ConcurrentQueue<HubRequest> Requests { get; } = [];

    /// <summary>Answers in the place of the hub where it returns true; told the request and the name of the file, null for the list.</summary>
    public Func<HttpContext, string?, Task<bool>> Fault { get; set; } = (_, _) => Task.FromResult(false);

    /// <summary>What the hub says of a file beside its content.</summary>
    public Func<string, (string Hash, long Bytes)>? Description { get; set; }

    public string Address => hub.Urls.First();

    public string StoreAddress => store.Urls.First();

    /// <summary>Times that a file's content was asked for.</summary>
    public IEnumerable<HubRequest> Gets(string file) => Requests.Where(request => request.Method == "GET" && request.Path.EndsWith("/" + file, StringComparison.Ordinal) && (request.FromStore || !IsLarge(file)));

    public static async Task<LoopbackHub> StartAsync()
    {
        var server = new LoopbackHub();
        await server.store.StartAsync().ConfigureAwait(false);
        await server.hub.StartAsync().ConfigureAwait(false);
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        await hub.DisposeAsync().ConfigureAwait(false);
        await store.DisposeAsync().ConfigureAwait(false);
    }

    public static bool IsLarge(string file) => file.EndsWith(".safetensors", StringComparison.Ordinal) || file.EndsWith(".gguf", StringComparison.Ordinal);

    public static string HashOf(string file, byte[] content)
    {
        if (IsLarge(file)) return Convert.ToHexStringLower(SHA256.HashData(content));
#pragma warning disable CA5350 // git's hash
        return Convert.ToHexStringLower(SHA1.HashData([.. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"blob {content.Length}\0")), .. content]));
#pragma warning restore CA5350
    }

    private static WebApplication Build(Action<WebApplication> configure)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options => options.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1));
        var application = builder.Build();
        configure(application);
        return application;
    }

    private async Task Serve(HttpContext context, bool fromStore)
    {
        var (request, response) = (context.Request, context.Response);
        string path = request.Path.Value!;
        Requests.Enqueue(new(request.Method, path, request.Headers.Range.FirstOrDefault(), request.Headers.Authorization.FirstOrDefault(), fromStore));
        string start = $"/{Repository}/resolve/{Commit}/";
        string? file = path.StartsWith(start, StringComparison.Ordinal) ? path[start.Length..] : null;
        if (await Fault(context, file).ConfigureAwait(false)) return;
        if (file is null)
        {
            await List(context, path).ConfigureAwait(false);
            return;
        }
        if (!Files.TryGetValue(file, out byte[]? content))
        {
            response.StatusCode = 404;
            response.Headers["X-Error-Code"] = "EntryNotFound";
            return;
        }
        var (hash, bytes) = Description?.Invoke(file) ?? (HashOf(file, content), content.Length);
        if (!fromStore)
        {
            response.Headers["X-Repo-Commit"] = Commit;
            if (IsLarge(file))
            {
                response.Headers["X-Linked-Etag"] = $"\"{hash}\"";
                response.Headers["X-Linked-Size"] = bytes.ToString(CultureInfo.InvariantCulture);
                response.Redirect(StoreAddress + path);
                return;
            }
            response.Headers.ETag = $"\"{hash}\"";
        }
        await Send(context, content, bytes).ConfigureAwait(false);
    }

    private async Task List(HttpContext context, string path)
    {
        string revision = path.StartsWith($"/api/models/{Repository}/revision/", StringComparison.Ordinal) ? path[$"/api/models/{Repository}/revision/".Length..] : "";
        if (revision is not ("main" or Commit))
        {
            context.Response.StatusCode = 404;
            context.Response.Headers["X-Error-Code"] = revision.Length > 0 ? "RevisionNotFound" : "RepoNotFound";
            return;
        }
        var siblings = new JsonArray([.. Files.Keys.Select(name => new JsonObject { ["rfilename"] = name })]);
        await context.Response.WriteAsync(new JsonObject { ["id"] = Repository, ["sha"] = Commit, ["siblings"] = siblings }.ToJsonString()).ConfigureAwait(false);
    }

    private static async Task Send(HttpContext context, byte[] content, long bytes)
    {
        var (request, response) = (context.Request, context.Response);
        int from = 0;
        if (request.Headers.Range.FirstOrDefault() is { } range)
        {
            from = int.Parse(range["bytes=".Length..].TrimEnd('-'), CultureInfo.InvariantCulture);
            response.StatusCode = 206;
            response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes {from}-{content.Length - 1}/{content.Length}");
        }
        response.ContentLength = request.Method == "HEAD" ? bytes : content.Length - from;
        if (request.Method == "GET") await response.Body.WriteAsync(content.AsMemory(from)).ConfigureAwait(false);
    }
}
