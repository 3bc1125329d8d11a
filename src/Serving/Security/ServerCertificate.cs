using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Serving.Security;

/// <summary>The certificate of the server, with the chain that clients need.</summary>
internal sealed class ServerCertificate
{
    private ServerCertificate(X509Certificate2 own, X509Certificate2Collection chain) => (Own, Chain) = (own, chain);

    public X509Certificate2 Own { get; }

    public X509Certificate2Collection Chain { get; }

    /// <summary>Reads the two files; null when neither is given.</summary>
    /// <exception cref="UserErrorException">One of them is missing, or they do not belong together, or the certificate is not valid now.</exception>
    public static ServerCertificate? Load(SecurityOptions options, DateTimeOffset now)
    {
        if (options is { Certificate: null, CertificateKey: null }) return null;
        if (options.Certificate is null || options.CertificateKey is null)
            throw new UserErrorException("--certificate and --certificate-key belong together; give both PEM files.");
        try
        {
            using X509Certificate2 pem = X509Certificate2.CreateFromPemFile(options.Certificate, options.CertificateKey);
            if (now < pem.NotBefore.ToUniversalTime() || now > pem.NotAfter.ToUniversalTime())
                throw new UserErrorException(FormattableString.Invariant(
                    $"{options.Certificate}: valid from {pem.NotBefore.ToUniversalTime():yyyy-MM-dd} to {pem.NotAfter.ToUniversalTime():yyyy-MM-dd} only; renew it or set this machine's clock."));
            var chain = new X509Certificate2Collection();
            chain.ImportFromPemFile(options.Certificate);
            // Windows uses private keys from its own store only; the way through PKCS#12 puts it there.
            return new ServerCertificate(X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), password: null), chain);
        }
        catch (CryptographicException failure)
        {
            throw new UserErrorException($"{options.Certificate}: no certificate to which the key in {options.CertificateKey} belongs; expected two PEM files.", failure);
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            throw StorageFailure.Explain(failure, File.Exists(options.Certificate) ? options.CertificateKey : options.Certificate);
        }
    }
}
