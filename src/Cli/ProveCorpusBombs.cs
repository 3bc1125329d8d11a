using System.Text;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus;
using OpenEuroLLM.Corpus.Making;
using Bad = OpenEuroLLM.Cli.ProveCorpusBombFiles;

namespace OpenEuroLLM.Cli;

/// <summary>The proof <c>corpus-bombs</c>: one bad file beside good documents. Where everything bad is to be passed over, the line ends with all good documents and the bad
/// counted with its place; with the usual settings it does the same or stops with one line that names the file.</summary>
internal static class ProveCorpusBombs
{
    private const long UsualBytes = 10_000_000_000;
    private const int GoodDocuments = 200;
    private const double MostSeconds = 300;
    private const int DeepElements = 1_000_000;

    /// <summary>All steps that a crawl goes through, with bounds that drop nothing: what they cost shows with documents that would be dropped as well.</summary>
    private const string LenientSteps = """
        [{ "step": "identification" }, { "step": "mojibake" }, { "step": "unicode-normalization" }, { "step": "url-duplicates" }, { "step": "exact-duplicates" },
         { "step": "quality", "leastWords": 0, "mostWords": null, "shortestMeanWord": 0, "longestMeanWord": 1000, "alphabeticShare": 0, "symbolsPerWord": 100, "bulletLines": 1, "ellipsisLines": 1 },
         { "step": "repetition", "repeatedLines": 1, "repeatedParagraphs": 1, "repeatedLineCharacters": 1, "repeatedParagraphCharacters": 1, "topNgrams": [1, 1, 1], "repeatedNgrams": [1, 1, 1, 1, 1, 1] },
         { "step": "lines", "endedLines": 0, "shortLines": 1, "repeatedCharacters": 1, "linesPerWord": 10 }, { "step": "near-duplicates", "similarity": 1 }]
        """;

    /// <summary>A bad file.</summary>
    /// <param name="Name">Names the case, and the file without its ending.</param>
    /// <param name="Ending">What kind of file it is.</param>
    /// <param name="Reason">What is counted; null where the file is odd but can be read.</param>
    /// <param name="Make">Writes the file.</param>
    /// <param name="Documents">Good documents in the file itself that must be found.</param>
    private sealed record Case(string Name, string Ending, string? Reason, Action<string> Make, int Documents = 0);

