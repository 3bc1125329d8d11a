using System.Collections.Frozen;
using System.CommandLine;
using System.Text;
using System.Text.Json.Serialization;
using OpenEuroLLM.Core;
using OpenEuroLLM.Languages;
using OpenEuroLLM.Languages.Identification;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm identify train</c>.</summary>
internal static class IdentifyTrain
{
    private static readonly FrozenSet<string> Labels = LanguageCatalog.Identified.Select(language => language.Code).ToFrozenSet(StringComparer.Ordinal);

    public static Command Create()
    {
        var settings = new Argument<string[]>("settings") { Description = "Settings that differ from the recipe's, such as passes=2.", HelpName = "KEY=VALUE", Arity = ArgumentArity.ZeroOrMore };
        var recipe = new Option<string>("--recipe") { Description = "The settings: JSON with comments; without it all have their defaults.", HelpName = "FILE" };
        var input = new Option<string[]>("--input")
        {
            Description = "Documents (.jsonl, .jsonl.gz) and texts (LABEL.txt: a text a line), folders, or patterns with *, ** and ?.",
            HelpName = "GLOB",
            Required = true,
            AllowMultipleArgumentsPerToken = true,
        };
        var target = new Option<string>("--out") { Description = "The folder to create.", HelpName = "DIR", Required = true };
        var workers = new Option<int>("--workers") { Description = "Threads; the result does not depend on it.", HelpName = "N", DefaultValueFactory = _ => Environment.ProcessorCount };
        var json = IdentifyCommand.Json();
        var command = new Command("train", "Trains an identification model.\n" +
            "Example: oellm identify train --input 'texts/*.jsonl.gz' 'languages/identification/*.txt' --out identification") { settings, recipe, input, target, workers, json };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            if (parsed.GetValue(workers) is < 1 or > 4096)
                throw new UserErrorException(FormattableString.Invariant($"--workers is {parsed.GetValue(workers)}; expected 1 to 4096."));
            Train(Config(parsed.GetValue(recipe), parsed.GetValue(settings) ?? []), parsed.GetValue(input)!, parsed.GetValue(target)!, parsed.GetValue(workers), parsed.GetValue(json),
                parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error, cancellation);
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }

    private static void Train(IdentifierConfig config, string[] patterns, string target, int workers, bool json, TextWriter output, TextWriter error, CancellationToken cancellation)
    {
        var files = TextFiles.Expand(patterns);
        var status = new StatusLine(error, quiet: false);
        status.Say(FormattableString.Invariant($"identify    {files.Count} files, {files.Sum(file => new FileInfo(file.Path).Length) / 1e6:0.0} MB"));
        var clock = SystemClock.Instance;
        long start = clock.Timestamp, phaseStart = start;
        string phase = "";
        var others = new SortedDictionary<string, long>(StringComparer.Ordinal);
        long bytes = IdentifierTrainer.Run(files.SelectMany(file => Texts(file.Path)).Select(text => Counted(text, others)), config, target, folder =>
        {
            foreach (var (path, recordedAs) in files) folder.AddInputFile(path, recordedAs);
        }, new LocalLauncher(workers), new DirectProgress<IdentifierProgress>(now =>
        {
            if (now.Phase != phase) (phase, phaseStart) = (now.Phase, clock.Timestamp);
            double left = clock.SecondsSince(phaseStart) / Math.Max(1, now.Done) * (now.Total - now.Done);
            status.Update(now.Total == 0
                ? FormattableString.Invariant($"identify    {now.Phase} {now.Done}")
                : FormattableString.Invariant($"identify    {now.Phase} {now.Done} of {now.Total}, {StatusLine.Time(left)} left"));
        }), cancellation);
        if (others.Count > 0)
            status.Say(FormattableString.Invariant($"identify    {others.Values.Sum()} texts have labels that are no language of the catalogue ({string.Join(", ", others.Keys.Take(20))}): they are learnt as other languages, which are answered as '{LanguageIdentifier.Unknown}'"));
        output.WriteLine(json
            ? JsonLine.Of(writer =>
            {
                writer.WriteString("out", target);
                writer.WriteNumber("bytes", bytes);
                writer.WriteNumber("files", files.Count);
                writer.WriteNumber("seconds", Math.Round(clock.SecondsSince(start), 3));
            })
            : FormattableString.Invariant($"{target}: {bytes} bytes in {StatusLine.Time(clock.SecondsSince(start))}"));
    }

    private static IdentifierConfig Config(string? recipe, string[] settings) => recipe is null
        ? RecipeReader.Parse("{}"u8, "settings", IdentifierJson.Default.IdentifierConfig, settings)
        : RecipeReader.Read(recipe, IdentifierJson.Default.IdentifierConfig, settings);

    private static IdentifierText Counted(IdentifierText text, SortedDictionary<string, long> others)
    {
        if (!Labels.Contains(text.Label)) others[text.Label] = others.GetValueOrDefault(text.Label) + 1;
        return text;
    }

    private static IEnumerable<IdentifierText> Texts(string path)
    {
        // The beginning of a text file's name is the label: mk.txt, mk-news.txt.
        string name = Path.GetFileName(path), label = name.Split('-', '.', '_')[0];
        bool text = path.EndsWith(".txt", StringComparison.Ordinal);
        using var lines = new LineReader(path);
        while (lines.MoveNext())
        {
            if (lines.LineWithoutMark.Trim(" \t\r"u8).IsEmpty) continue;
            if (lines.IsCut) throw new UserErrorException(FormattableString.Invariant($"{path}:{lines.Number}: is longer than {LineReader.MostBytes} bytes; split it."));
            if (text)
            {
                yield return new IdentifierText(label, IdentifierText.OwnSentences, Encoding.UTF8.GetString(lines.LineWithoutMark));
                continue;
            }

            var document = Document.Parse(lines.LineWithoutMark, FormattableString.Invariant($"{path}:{lines.Number}"));
            yield return new IdentifierText(document.Lang, document.Source, document.Text);
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(IdentifierConfig))]
internal sealed partial class IdentifierJson : JsonSerializerContext;
