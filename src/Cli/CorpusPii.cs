using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Readers;
using OpenEuroLLM.Languages;
using OpenEuroLLM.Privacy;
using OpenEuroLLM.Transparency;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm corpus pii</c>: what personal data texts hold, and by which rule.</summary>
internal static class CorpusPii
{
    private const int Around = 40;   // characters of a text shown on each side
    private const int RowsOfPage = 20_000;

    public static Command Create()
    {
        var files = new Argument<string[]>("files") { Description = "Texts (.txt, .jsonl, .jsonl.gz), folders, or patterns.", Arity = ArgumentArity.OneOrMore };
        var language = new Option<string?>("--lang") { Description = "The language of texts that do not say theirs.", HelpName = "CODE" };
        var html = new Option<string?>("--html") { Description = "Write the findings as a page too.", HelpName = "FILE" };
        var list = new Option<bool>("--list") { Description = "Print every finding with its surroundings, not only the counts." };
        var json = new Option<bool>("--json") { Description = "Print a JSON object for each language: words, bytes, seconds, counts by rule and per million words; with --list one for each finding too." };
        var command = new Command("pii", "Finds personal data in texts: what would be masked, and by which rule. Nothing is changed.\n" +
            "Example: oellm corpus pii letters/*.txt --lang de --html findings.html") { files, language, html, list, json };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            TextWriter output = parsed.InvocationConfiguration.Output;
            bool asJson = parsed.GetValue(json), all = parsed.GetValue(list);
            var languages = new SortedDictionary<string, Tally>(StringComparer.Ordinal);
            string? declared = parsed.GetValue(language) is { } code ? LanguageCatalog.Find(code).Code : null;
            var rows = new List<IReadOnlyList<string>>();
            foreach ((string path, _) in TextFiles.Expand(parsed.GetValue(files)!))
            {
                foreach (var text in TextFiles.Texts(path))
                {
                    cancellation.ThrowIfCancellationRequested();
                    string known = text.Language is "" or TrainingFile.UnknownLanguage ? declared ?? TrainingFile.UnknownLanguage : text.Language;
                    if (!languages.TryGetValue(known, out Tally? tally)) languages[known] = tally = new Tally();
                    string content = Encoding.UTF8.GetString(text.Utf8.Span);
                    foreach (PersonalDataFinding finding in tally.Scan(content, text.Utf8.Length, known == TrainingFile.UnknownLanguage ? null : known))
                    {
                        string before = content[Math.Max(0, finding.Start - Around)..finding.Start].ReplaceLineEndings(" ");
                        int end = finding.Start + finding.Length;
                        string after = content[end..Math.Min(content.Length, end + Around)].ReplaceLineEndings(" ");
                        string found = content.Substring(finding.Start, finding.Length);
                        if (all) output.WriteLine(asJson ? Json(path, known, finding, before, found, after) : $"{known}  {finding.Rule}  {Placeholder.Of(finding.Type)}  …{before}[{found}]{after}…");
                        if (parsed.GetValue(html) is not null && rows.Count < RowsOfPage)
                            rows.Add([known, string.Create(CultureInfo.InvariantCulture, $"{finding.Rule} {finding.RuleVersion}"), finding.Type.ToString(), finding.Tier.ToString(), finding.ContextWord ?? "", $"…{before}[{found}]{after}…", Path.GetFileName(path)]);
                    }
                }
            }
            if (!asJson) output.WriteLine("language      words  findings  per million  by rule");
            foreach ((string found, Tally tally) in languages) output.WriteLine(asJson ? tally.Json(found) : tally.Row(found));
            if (parsed.GetValue(html) is { } page) PageFile.Write(page, Page(languages, rows));
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }

