using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tensors;

/// <summary>Which two numbers of a head turn together.</summary>
public enum RotaryPairing
{
    /// <summary>Number i with i + R/2, R being the numbers that turn: Hugging Face's Llama ("rotate half").</summary>
    Half,

    /// <summary>Number 2i with 2i + 1: the paper's form, and GGUF's for the architecture <c>llama</c>.</summary>
    Interleaved,
}

/// <summary>How a model's rotary frequencies are slowed down for contexts beyond the one it was first trained with.</summary>
public enum RotaryScaling
{
    /// <summary>As trained.</summary>
    None,

    /// <summary>All frequencies divided by the factor. Source: arXiv:2306.15595.</summary>
    Linear,

    /// <summary>Long waves divided by the factor, short ones kept, those between blended; as published with Llama 3.1.</summary>
    Llama3,

    /// <summary>Pairs that turn often within the original context kept, those that turn seldom divided by the factor, those between blended by
    /// their number; queries and keys grow by the attention factor. Source: arXiv:2309.00071, with the rounded bounds of published configurations.</summary>
    Yarn,

    /// <summary>Each frequency divided by its own of <see cref="RotarySettings.Divisors"/>, as Phi-3 and Phi-4-mini list them for short and for long
    /// contexts: a model takes one list for all it computes, or keys that are cached would not fit later queries. Source: arXiv:2402.13753.</summary>
    LongRope,
}

