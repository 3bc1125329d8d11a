using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Languages.Identification;

/// <summary>Trains an identification model and writes its folder: the model's file, manifest and run record.</summary>
public static class IdentifierTrainer
{
    /// <summary>The model's file in its folder.</summary>
    public const string FileName = "identification.bin";

    /// <summary>Trains and writes. Equal texts and settings give an equal file, whatever the number of threads.</summary>
    /// <param name="texts">The training texts, in a fixed order.</param>
    /// <param name="config">The settings.</param>
    /// <param name="target">The folder to create.</param>
    /// <param name="record">Names the inputs for the manifest.</param>
    /// <param name="launcher">The threads.</param>
    /// <param name="progress">Is told how far the work is, from one thread at a time.</param>
    /// <param name="cancellation">Stops the work; nothing is left behind.</param>
    /// <returns>Bytes of the model's file.</returns>
    /// <exception cref="UserErrorException">The texts hold fewer than two languages of a script, or the folder cannot be written.</exception>
    public static long Run(
        IEnumerable<IdentifierText> texts, IdentifierConfig config, string target, Action<AtomicDirectory> record, ILauncher launcher,
        IProgress<IdentifierProgress>? progress = null, CancellationToken cancellation = default)
    {
        using var folder = AtomicDirectory.Create(target, "identification", Settings(config));
        record(folder);
        byte[] model = Train(texts, config, folder.Count, launcher, progress, cancellation);
        File.WriteAllBytes(Path.Combine(folder.Path, FileName), model);
        folder.Commit(launcher.Workers);
        return model.Length;
    }

    internal static byte[] Train(
        IEnumerable<IdentifierText> texts, IdentifierConfig config, Action<ManifestCount> count, ILauncher launcher,
        IProgress<IdentifierProgress>? progress, CancellationToken cancellation)
    {
        var random = new CounterRandom((ulong)config.Seed, 0);
        var set = new TrainingSet(config);
        long read = 0;
        foreach (var text in texts)
        {
            cancellation.ThrowIfCancellationRequested();
            set.Add(text);
            if (++read % 1000 == 0) progress?.Report(new IdentifierProgress("texts", read, 0));
        }

        set.AddMade(random);
        var latin = Table(set.Classes(cyrillic: false, random), false, config.LatinBuckets, config, count, launcher, progress, cancellation);
        var cyrillic = Table(set.Classes(cyrillic: true, random), true, config.CyrillicBuckets, config, count, launcher, progress, cancellation);
        return ModelWriter.Write(latin, cyrillic);
    }

    private static TrainedTable Table(
        IReadOnlyList<TrainingClass> classes, bool cyrillic, int buckets, IdentifierConfig config, Action<ManifestCount> count, ILauncher launcher,
        IProgress<IdentifierProgress>? progress, CancellationToken cancellation)
    {
        string script = cyrillic ? "Cyrillic" : "Latin";
        if (classes.Count < 2)
            throw new UserErrorException($"the texts hold {classes.Count} labels in {script} letters; expected two or more, add texts with --input.");
        foreach (var label in classes)
            foreach (var source in label.Sources)
                count(new ManifestCount(cyrillic ? "cyrillic" : "latin", "used", label.Label, source.Name, Bytes: source.Text.Length));
        int counted = 0;
        var gate = new Lock();
        var places = FeatureSelection.Choose(classes, cyrillic, buckets, config, launcher, () =>
        {
            lock (gate) progress?.Report(new IdentifierProgress($"features {script}", ++counted, classes.Count));
        }, cancellation);
        var trainer = new TableTrainer(classes, cyrillic, places, config);
        trainer.Run(launcher, done => progress?.Report(new IdentifierProgress($"weights {script}", done, trainer.Windows)), cancellation);
        return new TrainedTable([.. classes.Select(label => label.Label)], places, trainer.Weights, trainer.Width, Calibration.Fit(trainer, classes, cyrillic, config));
    }

    private static JsonObject Settings(IdentifierConfig config) => new()
    {
        ["seed"] = config.Seed,
        ["windows"] = config.Windows,
        ["passes"] = config.Passes,
        ["latinBuckets"] = config.LatinBuckets,
        ["cyrillicBuckets"] = config.CyrillicBuckets,
        ["learningRate"] = config.LearningRate,
        ["droppedWords"] = config.DroppedWords,
        ["droppedSequences"] = config.DroppedSequences,
        ["plainShare"] = config.PlainShare,
        ["sourceExponent"] = config.SourceExponent,
        ["ownWeight"] = config.OwnWeight,
        ["oldWeight"] = config.OldWeight,
        ["closeWeight"] = config.CloseWeight,
        ["scriptShare"] = config.ScriptShare,
        ["decay"] = config.Decay,
    };
}
