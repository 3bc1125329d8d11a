using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OpenEuroLLM.Core;
using OpenEuroLLM.Serving.Security;

namespace OpenEuroLLM.Serving.Tests.Security;

public sealed class TlsTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("oellm-tls-");

    private string Certificate => Path.Combine(folder.FullName, "certificate.pem");

    private string Key => Path.Combine(folder.FullName, "key.pem");

    private string Store => Path.Combine(folder.FullName, "keys.json");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public async Task Other_machines_are_answered_with_keys_over_tls()
    {
        using X509Certificate2 made = Make(DateTimeOffset.UtcNow.AddDays(1));
        string key = new KeyStore(Store).Add(new ApiKey("", "a test", "", KeyScope.Usual, default)).Text;
        var options = new ServerOptions("0.0.0.0", 0, Security: new SecurityOptions(Store, Certificate, Key, Names: ["llm.example"]));
        options.Validate();
        await using GatewayHost host = GatewayHost.Build(options, new ScriptedEngine());
        await host.StartAsync(TestContext.Current.CancellationToken);
        Assert.Equal("https", host.Address.Scheme);
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate!.GetCertHashString() == made.GetCertHashString();
        using var client = new HttpClient(handler);

        async Task<HttpStatusCode> Get(string name, string? presented)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"https://127.0.0.1:{host.Address.Port}/v1/models");
            request.Headers.Host = name;
            if (presented is not null) request.Headers.Add("x-api-key", presented);
            using HttpResponseMessage response = await client.SendAsync(request, TestContext.Current.CancellationToken);
            return response.StatusCode;
        }

        Assert.Equal(HttpStatusCode.OK, await Get("llm.example", key));
        Assert.Equal(HttpStatusCode.OK, await Get("192.168.1.5:8080", key));
        Assert.Equal(HttpStatusCode.Unauthorized, await Get("llm.example", null));
        Assert.Equal(HttpStatusCode.Forbidden, await Get("evil.example", key));
        using var plain = new HttpClient();
        await Assert.ThrowsAsync<HttpRequestException>(() => plain.GetAsync(new Uri($"http://127.0.0.1:{host.Address.Port}/health"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Other_machines_are_not_answered_without_keys_and_encryption()
    {
        Assert.Contains("--keys", Refused(new SecurityOptions()), StringComparison.Ordinal);
        Assert.Contains("--keys", Refused(new SecurityOptions(InsecureHttp: true)), StringComparison.Ordinal);
        Assert.Contains("--insecure-http", Refused(new SecurityOptions(Store)), StringComparison.Ordinal);
        Assert.Contains("holds no key", Refused(new SecurityOptions(Store, InsecureHttp: true)), StringComparison.Ordinal);
    }

    [Fact]
    public void Certificates_that_cannot_serve_are_refused()
    {
        Assert.Contains("belong together", Refused(new SecurityOptions(Store, Certificate)), StringComparison.Ordinal);
        Assert.Contains("not found", Refused(new SecurityOptions(Store, Certificate, Key)), StringComparison.Ordinal);
        File.WriteAllText(Certificate, "no certificate");
        File.WriteAllText(Key, "no key");
        Assert.Contains("two PEM files", Refused(new SecurityOptions(Store, Certificate, Key)), StringComparison.Ordinal);
        Make(DateTimeOffset.UtcNow.AddDays(-1)).Dispose();
        Assert.Contains("renew it", Refused(new SecurityOptions(Store, Certificate, Key)), StringComparison.Ordinal);
        Make(DateTimeOffset.UtcNow.AddDays(1)).Dispose();
        using RSA other = RSA.Create(2048);
        File.WriteAllText(Key, other.ExportPkcs8PrivateKeyPem());
        Assert.Contains("two PEM files", Refused(new SecurityOptions(Store, Certificate, Key)), StringComparison.Ordinal);
    }

    private static string Refused(SecurityOptions security) => Assert.Throws<UserErrorException>(new ServerOptions("0.0.0.0", Security: security).Validate).Message;

    private X509Certificate2 Make(DateTimeOffset end)
    {
        using RSA key = RSA.Create(2048);
        var request = new CertificateRequest("CN=llm.example", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        X509Certificate2 certificate = request.CreateSelfSigned(end.AddDays(-10), end);
        File.WriteAllText(Certificate, certificate.ExportCertificatePem());
        File.WriteAllText(Key, key.ExportPkcs8PrivateKeyPem());
        return certificate;
    }
}
