using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace OpenEuroLLM.Serving.Tests.Hostile;

/// <summary>Requests that no proper client can send, byte by byte over a socket: two readings of where a request ends, other hosts, strange paths.
/// One answer at most, then the connection is closed, and nothing behind the request is taken for another one.</summary>
public sealed class HostileConnectionTests(HostileServer hostile) : IClassFixture<HostileServer>
{
    // What an attacker hides behind a request; it must never be answered.
    private const string Hidden = "GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

    private static readonly string Body = Dialect.Chat.With("a");

    private static readonly string Chunked = FormattableString.Invariant($"{Body.Length:x}\r\n{Body}\r\n0\r\n\r\n");

    private static readonly Dictionary<string, string> Unclear = new()
    {
        ["Content-Length before Transfer-Encoding"] = Post($"Content-Length: {Number(Chunked.Length)}\r\nTransfer-Encoding: chunked", Chunked),
        ["Transfer-Encoding before Content-Length"] = Post($"Transfer-Encoding: chunked\r\nContent-Length: {Number(Body.Length)}", Chunked),
        ["a short Content-Length beside Transfer-Encoding"] = Post("Content-Length: 4\r\nTransfer-Encoding: chunked", Chunked + Hidden),
        ["chunks that end before the Content-Length"] = Post($"Content-Length: {Number(5 + Hidden.Length)}\r\nTransfer-Encoding: chunked", "0\r\n\r\n" + Hidden),
        ["two Content-Lengths"] = Post($"Content-Length: {Number(Body.Length)}\r\nContent-Length: 4", Body),
        ["two equal Content-Lengths"] = Post($"Content-Length: {Number(Body.Length)}\r\nContent-Length: {Number(Body.Length)}", Body),
        ["a list of Content-Lengths"] = Post($"Content-Length: {Number(Body.Length)}, {Number(Body.Length)}", Body),
        ["a negative Content-Length"] = Post("Content-Length: -1", Body),
        ["a hexadecimal Content-Length"] = Post("Content-Length: 0x4", Body),
        ["a Content-Length beyond 64 bits"] = Post("Content-Length: 99999999999999999999", Body),
        ["an empty Content-Length"] = Post("Content-Length:", Body),
        ["a blank before the colon"] = Post($"Content-Length : {Number(Body.Length)}", Body),
        ["a Transfer-Encoding of another name"] = Post("Transfer-Encoding: xchunked", Chunked),
        ["chunked before another encoding"] = Post("Transfer-Encoding: chunked, gzip", Chunked),
        ["identity"] = Post("Transfer-Encoding: identity", Chunked),
        ["Transfer-Encoding in HTTP/1.0"] = Post("Transfer-Encoding: chunked", Chunked).Replace("HTTP/1.1", "HTTP/1.0", StringComparison.Ordinal),
        ["a header folded over two lines"] = Post($"Content-Length: {Number(Body.Length)}\r\nx-folded: a\r\n b", Body),
        ["a first header that begins with a blank"] = $"POST {Dialect.Chat.Path} HTTP/1.1\r\n x: 1\r\nHost: 127.0.0.1\r\n\r\n",
        ["lines that end with a bare line feed"] = Post($"Content-Length: {Number(Body.Length)}", Body).Replace("\r\n", "\n", StringComparison.Ordinal),
        ["one header that ends with a bare line feed"] = Post($"x-a: b\nContent-Length: {Number(Body.Length)}", Body),
        ["a bare carriage return in a value"] = Post($"x-a: b\rx-b: c\r\nContent-Length: {Number(Body.Length)}", Body),
        ["a NUL in a value"] = Post($"x-a: b\0c\r\nContent-Length: {Number(Body.Length)}", Body),
        ["a header without a name"] = Post($": b\r\nContent-Length: {Number(Body.Length)}", Body),
        ["a header without a colon"] = Post($"x-a\r\nContent-Length: {Number(Body.Length)}", Body),
        ["a chunk size that is no number"] = Post("Transfer-Encoding: chunked", "xyz\r\n" + Hidden),
        ["a chunk size beyond 64 bits"] = Post("Transfer-Encoding: chunked", "ffffffffffffffffff\r\n" + Hidden),
        ["a negative chunk size"] = Post("Transfer-Encoding: chunked", "-1\r\n" + Hidden),
        ["a chunk longer than its size"] = Post("Transfer-Encoding: chunked", "4\r\nabcdefgh\r\n0\r\n\r\n" + Hidden),
        ["a chunk that ends with a bare line feed"] = Post("Transfer-Encoding: chunked", "2\r\n{}\n0\r\n\r\n"),
        ["HTTP/0.9"] = "GET /v1/models\r\n\r\n",
        ["HTTP/1.2"] = "GET /v1/models HTTP/1.2\r\nHost: 127.0.0.1\r\n\r\n",
        ["no version"] = "GET /v1/models HTTP/\r\nHost: 127.0.0.1\r\n\r\n",
        ["two blanks in the first line"] = "GET  /v1/models  HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        ["TLS on a plain port"] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + new string('\x01', 500),
        ["no Host"] = "GET /v1/models HTTP/1.1\r\n\r\n",
        ["two Hosts"] = "GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n",
        ["a Host with a path"] = "GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1/evil.example\r\n\r\n",
        ["a Host with a user"] = "GET /v1/models HTTP/1.1\r\nHost: evil.example@127.0.0.1\r\n\r\n",
        ["an address of another host"] = "GET http://evil.example/v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        ["CONNECT"] = "CONNECT evil.example:443 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        ["a NUL in the path"] = "GET /v1/models/small%00 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        ["a raw NUL in the path"] = "GET /v1/models/small\0 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        ["a raw letter beyond ASCII in the path"] = "GET /v1/models/\xe9 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        ["a header of 20,000 bytes"] = $"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\nx: {new string('a', 20_000)}\r\n\r\n",
        ["100 headers"] = $"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n{string.Concat(Enumerable.Range(0, 100).Select(i => $"x-{Number(i)}: a\r\n"))}\r\n",
        ["a first line of 20,000 bytes"] = $"GET /v1/models/{new string('a', 20_000)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    };

    public static TheoryData<string> UnclearCases => [.. Unclear.Keys];

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(UnclearCases))]
    public async Task A_request_with_two_readings_is_refused_and_ends_the_connection(string what)
    {
        string answer = await ExchangeAsync(Unclear[what]);

        string[] lines = answer.Split("\r\n");
        Assert.Matches("^HTTP/1.1 (400|403|404|405|411|413|414|431|505|415) ", lines[0]);
        Assert.Equal(1, Count(answer, "HTTP/1.1 "));
        Assert.DoesNotContain("owned_by", answer, StringComparison.Ordinal);
        await hostile.ServesAsync(Dialect.Chat);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("/v1/models/..%2f..%2f..%2fetc%2fpasswd")]
    [InlineData("/v1/models/../../../etc/passwd")]
    [InlineData("/page/..%2fchat.css")]
    [InlineData("/page/%2e%2e/%2e%2e/etc/passwd")]
    [InlineData("/page/..\\..\\etc\\passwd")]
    [InlineData("/page//chat.css")]
    [InlineData("//v1/models")]
    [InlineData("/v1%2fmodels")]
    [InlineData("/v1/models;x=1")]
    [InlineData("/v1/models/%252e%252e/")]
    [InlineData("/v1/messages/%2e%2e%2fmodels")]
    [InlineData("/v1beta/models/..%2f..%2fmetrics")]
    [InlineData("/.git/config")]
    [InlineData("/v1/models/%c3%28")]
    public async Task A_path_leads_nowhere_but_where_it_says(string path)
    {
        string answer = await ExchangeAsync($"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");

        Assert.Matches("^HTTP/1.1 (400|404|405) ", answer);
        Assert.DoesNotContain("root:", answer, StringComparison.Ordinal);
        if (answer.Contains("\r\n\r\n{", StringComparison.Ordinal))
            Dialect.At(path.StartsWith("/v1/messages", StringComparison.Ordinal) ? Dialect.Messages.Path : path.StartsWith("/v1beta", StringComparison.Ordinal) ? Dialect.Generate.Path : Dialect.Chat.Path)
                .ReadError(int.Parse(answer.AsSpan(9, 3), CultureInfo.InvariantCulture), answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]);
        await hostile.ServesAsync(Dialect.Chat);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("http://127.0.0.1/v1/models", "127.0.0.1", 200)]
    [InlineData("http://evil.example/v1/models", "evil.example", 403)]
    [InlineData("/v1/models", "evil.example", 403)]
    [InlineData("/v1/models", "127.0.0.1.evil.example", 403)]
    [InlineData("/v1/models", "localhost", 200)]
    public async Task A_host_is_this_server_or_refused_whatever_form_the_address_has(string address, string host, int status)
    {
        string answer = await ExchangeAsync($"GET {address} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");

        Assert.StartsWith(FormattableString.Invariant($"HTTP/1.1 {status} "), answer, StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task Odd_but_clear_requests_get_one_answer()
    {
        (string Request, int Status)[] cases =
        [
            (Post("Connection: close", ""), 400),
            (Post($"Connection: close\r\nx(a): b\r\nContent-Length: {Number(Body.Length)}", Body), 200),
            (Post($"Connection: close\r\nContent-Length: 00{Number(Body.Length)}", Body), 200),
            (Post("Connection: close\r\nTransfer-Encoding: Chunked", Chunked.Replace("\r\n" + Body, ";x=\"y\"\r\n" + Body, StringComparison.Ordinal)), 200),
        ];
        foreach ((string request, int status) in cases)
        {
            string answer = await ExchangeAsync(request);
            Assert.StartsWith(FormattableString.Invariant($"HTTP/1.1 {status} "), answer, StringComparison.Ordinal);
            Assert.Equal(1, Count(answer, "HTTP/1.1 "));
        }
        // The beginning of HTTP/2 is answered in HTTP/2: go away.
        Assert.DoesNotContain("HTTP/1.1 200", await ExchangeAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), StringComparison.Ordinal);
        await hostile.ServesAsync(Dialect.Chat);
    }

    [Fact(Timeout = 60_000)]
    public async Task Nothing_from_a_request_comes_back_in_a_header()
    {
        foreach (string request in new[]
        {
            Post("Connection: close\r\nx-request-id: a\r\nanthropic-version: b%0d%0aSet-Cookie: c\r\nContent-Length: 2", "{}", Dialect.Messages.Path),
            Post("Connection: close\r\nContent-Length: 27", """{"a\r\nSet-Cookie: b":1234}""", Dialect.Messages.Path),
            "GET /v1/models/a%0d%0aSet-Cookie:%20b HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
            "GET /v1/models?a=%0d%0aSet-Cookie:%20b HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
        })
        {
            string answer = await ExchangeAsync(request);
            Assert.DoesNotContain("\r\nSet-Cookie", answer, StringComparison.OrdinalIgnoreCase);
        }
        await hostile.ServesAsync(Dialect.Chat);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_body_that_breaks_off_and_a_client_that_resets_cost_nothing()
    {
        foreach (Dialect dialect in Dialect.All)
        {
            for (int i = 0; i < 5; i++)
            {
                using var client = new TcpClient();
                await client.ConnectAsync("127.0.0.1", hostile.Server.Address.Port, TestContext.Current.CancellationToken);
                await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(Post("Content-Length: 1000", "{\"model\":", dialect.Path)), TestContext.Current.CancellationToken);
                if (i % 2 == 0) client.LingerState = new LingerOption(true, 0); // a reset instead of an end
            }
            await hostile.ServesAsync(dialect);
        }
    }

    private static string Post(string headers, string body, string? path = null) =>
        $"POST {path ?? Dialect.Chat.Path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{headers}\r\n\r\n{body}";

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static int Count(string text, string part) => text.Split(part).Length - 1;

    /// <summary>Sends bytes and reads all that comes until the server closes the connection, which it must.</summary>
    private async Task<string> ExchangeAsync(string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", hostile.Server.Address.Port, TestContext.Current.CancellationToken);
        NetworkStream stream = client.GetStream();
        var answer = new MemoryStream();
        try
        {
            await stream.WriteAsync(Encoding.Latin1.GetBytes(request), TestContext.Current.CancellationToken);
            await stream.CopyToAsync(answer, TestContext.Current.CancellationToken);
        }
        catch (IOException)
        {
            // Closed with something still unread: what came before counts.
        }
        return Encoding.UTF8.GetString(answer.ToArray());
    }
}
