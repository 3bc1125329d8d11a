using System.CommandLine;
using System.Globalization;
using OpenEuroLLM.Core;
using OpenEuroLLM.Core.Auditing;
using OpenEuroLLM.Serving.Auditing;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm audit</c>: who used a server's models, and proof that nothing of it was changed.</summary>
internal static class AuditCommand
{
    /// <summary>The audit's name when nothing is said: in the current folder, or beside the keys.</summary>
    public const string DefaultFile = "oellm-audit.db";

    public static Command Create() => new("audit", "Checks and shows the audit that 'oellm serve' writes: who used which model when, and how much; never what was asked. A running server is not disturbed.\n" +
        "Example: oellm audit usage")
    {
        Verify(), Head(), Show(), Usage(),
    };

    private static Command Verify()
    {
        Option<string> file = File();
        Option<bool> json = Json("One JSON object on standard output.");
        var noted = new Option<string?>("--head") { Description = "A head that was noted down earlier (ROWS:HASH): finds also a history that was cut off or written anew as a whole.", HelpName = "HEAD" };
        var command = new Command("verify", "Recomputes the hash of every row and names the first that is not as it was written.\nExample: oellm audit verify --audit oellm-audit.db") { file, noted, json };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            string path = parsed.GetValue(file)!;
            AuditHead? head = parsed.GetValue(noted) is string text ? AuditHead.Parse(text) : null;
            using var reader = new SqliteAuditReader(path);
            AuditVerdict verdict = AuditChain.Verify(reader, head, cancellation);
            var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
            if (parsed.GetValue(json))
            {
                output.WriteLine(JsonLine.Of(writer =>
                {
                    writer.WriteBoolean("holds", verdict.Holds);
                    writer.WriteNumber("rows", verdict.Head.Rows);
                    writer.WriteString("hash", verdict.Head.Hash);
                    if (verdict.BrokenRow is long row) writer.WriteNumber("brokenRow", row);
                    if (verdict.Found is not null) writer.WriteString("found", verdict.Found);
                    if (verdict.Expected is not null) writer.WriteString("expected", verdict.Expected);
                }));
            }
            else if (verdict.Holds) output.WriteLine(FormattableString.Invariant($"{path}: all {verdict.Head.Rows} rows are as they were written. Head: {verdict.Head}"));
            if (!verdict.Holds) error.WriteLine(FormattableString.Invariant($"oellm: {path}: row {verdict.BrokenRow} is broken: found {verdict.Found}; expected {verdict.Expected}. The {verdict.Head.Rows} rows before it hold; keep the file for examination."));
            return verdict.Holds ? ExitCode.Success : ExitCode.UserError;
        }, CancellationToken.None));
        return command;
    }

    private static Command Head()
    {
        Option<string> file = File();
        var command = new Command("head", "Prints number and hash of the last row, to be noted down where the server cannot write.\nExample: oellm audit head --audit oellm-audit.db") { file };
        command.SetAction(parsed =>
        {
            using var reader = new SqliteAuditReader(parsed.GetValue(file)!);
            parsed.InvocationConfiguration.Output.WriteLine(reader.Head.ToString());
        });
        return command;
    }

    private static Command Show()
    {
        Option<string> file = File();
        Option<bool> json = Json("One JSON object a row, as it is stored, with its number and hash.");
        AuditFilter filter = new();
        var last = new Option<int>("--last") { Description = "Only so many of the last rows that fit; 0 for all.", HelpName = "N", DefaultValueFactory = _ => 50 };
        var command = new Command("show", "Shows rows, oldest first.\nExample: oellm audit show --key 0123456789ab --since 2026-03-01 --last 20") { file, last, json };
        filter.AddTo(command);
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            int most = parsed.GetValue(last);
            if (most < 0) throw new UserErrorException(FormattableString.Invariant($"--last is {most}; expected 0 or more."));
            Func<AuditEntry, bool> fits = filter.Of(parsed);
            using var reader = new SqliteAuditReader(parsed.GetValue(file)!);
            IEnumerable<(AuditRow Row, AuditEntry Entry)> rows = AuditFilter.Read(reader, parsed.GetValue(file)!, cancellation).Where(row => fits(row.Entry));
            if (most > 0) rows = rows.TakeLast(most);
            TextWriter output = parsed.InvocationConfiguration.Output;
            foreach (var (row, entry) in rows) output.WriteLine(parsed.GetValue(json) ? AuditTables.ToJson(row) : AuditTables.Line(row, entry));
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }

    private static Command Usage()
    {
        Option<string> file = File();
        Option<bool> json = Json("One JSON object per day, key and model.");
        AuditFilter filter = new();
        var command = new Command("usage", "Sums requests and tokens by day, key and model.\nExample: oellm audit usage --since 2026-03-01") { file, json };
        filter.AddTo(command);
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            Func<AuditEntry, bool> fits = filter.Of(parsed);
            using var reader = new SqliteAuditReader(parsed.GetValue(file)!);
            IReadOnlyList<AuditUsage> usage = AuditUsage.Of(AuditFilter.Read(reader, parsed.GetValue(file)!, cancellation).Select(row => row.Entry).Where(fits));
            TextWriter output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(json)) foreach (AuditUsage each in usage) output.WriteLine(AuditTables.ToJson(each));
            else foreach (string line in AuditTables.Of(usage)) output.WriteLine(line);
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }

    private static Option<string> File() => new("--audit") { Description = "The audit.", HelpName = "FILE", DefaultValueFactory = _ => DefaultFile };

    private static Option<bool> Json(string description) => new("--json") { Description = description };
}

/// <summary>Which rows are looked at.</summary>
internal sealed class AuditFilter
{
    private readonly Option<string?> since = new("--since") { Description = "Only rows from this day of UTC on: YYYY-MM-DD.", HelpName = "DAY" };
    private readonly Option<string?> until = new("--until") { Description = "Only rows before this day of UTC.", HelpName = "DAY" };
    private readonly Option<string?> key = new("--key") { Description = "Only rows of the key with this id.", HelpName = "ID" };

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { since, until, key }) command.Add(option);
    }

    /// <exception cref="UserErrorException">A day is none.</exception>
    public Func<AuditEntry, bool> Of(ParseResult parsed)
    {
        DateTimeOffset? from = Day(parsed.GetValue(since), "--since"), end = Day(parsed.GetValue(until), "--until");
        string? id = parsed.GetValue(key);
        return entry => (from is null || entry.At >= from) && (end is null || entry.At < end) && (id is null || entry.KeyId == id);
    }

    /// <summary>All rows with what they say.</summary>
    /// <exception cref="UserErrorException">A row cannot be read.</exception>
    public static IEnumerable<(AuditRow Row, AuditEntry Entry)> Read(IAuditReader reader, string path, CancellationToken cancellation)
    {
        foreach (AuditRow row in reader.Read())
        {
            cancellation.ThrowIfCancellationRequested();
            yield return (row, EntryOf(row, path));
        }
    }

    private static AuditEntry EntryOf(AuditRow row, string path)
    {
        try
        {
            return row.Entry();
        }
        catch (System.Text.Json.JsonException problem)
        {
            throw new UserErrorException(FormattableString.Invariant($"{path}: row {row.Sequence} cannot be read ({problem.Message}); 'oellm audit verify' says what is wrong."), problem);
        }
    }

    private static DateTimeOffset? Day(string? text, string option) => text is null ? null
        : DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateOnly day) ? new DateTimeOffset(day.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero)
        : throw new UserErrorException($"{option} is '{text}'; expected a day such as 2026-03-01.");
}
