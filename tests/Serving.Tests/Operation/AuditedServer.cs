using System.Net.Http.Headers;
using System.Text;
using OpenEuroLLM.Core.Auditing;
using OpenEuroLLM.Serving.Auditing;
using OpenEuroLLM.Serving.Operation;
using OpenEuroLLM.Serving.Security;

namespace OpenEuroLLM.Serving.Tests.Operation;

/// <summary>A real server with keys, an audit in a real file, and a log of its requests.</summary>
internal sealed class AuditedServer : IAsyncDisposable
{
    public const string Body = """{"model":"test-model","messages":[{"role":"user","content":"tajemství"}]}""";
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("oellm-audited-");
    private readonly GatewayHost host;
    private bool stopped;

    private AuditedServer(Inference.IInferenceEngine? engine, ServerOptions? options, bool withKeys, bool withContent)
    {
        Keys = new KeyStore(Path.Combine(folder.FullName, "keys.json"));
        (Key, Text) = Keys.Add(new ApiKey("", "Úřad", "", KeyScope.All, default));
        Store = SqliteAuditStore.Open(AuditFile);
        Requests = new RequestLog(Lines, withContent);
        options = (options ?? new ServerOptions()) with { Port = 0 };
        if (withKeys) options = options with { Security = new SecurityOptions(Path.Combine(folder.FullName, "keys.json")) };
        host = GatewayHost.Build(options, engine ?? Engine, Log, audit: Store, requests: Requests);
    }

    public string AuditFile => Path.Combine(folder.FullName, "audit.db");

    public ScriptedEngine Engine { get; } = new();

    public KeyStore Keys { get; }

    public ApiKey Key { get; }

    /// <summary>The key itself.</summary>
    public string Text { get; }

    public SqliteAuditStore Store { get; }

    public RequestLog Requests { get; }

    public StringWriter Lines { get; } = new() { NewLine = "\n" };

    public StringWriter Log { get; } = new() { NewLine = "\n" };

    public HttpClient Client { get; } = new();

    public static async Task<AuditedServer> StartAsync(Inference.IInferenceEngine? engine = null, ServerOptions? options = null, bool withKeys = true, bool withContent = false)
    {
        var server = new AuditedServer(engine, options, withKeys, withContent);
        await server.host.StartAsync(TestContext.Current.CancellationToken);
        server.Client.BaseAddress = server.host.Address;
        return server;
    }

    public HttpRequestMessage Request(string path, string body, bool withKey = true)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue("application/json")) };
        if (withKey) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Text);
        return request;
    }

    public async Task<(int Status, string Id, string Body)> SendAsync(string path, string body, bool withKey = true)
    {
        using HttpRequestMessage request = Request(path, body, withKey);
        using HttpResponseMessage response = await Client.SendAsync(request, TestContext.Current.CancellationToken);
        return ((int)response.StatusCode, response.Headers.GetValues("x-request-id").Single(), await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    public async Task<string> GetAsync(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Text);
        using HttpResponseMessage response = await Client.SendAsync(request, TestContext.Current.CancellationToken);
        return await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>The rows about requests that are on the disk now.</summary>
    public IReadOnlyList<AuditEntry> Rows(string kind = AuditKind.Request) => [.. Store.Read().Select(row => row.Entry()).Where(entry => entry.Kind == kind)];

    public Task StopAsync() => EndAsync(hurry: false);

    public async Task EndAsync(bool hurry)
    {
        if (stopped) return;
        stopped = true;
        await host.StopAsync(new CancellationToken(hurry));
        await Requests.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await EndAsync(hurry: true);
        await host.DisposeAsync();
        Store.Dispose();
        folder.Delete(recursive: true);
    }
}
