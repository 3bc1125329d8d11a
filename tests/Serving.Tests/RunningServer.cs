using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.Tests;

/// <summary>A real server on a free loopback port, with a plain HTTP client.</summary>
internal sealed class RunningServer : IAsyncDisposable
{
    private readonly GatewayHost host;

    private RunningServer(GatewayHost host)
    {
        this.host = host;
        Client = new HttpClient { BaseAddress = host.Address };
    }

    public Uri Address => host.Address;

    public HttpClient Client { get; }

    public static Task<RunningServer> StartAsync(IInferenceEngine engine, ServerOptions? options = null, TextWriter? log = null) =>
        StartAsync(new SingleModel(engine), options, log);

    public static async Task<RunningServer> StartAsync(IModelCatalogue models, ServerOptions? options = null, TextWriter? log = null)
    {
        GatewayHost host = GatewayHost.Build((options ?? new ServerOptions()) with { Port = 0 }, models, log);
        await host.StartAsync(TestContext.Current.CancellationToken);
        return new RunningServer(host);
    }

    public static HttpRequestMessage ChatRequest(string body) => Request("/v1/chat/completions", body);

    public static HttpRequestMessage Request(string path, string body) => new(HttpMethod.Post, path)
    {
        Content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue("application/json")),
    };

    /// <summary>Sends a chat request and waits for the whole answer.</summary>
    public async Task<(HttpResponseMessage Response, string Body)> ChatAsync(string body)
    {
        HttpResponseMessage response = await Client.SendAsync(ChatRequest(body), TestContext.Current.CancellationToken);
        return (response, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>Sends a body that must be answered, and reads the whole answer.</summary>
    public async Task<string> PostTextAsync(string path, string body)
    {
        using HttpResponseMessage response = await Client.SendAsync(Request(path, body), TestContext.Current.CancellationToken);
        string answer = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, answer);
        return answer;
    }

    /// <summary>As <see cref="PostTextAsync"/>, with an answer of JSON.</summary>
    public async Task<JsonElement> PostAsync(string path, string body) => JsonElement.Parse(await PostTextAsync(path, body));

    /// <summary>Sends a request and reads the error that it must get.</summary>
    public async Task<ReceivedError> ErrorAsync(HttpRequestMessage request)
    {
        using HttpResponseMessage response = await Client.SendAsync(request, TestContext.Current.CancellationToken);
        string body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True((int)response.StatusCode >= 400, $"expected an error, got {(int)response.StatusCode}: {body}");
        Assert.NotEmpty(response.Headers.GetValues("x-request-id"));
        Assert.DoesNotContain("   at ", body, StringComparison.Ordinal);
        return ReceivedError.Parse((int)response.StatusCode, body);
    }

    public Task StopAsync() => host.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await host.DisposeAsync();
    }
}

/// <summary>An error as a client sees it.</summary>
internal sealed record ReceivedError(int Status, string Type, string? Code, string? Field, string Message)
{
    public (int Status, string? Code) Kind => (Status, Code);

    public static ReceivedError Parse(int status, string body)
    {
        using JsonDocument document = JsonDocument.Parse(body);
        JsonElement error = document.RootElement.GetProperty("error");
        Assert.Equal(["message", "type", "param", "code"], error.EnumerateObject().Select(field => field.Name));
        string message = error.GetProperty("message").GetString()!;
        Assert.DoesNotContain('\n', message);
        return new ReceivedError(status, error.GetProperty("type").GetString()!, error.GetProperty("code").GetString(), error.GetProperty("param").GetString(), message);
    }
}
