using System.CommandLine;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Cli;

/// <summary>A long proof.</summary>
/// <param name="Name">What it is asked for by.</param>
/// <param name="Meaning">What it shows.</param>
/// <param name="Uses">The options that mean something to it, beside those that all have.</param>
/// <param name="Run">Runs it; returns an <see cref="ExitCode"/>.</param>
internal sealed record Proof(string Name, string Meaning, IReadOnlyList<Option> Uses, Func<ProofRun, int> Run);

/// <summary><c>oellm prove</c>: the long proofs, run with the program itself in child processes. To add one, write it in a file of its own and register it here.</summary>
internal static class ProveCommand
{
    private static IReadOnlyList<Proof> Proofs(ProveOptions options) =>
    [
        new("resume", "a training run killed at random moments ends with the same weights as an undisturbed one", [options.Kills, options.Tokens], ProveResume.Run),
        new("same-bits", "the same training run with other thread counts and instruction sets ends with the same weights", [options.Tokens], ProveSameBits.Run),
        new("corpus-kills", "a corpus whose building is killed at random moments is the same byte for byte as an undisturbed one, and every document is accounted for once", [options.Kills, options.Documents, options.Input], ProveCorpusKills.Run),
        new("corpus-memory", "building a corpus takes at most 2 GB of memory whatever the size of its input", [options.Bytes, options.Input], ProveCorpusMemory.Run),
        new("corpus-bombs", "input made to exhaust memory or time, or damaged, is counted with its place and costs no good document", [options.Bytes, options.Only], ProveCorpusBombs.Run),
        new("erasure", "documents forgotten by a finished run are gone from every shard and token file, kept out afterwards, and a kill at a random moment leaves the old or the new state", [options.Kills, options.Tokens, options.Documents, options.Input], ProveErasure.Run),
        new("near-duplicates", "of pairs of documents of known similarity those that are alike are joined, and no others", [options.Pairs], ProveNearDuplicates.Run),
        new("audit-kills", "a server killed at random moments while clients ask has the audit row of every answer whose end a client saw, and the chain of rows holds", [options.Kills], run => ProveAuditKills.RunAsync(run).GetAwaiter().GetResult()),
        new("serving-replay", "requests of all kinds are answered the same alone and together, with and without the cache, and after a restart", [options.Model, options.Count, options.Streams], run => ProveServingReplay.RunAsync(run).GetAwaiter().GetResult()),
        new("serving-soak", "streams for a long time bring no error, a heap that does not grow, and a token count that is exact", [options.Model, options.Minutes, options.Streams], run => ProveServingSoak.RunAsync(run).GetAwaiter().GetResult()),
        new("serving-overload", "ten times the requests that a server can answer leave it its speed, and it is itself again at once", [options.Model, options.Minutes, options.Streams], run => ProveServingOverload.RunAsync(run).GetAwaiter().GetResult()),
        new("serving-disconnects", "clients that leave at any moment or never read cost nothing that stays, and nobody else an answer", [options.Model, options.Count, options.Streams], run => ProveServingDisconnects.RunAsync(run).GetAwaiter().GetResult()),
    ];

    public static Command Create()
    {
        var options = new ProveOptions();
        IReadOnlyList<Proof> proofs = Proofs(options);
        var name = new Argument<string>("name") { Description = string.Join("; ", proofs.Select(proof => $"{proof.Name}: {proof.Meaning}")) };
        var command = new Command("prove", "Runs a long proof and prints its result as one JSON object.\nExample: oellm prove resume --kills 20") { name, options.Settings, options.Out, options.Seed };
        foreach (Option option in proofs.SelectMany(proof => proof.Uses).Distinct())
        {
            option.Description += $" Only for {string.Join(", ", proofs.Where(proof => proof.Uses.Contains(option)).Select(proof => proof.Name))}.";
            command.Add(option);
        }
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            string asked = parsed.GetValue(name)!;
            if (proofs.FirstOrDefault(proof => proof.Name == asked) is not { } found)
                throw new UserErrorException($"proof '{asked}' is unknown{SuggestedName.Hint(asked, [.. proofs.Select(proof => proof.Name)])}");
            foreach (Option option in proofs.SelectMany(proof => proof.Uses).Distinct().Except(found.Uses))
                if (parsed.GetResult(option) is { Implicit: false })
                    throw new UserErrorException($"{option.Name} means nothing to the proof '{asked}'; leave it out.");
            return found.Run(options.Read(asked, parsed, cancellation));
        }, CancellationToken.None));
        return command;
    }
}
