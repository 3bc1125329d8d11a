using System.CommandLine;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Extraction;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm bench corpus</c>: how fast the parts of the corpus line work on given files.</summary>
internal static class BenchCorpus
{
    public static Command Create()
    {
        var files = new Argument<string[]>("files") { Description = "Web archives, HTML files or folders of them.", Arity = ArgumentArity.OneOrMore };
        var passes = BenchCommand.Number("--passes", "Passes over all pages; the median counts.", 5);
        var json = BenchCommand.Json("part, pages, htmlBytes, textBytes, passes, megabytesPerSecond");
        var command = new Command("corpus", "Measures the corpus line on one thread. Part 'extract': pages in memory as UTF-8 to their main text, in megabytes of HTML a second.\n" +
            "Example: oellm bench corpus crawl.warc.gz --passes 9") { files, passes, json };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            int count = parsed.GetValue(passes);
            BenchCommand.RequireRange("--passes", count, 1, 1000);
            ExtractionMeasurement result = ExtractionMeasurement.Run(parsed.GetValue(files)!, count, SystemClock.Instance, cancellation);
            double rate = result.HtmlBytes / 1e6 / BenchCommand.Median(result.Seconds);
            parsed.InvocationConfiguration.Output.WriteLine(parsed.GetValue(json)
                ? JsonLine.Of(writer =>
                {
                    writer.WriteString("part", "extract");
                    writer.WriteNumber("pages", result.Pages);
                    writer.WriteNumber("htmlBytes", result.HtmlBytes);
                    writer.WriteNumber("textBytes", result.TextBytes);
                    writer.WriteNumber("passes", result.Seconds.Count);
                    writer.WriteNumber("megabytesPerSecond", Math.Round(rate, 2));
                })
                : FormattableString.Invariant($"extract  {rate:0.0} MB/s of HTML on one thread ({result.Pages} pages, {result.HtmlBytes / 1e6:0.0} MB, median of {result.Seconds.Count} passes)"));
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }
}
