using System.Text.Json.Nodes;

namespace OpenEuroLLM.Cli;

/// <summary>The proof <c>same-bits</c>: thread counts and instruction sets do not change the weights.</summary>
internal static class ProveSameBits
{
    private static readonly (string Name, string Threads, string? Variable)[] Variants =
    [
        ("2 threads", "2", null), ("1 thread", "1", null), ("3 threads", "3", null),
        ("2 threads, DOTNET_EnableAVX512=0", "2", "DOTNET_EnableAVX512"),
    ];

    public static int Run(ProofRun proof)
    {
        var training = new ProveTraining(proof);
        var results = new JsonObject();
        string? first = null;
        bool same = true;
        foreach ((string name, string threads, string? variable) in Variants)
        {
            string folder = Path.Combine(proof.Folder, name.Replace(' ', '-').Replace(',', '-'));
            if (first is not null) ProveTraining.CopyStages(Path.Combine(proof.Folder, "2-threads"), folder);
            training.Train(folder, ["--threads", threads], variable);
            string weights = ProveTraining.Weights(folder);
            results[name] = weights;
            first ??= weights;
            same &= weights == first;
            proof.Say($"{name}: weights {weights}");
        }
        return proof.Conclude(same, results);
    }
}
