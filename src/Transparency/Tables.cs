using System.Text.Json.Nodes;

namespace OpenEuroLLM.Transparency;

/// <summary>The tables that card and report share.</summary>
internal static class Tables
{
    public static Table Scores(Lineage lineage) => new(
        "Results per language, with 95 % intervals",
        ["Language", "Bits per byte", "Held-out text", "Seen wording", "Unseen wording", "Generated answer", "Items", "Chance"],
        [.. lineage.Scores.Select(pair => (IReadOnlyList<string>)[
            pair.Key, Figure.Fixed(pair.Value.BitsPerByte, 3), Figure.Bytes(pair.Value.HeldoutBytes), pair.Value.Seen?.ToString() ?? Figure.Absent, pair.Value.Unseen?.ToString() ?? Figure.Absent,
            pair.Value.Generated?.ToString() ?? Figure.Absent,
            pair.Value.Seen is null && pair.Value.Unseen is null ? Figure.Absent : Figure.Whole((pair.Value.Seen?.Items ?? 0) + (pair.Value.Unseen?.Items ?? 0)),
            Figure.Fixed(pair.Value.Chance, 2)])]);

    public static Table Data(Lineage lineage)
    {
        var tokens = CorpusFacts.Tokens(lineage);
        var shown = new HashSet<string>();
        return new Table("Training text per language and source", ["Language", "Source", "Licence", "Documents", "Text", "Held-out documents", "Tokens of the language"],
            [.. CorpusFacts.Data(lineage).Select(row => (IReadOnlyList<string>)[
                row.Language, row.Source, row.License, Figure.Whole(row.TrainDocuments), Figure.Bytes(row.TrainBytes), Figure.Whole(row.HeldOutDocuments),
                shown.Add(row.Language) && tokens.TryGetValue(row.Language, out long count) ? Figure.Whole(count) : Figure.Absent])]);
    }

    public static Table Funnel(Lineage lineage) => new("Documents by step and reason", ["Step", "Reason", "Documents", "Text"],
        [.. CorpusFacts.Funnel(lineage).Select(row => (IReadOnlyList<string>)[row.Step, row.Reason, Figure.Whole(row.Documents), Figure.Bytes(row.Bytes)])]);

    public static Table Duties(Lineage lineage) => new("Personal data and rights", ["What", "Step", "Outcome", "Documents"],
        [.. CorpusFacts.Dutiful(lineage).Select(row => (IReadOnlyList<string>)[
            row.Subject, row.Step ?? "none: nothing was looked for", row.Outcome ?? (row.Step is null ? Figure.Absent : "nothing found"), row.Outcome is null ? Figure.Absent : Figure.Whole(row.Documents)])]);

    public static Table Model(Lineage lineage)
    {
        var training = lineage.Training;
        return new Table("The model", ["Property", "Value"],
        [
            ["Parameters", Figure.Whole(training.Parameters)],
            ["Layers", Figure.Whole(training.Layers)],
            ["Width", Figure.Whole(training.Width)],
            ["Heads (key/value heads)", $"{Figure.Whole(training.Heads)} ({Figure.Whole(training.KeyValueHeads)})"],
            ["Feed-forward width", Figure.Whole(training.Hidden)],
            ["Vocabulary", Figure.Whole(training.VocabularySize)],
            ["Context length", $"{Figure.Whole(training.ContextLength)} tokens"],
            ["Steps", Figure.Whole(training.Steps)],
            ["Tokens of a step", Figure.Whole(training.BatchTokens)],
            ["Training tokens", Figure.Whole(training.Tokens)],
            ["Passes over the text", Figure.Short(training.Epochs)],
            ["Training compute", training.Flops is null ? Figure.Absent : $"{Figure.Short(training.Flops)} FLOP"],
            ["Final training loss", training.FinalTrainLoss is null ? Figure.Absent : $"{Figure.Fixed(training.FinalTrainLoss, 4)} nats per token"],
        ]);
    }

    public static Table Dial(Lineage lineage) => new("Values chosen and why", ["Setting", "Value", "Reason"],
        [.. lineage.Training.Dial.Select(choice => (IReadOnlyList<string>)[choice.Setting, choice.Value, choice.Reason])]);

    /// <summary>The settings of the training stage, flat.</summary>
    public static Table Settings(Lineage lineage)
    {
        var rows = new List<IReadOnlyList<string>>();
        void Walk(string path, JsonNode? node)
        {
            if (node is JsonObject item && item.Count > 0)
                foreach (var (key, value) in item.OrderBy(pair => pair.Key, StringComparer.Ordinal)) Walk(path.Length == 0 ? key : $"{path}.{key}", value);
            else rows.Add([path, node is JsonValue ? node.ToString() : node?.ToJsonString() ?? "null"]);
        }

        if (lineage["training"]!.Manifest.Settings.Count > 0) Walk("", lineage["training"]!.Manifest.Settings);
        return new Table("Settings of the training stage", ["Setting", "Value"], rows);
    }

    public static Table Runs(Lineage lineage) => new("Time, memory and energy by stage", ["Stage", "Time", "Workers", "Peak memory", "Energy", "Host"],
        [.. lineage.Stages.Select(stage => (IReadOnlyList<string>)[
            stage.Name, Figure.Duration(stage.Run?.Seconds), Figure.Whole(stage.Run?.Workers), Figure.Bytes(stage.Run?.PeakMemoryBytes),
            stage.Run is null ? Figure.Absent : stage.Run.EnergyJoules is null ? stage.Run.EnergySource : Figure.Energy(stage.Run.EnergyJoules), stage.Run?.Host ?? Figure.Absent])]);

    public static Table Hashes(Lineage lineage) => new("Lineage: the hash of each stage's manifest", ["Stage", "Manifest SHA-256", "Code version"],
        [.. lineage.Stages.Select(stage => (IReadOnlyList<string>)[stage.Name, stage.ManifestSha256, stage.Manifest.CodeVersion])]);
}
