using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Inference;

/// <summary>The names of one sequence's full pages, computed once each as the sequence grows.</summary>
internal sealed class PageNames(int pageTokens, string? salt, int mostTokens)
{
    private readonly PrefixHash[] _names = new PrefixHash[mostTokens / pageTokens];
    private PrefixHash _last = PrefixHash.Root(salt);
    private int _count;
    private int _kept;

    /// <summary>The names of the full pages of a beginning.</summary>
    public ReadOnlySpan<PrefixHash> Of(ReadOnlySpan<int> tokens)
    {
        int full = tokens.Length / pageTokens;
        for (; _count < full; _count++) _names[_count] = _last = _last.Next(tokens.Slice(_count * pageTokens, pageTokens));
        return _names.AsSpan(0, full);
    }

    /// <summary>Keeps the pages that have become full.</summary>
    public void KeepFull(ICachedSequence sequence, ReadOnlySpan<int> tokens)
    {
        if (tokens.Length / pageTokens <= _kept) return;
        foreach (var name in Of(tokens)[_kept..]) sequence.Keep(_kept++, name);
    }
}
