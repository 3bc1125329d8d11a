using System.Text.Json.Nodes;
using OpenEuroLLM.Training;

namespace OpenEuroLLM.Cli;

/// <summary>What the proofs about training have in common: a small recipe, and runs of it in child processes.</summary>
internal sealed class ProveTraining
{
    private const string RecipeText = """{ "name": "proof", "tokenizer": { "vocabularySize": 2048 }, "model": { "layers": 2, "contextLength": 128 }, "training": { "checkpointSteps": 10 } }""";

    private readonly ProofRun _proof;
    private readonly string _tokens;

    public ProveTraining(ProofRun proof)
    {
        (_proof, _tokens) = (proof, FormattableString.Invariant($"training.tokens={proof.Tokens}"));
        proof.WriteRecipe(RecipeText, _tokens);
    }

    /// <summary>Trains to the end.</summary>
    public void Train(string folder, IReadOnlyList<string> options, string? switchedOff = null) => _proof.RunToEnd($"{folder}: the training run", Arguments(folder, options), switchedOff);

    /// <summary>Begins to train.</summary>
    public ProofChild Start(string folder) => _proof.Start(Arguments(folder, []));

    /// <summary>Takes over the stages before training: they are not what is proved here.</summary>
    public static void CopyStages(string from, string to)
    {
        foreach (string stage in new[] { "corpus", "tokenizer", "tokens" })
        {
            foreach (string file in Directory.GetFiles(Path.Combine(from, stage), "*", SearchOption.AllDirectories))
            {
                string target = Path.Combine(to, Path.GetRelativePath(from, file));
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.Copy(file, target);
            }
        }
    }

    public static string Weights(string folder) => JsonNode.Parse(File.ReadAllBytes(Path.Combine(folder, "training", Trainer.ResultName)))!["weightsSha256"]!.GetValue<string>();

    private string[] Arguments(string folder, IReadOnlyList<string> options) => ["train", _proof.RecipePath, _tokens, .. _proof.Settings, "--out", folder, .. options];
}
