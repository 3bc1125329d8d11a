namespace OpenEuroLLM.Models;

/// <summary>The two lists of LongRoPE, by which rotary frequencies are divided. Source: arXiv:2402.13753.</summary>
/// <param name="Short">For contexts up to the original one; <c>short_factor</c>, <c>rope_factors_short.weight</c>.</param>
/// <param name="Long">For longer ones; <c>long_factor</c>, <c>rope_factors_long.weight</c>.</param>
/// <remarks>Which of them applies is decided once for a model, by its context length, and never by the length of a text: keys in a cache were turned
/// with one list and do not fit queries turned with the other, and the same tokens would give other bits with other neighbours in a batch. A model
/// whose context is longer than the original one takes the long list for short texts too, as llama.cpp does for a context of that size.</remarks>
public sealed record LongRopeDivisors(ReadOnlyMemory<float> Short, ReadOnlyMemory<float> Long)
{
    /// <summary>The list for a model.</summary>
    /// <param name="contextLength">Longest sequence that the model serves, in tokens.</param>
    /// <param name="original">Context before scaling, in tokens.</param>
    public ReadOnlyMemory<float> For(int contextLength, int original) => contextLength > original ? Long : Short;
}
