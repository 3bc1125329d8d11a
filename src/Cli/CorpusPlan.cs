using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenEuroLLM.Corpus;

namespace OpenEuroLLM.Cli;

/// <summary>What <c>oellm corpus build --plan</c> prints: each step with all its settings, as a recipe can have them.</summary>
internal static class CorpusPlan
{
    public static void Print(CorpusConfig config, bool json, TextWriter output)
    {
        foreach (CorpusStep step in config.Steps)
        {
            JsonObject settings = JsonSerializer.SerializeToNode(step, RecipeJson.Default.CorpusStep)!.AsObject();
            IReadOnlyList<(double Jaccard, double Probability)> joined = (step as NearDuplicates)?.Plan() ?? [];
            if (json) settings["joins"] = new JsonArray([.. joined.Select(row => (JsonNode)new JsonObject { ["jaccard"] = row.Jaccard, ["probability"] = row.Probability })]);
            output.WriteLine(JsonLine.OfValue(writer => settings.WriteTo(writer)));
            if (json) continue;
            foreach ((double jaccard, double probability) in joined)
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"    similarity {jaccard:0.00}: joined with probability {probability:0.######}"));
        }
    }
}
