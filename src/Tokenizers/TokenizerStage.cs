using System.Text;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The stage that trains a tokenizer: a folder with <c>tokenizer.json</c>, <c>tokenizer_config.json</c>, the chat template and a manifest.</summary>
public static class TokenizerStage
{
    /// <summary>The stage's name in manifests.</summary>
    public const string Name = "tokenizer";

    /// <summary>Trains and writes a tokenizer.</summary>
    /// <param name="texts">The texts; see <see cref="BpeTrainer.Train"/>.</param>
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
        ILauncher launcher, IProgress<BpeTrainingProgress>? progress = null, bool replace = false, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(recordInputs);
        ArgumentNullException.ThrowIfNull(launcher);
        var settings = new JsonObject
        {
            ["vocabularySize"] = config.VocabularySize,
            ["minimumPairCount"] = config.MinimumPairCount,
            ["languageExponent"] = config.LanguageExponent,
            ["splitPattern"] = SplitPattern.Regex,
            ["unicodeVersion"] = CharacterClasses.UnicodeVersion,
        };
        using var folder = AtomicDirectory.Create(target, Name, settings, replace: replace);
        recordInputs(folder);
        var counts = new SortedDictionary<string, (long Documents, long Bytes)>(StringComparer.Ordinal);
        var tokenizer = BpeTrainer.Train(Counted(texts, counts), config, launcher, progress, cancellation);
        if (counts.Count == 0)
            throw new UserErrorException($"{target}: there is no text to train a tokenizer on; name files that hold some.");
        foreach (var (language, (documents, bytes)) in counts)
            folder.Count(new ManifestCount("train", "read", language, Documents: documents, Bytes: bytes));
        tokenizer.Save(folder.Path);
        File.WriteAllText(Path.Combine(folder.Path, "chat_template.jinja"), chatTemplate, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        folder.Commit(launcher.Workers);
        return tokenizer;
    }

    private static IEnumerable<TrainingText> Counted(IEnumerable<TrainingText> texts, SortedDictionary<string, (long Documents, long Bytes)> counts)
    {
        foreach (var text in texts)
        {
            var (documents, bytes) = counts.GetValueOrDefault(text.Language);
            counts[text.Language] = (documents + 1, bytes + text.Utf8.Length);
            yield return text;
        }
    }
}
