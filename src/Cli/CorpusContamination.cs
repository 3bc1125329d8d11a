using System.CommandLine;
using System.Globalization;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus;
using OpenEuroLLM.Corpus.Contamination;
using OpenEuroLLM.Transparency;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm corpus contamination</c>: which items of evaluation tasks texts have.</summary>
internal static class CorpusContamination
{
    public static Command Create()
    {
        var defaults = new Decontamination();
        var texts = new Argument<string[]>("texts") { Description = "A corpus folder, or files and folders of texts as a corpus is built from.", Arity = ArgumentArity.OneOrMore };
        var tasks = new Option<string[]>("--tasks") { Description = "Files or folders of evaluation items: .jsonl with an item a line, .txt with a text a line; of a corpus folder its examination.", HelpName = "PATH", Required = true, AllowMultipleArgumentsPerToken = true };
        var ngram = new Option<int>("--ngram") { Description = "Words of an n-gram, 5 to 64.", HelpName = "N", DefaultValueFactory = _ => defaults.Ngram };
        var share = new Option<double>("--share") { Description = "The share of an item's n-grams that a document must have, 0 to 1.", HelpName = "X", DefaultValueFactory = _ => defaults.Share };
        var fields = new Option<string[]>("--fields") { Description = "The fields of a line that make up an item. Default: the usual ones.", HelpName = "NAME", AllowMultipleArgumentsPerToken = true };
        var examples = new Option<int>("--examples") { Description = "Examples of each task.", HelpName = "N", DefaultValueFactory = _ => 3 };
        var threads = RunCommand.Threads();
        var json = new Option<bool>("--json") { Description = "Print a JSON object for each task, one a line." };
        var command = new Command("contamination", "Tells which items of evaluation tasks are in a corpus or in other texts: how many, in documents of which languages, with examples. Capitals, punctuation and layout make no difference.\n" +
            "Example: oellm corpus contamination corpus --tasks tasks/belebele.jsonl") { texts, tasks, ngram, share, fields, examples, threads, json };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            Decontamination step = defaults with
            {
                Tasks = parsed.GetValue(tasks)!,
                Ngram = InRange(parsed.GetValue(ngram), 5, 64, "--ngram"),
                Share = parsed.GetValue(share) is >= 0 and <= 1 and var part ? part : throw new UserErrorException($"--share is {parsed.GetValue(share).ToString(CultureInfo.InvariantCulture)}; expected 0 to 1."),
                Fields = parsed.GetValue(fields) is { Length: > 0 } named ? named : null,
            };
            var status = new StatusLine(parsed.InvocationConfiguration.Error, quiet: false);
            long read = 0;
            ContaminationFindings findings = ContaminationCheck.Run(
                parsed.GetValue(texts)!, step, InRange(parsed.GetValue(examples), 0, 1000, "--examples"), new LocalLauncher(RunCommand.ThreadCount(parsed.GetValue(threads))),
                bytes =>
                {
                    lock (status) status.Update(FormattableString.Invariant($"reading   {(read += bytes) / 1e6:0.0} MB"));
                }, cancellation);
            Print(findings, parsed.GetValue(json), parsed.InvocationConfiguration.Output);
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }

    private static int InRange(int value, int least, int most, string option) =>
        value >= least && value <= most ? value : throw new UserErrorException(FormattableString.Invariant($"{option} is {value}; expected {least} to {most}."));

    private static void Print(ContaminationFindings findings, bool json, TextWriter output)
    {
        if (json)
        {
            foreach (TaskContamination task in findings.Tasks) output.WriteLine(Line(task));
            return;
        }
        var table = new Table("Evaluation tasks", ["task", "items", "not checkable", "found", "share found", "documents", "in"],
            [.. findings.Tasks.Select(task => (IReadOnlyList<string>)[
                task.Task, Whole(task.Items), Whole(task.NotCheckable), Whole(task.Found),
                FormattableString.Invariant($"{100.0 * task.Found / Math.Max(1, task.Items - task.NotCheckable):0.0}%"), Whole(task.Documents.Values.Sum()),
                string.Join(' ', task.Documents.OrderByDescending(language => language.Value).Select(language => FormattableString.Invariant($"{language.Key}:{language.Value}")))])]);
        foreach (string line in table.ToLines()) output.WriteLine(line);
        output.WriteLine(FormattableString.Invariant($"in {findings.Documents} documents, {findings.Bytes / 1e6:0.0} MB"));
        foreach (TaskContamination task in findings.Tasks.Where(task => task.Examples.Count > 0))
        {
            output.WriteLine();
            var examples = new Table(task.Task, ["item", "document", "language", "n-grams", "passage"],
                [.. task.Examples.Select(example => (IReadOnlyList<string>)[
                    example.Item, example.Document, example.Language, FormattableString.Invariant($"{example.Found} of {example.Of}"), Table.Line(example.Passage)])]);
            output.WriteLine(examples.Caption);
            foreach (string line in examples.ToLines()) output.WriteLine(line);
        }
    }

    private static string Whole(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Line(TaskContamination task) => JsonLine.Of(writer =>
    {
        writer.WriteString("task", task.Task);
        writer.WriteNumber("items", task.Items);
        writer.WriteNumber("notCheckable", task.NotCheckable);
        writer.WriteNumber("found", task.Found);
        writer.WriteStartObject("documents");
        foreach ((string language, long count) in task.Documents) writer.WriteNumber(language, count);
        writer.WriteEndObject();
        writer.WriteStartArray("examples");
        foreach (ContaminationExample example in task.Examples)
        {
            writer.WriteStartObject();
            writer.WriteString("item", example.Item);
            writer.WriteString("document", example.Document);
            writer.WriteString("language", example.Language);
            writer.WriteNumber("found", example.Found);
            writer.WriteNumber("of", example.Of);
            writer.WriteString("passage", example.Passage);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    });
}
