using OpenEuroLLM.Core;
using OpenEuroLLM.Serving.Security;

namespace OpenEuroLLM.Serving;

/// <summary>How the server listens and what it allows.</summary>
/// <param name="Host">An IP address of this machine. Other than loopback (<c>127.0.0.1</c>, <c>::1</c> or <c>localhost</c>) needs keys and TLS, see <see cref="SecurityOptions"/>.</param>
/// <param name="Port">TCP port, 0 to 65535; 0 takes a free one.</param>
/// <param name="MaxBodyBytes">Largest request body, in bytes.</param>
/// <param name="KeepAliveSeconds">A stream that is silent for so long gets a comment line, so that nobody between closes it.</param>
/// <param name="DrainSeconds">How long running answers may go on after the server was asked to stop; less than the 30 seconds after which Kubernetes kills.</param>
/// <param name="ReadySeconds">How long the one token of the readiness check may take.</param>
/// <param name="Security">Keys and TLS; null for neither, on loopback only.</param>
/// <param name="ReadyCacheSeconds">For how long the outcome of the readiness check is given again, so that probes cannot load the model.</param>
/// <param name="StoredResponses">What is kept of OpenAI's Responses; null for the usual limits.</param>
public sealed record ServerOptions(
    string Host = "127.0.0.1",
    int Port = 8080,
    int MaxBodyBytes = 4 << 20,
    double KeepAliveSeconds = 10,
    double DrainSeconds = 25,
    double ReadySeconds = 10,
    SecurityOptions? Security = null,
    double ReadyCacheSeconds = 1,
    StoredResponseLimits? StoredResponses = null)
{
    /// <summary>What is kept of OpenAI's Responses.</summary>
    public StoredResponseLimits StoredResponses { get; init; } = StoredResponses ?? new();

    /// <summary>Keys and TLS.</summary>
    public SecurityOptions Security { get; init; } = Security ?? new();

    /// <summary>Checks the address without listening there.</summary>
    /// <exception cref="UserErrorException">The address or the port does not exist, or others could reach it without keys or TLS, or a file cannot be used.</exception>
    public void Validate()
    {
        ListenAddress.Parse(Host, Port, Security);
        ServerCertificate.Load(Security, TimeProvider.System.GetUtcNow());
        if (Security.KeysFile is string keys && new KeyStore(keys).List().Count == 0)
            throw new UserErrorException($"{keys}: holds no key, so that nobody could be answered; make one with 'oellm keys add --store {keys}'.");
    }
}
