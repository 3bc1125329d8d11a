using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace OpenEuroLLM.Cli;

/// <summary>A client's connection to a server on this machine, which it cannot leave: HTTP/1.1, as much as measuring and proving needs, and every way to leave without a goodbye.</summary>
internal sealed class LoopbackConnection : IDisposable
{
    private const int MostLineBytes = 1 << 24;

    private readonly Socket socket;
    private byte[] buffer = new byte[16 << 10];
    private int start, end;         // of what was received and not read
    private long bodyLeft;          // of the body, or of its present chunk
    private bool chunked;
    private bool ended = true;

    private LoopbackConnection(Socket socket) => this.socket = socket;

    /// <summary>The status of the response that was read last.</summary>
    public int Status { get; private set; }

    /// <summary>Its header Retry-After; null when it has none.</summary>
    public string? RetryAfter { get; private set; }

    /// <summary>The id that the server gave the request; null where it gave none.</summary>
    public string? RequestId { get; private set; }

    /// <summary>Whether another request may follow on this connection.</summary>
    public bool StaysOpen { get; private set; }

    /// <summary>Bytes that came from the server.</summary>
    public long ReceivedBytes { get; private set; }

    /// <param name="port">A port of 127.0.0.1.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    /// <param name="receiveBytes">Bytes that the system keeps for a reader who does not read; null for the usual.</param>
    public static async Task<LoopbackConnection> OpenAsync(int port, CancellationToken cancellation, int? receiveBytes = null)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            if (receiveBytes is int bytes) socket.ReceiveBufferSize = bytes;
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), cancellation).ConfigureAwait(false);
            return new LoopbackConnection(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>A request as it goes over the wire.</summary>
    /// <param name="path">The path, from the slash on.</param>
    /// <param name="body">JSON to post; null gets.</param>
    public static byte[] Request(string path, byte[]? body = null)
    {
        string head = body is null ? $"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
            : string.Create(CultureInfo.InvariantCulture, $"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n");
        return [.. Encoding.ASCII.GetBytes(head), .. body ?? []];
    }

    public async Task SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        while (bytes.Length > 0) bytes = bytes[await socket.SendAsync(bytes, cancellation).ConfigureAwait(false)..];
    }

    /// <summary>Reads the head of a response.</summary>
    /// <exception cref="IOException">The server closed the connection, or sent no HTTP.</exception>
    public async Task ReadHeadAsync(CancellationToken cancellation)
    {
        string first = await ReadLineAsync(cancellation).ConfigureAwait(false);
        if (!first.StartsWith("HTTP/1.1 ", StringComparison.Ordinal) || !int.TryParse(first.AsSpan(9, Math.Min(3, first.Length - 9)), NumberStyles.None, CultureInfo.InvariantCulture, out int status))
            throw new IOException("the server answered something else than HTTP/1.1");
        (Status, RetryAfter, RequestId, StaysOpen, chunked, bodyLeft) = (status, null, null, true, false, 0);
        while (await ReadLineAsync(cancellation).ConfigureAwait(false) is { Length: > 0 } line)
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0) throw new IOException("the server sent a header without a name");
            string value = line[(colon + 1)..].Trim();
            switch (line[..colon].ToUpperInvariant())
            {
                case "CONTENT-LENGTH": bodyLeft = long.Parse(value, NumberStyles.None, CultureInfo.InvariantCulture); break;
                case "TRANSFER-ENCODING": chunked = value == "chunked"; break;
                case "CONNECTION": StaysOpen = value != "close"; break;
                case "RETRY-AFTER": RetryAfter = value; break;
                case "X-REQUEST-ID": RequestId = value; break;
            }
        }
        ended = !chunked && bodyLeft == 0;
    }

    /// <summary>Reads on in the body.</summary>
    /// <returns>Bytes that were read; 0 at its end.</returns>
    /// <exception cref="IOException">The server closed the connection before.</exception>
    public async ValueTask<int> ReadBodyAsync(Memory<byte> to, CancellationToken cancellation)
    {
        if (ended) return 0;
        if (chunked && bodyLeft == 0)
        {
            bodyLeft = long.Parse(await ReadLineAsync(cancellation).ConfigureAwait(false), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            if (bodyLeft == 0)
            {
                await ReadLineAsync(cancellation).ConfigureAwait(false);
                ended = true;
                return 0;
            }
        }
        if (start == end) await FillAsync(cancellation).ConfigureAwait(false);
        int count = (int)Math.Min(Math.Min(bodyLeft, end - start), to.Length);
        buffer.AsMemory(start, count).CopyTo(to);
        start += count;
        bodyLeft -= count;
        if (bodyLeft == 0 && chunked) await ReadLineAsync(cancellation).ConfigureAwait(false);
        else if (bodyLeft == 0) ended = true;
        return count;
    }

    /// <summary>Asks and reads the whole answer.</summary>
    public async Task<byte[]> AskAsync(byte[] request, CancellationToken cancellation)
    {
        await SendAsync(request, cancellation).ConfigureAwait(false);
        await ReadHeadAsync(cancellation).ConfigureAwait(false);
        using var body = new MemoryStream();
        byte[] piece = new byte[16 << 10];
        for (int count; (count = await ReadBodyAsync(piece, cancellation).ConfigureAwait(false)) > 0;) body.Write(piece, 0, count);
        return body.ToArray();
    }

    /// <summary>Takes whatever comes next, headers and all.</summary>
    /// <returns>False when the server closed the connection.</returns>
    public async Task<bool> SwallowAsync(int mostBytes, CancellationToken cancellation)
    {
        if (start == end)
        {
            int count = await socket.ReceiveAsync(buffer.AsMemory(0, Math.Min(buffer.Length, mostBytes)), cancellation).ConfigureAwait(false);
            ReceivedBytes += count;
            return count > 0;
        }
        (start, end) = (0, 0);
        return true;
    }

    /// <summary>Says that nothing more will be sent, and goes on listening.</summary>
    public void EndSending() => socket.Shutdown(SocketShutdown.Send);

    /// <summary>Leaves as a crashed client does: with a reset.</summary>
    public void Reset()
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }

    public void Dispose() => socket.Dispose();

    private async Task<string> ReadLineAsync(CancellationToken cancellation)
    {
        for (int seen = 0; ;)
        {
            int newline = buffer.AsSpan(start + seen, end - start - seen).IndexOf((byte)'\n');
            if (newline >= 0)
            {
                int length = seen + newline;
                string line = Encoding.Latin1.GetString(buffer, start, length).TrimEnd('\r');
                start += length + 1;
                return line;
            }
            seen = end - start;
            await FillAsync(cancellation).ConfigureAwait(false);
        }
    }

    private async Task FillAsync(CancellationToken cancellation)
    {
        if (start > 0)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (start, end) = (0, end - start);
        }
        if (end == buffer.Length)
        {
            if (buffer.Length >= MostLineBytes) throw new IOException("the server sent a line without an end");
            Array.Resize(ref buffer, 2 * buffer.Length);
        }
        int count = await socket.ReceiveAsync(buffer.AsMemory(end), cancellation).ConfigureAwait(false);
        if (count == 0) throw new IOException("the server closed the connection before the end of its answer");
        end += count;
        ReceivedBytes += count;
    }
}
