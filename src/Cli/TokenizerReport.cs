using System.CommandLine;
using System.Text.Json;
using OpenEuroLLM.Core;
using OpenEuroLLM.Transparency;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm tokenizer report</c>: what tokenizers make of every language.</summary>
internal static class TokenizerReport
{
    private sealed record Settings(string[] Tokenizers, string[] Beside, string[] Input, bool Parallel, string[] Gates, string? Html, int Workers, bool Json);

    public static Command Create()
    {
        var tokenizer = new Option<string[]>("--tokenizer") { Description = "Tokenizers to measure, by path or built-in name; what --gate bounds holds for each.", HelpName = "PATH", Required = true, AllowMultipleArgumentsPerToken = true };
        var beside = new Option<string[]>("--beside") { Description = "Tokenizers shown beside them, whatever the bounds.", HelpName = "PATH", AllowMultipleArgumentsPerToken = true };
        var input = new Option<string[]>("--input")
        {
            Description = "Files (.txt: one text; .jsonl: a document a line; .tsv: language, tab, text a line; each also .gz), folders, or patterns with *, ** and ?.",
            HelpName = "GLOB",
            Required = true,
            AllowMultipleArgumentsPerToken = true,
        };
        var parallel = new Option<bool>("--parallel") { Description = "The texts are the same sentences in every language, in any order: totals compare, and parity against English is shown." };
        var gate = new Option<string[]>("--gate")
        {
            Description = $"A bound for every language, as in parity=1.3, or for one, as in mt:tokens-per-word=3. Names: {string.Join(", ", TokenizerGate.Names)}. Exit code {ExitCode.BoundBroken} when one is broken.",
            HelpName = "[LANGUAGE:]NAME=BOUND",
            AllowMultipleArgumentsPerToken = true,
        };
        var html = new Option<string?>("--html") { Description = "Writes a page with charts.", HelpName = "FILE" };
        var workers = new Option<int>("--workers") { Description = "Threads; the figures do not depend on it.", HelpName = "N", DefaultValueFactory = _ => Environment.ProcessorCount };
        var json = new Option<bool>("--json") { Description = "One JSON object a tokenizer on standard output." };
        var command = new Command("report", "Measures tokenizers language by language: tokens per word, words kept whole, parity against English, use of the vocabulary.\n" +
            "Example: oellm tokenizer report --tokenizer tokenizer --input texts --gate tokens-per-word=2.5 --html report.html") { tokenizer, beside, input, parallel, gate, html, workers, json };
        command.SetAction((parsed, cancellation) => Task.Run(() => Run(new Settings(parsed.GetValue(tokenizer)!, parsed.GetValue(beside) ?? [], parsed.GetValue(input)!, parsed.GetValue(parallel),
            parsed.GetValue(gate) ?? [], parsed.GetValue(html), parsed.GetValue(workers), parsed.GetValue(json)),
            parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error, cancellation), CancellationToken.None));
        return command;
    }

