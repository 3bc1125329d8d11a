namespace OpenEuroLLM.Serving.Security;

/// <summary>Who may use the server, and how requests reach it. Beyond this machine keys are demanded always, and TLS unless it is declined by name.</summary>
/// <param name="KeysFile">The file of <c>oellm keys</c>; null for a server that asks for no key, which then answers this machine only.</param>
/// <param name="Certificate">PEM file with the server's certificate and those that vouch for it; null for no TLS.</param>
/// <param name="CertificateKey">PEM file with the certificate's private key.</param>
/// <param name="InsecureHttp">Whether other machines may come without TLS, e.g. because a proxy in front encrypts. Keys then cross the network readably.</param>
/// <param name="Names">Names under which clients reach the server, beside this machine's own and every IP address; null for none.</param>
public sealed record SecurityOptions(
    string? KeysFile = null,
    string? Certificate = null,
    string? CertificateKey = null,
    bool InsecureHttp = false,
    IReadOnlyList<string>? Names = null);
