using System.CommandLine;
using System.Globalization;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Rights;
using OpenEuroLLM.Privacy.Rights;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm corpus policies</c>: what sites say about the use of their pages, out of crawls into a store.</summary>
internal static class CorpusPolicies
{
    private const long LongestFile = 64 << 20;

    public static Command Create()
    {
        var archives = new Argument<string[]>("archives") { Description = "Web archives, or folders of them.", Arity = ArgumentArity.ZeroOrMore };
        var list = new Option<string?>("--list") { Description = "Files fetched otherwise: a table with address, time (2026-11-25T12:00:00Z), HTTP status (0: no answer) and file, with tabs between; files are seen from the table's folder.", HelpName = "FILE" };
        var target = new Option<string>("--out") { Description = "The store to make, or to add to.", Required = true, HelpName = "DIR" };
        var json = new Option<bool>("--json") { Description = "Print the counts as one JSON object." };
        var command = new Command("policies", "Takes robots.txt, tdmrep.json, ai.txt, trust.txt and RSL licences out of crawls and keeps every version of them in a store, by site and time. Nothing is fetched.\n" +
            "Example: oellm corpus policies crawl.warc.gz --out policies") { archives, list, target, json };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            var status = new StatusLine(parsed.InvocationConfiguration.Error, quiet: false);
            Print(Run(parsed.GetValue(archives) ?? [], parsed.GetValue(list), parsed.GetValue(target)!, status, cancellation), parsed.GetValue(target)!, parsed.GetValue(json), parsed.InvocationConfiguration.Output);
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }

    private static PolicyStoreSummary Run(string[] archives, string? list, string target, StatusLine status, CancellationToken cancellation)
    {
        if (archives.Length == 0 && list is null) throw new UserErrorException("neither an archive nor --list is given; expected web archives such as crawl.warc.gz.");
        List<string> files = [.. archives.SelectMany(Expand)];
        using PolicyStoreWriter writer = PolicyStoreWriter.Create(target);
        for (int number = 0; number < files.Count; number++)
        {
            string file = files[number];
            double megabytes = new FileInfo(file).Length / 1e6;
            foreach (SiteFile found in SitePolicyReader.Read(file, (where, reason) => status.Say($"policies    {where}: {reason}"),
                done => status.Update(FormattableString.Invariant($"policies    file {number + 1} of {files.Count}, {done / 1e6:0.0} of {megabytes:0.0} MB"))))
            {
                cancellation.ThrowIfCancellationRequested();
                writer.Add(found);
            }
            writer.AddInputFile(file, FormattableString.Invariant($"input-{number + 1}/{Path.GetFileName(file)}"));
        }
        if (list is not null)
        {
            foreach (SiteFile given in Listed(list)) writer.Add(given);
            writer.AddInputFile(list, $"list/{Path.GetFileName(list)}");
        }
        return writer.Commit();
    }

    private static IEnumerable<string> Expand(string path)
    {
        if (File.Exists(path)) return [path];
        if (!Directory.Exists(path)) throw new UserErrorException($"{path}: not found; expected a web archive or a folder of them.");
        string[] found = [.. Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).Where(SitePolicyReader.IsArchive).Order(StringComparer.Ordinal)];
        return found.Length > 0 ? found : throw new UserErrorException($"{path}: holds no web archive; expected names that end in .warc, plain or with .gz or .zst behind.");
    }

    private static IEnumerable<SiteFile> Listed(string list)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(list))!;
        int number = 0;
        foreach (string line in Lines(list))
        {
            number++;
            if (string.IsNullOrWhiteSpace(line) || line[0] == '#') continue;
            string where = FormattableString.Invariant($"{list}:{number}");
            string[] cells = line.Split('\t');
            if (cells.Length is < 3 or > 4) throw new UserErrorException(FormattableString.Invariant($"{where}: has {cells.Length} cells; expected address, time, status and file, with tabs between."));
            byte[] content = cells.Length == 4 && cells[3].Length > 0 ? Content(Path.Combine(folder, cells[3])) : [];
            WebAddress address = WebAddress.Parse(cells[0]) ?? throw new UserErrorException($"{where}: '{cells[0]}' is no address of the web.");
            DateTimeOffset fetched = Timestamp.Read(cells[1]) ?? throw new UserErrorException($"{where}: '{cells[1]}' is no time; expected a form such as 2026-11-25T12:00:00Z.");
            if (!int.TryParse(cells[2], NumberStyles.None, CultureInfo.InvariantCulture, out int status) || status is not (0 or (>= 100 and < 600)))
                throw new UserErrorException($"{where}: '{cells[2]}' is no HTTP status; expected 0 or 100 to 599.");
            string? type = cells.Length == 4 ? Path.GetExtension(cells[3]).ToLowerInvariant() switch { ".xml" => "application/xml", ".json" => "application/json", _ => null } : null;
            SiteFileKind kind = SiteFile.KindOf(address, type, content)
                ?? throw new UserErrorException($"{where}: {cells[0]} is none of the files that speak of rights; expected /robots.txt, /.well-known/tdmrep.json, /ai.txt, /trust.txt, or an RSL licence.");
            yield return SiteFile.Of(address, cells[0], kind, fetched, status, null, content) ?? throw new UserErrorException($"{where}: the address is too long.");
        }
    }

    private static string[] Lines(string list)
    {
        try
        {
            return File.ReadAllLines(list);
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, list);
        }
    }

    private static byte[] Content(string path)
    {
        try
        {
            return new FileInfo(path).Length <= LongestFile ? File.ReadAllBytes(path) : throw new UserErrorException($"{path}: has more than {LongestFile} bytes; expected a file of a site's policy.");
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, path);
        }
    }

    private static void Print(PolicyStoreSummary summary, string target, bool json, TextWriter output)
    {
        if (json)
        {
            output.WriteLine(JsonLine.Of(writer =>
            {
                writer.WriteString("store", target);
                writer.WriteNumber("sites", summary.Hosts);
                writer.WriteStartObject("files");
                foreach ((string name, long count) in summary.Files) writer.WriteNumber(name, count);
                writer.WriteEndObject();
                writer.WriteNumber("leftOut", summary.LeftOut);
            }));
            return;
        }
        string files = summary.Files.Count == 0 ? "no files" : string.Join(", ", summary.Files.Select(file => FormattableString.Invariant($"{file.Key} {file.Value}")));
        output.WriteLine(FormattableString.Invariant($"{target}: {summary.Hosts} sites; {files}{(summary.LeftOut > 0 ? FormattableString.Invariant($"; {summary.LeftOut} older versions left out") : "")}"));
    }
}
