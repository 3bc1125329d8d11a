using System.Net.Http.Headers;
using System.Text;
using OpenEuroLLM.Serving.Security;

namespace OpenEuroLLM.Serving.Tests.Security;

/// <summary>A real server that asks for keys, on a clock that the test moves.</summary>
internal sealed class KeyedServer : IAsyncDisposable
{
    public const string Body = """{"model":"test-model","messages":[{"role":"user","content":"a"}]}""";
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("oellm-keys-");
    private GatewayHost? host;
    private HttpClient? client;

    public KeyedServer() => Keys = new KeyStore(StorePath, Clock);

    public string StorePath => Path.Combine(folder.FullName, "keys.json");

    public MovedClock Clock { get; } = new();

    public KeyStore Keys { get; }

    public ScriptedEngine Engine { get; } = new();

    public StringWriter Log { get; } = new();

    public GatewayHost Host => host!;

    public static async Task<KeyedServer> StartAsync()
    {
        var server = new KeyedServer();
        server.host = GatewayHost.Build(new ServerOptions(Port: 0, Security: new SecurityOptions(server.StorePath)), server.Engine, server.Log, server.Clock);
        await server.host.StartAsync(TestContext.Current.CancellationToken);
        server.client = new HttpClient { BaseAddress = server.host.Address };
        return server;
    }

    public (ApiKey Key, string Text) AddKey(IReadOnlyList<string>? scopes = null, DateTimeOffset? expires = null, int? requestsPerMinute = null, long? tokensPerDay = null, int? streams = null) =>
        Keys.Add(new ApiKey("", "a test", "", scopes ?? KeyScope.Usual, default, expires, null, requestsPerMinute, tokensPerDay, streams));

    /// <summary>Sends a request with these headers.</summary>
    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        if (method == HttpMethod.Post) request.Content = new StringContent(Body, Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        foreach ((string name, string value) in headers) Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        return await client!.SendAsync(request, TestContext.Current.CancellationToken);
    }

    public Task<HttpResponseMessage> ChatAsync(string key) => SendAsync(HttpMethod.Post, "/v1/chat/completions", ("Authorization", "Bearer " + key));

    public async Task<int> ChatStatusAsync(string key)
    {
        using HttpResponseMessage response = await ChatAsync(key);
        return (int)response.StatusCode;
    }

    public async ValueTask DisposeAsync()
    {
        client?.Dispose();
        if (host is not null) await host.DisposeAsync();
        await Log.DisposeAsync();
        folder.Delete(recursive: true);
    }
}

/// <summary>A clock that stands still until a test moves it; timers run as usual.</summary>
internal sealed class MovedClock : TimeProvider
{
    private DateTimeOffset now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow() => now;

    public void Move(TimeSpan time) => now += time;
}