    private static IEnumerable<Case> Cases(long bytes, string shared)
    {
        long line = Math.Max(bytes / 10, 1);   // a gigabyte where a bomb has ten
        Action<string> Zeros() => path =>
        {
            if (!File.Exists(shared)) Bad.GzipBomb(shared, "", bytes);
            File.Copy(shared, path);
        };

        yield return new("gzip-bomb", ".jsonl.gz", "line-too-long", Zeros());
        yield return new("gzip-bomb-of-empty-lines", ".jsonl.gz", null, path => Bad.GzipBomb(path, "", bytes, '\n'));
        yield return new("gzip-bomb-table", ".csv.gz", "line-too-long", Zeros());
        yield return new("gzip-bomb-page", ".html.gz", "too-large", Zeros());
        yield return new("gzip-bomb-text", ".txt.gz", "too-large", Zeros());
        yield return new("gzip-bomb-record", ".warc.gz", "bomb", path => Bad.GzipBomb(path, Bad.Record(FormattableString.Invariant($"{bytes}"), 1), bytes));
        yield return new("gzip-bomb-answer", ".warc", "too-large", path =>
        {
            Zeros()(shared + ".copy");
            byte[] packed = File.ReadAllBytes(shared + ".copy");
            File.Delete(shared + ".copy");
            const string http = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n\r\n";
            using FileStream file = File.Create(path);
            file.Write(Encoding.ASCII.GetBytes(Bad.Record(FormattableString.Invariant($"{http.Length + packed.Length}"), 1, http)));
            file.Write(packed);
            file.Write("\r\n\r\n"u8);
            file.Write(Encoding.UTF8.GetBytes(Bad.Page(2)));
        }, Documents: 1);
        yield return new("zstandard-bomb", ".jsonl.zst", "bomb", path => Bad.ZstandardBomb(path, "", bytes));
        yield return new("zstandard-bomb-record", ".warc.zst", "bomb", path => Bad.ZstandardBomb(path, Bad.Record(FormattableString.Invariant($"{bytes}"), 1), bytes));
        yield return new("zstandard-bomb-page", ".html.zst", "too-large", path => Bad.ZstandardBomb(path, "<html>", bytes));
        yield return new("long-line", ".jsonl", "line-too-long", path => Bad.LongLine(path, "{\"id\":\"x\",\"text\":\"", line));
        yield return new("long-row", ".csv", "line-too-long", path => Bad.LongLine(path, "text,lang\n\"", line));
        yield return new("long-text", ".txt", "too-large", path => Bad.LongLine(path, "", line));
        yield return new("long-page", ".html", "too-large", path => Bad.LongLine(path, "<html><body><p>", line));
        yield return new("great-lines", ".jsonl", null, path =>
        {
            using StreamWriter file = File.CreateText(path);
            for (int document = 0; document < 2; document++)
            {
                file.Write("{\"id\":\"great\",\"lang\":\"de\",\"source\":\"s\",\"license\":\"l\",\"text\":\"");
                for (int word = 0; word < line / 420; word++) file.Write(FormattableString.Invariant($"Möwe{word % 9973} über{word * (document + 2)} "));
                file.Write("\"}\n");
            }
        }, Documents: 2);
        yield return new("deep-page", ".html", null, path =>
        {
            using StreamWriter file = File.CreateText(path);
            file.Write("<html><body>");
            for (int i = 0; i < DeepElements; i++) file.Write("<div>");
            file.Write("<p>Die Möwe fliegt über das Meer, und zwölf Schiffe liegen im Hafen.</p>");
        });
        yield return new("deep-lists-and-tables", ".html", null, path =>
        {
            using StreamWriter file = File.CreateText(path);
            for (int i = 0; i < DeepElements; i++) file.Write("<ul><li><table><tr><td><b><a href=x>"[..(i % 2 == 0 ? 8 : 36)]);
        });
        yield return new("cut-lines", ".jsonl.gz", "cut-short", path => File.WriteAllBytes(path, Bad.Members(Line(1) + Line(2), Line(3) + Line(4))[..^9]), Documents: 2);
        yield return new("cut-record", ".warc.gz", "cut-short", path => File.WriteAllBytes(path, Bad.Members(Bad.Page(1), Bad.Page(2), Bad.Page(3))[..^40]), Documents: 2);
        yield return new("damaged-record", ".warc.gz", "damaged", path =>
        {
            byte[] members = Bad.Members(Bad.Page(1), Bad.Page(2), Bad.Page(3));
            members[members.Length / 2] ^= 0x55;
            File.WriteAllBytes(path, members);
        }, Documents: 2);
        yield return new("huge-length", ".warc", "wrong-length", path => File.WriteAllText(path, Bad.Page(1) + Bad.Page(2, _ => "99999999999999999999999") + Bad.Page(3)), Documents: 2);
        yield return new("great-length", ".warc", "cut-short", path => File.WriteAllText(path, Bad.Page(1) + Bad.Page(2, _ => "1000000000000") + Bad.Page(3)), Documents: 2);
        yield return new("long-length", ".warc", "wrong-length", path => File.WriteAllText(path, Bad.Page(1) + Bad.Page(2, bytes => FormattableString.Invariant($"{bytes + 100}")) + Bad.Page(3)), Documents: 2);
        yield return new("short-length", ".warc", "wrong-length", path => File.WriteAllText(path, Bad.Page(1) + Bad.Page(2, bytes => FormattableString.Invariant($"{bytes - 30}")) + Bad.Page(3)), Documents: 2);
        yield return new("no-utf-8", ".jsonl", "bad-line", path => File.WriteAllBytes(path, [.. "{\"id\":\"x\",\"lang\":\"de\",\"source\":\"s\",\"license\":\"l\",\"text\":\""u8, 0xC3, 0x28, 0xF5, .. "\"}\n"u8, .. Encoding.UTF8.GetBytes(Line(1))]), Documents: 1);
        yield return new("half-a-pair", ".jsonl", "bad-line", path => File.WriteAllText(path, Line(1).Replace("Möwe", "\\ud83d", StringComparison.Ordinal) + Line(2)), Documents: 1);
        yield return new("utf-16", ".jsonl", "bad-line", path => File.WriteAllText(path, Line(1) + Line(2), Encoding.Unicode));
        yield return new("no-utf-8-row", ".csv", "bad-line", path => File.WriteAllBytes(path, [.. "text,lang\n"u8, 0xC3, 0x28, .. ",de\nDie Schiffe liegen im Hafen und warten.,de\n"u8]), Documents: 1);
        yield return new("no-utf-8-text", ".txt", "not-utf-8", path => File.WriteAllBytes(path, [.. "Die M"u8, 0xF6, .. "we fliegt."u8]));
        yield return new("utf-16-page-cut", ".html", null, path => File.WriteAllBytes(path, [0xFF, 0xFE, .. Encoding.Unicode.GetBytes("<html><body><p>Die Möwe fliegt über das Meer \uD83D und zwölf Schiffe liegen im Hafen.</p>")[..^1]]));
    }

    private static string Line(int number) => FormattableString.Invariant($"{{\"id\":\"own:{number}\",\"text\":\"Die Möwe Nummer {number} fliegt über das Meer, und zwölf Schiffe liegen im Hafen.\",\"lang\":\"de\",\"source\":\"s\",\"license\":\"l\"}}\n");

