using System.CommandLine;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Cli;

/// <summary>What <c>oellm doctor</c> thinks of something.</summary>
internal enum Health
{
    /// <summary>Nothing to do.</summary>
    Ok,

    /// <summary>It works, and could be better.</summary>
    Warn,

    /// <summary>It does not work.</summary>
    Fail,
}

/// <summary>Something that was looked at.</summary>
/// <param name="Check">What.</param>
/// <param name="Health">What to think of it.</param>
/// <param name="Found">What was found.</param>
/// <param name="Advice">What to do; null when nothing is.</param>
internal sealed record Finding(string Check, Health Health, string Found, string? Advice = null);

/// <summary><c>oellm doctor</c>: whether this machine and this installation are fit to serve.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        Option<string?> model = SamplingOptions.Model();
        var host = new Option<string>("--host") { Description = "The address that the server is to listen on.", HelpName = "H", DefaultValueFactory = _ => "127.0.0.1" };
        var port = new Option<int>("--port") { Description = "Its port.", HelpName = "P", DefaultValueFactory = _ => 8080 };
        var audit = new Option<string?>("--audit") { Description = $"The server's audit. Default: {AuditCommand.DefaultFile}, where there is one.", HelpName = "FILE" };
        var keys = new Option<string?>("--keys") { Description = $"The server's keys. Default: {KeysCommand.DefaultStore}, where there are some.", HelpName = "FILE" };
        var certificate = new Option<string?>("--certificate") { Description = "The server's certificate.", HelpName = "FILE" };
        var certificateKey = new Option<string?>("--certificate-key") { Description = "Its private key.", HelpName = "FILE" };
        var json = new Option<bool>("--json") { Description = "One JSON object per check." };
        var command = new Command("doctor", "Looks over the machine and the installation: what works, what could be better, what does not work, and what to do. Exit code 2 when something does not work.\n" +
            "Example: oellm doctor --keys oellm-keys.json --port 8443") { model, host, port, keys, audit, certificate, certificateKey, json };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            var installation = new DoctorInstallation(parsed.GetValue(model), parsed.GetValue(host)!, parsed.GetValue(port), parsed.GetValue(keys), parsed.GetValue(audit),
                parsed.GetValue(certificate), parsed.GetValue(certificateKey), SystemClock.Instance);
            TextWriter output = parsed.InvocationConfiguration.Output;
            var counts = new int[3];
            foreach (Finding finding in DoctorMachine.Findings(SystemClock.Instance).Concat(installation.Findings(cancellation)))
            {
                cancellation.ThrowIfCancellationRequested();
                counts[(int)finding.Health]++;
                if (parsed.GetValue(json)) output.WriteLine(ToJson(finding));
                else Show(output, finding);
            }
            if (!parsed.GetValue(json)) output.WriteLine(FormattableString.Invariant($"{counts[0]} ok, {counts[1]} could be better, {counts[2]} do not work"));
            return counts[(int)Health.Fail] == 0 ? ExitCode.Success : ExitCode.UserError;
        }, CancellationToken.None));
        return command;
    }

    private static void Show(TextWriter output, Finding finding)
    {
        output.WriteLine($"{NameOf(finding.Health),-4}  {finding.Check,-18}  {finding.Found}");
        if (finding.Advice is not null) output.WriteLine($"{"",-26}-> {finding.Advice}");
    }

    private static string ToJson(Finding finding) => JsonLine.Of(writer =>
    {
        writer.WriteString("check", finding.Check);
        writer.WriteString("health", NameOf(finding.Health));
        writer.WriteString("found", finding.Found);
        writer.WriteString("advice", finding.Advice);
    });

    private static string NameOf(Health health) => health switch { Health.Ok => "ok", Health.Warn => "warn", _ => "fail" };
}
