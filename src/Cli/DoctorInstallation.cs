using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OpenEuroLLM.Core;
using OpenEuroLLM.Core.Auditing;
using OpenEuroLLM.Formats.Hub;
using OpenEuroLLM.Inference;
using OpenEuroLLM.Models;
using OpenEuroLLM.Serving;
using OpenEuroLLM.Serving.Auditing;
using OpenEuroLLM.Serving.Security;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Cli;

/// <summary>What <c>oellm doctor</c> finds out about model, keys, certificate, audit, port and disk, as a server would use them.</summary>
internal sealed record DoctorInstallation(string? Model, string Host, int Port, string? Keys, string? Audit, string? Certificate, string? CertificateKey, IClock Clock)
{
    private const long LittleRoom = 2L << 30, VeryLittleRoom = 100L << 20;
    private const int SoonDays = 30;

    /// <summary>All findings; what cannot be looked at is one that failed.</summary>
    public IEnumerable<Finding> Findings(CancellationToken cancellation)
    {
        yield return Trying("model", ModelIsThere);
        yield return Trying("tokenizer", TokenizerIsThere);
        yield return Trying("port", PortIsFree);
        yield return Trying("keys", KeysAreSafe);
        yield return Trying("certificate", CertificateIsValid);
        yield return Trying("audit", () => AuditHolds(cancellation));
        foreach (string folder in StorePlaces()) yield return Trying("disk", () => DiskHasRoom(folder));
        yield return Offline();
    }

    private static Finding Trying(string check, Func<Finding> look)
    {
        try
        {
            return look();
        }
        catch (UserErrorException problem)
        {
            return new Finding(check, Health.Fail, problem.Message, "See the message; 'oellm doctor' looks again.");
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            return new Finding(check, Health.Fail, failure.Message.ReplaceLineEndings(" "), "Check the path and its permissions.");
        }
    }

    private Finding ModelIsThere()
    {
        string path = ModelPath.Resolve(Model);
        using ModelSource source = ModelSource.Open(path);
        long bytes = ModelMemory.WeightBytes(source);
        string shown = $"{path}: weights of {AvailableMemory.Size(bytes)}, context {source.Config.ContextLength.ToString(System.Globalization.CultureInfo.InvariantCulture)}";
        return bytes > AvailableMemory.Bytes() ? new("model", Health.Fail, shown, $"{AvailableMemory.Size(AvailableMemory.Bytes())} of memory are available; choose a smaller model, or one with fewer bits for each weight.") : new("model", Health.Ok, shown);
    }

    private Finding TokenizerIsThere()
    {
        string path = ModelPath.Resolve(Model);
        Tokenizer tokenizer = InferenceEngine.ReadTokenizer(path);
        ChatTemplate.Load(path, tokenizer, Clock, out string? obstacle);
        string shown = FormattableString.Invariant($"{tokenizer.VocabularySize} tokens");
        return obstacle is null ? new("tokenizer", Health.Ok, shown + ", chat template understood") : new("tokenizer", Health.Warn, $"{shown}; no chat: {obstacle}", "The model continues texts only; conversations are refused.");
    }

    private Finding PortIsFree()
    {
        string name = FormattableString.Invariant($"{Host}, port {Port}");
        if (!IPAddress.TryParse(Host == "localhost" ? "127.0.0.1" : Host, out IPAddress? address) || Port is < 0 or > ushort.MaxValue) return new("port", Health.Fail, name, "Expected an IP address of this machine and a port of 0 to 65535.");
        try
        {
            using var listener = new TcpListener(address, Port);
            listener.Start();
            return new("port", Health.Ok, name + " is free");
        }
        catch (SocketException failure)
        {
            return failure.SocketErrorCode == SocketError.AddressAlreadyInUse
                ? new("port", Health.Warn, name + " is in use", "A server may be running there already; otherwise choose another with --port.")
                : new("port", Health.Fail, $"{name}: {failure.SocketErrorCode}", "Choose another with --port or --host.");
        }
    }

