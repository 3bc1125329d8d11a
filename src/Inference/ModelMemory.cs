using OpenEuroLLM.Core;
using OpenEuroLLM.Models;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Inference;

/// <summary>Whether a model and its cache fit into this machine, before either is made.</summary>
public static class ModelMemory
{
    /// <summary>Full contexts that a cache has room for, where nobody asked for a number and memory allows it.</summary>
    internal const int UsualContexts = 8;

    // Of several contexts a shorter one counts as so many tokens: small models answer many at once too.
    private const int LeastContext = 2048;

    /// <summary>Bytes of a model's weights, which are held as they are stored, in however many files that is.</summary>
    /// <param name="source">The opened model; matrices that adapters widen count as they will be held.</param>
    public static long WeightBytes(ModelSource source) => source.Config.Weights.Sum(shape => shape.Rows * source.FormatOf(shape).RowBytes(shape.Columns));

    /// <inheritdoc cref="WeightBytes(ModelSource)"/>
    /// <param name="path">A model folder or a GGUF file.</param>
    /// <param name="adapters">Adapter folders that are merged into it.</param>
    /// <exception cref="UserErrorException">It is no model, or one that this version does not read.</exception>
    public static long WeightBytes(string path, IReadOnlyList<string>? adapters = null)
    {
        using var source = ModelSource.Open(path, adapters);
        return WeightBytes(source);
    }

    /// <summary>Bytes that an engine's steps need at most beside weights and cache: the states of all rows at the widest place of a layer, and logits.</summary>
    /// <param name="config">Shape of the model.</param>
    /// <param name="limits">How much a step does.</param>
    public static long StepBytes(ModelConfig config, EngineLimits limits)
    {
        long rows = Math.Max(limits.BatchRows, Math.Min(config.ContextLength, Embedder.BatchRows));
        return sizeof(float) * ((rows * 2 * (config.Width + config.Hidden)) + ((limits.Sequences + Scheduler.ExtraScoredRows) * 2L * config.VocabularySize));
    }

    /// <summary>Refuses a model whose weights are larger than the memory there is.</summary>
    /// <param name="source">The opened model.</param>
    /// <param name="available">Bytes that there are; null asks the machine.</param>
    /// <exception cref="UserErrorException">It is too large.</exception>
    public static void RequireWeights(ModelSource source, long? available = null) =>
        AvailableMemory.Require(WeightBytes(source), $"{source.Path}: loading the weights", "use a smaller model, or one with fewer bits for each weight", available);

    /// <summary>Tokens of a cache for so many full contexts, where nobody asked for a number.</summary>
    /// <param name="config">Shape of the model.</param>
    /// <param name="contexts">How many.</param>
    internal static long UsualTokens(ModelConfig config, int contexts) => contexts == 1 ? config.ContextLength : (long)contexts * Math.Max(config.ContextLength, LeastContext);

    /// <summary>Pages of the key/value cache: as asked for, or else room for eight full contexts (of 2,048 tokens at least), or for fewer where memory is short, down to one as long as it is,
    /// which changes no answer and makes more of them wait.</summary>
    /// <param name="config">Shape of the model.</param>
    /// <param name="cacheTokens">Tokens that the cache must hold; null chooses.</param>
    /// <param name="path">The model, for messages.</param>
    /// <param name="available">Bytes that there are; null asks the machine.</param>
    /// <exception cref="UserErrorException">What is asked for, or one context, does not fit.</exception>
    public static int CachePages(ModelConfig config, int? cacheTokens, string path, long? available = null)
    {
        long there = available ?? AvailableMemory.Bytes();
        for (int contexts = UsualContexts; ; contexts /= 2)
        {
            long tokens = cacheTokens ?? UsualTokens(config, contexts);
            long pages = (tokens + KeyValueCache.PageTokens - 1) / KeyValueCache.PageTokens;
            long bytes = KeyValueCache.BytesOf(config.Layers, config.KeyValueHeads, config.HeadDimension, pages);
            if (bytes <= there && pages <= int.MaxValue) return (int)pages;
            if (cacheTokens is null && contexts > 1) continue;
            AvailableMemory.Require(bytes, FormattableString.Invariant($"{path}: a key/value cache of {tokens} tokens"),
                "use a model with a shorter context (max_position_embeddings in config.json), or a cache of fewer tokens", there);
        }
    }
}
