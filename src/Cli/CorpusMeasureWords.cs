using System.CommandLine;
using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Measures;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm corpus measure-words</c>: the proportions and shares that the quality filters use for each language.</summary>
internal static class CorpusMeasureWords
{
    public static Command Create()
    {
        var input = new Option<string[]>("--input") { Description = "Documents (.jsonl, .jsonl.gz), folders, or patterns.", HelpName = "GLOB", Required = true, AllowMultipleArgumentsPerToken = true };
        var sources = new Option<string[]>("--sources")
        {
            Description = "Collections that say the same in many languages, English among them.",
            HelpName = "NAME",
            Required = true,
            AllowMultipleArgumentsPerToken = true,
        };
        var target = new Option<string>("--out") { Description = "The file to write.", HelpName = "FILE", Required = true };
        var command = new Command("measure-words", "Measures the words of translated texts: how bounds of the quality filters that are known for English carry over to each language; and of all texts, how many\n" +
            "words are stop words of their language.\n" +
            "Example: oellm corpus measure-words --input texts/*.jsonl.gz --sources eforms-sdk mozilla-www --out src/Corpus/Measures/quality.json") { input, sources, target };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            HashSet<string> wanted = [.. parsed.GetValue(sources)!];
            var status = new StatusLine(parsed.InvocationConfiguration.Error, quiet: false);
            var texts = TextFiles.Expand(parsed.GetValue(input)!).SelectMany(file =>
            {
                cancellation.ThrowIfCancellationRequested();
                status.Update($"measuring   {file.Path}");
                return TextFiles.Texts(file.Path);
            });
            MeasuredWords measured = MeasuredWords.Of(texts, wanted);
            if (!measured.Languages.ContainsKey("en"))
                throw new UserErrorException($"--sources {string.Join(' ', wanted)}: no English document has one of these sources; English is what other languages are compared with.");
            string path = parsed.GetValue(target)!;
            try
            {
                File.WriteAllText(path, measured.ToJson(), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
            }
            catch (Exception error) when (StorageFailure.Is(error))
            {
                throw StorageFailure.Explain(error, path);
            }
            parsed.InvocationConfiguration.Output.WriteLine($"{path}: {measured.Languages.Count} languages compared, {measured.StopWords.Count} with stop words");
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }
}