    private Finding KeysAreSafe()
    {
        string path = Keys ?? KeysCommand.DefaultStore;
        if (!File.Exists(path))
            return Keys is null ? new("keys", Health.Ok, "none: the server answers this machine only") : new("keys", Health.Fail, $"{path}: there is no such file", $"'oellm keys add --store {path} --name WHO' makes the first key.");
        IReadOnlyList<ApiKey> all = new KeyStore(path).List();
        DateTimeOffset now = Clock.UtcNow;
        int valid = all.Count(key => key.IsValid(now)), soon = all.Count(key => key.IsValid(now) && key.Expires < now.AddDays(SoonDays));
        string shown = FormattableString.Invariant($"{path}: {valid} of {all.Count} keys are valid") + (soon > 0 ? FormattableString.Invariant($", {soon} expire within {SoonDays} days") : "");
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & ~(UnixFileMode.UserRead | UnixFileMode.UserWrite)) != 0)
            return new("keys", Health.Warn, shown + "; others can read or write the file", $"Whoever writes it lets anybody in: 'chmod 600 {path}'.");
        if (valid == 0) return new("keys", Health.Warn, shown, "Nobody would be answered; 'oellm keys add' makes a key.");
        return new("keys", soon > 0 ? Health.Warn : Health.Ok, shown, soon > 0 ? "'oellm keys list' shows which; 'oellm keys rotate ID' replaces one." : null);
    }

    private Finding CertificateIsValid()
    {
        if (Certificate is null && CertificateKey is null) return new("certificate", Health.Ok, "none: without TLS the server answers this machine only, or behind a proxy");
        new ServerOptions(Host: "127.0.0.1", Port: 0, Security: new SecurityOptions(Certificate: Certificate, CertificateKey: CertificateKey)).Validate();
        try
        {
            using X509Certificate2 certificate = X509Certificate2.CreateFromPemFile(Certificate!, CertificateKey);
            double days = (certificate.NotAfter.ToUniversalTime() - Clock.UtcNow.UtcDateTime).TotalDays;
            string shown = FormattableString.Invariant($"{certificate.Subject}, valid for {days:0} days more");
            return days < SoonDays ? new("certificate", Health.Warn, shown, "Renew it; the server reads it when it starts.") : new("certificate", Health.Ok, shown);
        }
        catch (CryptographicException failure)
        {
            return new("certificate", Health.Fail, failure.Message, "Expected two PEM files that belong together.");
        }
    }

    private Finding AuditHolds(CancellationToken cancellation)
    {
        string path = Audit ?? AuditCommand.DefaultFile;
        if (Audit is null && !File.Exists(path)) return new("audit", Health.Ok, "none yet: 'oellm serve' with --keys or --audit begins one");
        using var reader = new SqliteAuditReader(path);
        AuditVerdict verdict = AuditChain.Verify(reader, cancellation: cancellation);
        return verdict.Holds ? new("audit", Health.Ok, FormattableString.Invariant($"{path}: all {verdict.Head.Rows} rows are as they were written"))
            : new("audit", Health.Fail, FormattableString.Invariant($"{path}: row {verdict.BrokenRow} is broken"), $"'oellm audit verify --audit {path}' says what was found; keep the file for examination.");
    }

    private SortedSet<string> StorePlaces()
    {
        var places = new SortedSet<string>(StringComparer.Ordinal) { Environment.CurrentDirectory };
        foreach (string? file in (ReadOnlySpan<string?>)[Keys, Audit])
            if (file is not null) places.Add(Path.GetDirectoryName(Path.GetFullPath(file))!);
        if (HubCache.Of(Environment.GetEnvironmentVariable).Root is var cache && Directory.Exists(cache)) places.Add(Path.GetFullPath(cache));
        return places;
    }

    private static Finding DiskHasRoom(string folder)
    {
        PhysicalFileSystem files = PhysicalFileSystem.Instance;
        long free = files.FreeBytes(folder);
        string probe = Path.Combine(folder, FormattableString.Invariant($".oellm-doctor-{Environment.ProcessId}"));
        using (Stream written = files.CreateFile(probe))
        {
            written.WriteByte(1);
            files.FlushToDisk(written);
        }
        files.Delete(probe);
        return new("disk", free < VeryLittleRoom ? Health.Fail : free < LittleRoom ? Health.Warn : Health.Ok, $"{folder}: can be written, {AvailableMemory.Size(free)} free",
            free < LittleRoom ? "Free some space: without room for the audit's rows the server answers nothing." : null);
    }

    private static Finding Offline()
    {
        bool offline = FetchCommand.IsOn(Environment.GetEnvironmentVariable("HF_HUB_OFFLINE"));
        return new("network", Health.Ok, offline ? "nothing is fetched (HF_HUB_OFFLINE)" : "only 'oellm fetch' opens connections; --offline or HF_HUB_OFFLINE=1 forbids it too");
    }
}
