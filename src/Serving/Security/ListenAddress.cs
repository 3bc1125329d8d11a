using System.Net;
using System.Net.Sockets;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Serving.Security;

/// <summary>Where the server may listen: on this machine only, unless keys and TLS protect what others can reach.</summary>
internal sealed class ListenAddress
{
    private readonly HashSet<string> names = new(StringComparer.OrdinalIgnoreCase) { "localhost", "127.0.0.1", "[::1]" };
    private readonly bool reachable;

    private ListenAddress(IPAddress address, IReadOnlyList<string> others)
    {
        Address = address;
        reachable = !IPAddress.IsLoopback(address);
        names.Add(NameOf(address));
        names.UnionWith(others);
    }

    /// <summary>The address to bind.</summary>
    public IPAddress Address { get; }

    /// <summary>Reads what the user wrote; names other than <c>localhost</c> are not looked up, since an answer can change.</summary>
    /// <exception cref="UserErrorException">There is no such address or port, or others could reach it without protection.</exception>
    public static ListenAddress Parse(string host, int port, SecurityOptions security)
    {
        if (port is < 0 or > ushort.MaxValue)
            throw new UserErrorException(FormattableString.Invariant($"--port is {port}; expected 0 to 65535 (0 takes a free one)."));
        if (string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase)) host = "127.0.0.1";
        if (!IPAddress.TryParse(host, out IPAddress? address))
            throw new UserErrorException($"--host is '{host}'; expected 127.0.0.1, ::1 or localhost, or another IP address of this machine together with --keys.");
        if (!IPAddress.IsLoopback(address))
        {
            if (security.KeysFile is null)
                throw new UserErrorException($"--host is '{host}'; expected 127.0.0.1, ::1 or localhost: other machines are answered only with --keys FILE "
                    + "(made with 'oellm keys add') and --certificate. To reach this one without, forward the port, e.g. with ssh -L.");
            if (security is { Certificate: null, InsecureHttp: false })
                throw new UserErrorException($"--host is '{host}', which other machines reach: expected --certificate and --certificate-key, so that keys and texts "
                    + "cross the network encrypted, or --insecure-http where a proxy in front encrypts.");
        }
        return new ListenAddress(address, security.Names ?? []);
    }

    /// <summary>Whether a Host header names this server. A page of another site whose name was pointed at this machine
    /// (DNS rebinding) sends its own name, never an address. The port is left out on purpose: a forwarded port has another number.</summary>
    public bool Names(string host) => names.Contains(host) || (reachable && IPAddress.TryParse(host, out _));

    /// <summary>An address as it stands in a URL.</summary>
    public static string NameOf(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{address}]" : address.ToString();
}
