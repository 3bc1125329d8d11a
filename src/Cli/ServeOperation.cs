using System.CommandLine;
using OpenEuroLLM.Core;
using OpenEuroLLM.Serving;
using OpenEuroLLM.Serving.Auditing;
using OpenEuroLLM.Serving.Operation;

namespace OpenEuroLLM.Cli;

/// <summary>The options of <c>oellm serve</c> for whoever runs the server: audit, log, and how it ends.</summary>
internal sealed class ServeOperation
{
    private const string ToError = "-", Nowhere = "none";

    private readonly Option<string?> audit = new("--audit") { Description = $"File in which every use of the model is written down, never what was asked or answered. Default: with --keys, {AuditCommand.DefaultFile} beside them.", HelpName = "FILE" };
    private readonly Option<bool> noAudit = new("--no-audit") { Description = "Serves holders of keys without writing down who used the model." };
    private readonly Option<string> log = new("--log") { Description = $"Where the line of JSON for each request goes: a file, {ToError} for standard error, or {Nowhere}.", HelpName = "FILE", DefaultValueFactory = _ => ToError };
    private readonly Option<bool> logContent = new("--log-content") { Description = "Writes prompts and answers into that log, for looking for faults." };
    private readonly Option<double> drain = new("--drain-seconds") { Description = "How long running answers may go on after SIGTERM or Ctrl+C.", HelpName = "S", DefaultValueFactory = _ => new ServerOptions().DrainSeconds };

    /// <summary>Adds the options to the command.</summary>
    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { audit, noAudit, log, logContent, drain }) command.Add(option);
    }

    /// <summary>What the user chose.</summary>
    /// <exception cref="UserErrorException">Options contradict each other.</exception>
    public ServeOperationChoice Of(ParseResult parsed, string? keys)
    {
        double seconds = parsed.GetValue(drain);
        if (!(seconds is >= 0 and <= 86_400)) throw new UserErrorException(FormattableString.Invariant($"--drain-seconds is {seconds}; expected 0 to 86400."));
        string? file = parsed.GetValue(audit);
        if (file is not null && parsed.GetValue(noAudit)) throw new UserErrorException("--audit and --no-audit contradict each other; give one of them.");
        if (file is null && keys is not null && !parsed.GetValue(noAudit)) file = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(keys))!, AuditCommand.DefaultFile);
        string lines = parsed.GetValue(log)!;
        if (lines == Nowhere && parsed.GetValue(logContent)) throw new UserErrorException("--log-content needs a log; leave out --log none.");
        return new ServeOperationChoice(file, keys is not null && file is null, lines == Nowhere ? null : lines, lines == ToError, parsed.GetValue(logContent), seconds);
    }
}

/// <summary>How a server writes down what it does, and how it ends.</summary>
/// <param name="AuditFile">The audit; null for none.</param>
/// <param name="Unaudited">Whether holders of keys are served without one.</param>
/// <param name="Log">The log of requests; null for none.</param>
/// <param name="LogsToError">Whether it goes to standard error.</param>
/// <param name="LogContent">Whether prompts and answers are in it.</param>
/// <param name="DrainSeconds">How long running answers may go on at the end.</param>
internal sealed record ServeOperationChoice(string? AuditFile, bool Unaudited, string? Log, bool LogsToError, bool LogContent, double DrainSeconds)
{
    /// <summary>Nothing is written down, and the server ends within the two seconds that a command has after Ctrl+C.</summary>
    public static ServeOperationChoice Quick { get; } = new(null, false, null, false, false, DrainSeconds: 1.5);

    public SqliteAuditStore? OpenAudit() => AuditFile is null ? null : SqliteAuditStore.Open(AuditFile);

    public RequestLog? OpenLog(TextWriter error) => Log is null ? null : LogsToError ? new RequestLog(error, LogContent) : RequestLog.ToFile(Log, LogContent);

    /// <summary>What nobody should overlook.</summary>
    public IEnumerable<string> Warnings()
    {
        if (LogContent) yield return $"WARNING: --log-content is on: the prompts and answers of all users are written to {(LogsToError ? "standard error" : Log)}.";
        if (Unaudited) yield return "WARNING: --no-audit is on: nobody can tell later who used the model.";
    }
}
