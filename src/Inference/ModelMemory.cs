using OpenEuroLLM.Core;
using OpenEuroLLM.Models;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Inference;

/// <summary>Whether a model and its cache fit into this machine, before either is made.</summary>
public static class ModelMemory
{
    private const int UsualContexts = 8;

    /// <summary>Bytes of a model's weights, which are held as they are stored.</summary>
    /// <param name="path">A model folder, or one file; nothing there has no bytes.</param>
    public static long WeightBytes(string path) => File.Exists(path) ? SizeOf(path)
        : Directory.Exists(path) ? Directory.EnumerateFiles(path, "*.safetensors").Sum(SizeOf) : 0;

    // The files of a cache are links, whose own size is that of a path.
    private static long SizeOf(string path) => File.ResolveLinkTarget(path, returnFinalTarget: true) is FileInfo target ? target.Length : new FileInfo(path).Length;

    /// <summary>Refuses a model whose weights are larger than the memory there is.</summary>
    /// <param name="path">A model folder, or one file.</param>
    /// <param name="available">Bytes that there are; null asks the machine.</param>
    /// <exception cref="UserErrorException">It is too large.</exception>
    public static void RequireWeights(string path, long? available = null) =>
        AvailableMemory.Require(WeightBytes(path), $"{path}: loading the weights", "use a smaller model, or one with fewer bits for each weight", available);

    /// <summary>Pages of the key/value cache: as asked for, or else room for eight full contexts, or for fewer where memory is short,
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
            long tokens = cacheTokens ?? (long)contexts * config.ContextLength;
            long pages = (tokens + KeyValueCache.PageTokens - 1) / KeyValueCache.PageTokens;
            long bytes = KeyValueCache.BytesOf(config.Layers, config.KeyValueHeads, config.HeadDimension, pages);
            if (bytes <= there && pages <= int.MaxValue) return (int)pages;
            if (cacheTokens is null && contexts > 1) continue;
            AvailableMemory.Require(bytes, FormattableString.Invariant($"{path}: a key/value cache of {tokens} tokens"),
                "use a model with a shorter context (max_position_embeddings in config.json), or a cache of fewer tokens", there);
        }
    }
}
