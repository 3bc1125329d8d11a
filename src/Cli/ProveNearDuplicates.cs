using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus;

namespace OpenEuroLLM.Cli;

/// <summary>The proof <c>near-duplicates</c>: at a similarity of 0.8 at least 95 % of pairs are joined, of documents that are less alike than 0.6 fewer than one in 10,000, and
/// the outcome does not depend on how the corpus is divided.</summary>
internal static class ProveNearDuplicates
{
    public static int Run(ProofRun proof)
    {
        proof.WriteRecipe("""{ "name": "proof" }""");
        PlantedDuplicatesResult result = PlantedDuplicates.Run(
            proof.Pairs, proof.Seed, Path.Combine(proof.Folder, "planted"), new LocalLauncher(Environment.ProcessorCount), proof.Cancellation);
        double recall = result.Levels.Where(level => level.Jaccard >= 0.8).Min(level => level.Share);
        return proof.Conclude(recall >= 0.95 && result.FalseShare < 1e-4 && result.SameWhenDividedOtherwise, new JsonObject
        {
            ["levels"] = new JsonArray([.. result.Levels.Select(level => (JsonNode)new JsonObject
            {
                ["jaccard"] = level.Jaccard, ["meanJaccard"] = Math.Round(level.MeanJaccard, 4), ["pairs"] = level.Pairs, ["joined"] = level.Joined,
            })]),
            ["documents"] = result.Documents,
            ["dropped"] = result.Joined + result.UnrelatedMerged,
            ["falseMerges"] = result.FalseMerges + result.UnrelatedMerged,
            ["sameWhenDividedOtherwise"] = result.SameWhenDividedOtherwise,
        });
    }
}
