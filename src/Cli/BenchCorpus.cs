using System.CommandLine;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Extraction;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm bench corpus</c>: how fast the corpus line and its parts work, on given files or on made ones.</summary>
internal static class BenchCorpus
{
    private const string Extract = "extract";
    private const long UsualBytes = 50_000_000;

    public static Command Create()
    {
        var files = new Argument<string[]>("files") { Description = "Web archives, HTML files or documents as JSON lines, or folders of them. Without any, input is made.", Arity = ArgumentArity.ZeroOrMore };
        var part = new Option<string?>("--part") { Description = "extract, line or text. Default: extract for given files, all three for made ones.", HelpName = "NAME" };
        var texts = new Option<string[]>("--texts") { Description = "Texts that input is made from by repetition with changes; the built-in sample when absent.", HelpName = "PATH", DefaultValueFactory = _ => [] };
        var bytes = new Option<string?>("--bytes") { Description = "Size of made input, before packing. Default: 50MB.", HelpName = "SIZE" };
        var passes = BenchCommand.Number("--passes", "Passes over all of the input; the median counts.", 5);
        var json = BenchCommand.Json("part, passes, megabytesPerSecond; of extract also pages, htmlBytes, textBytes; of line and text also input, documents, bytes, megabytesPerProcessorSecond, shares");
        var command = new Command("corpus", "Measures the corpus line with one worker. Part 'extract': pages in memory as UTF-8 to their main text, in megabytes of HTML a second. Part 'line': web archives through all steps of a crawl to a finished corpus, " +
            "in megabytes of unpacked archive. Part 'text': the same from documents as JSON lines, plain and packed.\n" +
            "Example: oellm bench corpus crawl.warc.gz --passes 9") { files, part, texts, bytes, passes, json };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            int count = parsed.GetValue(passes);
            BenchCommand.RequireRange("--passes", count, 1, 1000);
            string[] given = parsed.GetValue(files)!;
            string? asked = parsed.GetValue(part);
            string[] known = [Extract, BenchCorpusLine.Line, BenchCorpusLine.Text];
            if (asked is not null && !known.Contains(asked)) throw new UserErrorException($"--part '{asked}' is unknown{SuggestedName.Hint(asked, known)}");
            long size = parsed.GetValue(bytes) is { } text ? ByteSize.Parse(text, "--bytes") : UsualBytes;
            BenchCommand.RequireRange("--bytes", size, 1, long.MaxValue);
            TextWriter output = parsed.InvocationConfiguration.Output;
            bool asJson = parsed.GetValue(json);
            using var room = new BenchCorpusRoom(given, parsed.GetValue(texts)!, size);
            foreach (string name in asked is not null ? [asked] : given.Length > 0 ? [Extract] : known)
            {
                if (name == Extract) Print(ExtractionMeasurement.Run(room.Pages, count, SystemClock.Instance, cancellation), output, asJson);
                else
                    foreach (string input in room.Inputs(name)) Print(BenchCorpusLine.Measure(room, name, input, count, cancellation), output, asJson);
            }
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }

    private static void Print(ExtractionMeasurement result, TextWriter output, bool json)
    {
        double rate = result.HtmlBytes / 1e6 / BenchCommand.Median(result.Seconds);
        output.WriteLine(json
            ? JsonLine.Of(writer =>
            {
                writer.WriteString("part", Extract);
                writer.WriteNumber("pages", result.Pages);
                writer.WriteNumber("htmlBytes", result.HtmlBytes);
                writer.WriteNumber("textBytes", result.TextBytes);
                writer.WriteNumber("passes", result.Seconds.Count);
                writer.WriteFigure("megabytesPerSecond", rate);
            })
            : FormattableString.Invariant($"extract  {rate:0.0} MB/s of HTML on one thread ({result.Pages} pages, {result.HtmlBytes / 1e6:0.0} MB, median of {result.Seconds.Count} passes)"));
    }

    private static void Print(BenchCorpusLine result, TextWriter output, bool json)
    {
        double rate = result.Bytes / 1e6 / BenchCommand.Median(result.Seconds), processorRate = result.Bytes / 1e6 / BenchCommand.Median(result.ProcessorSeconds);
        if (json)
        {
            output.WriteLine(JsonLine.Of(writer =>
            {
                writer.WriteString("part", result.Part);
                writer.WriteString("input", result.Input);
                writer.WriteNumber("documents", result.Documents);
                writer.WriteNumber("bytes", result.Bytes);
                writer.WriteNumber("passes", result.Seconds.Count);
                writer.WriteFigure("megabytesPerSecond", rate);
                writer.WriteFigure("megabytesPerProcessorSecond", processorRate);
                writer.WritePropertyName("shares");
                new JsonObject(result.Shares.Select(share => KeyValuePair.Create(share.Step, (JsonNode?)Math.Round(share.Share, 4)))).WriteTo(writer);
            }));
            return;
        }
        output.WriteLine(FormattableString.Invariant($"{result.Part,-7}  {rate:0.0} MB/s with one worker, {processorRate:0.0} MB for a second of processor time ({result.Input}: {result.Documents} documents, {result.Bytes / 1e6:0.0} MB, median of {result.Seconds.Count} passes)"));
        foreach ((string step, double share) in result.Shares) output.WriteLine(FormattableString.Invariant($"         {share,6:0.0%}  {step}"));
    }
}
