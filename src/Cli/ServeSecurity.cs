using System.CommandLine;
using OpenEuroLLM.Serving.Security;

namespace OpenEuroLLM.Cli;

/// <summary>The options of <c>oellm serve</c> that say who may use the server.</summary>
internal sealed class ServeSecurity
{
    private readonly Option<string?> keys = new("--keys") { Description = "File of 'oellm keys': asks every request for a key. Other machines are answered only with it.", HelpName = "FILE" };
    private readonly Option<string?> certificate = new("--certificate") { Description = "PEM file with the certificate for TLS, and its chain.", HelpName = "FILE" };
    private readonly Option<string?> certificateKey = new("--certificate-key") { Description = "PEM file with the certificate's private key.", HelpName = "FILE" };
    private readonly Option<bool> insecureHttp = new("--insecure-http") { Description = "Answers other machines without TLS, for a proxy in front that encrypts: keys and texts are readable on the way to here." };
    private readonly Option<string[]> names = new("--name") { Description = "A name under which clients reach this server; may be repeated. Other names in a Host header are refused.", HelpName = "NAME" };

    /// <summary>Adds the options to the command.</summary>
    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { keys, certificate, certificateKey, insecureHttp, names }) command.Add(option);
    }

    /// <summary>What the user chose.</summary>
    public SecurityOptions Of(ParseResult parsed) => new(parsed.GetValue(keys), parsed.GetValue(certificate), parsed.GetValue(certificateKey), parsed.GetValue(insecureHttp), parsed.GetValue(names));
}
