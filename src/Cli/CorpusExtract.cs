using System.CommandLine;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus;
using OpenEuroLLM.Corpus.Extraction;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm corpus extract</c>: web pages to their main text.</summary>
internal static class CorpusExtract
{
    public static Command Create()
    {
        var input = new Argument<string>("input") { Description = "A web archive (.warc, .warc.gz, .warc.zst), an HTML file, or a folder of them." };
        var target = new Option<string>("--out") { Description = "The JSONL file to make.", Required = true, HelpName = "FILE" };
        var markdown = new Option<bool>("--markdown") { Description = "Mark headings, lists, tables, quotations and code as Markdown does." };
        var threads = RunCommand.Threads();
        var json = new Option<bool>("--json") { Description = "Print the counts as one JSON object." };
        var command = new Command("extract", "Extracts the main text of web pages, without menus, notices and comments: one JSON object a line with id (address or file name), text, and title, date, url, lang and\n" +
            "license where the page tells them; lang is what the page declares.\n" +
            "Example: oellm corpus extract crawl.warc.gz --out pages.jsonl --markdown") { input, target, markdown, threads, json };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            var status = new StatusLine(parsed.InvocationConfiguration.Error, quiet: false);
            var progress = new DirectProgress<CorpusProgress>(now => status.Update(FormattableString.Invariant(
                $"{now.Phase}  {now.Done / 1e6:0.0} of {now.Total / 1e6:0.0} MB  {now.PerSecond / 1e6:0.0} MB/s  {StatusLine.Time(now.SecondsLeft ?? double.NaN)} left")));
            ExtractionSummary summary = PageExtraction.Run(
                parsed.GetValue(input)!, parsed.GetValue(target)!, parsed.GetValue(markdown), RunCommand.ThreadCount(parsed.GetValue(threads)), progress,
                (where, reason) => Tell(status, where, reason), cancellation);
            Print(summary, parsed.GetValue(target)!, parsed.GetValue(json), parsed.InvocationConfiguration.Output);
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }

    // What an archive holds beside pages is counted and not worth a line each; damage and failures are.
    private static void Tell(StatusLine status, string where, string reason)
    {
        if (!PageExtraction.IsOrdinary(reason)) status.Say($"extract  {where}: {reason}");
    }

    private static void Print(ExtractionSummary summary, string target, bool json, TextWriter output)
    {
        if (json)
        {
            output.WriteLine(JsonLine.Of(writer =>
            {
                writer.WriteNumber("pages", summary.Pages);
                writer.WriteNumber("empty", summary.Empty);
                writer.WriteNumber("truncated", summary.Truncated);
                writer.WriteNumber("htmlBytes", summary.HtmlBytes);
                writer.WriteNumber("textBytes", summary.TextBytes);
                writer.WriteStartObject("skipped");
                foreach (var (reason, count) in summary.Skipped) writer.WriteNumber(reason, count);
                writer.WriteEndObject();
                writer.WriteNumber("seconds", Math.Round(summary.Seconds, 3));
            }));
            return;
        }
        string skipped = summary.Skipped.Count == 0 ? "" : "; skipped: " + string.Join(", ", summary.Skipped.Select(reason => FormattableString.Invariant($"{reason.Key} {reason.Value}")));
        output.WriteLine(FormattableString.Invariant(
            $"{summary.Pages} pages to {target}: {summary.HtmlBytes / 1e6:0.0} MB of HTML, {summary.TextBytes / 1e6:0.0} MB of text, {summary.HtmlBytes / 1e6 / Math.Max(1e-9, summary.Seconds):0.0} MB/s; {summary.Empty} without text, {summary.Truncated} cut{skipped}"));
    }
}