/// <summary>Rotary position embedding: pair i of a head turns by position · frequency(i), frequency(i) = Theta^(−2i/R), then scaled.
/// Source: arXiv:2104.09864.</summary>
/// <param name="Theta">Base of the frequencies, above 1; <c>rope_theta</c>, <c>rope.freq_base</c>.</param>
/// <param name="Dimensions">R: so many of a head's first numbers turn, an even number; the rest stay. Null: all of them.
/// <c>partial_rotary_factor</c> times head dimension, <c>rope.dimension_count</c>.</param>
/// <param name="Pairing">Which numbers turn together.</param>
/// <param name="Scaling">How frequencies are slowed down; <c>rope_type</c>, <c>rope.scaling.type</c>.</param>
/// <param name="Factor">By how much, at least 1, for all kinds of scaling; LongRoPE: the context that is served over the original one.</param>
/// <param name="LowFrequencyFactor">Llama 3: waves longer than the original context divided by this are divided by the factor.</param>
/// <param name="HighFrequencyFactor">Llama 3: waves shorter than the original context divided by this are kept; above <paramref name="LowFrequencyFactor"/>.</param>
/// <param name="OriginalContextLength">Llama 3, YaRN, LongRoPE: context before scaling, in tokens; <c>original_max_position_embeddings</c>.</param>
/// <param name="Divisors">R/2 numbers by which the frequencies are divided last, as GGUF's tensor <c>rope_freqs.weight</c> lists them
/// for Llama 3 (then without <paramref name="Scaling"/>), or <c>short_factor</c> or <c>long_factor</c> for LongRoPE; empty: none.</param>
/// <param name="AttentionFactor">What turned numbers of queries and keys are multiplied by, above 0; <c>attention_factor</c>. Null: as the scaling
/// was published, 0.1 · ln(Factor) + 1 for YaRN, √(1 + ln(Factor) / ln(OriginalContextLength)) for LongRoPE, otherwise 1.</param>
/// <param name="BetaFast">YaRN: pairs with more turns than this within the original context are kept; <c>beta_fast</c>.</param>
/// <param name="BetaSlow">YaRN: pairs with fewer turns than this are divided by the factor; above 0, below <paramref name="BetaFast"/>; <c>beta_slow</c>.</param>
/// <param name="Truncate">YaRN: the two bounds are taken at whole pairs, outwards; <c>truncate</c>.</param>
public readonly record struct RotarySettings(double Theta, int? Dimensions = null, RotaryPairing Pairing = RotaryPairing.Half,
    RotaryScaling Scaling = RotaryScaling.None, double Factor = 1, double LowFrequencyFactor = 1, double HighFrequencyFactor = 4,
    int OriginalContextLength = 8192, ReadOnlyMemory<float> Divisors = default,
    double? AttentionFactor = null, double BetaFast = 32, double BetaSlow = 1, bool Truncate = true)
{
    /// <summary>Whole heads turn, in halves, with base 10,000 and without scaling.</summary>
    public RotarySettings() : this(10_000) { }

    /// <summary>Numbers of a head that turn.</summary>
    /// <param name="headDimension">Numbers of a head.</param>
    internal int TurnedOf(int headDimension) => Dimensions ?? headDimension;

    /// <summary>What turned numbers are multiplied by: <see cref="AttentionFactor"/>, or what was published with the scaling.</summary>
    internal double TurnedFactor => AttentionFactor ?? Scaling switch
    {
        RotaryScaling.Yarn => YarnAttentionFactor(Factor),
        RotaryScaling.LongRope => Numerics.Sqrt(1 + Numerics.Log(Factor) / Numerics.Log(OriginalContextLength)),
        _ => 1,
    };

    /// <summary>YaRN's attention factor, as configurations with <c>mscale</c> and <c>mscale_all_dim</c> define it.</summary>
    /// <param name="factor">Factor of the scaling.</param>
    /// <param name="scale"><c>mscale</c>; null or 0: not given.</param>
    /// <param name="scaleOfAll"><c>mscale_all_dim</c>; null or 0: not given. Only both together count.</param>
    public static double YarnAttentionFactor(double factor, double? scale = null, double? scaleOfAll = null)
    {
        if (factor <= 1) return 1;
        double Growth(double share) => 0.1 * share * Numerics.Log(factor) + 1;
        return scale is { } one && scaleOfAll is { } all && one != 0 && all != 0 ? Growth(one) / Growth(all) : Growth(1);
    }

    /// <summary>Refuses what has no meaning.</summary>
    /// <param name="headDimension">Numbers of a head.</param>
    /// <exception cref="ArgumentException">A setting is out of its range.</exception>
    public void Check(int headDimension)
    {
        var turned = TurnedOf(headDimension);
        if (turned < 2 || turned > headDimension || turned % 2 != 0)
            throw Refused(FormattableString.Invariant($"{turned} numbers of a head of {headDimension} turn; expected an even number from 2 to {headDimension}"));
        if (!(Theta > 1) || !double.IsFinite(Theta)) throw Refused(FormattableString.Invariant($"the base is {Theta}; expected a number above 1"));
        if (Scaling != RotaryScaling.None && (!(Factor >= 1) || !double.IsFinite(Factor)))
            throw Refused(FormattableString.Invariant($"the factor of the scaling is {Factor}; expected at least 1"));
        if (Scaling == RotaryScaling.Llama3)
        {
            if (!(LowFrequencyFactor > 0) || !(HighFrequencyFactor > LowFrequencyFactor) || !double.IsFinite(HighFrequencyFactor))
                throw Refused(FormattableString.Invariant($"low and high frequency factor are {LowFrequencyFactor} and {HighFrequencyFactor}; expected 0 < low < high"));
        }
        if (Scaling == RotaryScaling.Yarn && (!(BetaSlow > 0) || !(BetaFast > BetaSlow) || !double.IsFinite(BetaFast)))
            throw Refused(FormattableString.Invariant($"the betas, slow and fast, are {BetaSlow} and {BetaFast}; expected 0 < slow < fast"));
        if (Scaling == RotaryScaling.LongRope && Divisors.IsEmpty)
            throw Refused("LongRoPE has no divisors; expected one for each frequency");
        var shortest = Scaling == RotaryScaling.LongRope ? 2 : 1; // its logarithm is divided by
        if (Scaling is RotaryScaling.Llama3 or RotaryScaling.Yarn or RotaryScaling.LongRope && OriginalContextLength < shortest)
            throw Refused(FormattableString.Invariant($"the original context is {OriginalContextLength} tokens; expected at least {shortest}"));
        if (AttentionFactor is { } attention && (!(attention > 0) || !double.IsFinite(attention)))
            throw Refused(FormattableString.Invariant($"the attention factor is {attention}; expected a number above 0"));
        if (Divisors.IsEmpty) return;
        if (Divisors.Length != turned / 2)
            throw Refused(FormattableString.Invariant($"{Divisors.Length} divisors are listed; expected {turned / 2}, one for each frequency"));
        foreach (var divisor in Divisors.Span)
        {
            if (!(divisor > 0) || !float.IsFinite(divisor)) throw Refused(FormattableString.Invariant($"a divisor is {divisor}; expected a number above 0"));
        }
    }

    private static ArgumentException Refused(string what) => new($"rotary embedding: {what}");
}
