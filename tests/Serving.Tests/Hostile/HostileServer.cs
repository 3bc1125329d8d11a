using System.Text;

namespace OpenEuroLLM.Serving.Tests.Hostile;

/// <summary>One server before a real model for a class of hostile requests: after each of them it must serve a good one.</summary>
public sealed class HostileServer : IAsyncLifetime
{
    public const int MaxBodyBytes = 600_000;

    private readonly StringWriter log = new();
    private RunningServer? server;

    public SmallModel Model { get; } = new();

    internal RunningServer Server => server!;

    public async ValueTask InitializeAsync() => server = await RunningServer.StartAsync(Model.Engine, new ServerOptions(MaxBodyBytes: MaxBodyBytes), log);

    public async ValueTask DisposeAsync()
    {
        await server!.DisposeAsync();
        Model.Dispose();
        Assert.Equal("", log.ToString()); // no request may look like a defect of the program
    }

    /// <summary>Sends a body of bytes and reads the error that it must get; then a good request must be answered.</summary>
    internal async Task<Fault> RefusedAsync(Dialect dialect, byte[] body, string? type = "application/json")
    {
        (int status, string answer) = await SendAsync(dialect, body, type);
        Assert.True(status is >= 400 and < 500, $"{status}: {answer}");
        Fault fault = dialect.ReadError(status, answer);
        Assert.Equal(dialect.NameOf(status), fault.Name);
        await ServesAsync(dialect);
        return fault;
    }

    internal Task<Fault> RefusedAsync(Dialect dialect, string body) => RefusedAsync(dialect, Encoding.UTF8.GetBytes(body));

    internal async Task<(int Status, string Body)> SendAsync(Dialect dialect, byte[] body, string? type = "application/json")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, dialect.Path) { Content = new ByteArrayContent(body) };
        if (type is not null) request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        using HttpResponseMessage response = await Server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>A good request must be answered.</summary>
    internal async Task ServesAsync(Dialect dialect)
    {
        (int status, string answer) = await SendAsync(dialect, Encoding.UTF8.GetBytes(dialect.With("a")));
        Assert.True(status == 200, $"{dialect}, after it: {status}: {answer}");
    }
}
