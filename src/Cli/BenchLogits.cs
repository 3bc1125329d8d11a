using System.CommandLine;
using OpenEuroLLM.Core;
using OpenEuroLLM.Inference;
using OpenEuroLLM.Models;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm bench logits</c>: the likeliest token after each of a row of given tokens, to hold another program beside.</summary>
internal static class BenchLogits
{
    public static Command Create()
    {
        var path = new Option<string?>("--model") { Description = "A model folder or a .gguf file. Default: the built-in model.", HelpName = "PATH" };
        var count = BenchCommand.Number("--tokens", "Tokens of the row: token i is (17 + 7919 · i) modulo --below.", 256);
        var below = new Option<int?>("--below") { Description = "Tokens are below this number. Default: the vocabulary's size.", HelpName = "N" };
        var threads = RunCommand.Threads();
        var command = new Command("logits", "Prints, for each token of a made-up row, which token is the likeliest next one and how far the second lies behind: one JSON object a line: " +
            "position, token, next, logit, second, gap.\nExample: oellm bench logits --model random.gguf --tokens 256")
        {
            path, count, below, threads,
        };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            var model = BenchGenerate.Resolve(parsed.GetValue(path));
            using var source = ModelSource.Open(model);
            ModelMemory.RequireWeights(source);
            using var engine = new Engine(RunCommand.ThreadCount(parsed.GetValue(threads)));
            using var loaded = LanguageModel.Load(source, engine);
            BenchCommand.RequireRange("--tokens", parsed.GetValue(count), 1, loaded.ContextLength);
            BenchCommand.RequireRange("--below", parsed.GetValue(below) ?? loaded.VocabularySize, 2, loaded.VocabularySize);
            Print(loaded, parsed.GetValue(count), parsed.GetValue(below) ?? loaded.VocabularySize, parsed.InvocationConfiguration.Output, cancellation);
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }

    private static void Print(LanguageModel model, int count, int below, TextWriter output, CancellationToken cancellation)
    {
        int[] tokens = [.. Enumerable.Range(0, count).Select(i => (int)((17 + 7919L * i) % below))];
        var layout = new SequenceLayout();
        layout.Add(count);
        var hidden = model.Forward(tokens, layout);
        var logits = new float[model.VocabularySize];
        for (var position = 0; position < count; position++)
        {
            cancellation.ThrowIfCancellationRequested();
            model.Logits(hidden, [position], logits);
            var (first, second) = TwoLargest(logits);
            var (place, token, logit, gap) = (position, tokens[position], logits[first], logits[first] - logits[second]);
            output.WriteLine(JsonLine.Of(writer =>
            {
                writer.WriteNumber("position", place);
                writer.WriteNumber("token", token);
                writer.WriteNumber("next", first);
                writer.WriteNumber("logit", logit);
                writer.WriteNumber("second", second);
                writer.WriteNumber("gap", gap);
            }));
        }
    }

    private static (int First, int Second) TwoLargest(ReadOnlySpan<float> logits)
    {
        var (first, second) = logits[1] > logits[0] ? (1, 0) : (0, 1);
        for (var i = 2; i < logits.Length; i++)
        {
            if (logits[i] > logits[first]) (first, second) = (i, first);
            else if (logits[i] > logits[second]) second = i;
        }
        return (first, second);
    }
}