    private static string Page(SortedDictionary<string, Tally> languages, List<IReadOnlyList<string>> rows) => SectionPage.Render(
        "Personal data found",
        $"What the step personal-data would mask, and by which rule. Rules: {PersonalDataScanner.BuiltIn.DataVersion}." + (rows.Count < RowsOfPage ? "" : FormattableString.Invariant($" Only the first {RowsOfPage} findings are listed.")),
        [],
        [
            new PageSection("Languages", [new TablePart(new Table("Findings by language and rule", ["Language", "Words", "Rule", "Findings"], [.. languages.SelectMany(language => language.Value.Rows(language.Key))]))]),
            new PageSection("Findings", [new TablePart(new Table("Every finding with its surroundings", ["Language", "Rule", "Type", "Tier", "Word that decided", "Text", "File"], rows))]),
        ]);

    private static string Json(string path, string language, PersonalDataFinding finding, string before, string found, string after) => JsonLine.Of(writer =>
    {
        writer.WriteString("file", path);
        writer.WriteString("language", language);
        writer.WriteString("rule", finding.Rule);
        writer.WriteNumber("ruleVersion", finding.RuleVersion);
        writer.WriteString("type", finding.Type.ToString());
        writer.WriteString("tier", finding.Tier.ToString());
        writer.WriteString("country", finding.Country);
        writer.WriteString("contextWord", finding.ContextWord);
        writer.WriteNumber("start", finding.Start);
        writer.WriteNumber("length", finding.Length);
        writer.WriteString("before", before);
        writer.WriteString("found", found);
        writer.WriteString("after", after);
    });

    /// <summary>What was found in the texts of a language.</summary>
    private sealed class Tally
    {
        private readonly SortedDictionary<string, int> _rules = new(StringComparer.Ordinal);
        private readonly PersonalDataMasker _masker = new(new PersonalDataPolicy());
        private long _words, _bytes, _ticks;

        public IReadOnlyList<PersonalDataFinding> Scan(string text, int bytes, string? language)
        {
            long begin = Stopwatch.GetTimestamp();
            IReadOnlyList<PersonalDataFinding> findings = _masker.Apply(text, language).Findings;
            _ticks += Stopwatch.GetTimestamp() - begin;
            _bytes += bytes;
            bool inWord = false;
            foreach (char letter in text)
            {
                bool word = !char.IsWhiteSpace(letter);
                if (word && !inWord) _words++;
                inWord = word;
            }
            foreach (PersonalDataFinding finding in findings) _rules[finding.Rule] = _rules.GetValueOrDefault(finding.Rule) + 1;
            return findings;
        }

        public IEnumerable<IReadOnlyList<string>> Rows(string language) => _rules.Select(rule => (IReadOnlyList<string>)[
            language, _words.ToString(CultureInfo.InvariantCulture), rule.Key, rule.Value.ToString(CultureInfo.InvariantCulture)]);

        public string Row(string language) => string.Create(CultureInfo.InvariantCulture,
            $"{language,-8} {_words,10} {_rules.Values.Sum(),9} {_rules.Values.Sum() * 1e6 / Math.Max(1, _words),12:0.0}  {string.Join(", ", _rules.Select(rule => $"{rule.Key} {rule.Value}"))}");

        public string Json(string language) => JsonLine.Of(writer =>
        {
            writer.WriteString("language", language);
            writer.WriteNumber("words", _words);
            writer.WriteNumber("bytes", _bytes);
            double seconds = _ticks / (double)Stopwatch.Frequency;
            writer.WriteNumber("megabytesPerSecond", Math.Round(_bytes / 1e6 / Math.Max(1e-9, seconds), 1));
            writer.WriteNumber("perMillionWords", Math.Round(_rules.Values.Sum() * 1e6 / Math.Max(1, _words), 2));
            writer.WriteStartObject("rules");
            foreach ((string rule, int count) in _rules) writer.WriteNumber(rule, count);
            writer.WriteEndObject();
            writer.WriteString("dataVersion", PersonalDataScanner.BuiltIn.DataVersion);
        });
    }
}