    public static int Run(ProofRun proof)
    {
        proof.WriteRecipe(ProveCorpus.RecipeText(LenientSteps, 256L << 20));
        string good = Path.Combine(proof.Folder, "good.jsonl");
        CorpusMaker.Open([], ["de"], proof.Seed, MutationShares.None).Write(good, 0, GoodDocuments);
        var results = new JsonArray();
        bool holds = true;
        foreach (Case bad in Cases(proof.Bytes ?? UsualBytes, Path.Combine(proof.Folder, "zeros.gz")).Where(bad => proof.Only is null || bad.Name.Contains(proof.Only, StringComparison.Ordinal)))
        {
            if (bad.Ending.EndsWith(".zst", StringComparison.Ordinal) && !CorpusMaker.CanPackZstandard)
            {
                proof.Say($"{bad.Name}: left out, libzstd is not on this machine");
                continue;
            }
            string source = Path.Combine(proof.Folder, bad.Name);
            Directory.CreateDirectory(source);
            File.Copy(good, Path.Combine(source, "good.jsonl"));
            string file = Path.Combine(source, "de-bad" + bad.Ending);
            bad.Make(file);
            foreach (bool passOver in new[] { true, false })
            {
                JsonObject result = Judge(proof, bad, source, file, passOver);
                proof.Say(result.ToJsonString());
                holds &= (bool)result["holds"]!;
                results.Add((JsonNode)result);
            }
            Directory.Delete(source, recursive: true);
        }
        return proof.Conclude(holds, new JsonObject
        {
            ["cases"] = results.Count,
            ["held"] = results.Count(result => (bool)result!["holds"]!),
            ["peakMemoryBytes"] = results.Max(result => (long)result!["peakMemoryBytes"]!),
            ["seconds"] = results.Max(result => (double)result!["seconds"]!),
            ["results"] = results,
        });
    }

    private static JsonObject Judge(ProofRun proof, Case bad, string source, string file, bool passOver)
    {
        string folder = Path.Combine(proof.Folder, bad.Name + "-corpus");
        long began = SystemClock.Instance.Timestamp;
        using ProofChild child = proof.Start(ProveCorpus.Arguments(proof with { Settings = [.. proof.Settings, passOver ? "corpus.badLineShare=1" : "corpus.badLineShare=0.01"] }, source, folder, workers: 2));
        bool ended = child.Wait(proof.Cancellation, TimeSpan.FromSeconds(MostSeconds));
        double seconds = SystemClock.Instance.SecondsSince(began);
        if (!ended) child.Kill();
        string? fault = !ended ? FormattableString.Invariant($"did not end in {MostSeconds} seconds")
            : child.PeakMemoryBytes > ProveCorpus.MemoryBytes ? "took more than 2 GB of memory"
            : child.ExitCode == ExitCode.Success ? Fault(folder, bad, file)
            : child.ExitCode != ExitCode.UserError ? FormattableString.Invariant($"ended with exit code {child.ExitCode}: {child.LastWords}")
            : passOver ? $"stopped: {child.LastWords}"
            : child.LastWords?.Contains(file, StringComparison.Ordinal) == true ? null : $"stopped without naming the file: {child.LastWords}";
        var result = new JsonObject
        {
            ["case"] = bad.Name,
            ["badLineShare"] = passOver ? 1 : 0.01,
            ["holds"] = fault is null,
            ["outcome"] = child.ExitCode == ExitCode.Success ? bad.Reason ?? "read" : "stopped",
            ["bytes"] = new FileInfo(file).Length,
            ["seconds"] = Math.Round(seconds, 1),
            ["peakMemoryBytes"] = child.PeakMemoryBytes,
        };
        if (fault is not null) result["fault"] = fault;
        foreach (string left in Directory.GetDirectories(proof.Folder, bad.Name + "-corpus*")) Directory.Delete(left, recursive: true);
        return result;
    }

    /// <summary>What is wrong with a corpus that was built in spite of the bad file.</summary>
    private static string? Fault(string folder, Case bad, string file)
    {
        Manifest manifest = Manifest.Read(PhysicalFileSystem.Instance, folder);
        (long read, long accounted) = ProveCorpus.Accounts(folder);
        long kept = CorpusReport.Of(manifest).Sum(row => row.Train + row.HeldOut);
        if (read != accounted) return FormattableString.Invariant($"{read} documents were read and {accounted} accounted for");
        if (kept < GoodDocuments + bad.Documents) return FormattableString.Invariant($"{GoodDocuments + bad.Documents} good documents became {kept}");
        if (bad.Reason is null) return null;
        if (!manifest.Counts.Any(count => count.Step == CorpusReport.SourceStep && count.Reason == bad.Reason)) return $"'{bad.Reason}' was not counted; there is {string.Join(", ", manifest.Counts.Where(count => count.Step == CorpusReport.SourceStep).Select(count => count.Reason))}";
        string log = Path.Combine(folder, "skipped.jsonl");
        return File.Exists(log) && File.ReadLines(log).Any(line => line.Contains(Path.GetFileName(file), StringComparison.Ordinal) && line.Contains(bad.Reason, StringComparison.Ordinal)) ? null : "the place was not logged";
    }
}
