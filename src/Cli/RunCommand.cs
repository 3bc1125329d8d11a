using System.CommandLine;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm run</c>: all stages of a recipe.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        var recipe = new Argument<string>("recipe") { Description = "The recipe file." };
        var overrides = Overrides();
        var outFolder = Out();
        var threads = Threads();
        var json = new Option<bool>("--json") { Description = "End with one JSON object on standard output." };
        var command = new ResumableCommand("run", "Runs all stages of a recipe: corpus, tokenizer, tokens, training, export, evaluation, model, report. The same command goes on after an interruption.\n" +
            "Example: oellm run recipes/europe-sample.jsonc corpus.source=texts --out runs/europe") { recipe, overrides, outFolder, threads, json };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            var path = parsed.GetValue(recipe)!;
            var loaded = Recipe.Load(path, parsed.GetValue(overrides) ?? []);
            return QuickstartCommand.Execute(loaded, parsed.GetValue(outFolder) ?? DefaultOut(path), ThreadCount(parsed.GetValue(threads)), parsed.GetValue(json),
                parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error, cancellation);
        }, CancellationToken.None));
        return command;
    }

    internal static Argument<string[]> Overrides() => new("settings") { Description = "Settings laid over the recipe, such as training.seed=2.", Arity = ArgumentArity.ZeroOrMore };

    internal static Option<string?> Out() => new("--out") { Description = "The run's folder. Default: runs/ and the recipe's name.", HelpName = "DIR" };

    internal static Option<int?> Threads() => new("--threads", "--workers") { Description = "Threads. Default: all processors. Results do not depend on it.", HelpName = "N" };

    internal static string DefaultOut(string recipe) => Path.Combine("runs", Path.GetFileNameWithoutExtension(recipe));

    internal static int ThreadCount(int? given) => given switch
    {
        null => Environment.ProcessorCount,
        >= 1 and <= 1024 => given.Value,
        _ => throw new UserErrorException(FormattableString.Invariant($"--threads is {given}; expected 1 to 1024.")),
    };
}
