using OpenEuroLLM.Core;

namespace OpenEuroLLM.Serving;

/// <summary>How the server listens and what it allows.</summary>
/// <param name="Host">A loopback address: <c>127.0.0.1</c>, <c>::1</c> or <c>localhost</c>. Any other is refused in this version.</param>
/// <param name="Port">TCP port, 0 to 65535; 0 takes a free one.</param>
/// <param name="MaxBodyBytes">Largest request body, in bytes.</param>
/// <param name="KeepAliveSeconds">A stream that is silent for so long gets a comment line, so that nobody between closes it.</param>
/// <param name="DrainSeconds">How long running answers may go on after the server was asked to stop.</param>
/// <param name="ReadySeconds">How long the one token of the readiness check may take.</param>
public sealed record ServerOptions(
    string Host = "127.0.0.1",
    int Port = 8080,
    int MaxBodyBytes = 4 << 20,
    double KeepAliveSeconds = 10,
    double DrainSeconds = 1.5,
    double ReadySeconds = 10)
{
    /// <summary>Checks the address without listening there.</summary>
    /// <exception cref="UserErrorException">The address is not this machine's own, or the port does not exist.</exception>
    public void Validate() => LoopbackAddress.Parse(Host, Port);
}