    private static int Run(Settings settings, TextWriter output, TextWriter error, CancellationToken cancellation)
    {
        if (settings.Workers is < 1 or > 4096) throw new UserErrorException(FormattableString.Invariant($"--workers is {settings.Workers}; expected 1 to 4096."));
        var gates = settings.Gates.Select(text => TokenizerGate.Parse(text, settings.Parallel)).ToList();
        if (gates.GroupBy(gate => (gate.Language, gate.Name)).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new UserErrorException($"--gate {(twice.Key.Language is null ? "" : twice.Key.Language + ":")}{twice.Key.Name} is given twice; give it once.");
        var files = TextFiles.Expand(settings.Input);
        var subjects = TokenizerReportInput.Load(settings.Tokenizers, settings.Beside);
        var status = new StatusLine(error, quiet: false);
        var clock = SystemClock.Instance;
        long start = clock.Timestamp;
        double total = Math.Max(1, files.Sum(file => (double)new FileInfo(file.Path).Length)), behind = 0;
        int counted = 0;
        var all = TokenizerReportInput.Measure(subjects, files, settings.Parallel, new LocalLauncher(settings.Workers), (done, bytes) =>
        {
            for (; counted < done; counted++) behind += new FileInfo(files[counted].Path).Length;
            double seconds = clock.SecondsSince(start);
            string left = behind > 0 ? $", {StatusLine.Time(seconds / behind * (total - behind))} left" : "";
            status.Update(FormattableString.Invariant($"report      {done} of {files.Count} files, {bytes / 1e6:0.0} MB of text, {bytes / 1e6 / seconds:0.0} MB/s{left}"));
        }, cancellation);
        var pages = new TokenizerReportTables(all, settings.Parallel, gates);
        if (settings.Html is string file) PageFile.Write(file, ComparisonPage.Render(pages.ToComparison()));
        if (settings.Json) foreach (var figures in all) output.WriteLine(ToJson(figures, settings.Parallel, gates));
        else foreach (string line in pages.ToLines()) output.WriteLine(line);
        output.Flush();
        string[] without = [.. all[0].Official.Where(row => row.Counts is null).Select(row => row.Code)];
        if (without.Length > 0) status.Say($"report      no text of {string.Join(' ', without)}");
        var broken = all.Where(figures => figures.Judged).SelectMany(figures => TokenizerGate.Broken(gates, figures)).ToList();
        foreach (var gate in broken) status.Say($"gate        {gate}");
        return broken.Count > 0 ? ExitCode.BoundBroken : ExitCode.Success;
    }

    private static string ToJson(TokenizerFigures figures, bool parallel, List<TokenizerGate> gates) => JsonLine.Of(writer =>
    {
        writer.WriteString("tokenizer", figures.Path);
        writer.WriteString("name", figures.Name);
        writer.WriteNumber("vocabularySize", figures.VocabularySize);
        writer.WriteNumber("vocabularyUsed", figures.VocabularyUsed);
        writer.WriteBoolean("parallel", parallel);
        writer.WriteStartArray("languages");
        foreach (var row in figures.Languages) WriteRow(writer, row);
        writer.WriteEndArray();
        writer.WriteStartObject("spread");
        foreach (var (name, rows) in new[] { ("official", figures.Official), ("all", figures.Languages) }) WriteSpreads(writer, name, rows, parallel);
        writer.WriteEndObject();
        writer.WriteStartArray("broken");
        foreach (var broken in figures.Judged ? TokenizerGate.Broken(gates, figures) : [])
        {
            writer.WriteStartObject();
            writer.WriteString("gate", broken.Gate.Name);
            writer.WriteString("language", broken.Language);
            WriteNumber(writer, "value", broken.Value);
            writer.WriteNumber("bound", broken.Gate.Bound);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    });

    private static void WriteRow(Utf8JsonWriter writer, LanguageFigures row)
    {
        writer.WriteStartObject();
        writer.WriteString("language", row.Code);
        writer.WriteBoolean("official", row.Official);
        writer.WriteNumber("texts", row.Counts?.Texts ?? 0);
        writer.WriteNumber("bytes", row.Counts?.Bytes ?? 0);
        writer.WriteNumber("characters", row.Counts?.Characters ?? 0);
        writer.WriteNumber("words", row.Counts?.Words ?? 0);
        writer.WriteNumber("tokens", row.Counts?.Tokens ?? 0);
        WriteNumber(writer, "parity", row.Parity);
        WriteNumber(writer, "tokensPerWord", row.Counts?.TokensPerWord);
        WriteNumber(writer, "bytesPerToken", row.Counts?.BytesPerToken);
        WriteNumber(writer, "charactersPerToken", row.Counts?.CharactersPerToken);
        WriteNumber(writer, "wholeWordShare", row.Counts?.WholeWordShare);
        writer.WriteNumber("vocabularyUsed", row.Counts?.VocabularyUsed ?? 0);
        WriteNumber(writer, "vocabularyShare", row.VocabularyShare);
        writer.WriteNumber("unknownTokens", row.Counts?.UnknownTokens ?? 0);
        writer.WriteNumber("changedTexts", row.Counts?.ChangedTexts ?? 0);
        writer.WriteEndObject();
    }

    private static void WriteSpreads(Utf8JsonWriter writer, string name, IEnumerable<LanguageFigures> rows, bool parallel)
    {
        writer.WriteStartObject(name);
        foreach (var (key, value, lowerIsBetter) in TokenizerReportTables.Spreads(parallel))
        {
            if (Spread.Of(rows, value, lowerIsBetter) is not Spread spread) continue;
            writer.WriteStartObject(key);
            WriteNumber(writer, "mean", spread.Mean);
            WriteNumber(writer, "median", spread.Median);
            WriteNumber(writer, "worst", spread.Worst);
            writer.WriteString("worstLanguage", spread.WorstLanguage);
            WriteNumber(writer, "worstToMedian", spread.WorstToMedian);
            writer.WriteEndObject();
        }
        writer.WriteEndObject();
    }

    private static void WriteNumber(Utf8JsonWriter writer, string name, double? value)
    {
        if (value is double number && double.IsFinite(number)) writer.WriteNumber(name, Math.Round(number, 6));
        else writer.WriteNull(name);
    }
}
