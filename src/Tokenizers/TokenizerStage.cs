using System.Text;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The stage that trains a tokenizer: a folder with <c>tokenizer.json</c>, <c>tokenizer_config.json</c>, the chat template and a manifest.</summary>
public static class TokenizerStage
{
    /// <summary>The stage's name in manifests.</summary>
    public const string Name = "tokenizer";

    /// <summary>The file that holds what training found out.</summary>
    public const string ReportName = "training.json";

    /// <summary>Trains and writes a tokenizer.</summary>
    /// <param name="texts">The texts; read once, by one thread at a time.</param>
    /// <param name="config">The settings.</param>
    /// <param name="target">The folder to create.</param>
    /// <param name="chatTemplate">The text of <c>chat_template.jinja</c>.</param>
    /// <param name="recordInputs">Tells the folder's manifest what was read.</param>
    /// <param name="launcher">Where counting runs.</param>
    /// <param name="progress">Told now and then, from worker threads too.</param>
    /// <param name="replace">Whether a finished folder of this name may be replaced.</param>
    /// <param name="cancellation">Stops the training; nothing is left.</param>
    /// <exception cref="UserErrorException">The folder exists or cannot be written, or there is no text.</exception>
    public static Tokenizer Run(
        IEnumerable<TrainingText> texts, BpeTrainerConfig config, string target, string chatTemplate, Action<AtomicDirectory> recordInputs,
        ILauncher launcher, IProgress<TokenizerTrainingProgress>? progress = null, bool replace = false, CancellationToken cancellation = default) =>
        Run([new TextsInput(texts)], config, target, chatTemplate, recordInputs, launcher, BpeTrainer.DefaultMemoryBytes, progress, replace, cancellation).Tokenizer;

    /// <summary>Trains and writes a byte-level BPE tokenizer from several inputs, which are read at the same time.</summary>
    /// <param name="inputs">The inputs.</param>
    /// <param name="config">The settings.</param>
    /// <param name="target">The folder to create; counted words that do not fit into memory lie beside it while it is made.</param>
    /// <param name="chatTemplate">The text of <c>chat_template.jinja</c>.</param>
    /// <param name="recordInputs">Tells the folder's manifest what was read.</param>
    /// <param name="launcher">Where counting runs.</param>
    /// <param name="memoryBytes">Memory for training altogether.</param>
    /// <param name="progress">Told now and then, from worker threads too.</param>
    /// <param name="replace">Whether a finished folder of this name may be replaced.</param>
    /// <param name="cancellation">Stops the training; nothing is left.</param>
    /// <returns>The tokenizer, and what was measured on the way.</returns>
    /// <exception cref="UserErrorException">The folder exists or cannot be written, or there is no text.</exception>
    public static (Tokenizer Tokenizer, TrainingReport Report) Run(
        IReadOnlyList<ITrainingInput> inputs, BpeTrainerConfig config, string target, string chatTemplate, Action<AtomicDirectory> recordInputs,
        ILauncher launcher, long memoryBytes, IProgress<TokenizerTrainingProgress>? progress = null, bool replace = false, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(config);
        return Run(memory => BpeTrainer.Train(inputs, config, launcher, memory, progress, cancellation),
            config.ToJson(), target, chatTemplate, recordInputs, launcher, memoryBytes, replace);
    }

    /// <summary>Trains and writes a Unigram tokenizer; everything else is as with byte-level BPE.</summary>
    /// <inheritdoc cref="Run(IReadOnlyList{ITrainingInput}, BpeTrainerConfig, string, string, Action{AtomicDirectory}, ILauncher, long, IProgress{TokenizerTrainingProgress}, bool, CancellationToken)"/>
    public static (Tokenizer Tokenizer, TrainingReport Report) Run(
        IReadOnlyList<ITrainingInput> inputs, UnigramTrainerConfig config, string target, string chatTemplate, Action<AtomicDirectory> recordInputs,
        ILauncher launcher, long memoryBytes, IProgress<TokenizerTrainingProgress>? progress = null, bool replace = false, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(config);
        return Run(memory => UnigramTrainer.Train(inputs, config, launcher, memory, progress, cancellation),
            config.ToJson(), target, chatTemplate, recordInputs, launcher, memoryBytes, replace);
    }

    private static (Tokenizer Tokenizer, TrainingReport Report) Run(
        Func<TrainingMemory, (Tokenizer, TrainingReport)> train, JsonObject settings, string target, string chatTemplate, Action<AtomicDirectory> recordInputs,
        ILauncher launcher, long memoryBytes, bool replace)
    {
        ArgumentNullException.ThrowIfNull(recordInputs);
        ArgumentNullException.ThrowIfNull(launcher);
        using var folder = AtomicDirectory.Create(target, Name, settings, replace: replace);
        recordInputs(folder);
        var (tokenizer, report) = train(new TrainingMemory(memoryBytes, Path.Combine(folder.Path, "words")));
        if (report.Languages.Count == 0)
            throw new UserErrorException($"{target}: there is no text to train a tokenizer on; name files that hold some.");
        foreach (var language in report.Languages)
        {
            folder.Count(new ManifestCount("train", "read", language.Language, Documents: language.Documents, Bytes: language.Bytes));
            if (language.HeldBackDocuments > 0)
                folder.Count(new ManifestCount("train", "held-back", language.Language, Documents: language.HeldBackDocuments, Bytes: language.HeldBackBytes));
        }
        tokenizer.Save(folder.Path);
        File.WriteAllText(Path.Combine(folder.Path, "chat_template.jinja"), chatTemplate, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        if (report.IsWorthKeeping)
            File.WriteAllBytes(Path.Combine(folder.Path, ReportName), CanonicalJson.Write(report.ToJson()));
        folder.Commit(launcher.Workers);
        return (tokenizer, report);
    }
}
