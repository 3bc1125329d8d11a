using System.Globalization;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Formats.Quantization;
using OpenEuroLLM.Inference;
using OpenEuroLLM.Models;
using OpenEuroLLM.Tensors;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Cli;

/// <summary>What a model says to a probe text, kept to be compared with what its export says to the same text.</summary>
/// <remarks>An export that changed no number must give the same bits; where numbers were rounded, the logits must still go the same way: rows of
/// a matrix in a wrong order or a tensor under a wrong name make them unrelated.</remarks>
internal sealed class ExportCheck
{
    private const int MostTokens = 128, RowStep = 8;
    private const double RoundedLikeness = 0.99, QuantizedLikeness = 0.5;

    private readonly int[] ids;
    private readonly string? text;
    private readonly float[]? logits;
    private readonly int[]? conversation;

    private ExportCheck(int[] ids, string? text, int[]? conversation, float[]? logits, string? obstacle) =>
        (this.ids, this.text, this.conversation, this.logits, Obstacle) = (ids, text, conversation, logits, obstacle);

    /// <summary>Why logits cannot be compared, or null.</summary>
    public string? Obstacle { get; }

    /// <summary>Takes the probe of a model.</summary>
    /// <param name="path">A model folder or a GGUF file.</param>
    /// <param name="config">Its shape.</param>
    /// <param name="threads">Threads that compute.</param>
    /// <param name="adapters">Adapter folders that are merged into it.</param>
    public static ExportCheck Of(string path, ModelConfig config, int threads, IReadOnlyList<string>? adapters = null)
    {
        var tokenizer = TokenizerOf(path);
        var (ids, text) = Probe(tokenizer, config);
        var conversation = text is null ? null : Conversation(path, tokenizer!);
        var (needed, available) = (ModelMemory.WeightBytes(path, adapters), AvailableMemory.Bytes());
        if (needed > available)
            return new ExportCheck(ids, text, conversation, null, $"the logits were not compared: the source needs {AvailableMemory.Size(needed)} of memory, there are {AvailableMemory.Size(available)}");
        return new ExportCheck(ids, text, conversation, Logits(path, ids, threads, adapters), null);
    }

    /// <summary>Compares an export; says in words what was found.</summary>
    /// <param name="path">The export.</param>
    /// <param name="hasTokenizer">Whether its tokenizer went along.</param>
    /// <param name="formats">Each weight's storage before and after.</param>
    /// <param name="threads">Threads that compute.</param>
    /// <exception cref="UserErrorException">It does not say the same.</exception>
    public string Compare(string path, bool hasTokenizer, IEnumerable<(BlockFormat Before, BlockFormat After)> formats, int threads)
    {
        if (hasTokenizer && text is not null && TokenizerOf(path) is { } tokenizer)
        {
            var again = Encode(tokenizer, text, ids.Length);
            var same = ids.AsSpan().CommonPrefixLength(again);
            if (same < ids.Length)
                throw Broken($"its tokenizer gives other tokens for the probe text, from token {same + 1} of {ids.Length} on");
            if (conversation is not null && !conversation.AsSpan().SequenceEqual(Conversation(path, tokenizer)))
                throw Broken("its chat template gives other tokens for a conversation");
        }
        if (logits is null) return Obstacle!;
        var found = Logits(path, ids, threads);
        if (found.Any(value => !float.IsFinite(value))) throw Broken("its logits are not finite");
        var changes = formats.Distinct().ToList();
        if (changes.All(change => change.Before == change.After || IsWidening(change)))
            return logits.AsSpan().SequenceEqual(found) ? "the export gives the same logits, bit for bit"
                : throw Broken("no number was to change, but its logits differ");
        var likeness = Likeness(logits, found);
        var least = changes.Any(change => change.Before.IsQuantized || change.After.IsQuantized) ? QuantizedLikeness : RoundedLikeness;
        return likeness >= least ? string.Create(CultureInfo.InvariantCulture, $"the export's logits go along with the source's (correlation {likeness:F4})")
            : throw Broken(string.Create(CultureInfo.InvariantCulture, $"its logits have a correlation of {likeness:F3} with the source's; expected at least {least}"));
    }

