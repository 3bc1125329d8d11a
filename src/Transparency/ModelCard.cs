using System.Text;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Transparency;

/// <summary>The card of a model: its README, with the front matter that Hugging Face reads.</summary>
/// <remarks>A pure function of the manifests, run records and results in the folder: equal ones give equal bytes.</remarks>
public static class ModelCard
{
    private static readonly string[] _named = ["export", "training"];

    /// <summary>Writes the card.</summary>
    /// <param name="folder">A model folder with <c>lineage/</c>, or the folder of a run.</param>
    /// <exception cref="UserErrorException">The folder holds no lineage, or it does not match.</exception>
    public static string Render(string folder)
    {
        var lineage = Lineage.OfModel(folder);
        var texts = CardTexts.Load();
        var card = new StringBuilder();
        FrontMatter(card, lineage, texts);
        Body(card, lineage, texts);
        return card.ToString();
    }

    /// <summary>The model's name: as set in the recipe, or from its size and the hash of its weights.</summary>
    internal static string Name(Lineage lineage) => Setting(lineage, "name") ?? Setting(lineage, "modelName")
        ?? $"openeurollm-{Size(lineage.Training.Parameters)}-{ShortHash(lineage.EvaluatedWeightsSha256 ?? lineage.Training.WeightsSha256)}";

    private static string ShortHash(string? hash) => hash is null ? "unknown" : hash[..Math.Min(7, hash.Length)];

    private static string Size(long? parameters) => parameters switch
    {
        null => "model",
        >= 1_000_000_000 => $"{Figure.Fixed(parameters / 1e9, 1)}b",
        >= 1_000_000 => $"{Figure.Fixed(parameters / 1e6, 1)}m",
        _ => $"{Figure.Fixed(parameters / 1e3, 0)}k",
    };

    // What a recipe may say of the model, wherever it says it.
    private static string? Setting(Lineage lineage, string key) => _named
        .Select(stage => lineage[stage]?.Manifest.Settings is JsonObject settings ? settings[key] ?? (settings["model"] as JsonObject)?[key] : null)
        .OfType<JsonValue>().Select(value => value.ToString()).FirstOrDefault();

    private static IReadOnlyList<string> Languages(Lineage lineage) =>
        [.. CorpusFacts.Data(lineage).Where(row => row.TrainDocuments > 0).Select(row => row.Language).Concat(lineage.Scores.Keys).Where(code => code.Length > 0).Distinct().Order(StringComparer.Ordinal)];

    private static void FrontMatter(StringBuilder card, Lineage lineage, CardTexts texts)
    {
        void List(string key, IEnumerable<string> values)
        {
            string[] lines = [.. values.Select(value => $"- {Escape.Yaml(value)}\n")];
            card.Append(key).Append(lines.Length == 0 ? ": []\n" : ":\n").AppendJoin("", lines);
        }

        card.Append("---\n");
        List("language", Languages(lineage));
        card.Append("license: ").Append(Escape.Yaml(Setting(lineage, "license") ?? texts.License)).Append('\n');
        card.Append("library_name: ").Append(Escape.Yaml(texts.LibraryName)).Append('\n');
        card.Append("pipeline_tag: ").Append(Escape.Yaml(texts.PipelineTag)).Append('\n');
        List("tags", texts.Tags);
        List("datasets", CorpusFacts.Data(lineage).Select(row => row.Source).Where(source => source.Length > 0).Distinct().Order(StringComparer.Ordinal));
        card.Append("model-index:\n- name: ").Append(Escape.Yaml(Name(lineage))).Append('\n').Append(lineage.Scores.Count == 0 ? "  results: []\n" : "  results:\n");
        foreach (var (language, score) in lineage.Scores)
        {
            Result(card, language, "held-out text", "heldout", ("bits_per_byte", "Bits per byte", score.BitsPerByte));
            Result(card, language, "built-in facts", "facts",
                ("accuracy", "Multiple choice, seen wording", score.Seen?.Value), ("accuracy", "Multiple choice, unseen wording", score.Unseen?.Value),
                ("exact_match", "Generated answer", score.Generated?.Value));
        }

        card.Append("---\n\n");
    }

    private static void Result(StringBuilder card, string language, string dataset, string type, params (string Type, string Name, double? Value)[] metrics)
    {
        var held = metrics.Where(metric => metric.Value is not null).ToList();
        if (held.Count == 0) return;
        card.Append("  - task:\n      type: text-generation\n    dataset:\n      type: ").Append(type).Append("\n      name: ").Append(Escape.Yaml($"{dataset}, {language}"))
            .Append("\n      config: ").Append(Escape.Yaml(language)).Append("\n      split: test\n    metrics:\n");
        foreach (var (metric, name, value) in held)
            card.Append("    - type: ").Append(metric).Append("\n      name: ").Append(Escape.Yaml(name)).Append("\n      value: ").Append(Figure.Fixed(value, 4)).Append('\n');
    }

