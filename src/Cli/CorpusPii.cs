using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Privacy;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm corpus pii</c>: what personal data texts hold, and by which rule.</summary>
internal static class CorpusPii
{
    private const int Around = 40;   // characters of a text shown on each side

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
            var rows = new StringBuilder();
            foreach ((string path, _) in TextFiles.Expand(parsed.GetValue(files)!))
            {
                foreach (var text in TextFiles.Texts(path))
                {
                    cancellation.ThrowIfCancellationRequested();
                    string known = string.IsNullOrEmpty(text.Language) ? parsed.GetValue(language) ?? "" : text.Language;
                    if (!languages.TryGetValue(known, out Tally? tally)) languages[known] = tally = new Tally();
                    string content = Encoding.UTF8.GetString(text.Utf8.Span);
                    foreach (PersonalDataFinding finding in tally.Scan(content, text.Utf8.Length, known.Length == 0 ? null : known))
                    {
                        string before = content[Math.Max(0, finding.Start - Around)..finding.Start].ReplaceLineEndings(" ");
                        int end = finding.Start + finding.Length;
                        string after = content[end..Math.Min(content.Length, end + Around)].ReplaceLineEndings(" ");
                        string found = content.Substring(finding.Start, finding.Length);
                        if (all) output.WriteLine(asJson ? Json(path, known, finding, before, found, after) : $"{known}  {finding.Rule}  {Placeholder.Of(finding.Type)}  …{before}[{found}]{after}…");
                        if (parsed.GetValue(html) is not null) rows.Append(CultureInfo.InvariantCulture,
                            $"<tr><td>{Html(known)}<td>{Html(finding.Rule)} {finding.RuleVersion}<td>{finding.Type}<td>{finding.Tier}<td>{Html(finding.ContextWord ?? "")}<td>{Html(before)}<mark>{Html(found)}</mark>{Html(after)}\n");
                    }
                }
            }
            if (!asJson) output.WriteLine("language      words  findings  per million  by rule");
            foreach ((string code, Tally tally) in languages) output.WriteLine(asJson ? tally.Json(code) : tally.Row(code));
            if (parsed.GetValue(html) is { } page) Write(page, rows);
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }

    private static string Html(string text) => WebUtility.HtmlEncode(text);

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

    private static void Write(string path, StringBuilder rows)
    {
        try
        {
            File.WriteAllText(path, $"<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Personal data found</title>\n<style>body{{font:15px sans-serif}}td,th{{padding:.2em .6em;text-align:left;border-bottom:1px solid #ccc}}</style>\n<h1>Personal data found</h1>\n<p>Rules: {Html(PersonalDataScanner.BuiltIn.DataVersion)}</p>\n<table><tr><th>Language<th>Rule<th>Type<th>Tier<th>Word that decided<th>Text\n{rows}</table></html>\n");
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, path);
        }
    }

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
