using System.CommandLine;
using OpenEuroLLM.Core;
using OpenEuroLLM.Languages.Identification;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm identify</c>: the language of each line, document or segment.</summary>
internal static class IdentifyCommand
{
    public static Command Create()
    {
        var files = new Argument<string[]>("files") { Description = "Files of text, .gz unpacked; without one, standard input.", HelpName = "FILE", Arity = ArgumentArity.ZeroOrMore };
        var document = new Option<bool>("--document") { Description = "One answer for each file instead of each line." };
        var segments = new Option<bool>("--segments") { Description = "For each file its parts by language: from byte, to byte, code and confidence." };
        var top = new Option<int>("--top") { Description = "So many of the most probable languages.", HelpName = "N", DefaultValueFactory = _ => 1 };
        var threshold = new Option<double>("--threshold")
        {
            Description = "Below this confidence the answer is 'und'.",
            HelpName = "X",
            DefaultValueFactory = _ => LanguageIdentifier.DefaultThreshold,
        };
        var (model, json) = (Model(), Json());
        var command = new Command("identify", "The language of each line: code, tab, confidence. 'zxx' is no language (code, numbers, markup), 'und' an unknown or uncertain one.\n" +
            "Example: echo 'Dobrý den' | oellm identify") { files, document, segments, top, threshold, model, json };
        command.Add(IdentifyTrain.Create());
        command.Add(IdentifyEvaluate.Create());
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            if (parsed.GetValue(top) is < 1 or > LanguageIdentifier.MostLabels)
                throw new UserErrorException(FormattableString.Invariant($"--top is {parsed.GetValue(top)}; expected 1 to {LanguageIdentifier.MostLabels}."));
            if (parsed.GetValue(threshold) is not (>= 0 and <= 1))
                throw new UserErrorException(FormattableString.Invariant($"--threshold is {parsed.GetValue(threshold)}; expected 0 to 1."));
            using var identifier = Open(parsed.GetValue(model));
            var writer = new IdentifyOutput(identifier, parsed.InvocationConfiguration.Output, parsed.GetValue(json), parsed.GetValue(top), parsed.GetValue(threshold));
            IReadOnlyList<string?> given = parsed.GetValue(files) is { Length: > 0 } named ? named : (string?[])[null];
            foreach (string? file in given)
            {
                using var lines = new LineReader(file, parsed.GetValue(segments) || parsed.GetValue(document) ? LineReader.MostBytes : LanguageIdentifier.MostBytes);
                if (parsed.GetValue(segments)) writer.Segments(lines, file, cancellation);
                else if (parsed.GetValue(document)) writer.Document(lines, file, cancellation);
                else writer.Lines(lines, cancellation);
            }

            parsed.InvocationConfiguration.Output.Flush();
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }

    public static Option<string> Model() => new("--model") { Description = "The identification model; without it, the built-in one.", HelpName = "PATH" };

    public static Option<bool> Json() => new("--json") { Description = "One JSON object a line on standard output." };

    /// <summary>The model of <c>--model</c>: its file or its folder, or the built-in one.</summary>
    public static LanguageIdentifier Open(string? model) => model is null
        ? LanguageIdentifier.BuiltIn()
        : LanguageIdentifier.Load(Directory.Exists(model) ? Path.Combine(model, IdentifierTrainer.FileName) : model);
}