    /// <summary>Correlation of two lists of logits.</summary>
    internal static double Likeness(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double meanA = 0, meanB = 0;
        for (var i = 0; i < a.Length; i++) (meanA, meanB) = (meanA + a[i], meanB + b[i]);
        (meanA, meanB) = (meanA / a.Length, meanB / b.Length);
        double ab = 0, aa = 0, bb = 0;
        for (var i = 0; i < a.Length; i++)
        {
            var (x, y) = (a[i] - meanA, b[i] - meanB);
            (ab, aa, bb) = (ab + x * y, aa + x * x, bb + y * y);
        }
        return aa == 0 && bb == 0 ? 1 : ab / Math.Sqrt(aa * bb);
    }

    private static bool IsWidening((BlockFormat Before, BlockFormat After) change) =>
        change.After == BlockFormat.F32 && (change.Before == BlockFormat.BF16 || change.Before == BlockFormat.F16);

    private static UserErrorException Broken(string why) =>
        new($"the export was written and then read again, and {why}. It was not kept; this is a defect of the conversion: please report it with the model's name.");

    private static float[] Logits(string path, int[] ids, int threads, IReadOnlyList<string>? adapters = null)
    {
        using var engine = new Engine(threads);
        using var model = LanguageModel.Load(path, engine, adapters);
        var layout = new SequenceLayout();
        layout.Add(ids.Length);
        int[] rows = [.. Enumerable.Range(0, ids.Length).Where(row => row % RowStep == RowStep - 1 || row == ids.Length - 1)];
        var found = new float[checked(rows.Length * model.VocabularySize)];
        model.Logits(model.Forward(ids, layout), rows, found);
        return found;
    }

    private static (int[] Ids, string? Text) Probe(Tokenizer? tokenizer, ModelConfig config)
    {
        var most = Math.Min(MostTokens, config.ContextLength);
        if (tokenizer is not null)
        {
            var text = string.Concat(CalibrationTexts.Read([], 200).Select(language => language.Calibration[0] + "\n"));
            int[] ids = Encode(tokenizer, text, most);
            if (ids.All(id => id < config.VocabularySize)) return (ids, text);
        }
        return ([.. Enumerable.Range(0, most).Select(i => (int)(i * 7919L % config.VocabularySize))], null);
    }

    /// <summary>A conversation as the model's template renders it; null for a model that cannot chat, or whose template refuses this one.</summary>
    private static int[]? Conversation(string path, Tokenizer tokenizer)
    {
        var turns = new GenerationInput.Messages([new ChatMessage("user", "Dobrý deň! Cá bhfuil tú?"), new ChatMessage("assistant", "Hawn."), new ChatMessage("user", "<|endoftext|>")]);
        try
        {
            return ChatTemplate.Load(path, tokenizer, null, out _)?.Render(turns, addGenerationPrompt: true);
        }
        catch (RequestException)
        {
            return null;
        }
    }

    private static int[] Encode(Tokenizer tokenizer, string text, int most)
    {
        int[] ids = [.. tokenizer.Encode(text, allowSpecial: false)];
        return ids.Length <= most ? ids : ids[..most];
    }

    /// <summary>The tokenizer that lies with a model, or null where none can be read.</summary>
    private static Tokenizer? TokenizerOf(string path)
    {
        try
        {
            if (!ModelPaths.IsGguf(path)) return File.Exists(Path.Combine(path, "tokenizer.json")) ? Tokenizer.Load(path) : null;
            using var file = GgufFile.Open(path);
            return file.Value("tokenizer.ggml.model") is null ? null : GgufVocabulary.Read(file);
        }
        catch (UserErrorException)
        {
            return null; // the conversion has said that the tokenizer stays behind
        }
    }
}
