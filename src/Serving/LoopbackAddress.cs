using System.Net;
using System.Net.Sockets;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Serving;

/// <summary>Where the server may listen: this machine only, because keys and TLS are not part of this version.</summary>
internal sealed class LoopbackAddress
{
    private readonly HashSet<string> names = new(StringComparer.OrdinalIgnoreCase) { "localhost", "127.0.0.1", "[::1]" };

    private LoopbackAddress(IPAddress address)
    {
        Address = address;
        names.Add(NameOf(address));
    }

    /// <summary>The address to bind.</summary>
    public IPAddress Address { get; }

    /// <summary>Reads what the user wrote; names other than <c>localhost</c> are not looked up, since an answer can change.</summary>
    public static LoopbackAddress Parse(string host, int port)
    {
        if (port is < 0 or > ushort.MaxValue)
            throw new UserErrorException(FormattableString.Invariant($"--port is {port}; expected 0 to 65535 (0 takes a free one)."));
        if (string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase))
            return new LoopbackAddress(IPAddress.Loopback);
        if (IPAddress.TryParse(host, out IPAddress? address) && IPAddress.IsLoopback(address))
            return new LoopbackAddress(address);
        throw new UserErrorException($"--host is '{host}'; expected 127.0.0.1, ::1 or localhost: without keys the server answers only this "
            + "machine. To reach it from another one, forward the port, e.g. with ssh -L.");
    }

    /// <summary>Whether a Host header names this machine. A page of another site whose name was pointed at this machine
    /// (DNS rebinding) sends its own name. The port is left out on purpose: a forwarded port has another number.</summary>
    public bool Names(string host) => names.Contains(host);

    /// <summary>An address as it stands in a URL.</summary>
    public static string NameOf(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{address}]" : address.ToString();
}
