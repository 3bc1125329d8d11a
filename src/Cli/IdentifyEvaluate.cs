using System.CommandLine;
using System.Text;
using System.Text.Json;
using OpenEuroLLM.Core;
using OpenEuroLLM.Languages;
using OpenEuroLLM.Languages.Identification;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm identify evaluate</c>.</summary>
internal static class IdentifyEvaluate
{
    private static readonly string[] _hard = ["bs", "hr", "lb", "mk"];

    public static Command Create()
    {
        var gold = new Option<string>("--gold") { Description = "Texts with their labels: LABEL <TAB> TEXT a line, .tsv or .tsv.gz.", HelpName = "FILE", Required = true };
        var threshold = new Option<double>("--threshold") { Description = "Below this confidence an answer is 'und'.", HelpName = "X", DefaultValueFactory = _ => 0 };
        var pieces = new Option<string>("--pieces") { Description = "A folder that receives what was measured with the answers, sentences.tsv, words.tsv, pairs.tsv: LABEL <TAB> ANSWER <TAB> TEXT.", HelpName = "DIR" };
        var (model, json) = (IdentifyCommand.Model(), IdentifyCommand.Json());
        var command = new Command("evaluate", "Measures identification on labelled texts: F1 of each label, close groups, single words and word pairs, honesty of the confidence, speed.\n" +
            "Example: oellm identify evaluate --gold gold.tsv.gz") { gold, threshold, pieces, model, json };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            using var identifier = IdentifyCommand.Open(parsed.GetValue(model));
            var texts = Read(parsed.GetValue(gold)!);
            var report = Report.Measure(identifier, texts, parsed.GetValue(threshold), cancellation);
            if (parsed.GetValue(pieces) is string folder) WritePieces(identifier, texts, parsed.GetValue(threshold), folder);
            var output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(json)) output.WriteLine(report.ToJson());
            else report.Print(output);
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }

    private static List<(string Label, string Text)> Read(string path)
    {
        var texts = new List<(string, string)>();
        using var lines = new LineReader(path);
        while (lines.MoveNext())
        {
            string line = Encoding.UTF8.GetString(lines.LineWithoutMark).TrimEnd('\r');
            int tab = line.IndexOf('\t', StringComparison.Ordinal);
            if (tab is < 2 or > 8) throw new UserErrorException(FormattableString.Invariant($"{path}:{lines.Number}: does not begin with a label and a tab; expected LABEL <TAB> TEXT."));
            texts.Add((line[..tab], line[(tab + 1)..]));
        }

        return texts.Count > 0 ? texts : throw new UserErrorException($"{path}: is empty; expected LABEL <TAB> TEXT a line.");
    }

    private static void WritePieces(LanguageIdentifier identifier, List<(string Label, string Text)> texts, double threshold, string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            foreach (var (name, pieces) in new (string, Func<string, IEnumerable<string>>)[]
            {
                ("sentences.tsv", text => [text]), ("words.tsv", text => IdentificationScores.ShortTexts(text, 1)), ("pairs.tsv", text => IdentificationScores.ShortTexts(text, 2)),
            })
            {
                using var writer = new StreamWriter(Path.Combine(folder, name)) { NewLine = "\n" };
                foreach (var (label, text) in texts)
                    foreach (string piece in pieces(text))
                        writer.WriteLine($"{label}\t{identifier.Identify(Encoding.UTF8.GetBytes(piece), threshold).Label}\t{piece}");
            }
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            throw StorageFailure.Explain(failure, folder);
        }
    }

    private sealed record Report(IdentificationScores Sentences, IdentificationScores Words, IdentificationScores Pairs, double SentencesPerSecond)
    {
        public static Report Measure(LanguageIdentifier identifier, List<(string Label, string Text)> texts, double threshold, CancellationToken cancellation)
        {
            var (sentences, words, pairs) = (new IdentificationScores(), new IdentificationScores(), new IdentificationScores());
            byte[][] bytes = [.. texts.Select(text => Encoding.UTF8.GetBytes(text.Text))];
            var clock = SystemClock.Instance;
            double seconds = double.PositiveInfinity;
            for (int round = 0; round < 3; round++)
            {
                cancellation.ThrowIfCancellationRequested();
                long start = clock.Timestamp;
                foreach (byte[] text in bytes) identifier.Identify(text, threshold);
                seconds = Math.Min(seconds, clock.SecondsSince(start));
            }

            for (int i = 0; i < texts.Count; i++)
            {
                sentences.Add(texts[i].Label, identifier.Identify(bytes[i], threshold));
                foreach (string word in IdentificationScores.ShortTexts(texts[i].Text, 1)) words.Add(texts[i].Label, identifier.Identify(Encoding.UTF8.GetBytes(word), threshold));
                foreach (string pair in IdentificationScores.ShortTexts(texts[i].Text, 2)) pairs.Add(texts[i].Label, identifier.Identify(Encoding.UTF8.GetBytes(pair), threshold));
            }

            return new Report(sentences, words, pairs, texts.Count / seconds);
        }

        private IEnumerable<(string Name, string Title, double Value)> Figures()
        {
            bool Official(string label) => LanguageCatalog.TryFind(label)?.Status == LanguageStatus.Official;
            yield return ("macroF1", "macro-F1, all labels", Sentences.MacroF1());
            yield return ("macroF1Official", "macro-F1, official languages", Sentences.MacroF1(Official));
            yield return ("macroF1WithoutHard", "macro-F1 without bs, hr, lb, mk", Sentences.MacroF1(label => !_hard.Contains(label)));
            yield return ("meanF1BosnianCroatian", "mean F1 of bs and hr", Sentences.MacroF1(label => label is "bs" or "hr"));
            yield return ("accuracy", "accuracy", Sentences.Accuracy);
            yield return ("calibrationError", "calibration error", Sentences.CalibrationError);
            yield return ("wordAccuracy", "accuracy on single words", Words.Accuracy);
            yield return ("wordCalibrationError", "calibration error on single words", Words.CalibrationError);
            yield return ("pairAccuracy", "accuracy on word pairs", Pairs.Accuracy);
            yield return ("pairCalibrationError", "calibration error on word pairs", Pairs.CalibrationError);
        }

        public void Print(TextWriter output)
        {
            output.WriteLine("label     F1  precision  recall  words  pairs  taken for");
            foreach (string label in Sentences.Labels)
            {
                var score = Sentences.Score(label);
                var errors = Sentences.Answers(label).Where(answer => answer.Answer != label).Take(4).Select(answer => FormattableString.Invariant($"{answer.Answer} {answer.Texts}"));
                double precision = score.Answers == 0 ? 0 : (double)score.Right / score.Answers;
                output.WriteLine(FormattableString.Invariant($"{label,-5} {score.F1,6:0.0000}  {precision,9:0.0000}  {score.Recall,6:0.0000}  {Words.Score(label).Recall,5:0.000}  {Pairs.Score(label).Recall,5:0.000}  {string.Join(", ", errors)}"));
            }

            foreach (var group in IdentificationScores.CloseGroups)
            {
                output.WriteLine();
                output.WriteLine($"{string.Join('/', group)}: rows are right, columns are answers");
                output.WriteLine("      " + string.Concat(group.Append("else").Select(label => $"{label,6}")));
                foreach (string right in group)
                {
                    int[] counts = [.. group.Select(answer => Sentences.Count(right, answer))];
                    int rest = Sentences.Score(right).Texts - counts.Sum();
                    output.WriteLine($"{right,-6}" + string.Concat(counts.Append(rest).Select(count => FormattableString.Invariant($"{count,6}"))));
                }
            }

            output.WriteLine();
            foreach (var (_, title, value) in Figures()) output.WriteLine(FormattableString.Invariant($"{title,-34} {value:0.0000}"));
            output.WriteLine(FormattableString.Invariant($"{"sentences a second, one thread",-34} {SentencesPerSecond:0}"));
        }

        public string ToJson() => JsonLine.Of(writer =>
        {
            writer.WriteNumber("texts", Sentences.Texts);
            foreach (var (name, _, value) in Figures()) writer.WriteNumber(name, Math.Round(value, 6));
            writer.WriteNumber("sentencesPerSecond", Math.Round(SentencesPerSecond));
            writer.WriteStartObject("labels");
            foreach (string label in Sentences.Labels)
            {
                writer.WriteStartObject(label);
                writer.WriteNumber("f1", Math.Round(Sentences.Score(label).F1, 6));
                writer.WriteNumber("wordAccuracy", Math.Round(Words.Score(label).Recall, 6));
                writer.WriteNumber("pairAccuracy", Math.Round(Pairs.Score(label).Recall, 6));
                Write(writer, "answers", Sentences.Answers(label));
                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        });

        private static void Write(Utf8JsonWriter writer, string name, IReadOnlyList<(string Answer, int Texts)> answers)
        {
            writer.WriteStartObject(name);
            foreach (var (answer, count) in answers) writer.WriteNumber(answer, count);
            writer.WriteEndObject();
        }
    }
}
