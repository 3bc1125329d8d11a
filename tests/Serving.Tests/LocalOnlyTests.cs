using System.Globalization;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Serving.Tests;

public sealed class LocalOnlyTests
{
    private const string Body = """{"model":"test-model","messages":[{"role":"user","content":"a"}]}""";

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("::")]
    [InlineData("192.168.1.5")]
    [InlineData("example.org")]
    [InlineData("localhost.example.org")]
    [InlineData("")]
    public void Refuses_to_listen_for_other_machines(string host)
    {
        string message = Assert.Throws<UserErrorException>(() => GatewayHost.Build(new ServerOptions(host), new ScriptedEngine())).Message;

        Assert.StartsWith($"--host is '{host}'; expected 127.0.0.1, ::1 or localhost", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(65536)]
    public void Refuses_a_port_that_does_not_exist(int port) =>
        Assert.Contains("expected 0 to 65535", Assert.Throws<UserErrorException>(
            () => GatewayHost.Build(new ServerOptions(Port: port), new ScriptedEngine())).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("localhost")]
    [InlineData("127.3.2.1")]
    [InlineData("::1")]
    public async Task Listens_on_every_name_of_this_machine(string host)
    {
        Assert.SkipWhen(host == "::1" && !System.Net.Sockets.Socket.OSSupportsIPv6, "needs IPv6");
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine(), new ServerOptions(host));

        Assert.Contains("alive", await server.Client.GetStringAsync("/health", TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.True(server.Address.IsLoopback);
    }

    [Fact]
    public async Task The_environment_cannot_move_the_address()
    {
        Environment.SetEnvironmentVariable("ASPNETCORE_URLS", "http://0.0.0.0:0");
        Environment.SetEnvironmentVariable("ASPNETCORE_HTTP_PORTS", "0");
        try
        {
            await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());
            Assert.Equal("127.0.0.1", server.Address.Host);
        }
        finally
        {
            Environment.SetEnvironmentVariable("ASPNETCORE_URLS", null);
            Environment.SetEnvironmentVariable("ASPNETCORE_HTTP_PORTS", null);
        }
    }

    [Fact]
    public async Task A_taken_port_is_a_user_error()
    {
        await using RunningServer first = await RunningServer.StartAsync(new ScriptedEngine());
        await using GatewayHost second = GatewayHost.Build(new ServerOptions(Port: first.Address.Port), new ScriptedEngine());

        string message = (await Assert.ThrowsAsync<UserErrorException>(() => second.StartAsync(TestContext.Current.CancellationToken))).Message;

        Assert.Contains(first.Address.Port.ToString(CultureInfo.InvariantCulture) + " of 127.0.0.1 is in use", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("evil.example")]
    [InlineData("127.0.0.1.evil.example")]
    [InlineData("localhost.evil.example:8080")]
    [InlineData("192.168.1.5")]
    public async Task Refuses_other_names_in_the_host_header(string host)
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());

        foreach (string path in new[] { "/", "/health", "/v1/models", "/page/chat.js" })
        {
            var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Host = host;
            ReceivedError error = await server.ErrorAsync(request);
            Assert.Equal((403, "host_not_allowed"), error.Kind);
        }
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("LOCALHOST:9999")]
    [InlineData("[::1]:1234")]
    public async Task Takes_every_name_of_this_machine_with_any_port(string host)
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());
        var request = new HttpRequestMessage(HttpMethod.Get, "/health");
        request.Headers.Host = host;

        using HttpResponseMessage response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(200, (int)response.StatusCode);
    }

    [Theory]
    [InlineData("https://evil.example")]
    [InlineData("null")]
    [InlineData("http://localhost:1")]
    public async Task Refuses_requests_that_pages_of_other_sites_send(string origin)
    {
        var engine = new ScriptedEngine();
        await using RunningServer server = await RunningServer.StartAsync(engine);
        HttpRequestMessage request = RunningServer.ChatRequest(Body);
        request.Headers.Add("Origin", origin);

        ReceivedError error = await server.ErrorAsync(request);

        Assert.Equal((403, "origin_not_allowed"), error.Kind);
        Assert.Empty(engine.Requests);
    }

    [Fact]
    public async Task Takes_requests_of_its_own_page_and_gives_no_other_page_a_permission()
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());
        HttpRequestMessage request = RunningServer.ChatRequest(Body);
        request.Headers.Add("Origin", server.Address.GetLeftPart(UriPartial.Authority));

        using HttpResponseMessage response = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(200, (int)response.StatusCode);
        Assert.DoesNotContain(response.Headers, header => header.Key.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase));
    }
}
