using System.CommandLine;
using OpenEuroLLM.Core;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm bench speculate</c>: what guessing ahead brings for one text.</summary>
internal static class BenchSpeculate
{
    // A form letter's phrases come again and again, as names and cells do in minutes, code and tables.
    private const string UsualPrompt = "Article 1. The member states shall apply the provisions. Article 2. The member states shall apply the provisions. Article 3. The member states shall";

    public static Command Create()
    {
        var model = SamplingOptions.Model();
        var prompt = new Option<string>("--prompt") { Description = "The text to continue. Default: one that repeats itself.", HelpName = "TEXT", DefaultValueFactory = _ => UsualPrompt };
        var made = BenchCommand.Number("--new-tokens", "Tokens that are generated.", 128);
        var guess = BenchCommand.Number("--speculate", "Tokens guessed ahead at most.", new Speculation().Tokens);
        var runs = BenchCommand.Number("--runs", "Pairs of runs, without and with guesses, at least; the medians count.", 3);
        var seconds = BenchCommand.Number("--seconds", "Pairs are repeated for so long at least, and for half as long before that to warm up; 0 measures after one pair.", 4);
        var temperature = new Option<double>("--temperature") { Description = "0 takes the most likely token; a high one makes a text that repeats nothing.", HelpName = "T" };
        var threads = SamplingOptions.ThreadsOption();
        var json = BenchCommand.Json("plainTokensPerSecond, guessingTokensPerSecond, ratio, pairs, guessedTokens, acceptedTokens; ratio is the median of the pairs' ratios");
        var command = new Command("speculate", "Measures generation without and with guessing ahead (prompt lookup), in turn, and checks that the tokens are the same.\n" +
            "Example: oellm bench speculate --new-tokens 128 --speculate 8 --threads 2 --json") { model, prompt, made, guess, runs, seconds, temperature, threads, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            BenchCommand.RequireRange("--new-tokens", parsed.GetValue(made), 2, 1 << 24);
            BenchCommand.RequireRange("--runs", parsed.GetValue(runs), 1, 1000);
            BenchCommand.RequireRange("--seconds", parsed.GetValue(seconds), 0, 3600);
            using var engine = InferenceEngine.Load(ModelPath.Resolve(parsed.GetValue(model)), RunCommand.ThreadCount(parsed.GetValue(threads)));
            var request = new GenerationRequest(new GenerationInput.TextInput(parsed.GetValue(prompt)!), new Sampling(parsed.GetValue(temperature)), parsed.GetValue(made), IgnoreEnd: true);
            var guessing = request with { Speculation = new Speculation(parsed.GetValue(guess)) };
            List<double> slow = [], fast = [], ratios = [];
            Usage? usage = null;
            try
            {
                // The first pairs fill caches, and the runtime compiles once more what is used often.
                await Pairs(1, parsed.GetValue(seconds) / 2.0).ConfigureAwait(false);
                (slow, fast, ratios) = ([], [], []);
                await Pairs(parsed.GetValue(runs), parsed.GetValue(seconds)).ConfigureAwait(false);
            }
            catch (RequestException exception)
            {
                throw SamplingOptions.Explain(exception);
            }

            var (without, with, ratio) = (BenchCommand.Median(slow), BenchCommand.Median(fast), BenchCommand.Median(ratios));
            parsed.InvocationConfiguration.Output.WriteLine(parsed.GetValue(json)
                ? JsonLine.Of(writer =>
                {
                    writer.WriteFigure("plainTokensPerSecond", without);
                    writer.WriteFigure("guessingTokensPerSecond", with);
                    writer.WriteFigure("ratio", ratio);
                    writer.WriteNumber("pairs", ratios.Count);
                    writer.WriteNumber("guessedTokens", usage!.GuessedTokens);
                    writer.WriteNumber("acceptedTokens", usage.AcceptedTokens);
                })
                : FormattableString.Invariant($"without guesses {without:0.0} tokens/s, with guesses {with:0.0} tokens/s, {ratio:0.00} times (medians of {ratios.Count} pairs); ") +
                  FormattableString.Invariant($"{usage!.AcceptedTokens} of {usage.GuessedTokens} guessed tokens were right, the tokens are the same"));
            return ExitCode.Success;

            async Task Pairs(int least, double leastSeconds)
            {
                for (long began = SystemClock.Instance.Timestamp; ratios.Count < least || SystemClock.Instance.SecondsSince(began) < leastSeconds;)
                {
                    // In turn one or the other is first.
                    var first = await Generate(engine, ratios.Count % 2 == 0 ? request : guessing, cancellation).ConfigureAwait(false);
                    var second = await Generate(engine, ratios.Count % 2 == 0 ? guessing : request, cancellation).ConfigureAwait(false);
                    if (!first.Ids.SequenceEqual(second.Ids)) throw new InvalidOperationException("guessing ahead changed the tokens");
                    var (plain, ahead) = ratios.Count % 2 == 0 ? (first, second) : (second, first);
                    usage = ahead.Usage;
                    slow.Add(plain.TokensPerSecond);
                    fast.Add(ahead.TokensPerSecond);
                    ratios.Add(ahead.TokensPerSecond / plain.TokensPerSecond);
                }
            }
        });
        return command;
    }

    // From the first token on, so that computing the prompt does not count.
    private static async Task<(List<int> Ids, double TokensPerSecond, Usage Usage)> Generate(InferenceEngine engine, GenerationRequest request, CancellationToken cancellation)
    {
        var ids = new List<int>();
        long began = 0;
        Usage? usage = null;
        await foreach (var happened in engine.Generate(request, cancellation).ConfigureAwait(false))
        {
            if (happened is GenerationEvent.Token token)
            {
                if (ids.Count == 0) began = SystemClock.Instance.Timestamp;
                ids.Add(token.Id);
            }
            else if (happened is GenerationEvent.Finished finished)
            {
                usage = finished.Usage;
            }
        }

        return (ids, (ids.Count - 1) / SystemClock.Instance.SecondsSince(began), usage!);
    }
}