    private static void Body(StringBuilder card, Lineage lineage, CardTexts texts)
    {
        var training = lineage.Training;
        var languages = Languages(lineage);
        card.Append("# ").Append(Escape.Markdown(Name(lineage))).Append("\n\n");
        string count = languages.Count == 1 ? "one European language" : $"{Figure.Whole(languages.Count)} European languages";
        card.Append("A decoder language model of ").Append(Figure.Whole(training.Parameters)).Append(" parameters for ").Append(count);
        card.Append(languages.Count == 0 ? ".\n" : $": {Escape.Markdown(string.Join(", ", languages))}.\n");
        card.Append("Every figure below is taken from the manifests and results in `lineage/`; `oellm verify` recomputes their hashes.\n\n");

        Section("Model", Tables.Model(lineage));
        Heading("Intended use");
        Items(texts.IntendedUse);
        Heading("Not intended");
        Items(texts.NotIntended);
        Heading("Limitations");
        Items(Limitations(lineage, texts));
        Section("Evaluation", Tables.Scores(lineage),
            "Bits per byte on held-out text: lower is better. Accuracy on facts, multiple choice by likelihood, with 95 % intervals; chance is what guessing gives.", "No evaluation was recorded.");
        Section("Data", Tables.Data(lineage), null, "No counts of training text were recorded.");
        Section("Personal data and rights", Tables.Duties(lineage), "From the counts of the corpus; the verdict on each document, with rule, version and evidence, is in the corpus folder's `ledger.jsonl`.");
        Section("Training", Tables.Dial(lineage), "The size of the model decides these values unless the recipe sets them.", null);
        Section(null, Tables.Settings(lineage), "Settings as effective:", null);
        Section("Compute and energy", Tables.Runs(lineage),
            $"Training compute: {(training.Flops is null ? "not recorded" : Figure.Short(training.Flops) + " FLOP")}. Energy of training: {TrainingEnergy(lineage)}.");
        Section("Lineage", Tables.Hashes(lineage), Weights(lineage));
        while (card[^1] == '\n') card.Length--;
        card.Append('\n');

        void Heading(string title) => card.Append("## ").Append(title).Append("\n\n");

        void Items(IEnumerable<string> items) => card.AppendJoin("", items.Select(item => $"- {item}\n")).Append('\n');

        void Section(string? title, Table table, string? intro = null, string? absent = null)
        {
            if (table.Rows.Count == 0 && absent is null) return;
            if (title is not null) Heading(title);
            card.Append(table.Rows.Count == 0 ? absent + "\n" : intro is null ? "" : intro + "\n\n").Append(table.Rows.Count == 0 ? "" : table.ToMarkdown()).Append('\n');
        }
    }

    private static string TrainingEnergy(Lineage lineage) => lineage["training"]!.Run switch
    {
        null => "not recorded",
        { EnergyJoules: double joules } run => $"{Figure.Energy(joules)}, {Escape.Markdown(run.EnergySource)}",
        var run => Escape.Markdown(run.EnergySource.StartsWith("not measured", StringComparison.Ordinal) ? run.EnergySource : "not measured"),
    };

    private static string? Weights(Lineage lineage)
    {
        string[] weights =
        [
            .. lineage.Training.WeightsSha256 is string trained ? [$"Trained weights: `{Escape.Markdown(trained)}`."] : Array.Empty<string>(),
            .. lineage.EvaluatedWeightsSha256 is string evaluated ? [$"Evaluated weights: `{Escape.Markdown(evaluated)}`."] : Array.Empty<string>(),
        ];
        return weights.Length == 0 ? null : string.Join(" ", weights);
    }

    private static IEnumerable<string> Limitations(Lineage lineage, CardTexts texts)
    {
        var training = lineage.Training;
        var data = CorpusFacts.Data(lineage);
        string[] atChance = [.. lineage.Scores.Where(pair => pair.Value.IsAtChance).Select(pair => pair.Key)];
        string[] notEvaluated = lineage.Scores.Count == 0 ? [] : [.. data.Where(row => row.TrainDocuments > 0).Select(row => row.Language).Distinct().Where(code => !lineage.Scores.ContainsKey(code))];
        bool Holds(string condition) => condition switch
        {
            "always" => true,
            "below-billion" => training.Parameters < 1_000_000_000,
            "synthetic-only" => data.Count > 0 && data.All(row => texts.SyntheticSources.Contains(row.Source)),
            "repeated" => training.Epochs >= 2,
            "share-alike" => data.Any(row => texts.ShareAlikeMarks.Any(mark => row.License.Contains(mark, StringComparison.OrdinalIgnoreCase))),
            "at-chance" => atChance.Length > 0,
            "not-evaluated" => notEvaluated.Length > 0,
            "short-context" => training.ContextLength is not null,
            "no-evaluation" => lineage.Scores.Count == 0,
            _ => throw new InvalidOperationException($"card.json: the condition '{condition}' is unknown."),
        };
        return texts.Limitations.Where(limitation => Holds(limitation.When)).Select(limitation => limitation.Text
            .Replace("{parameters}", Figure.Whole(training.Parameters), StringComparison.Ordinal)
            .Replace("{epochs}", Figure.Short(training.Epochs), StringComparison.Ordinal)
            .Replace("{contextLength}", Figure.Whole(training.ContextLength), StringComparison.Ordinal)
            .Replace("{atChance}", Escape.Markdown(string.Join(", ", atChance)), StringComparison.Ordinal)
            .Replace("{notEvaluated}", Escape.Markdown(string.Join(", ", notEvaluated)), StringComparison.Ordinal));
    }
}
