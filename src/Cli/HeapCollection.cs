using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Cli;

/// <summary>Makes another .NET process of this user collect its whole heap, by the runtime's own diagnostic socket: nothing in the program has to offer it.</summary>
/// <remarks>A tracing session whose keywords are GC and GCHeapCollect begins with a blocking collection. Source: dotnet/diagnostics, documentation/design-docs/ipc-protocol.md.</remarks>
internal static class HeapCollection
{
    private const byte EventPipe = 2, CollectTracing = 2, Server = 0xFF, Ok = 0;
    private const int HeaderBytes = 20;
    private const ulong CollectKeywords = 0x80_0001;
    private const uint NetTrace = 1, Informational = 4;

    /// <exception cref="UserErrorException">The process has no diagnostic socket, or refused.</exception>
    public static async Task CollectAsync(int processId, CancellationToken cancellation)
    {
        string pattern = string.Create(CultureInfo.InvariantCulture, $"dotnet-diagnostic-{processId}-*-socket");
        string path = Directory.GetFiles(Path.GetTempPath(), pattern).FirstOrDefault()
            ?? throw new UserErrorException(FormattableString.Invariant($"process {processId} has no diagnostic socket in {Path.GetTempPath()}; leave DOTNET_EnableDiagnostics and TMPDIR as they are."));
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation).ConfigureAwait(false);
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync(Question(), cancellation).ConfigureAwait(false);
        byte[] answer = new byte[HeaderBytes];
        await stream.ReadExactlyAsync(answer, cancellation).ConfigureAwait(false);
        if (answer[16] != Server || answer[17] != Ok) throw new UserErrorException(FormattableString.Invariant($"process {processId} refused to collect its heap."));
        // The collection happens before the session's first event; the session ends when the connection closes.
        byte[] rest = new byte[4096];
        await stream.ReadAtLeastAsync(rest, 64, throwOnEndOfStream: false, cancellation).ConfigureAwait(false);
    }

    private static byte[] Question()
    {
        using var payload = new MemoryStream();
        void Number(uint value)
        {
            Span<byte> bytes = stackalloc byte[4];
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
            payload.Write(bytes);
        }
        void Text(string value)
        {
            Number((uint)value.Length + 1);
            payload.Write(Encoding.Unicode.GetBytes(value + '\0'));
        }
        Number(1);              // megabytes of its buffer
        Number(NetTrace);
        Number(1);              // one provider
        Number((uint)CollectKeywords);
        Number((uint)(CollectKeywords >> 32));
        Number(Informational);
        Text("Microsoft-Windows-DotNETRuntime");
        Number(0);              // no filter
        byte[] question = new byte[HeaderBytes + payload.Length];
        Encoding.ASCII.GetBytes("DOTNET_IPC_V1\0").CopyTo(question, 0);
        BinaryPrimitives.WriteUInt16LittleEndian(question.AsSpan(14), (ushort)question.Length);
        (question[16], question[17]) = (EventPipe, CollectTracing);
        payload.ToArray().CopyTo(question, HeaderBytes);
        return question;
    }
}
