using System.CommandLine;
using OpenEuroLLM.Core;
using OpenEuroLLM.Inference.Grammars;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm bench grammar</c>: what it costs to hold answers to a JSON Schema.</summary>
internal static class BenchGrammar
{
    public static Command Create()
    {
        var path = new Option<string>("--tokenizer") { Description = "The tokenizer: a folder, a file, or the name of a built-in one.", HelpName = "PATH", DefaultValueFactory = _ => "europa-64k" };
        var size = BenchCommand.Number("--vocabulary-size", "Tokens to choose from; beyond the tokenizer's own they are pairs of its tokens, made by chance.", 131_072);
        var runs = BenchCommand.Number("--runs", "Answers to each schema behind the first.", 20);
        var json = BenchCommand.Json("schema, states, compileSteps, compileMilliseconds, tokens, tokenSteps, firstMedianMicroseconds, first99Microseconds, laterMedianMicroseconds, later99Microseconds; last treeMilliseconds, vocabularySize");
        var command = new Command("grammar", "Measures how long compiling a JSON Schema takes, and how long each token of an answer that is held to it: in the first answer, and when its masks are known.\n" +
            "Example: oellm bench grammar --json") { path, size, runs, json };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            BenchCommand.RequireRange("--runs", parsed.GetValue(runs), 1, 1000);
            BenchCommand.RequireRange("--vocabulary-size", parsed.GetValue(size), 1, 1 << 20);
            var tokenizer = BuiltInTokenizer.Load(parsed.GetValue(path)!);
            var output = parsed.InvocationConfiguration.Output;
            bool lines = parsed.GetValue(json);
            if (!lines)
            {
                output.WriteLine("                                compile            a token, first answer, µs  later answers, µs");
                output.WriteLine("schema              states     steps       ms tokens   steps     median     99 %      median     99 %");
            }

            int vocabulary = Math.Max(parsed.GetValue(size), tokenizer.VocabularySize);
            double tree = GrammarMeasurement.Run(tokenizer, vocabulary, parsed.GetValue(runs), SystemClock.Instance, cost => output.WriteLine(lines ? ToJson(cost) : ToText(cost)), cancellation);
            output.WriteLine(lines ? JsonLine.Of(writer =>
            {
                writer.WriteFigure("treeMilliseconds", tree);
                writer.WriteNumber("vocabularySize", vocabulary);
            }) : FormattableString.Invariant($"tree of {vocabulary} tokens, once for a model: {tree:0} ms"));
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }

    private static string ToText(GrammarCost cost) => FormattableString.Invariant(
        $"{cost.Name,-19} {cost.States,6} {cost.CompileSteps,9} {cost.CompileMilliseconds,8:0.00} {cost.Tokens,6} {cost.TokenSteps,7:0} {cost.FirstMedian,10:0.0} {cost.First99,8:0.0} {cost.LaterMedian,11:0.0} {cost.Later99,8:0.0}");

    private static string ToJson(GrammarCost cost) => JsonLine.Of(writer =>
    {
        writer.WriteString("schema", cost.Name);
        writer.WriteNumber("states", cost.States);
        writer.WriteNumber("compileSteps", cost.CompileSteps);
        writer.WriteFigure("compileMilliseconds", cost.CompileMilliseconds);
        writer.WriteNumber("tokens", cost.Tokens);
        writer.WriteNumber("tokenSteps", Math.Round(cost.TokenSteps));
        writer.WriteFigure("firstMedianMicroseconds", cost.FirstMedian);
        writer.WriteFigure("first99Microseconds", cost.First99);
        writer.WriteFigure("laterMedianMicroseconds", cost.LaterMedian);
        writer.WriteFigure("later99Microseconds", cost.Later99);
    });
}
