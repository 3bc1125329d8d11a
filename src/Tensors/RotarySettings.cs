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
}

/// <summary>Rotary position embedding: pair i of a head turns by position · frequency(i), frequency(i) = Theta^(−2i/R), then scaled.
/// Source: arXiv:2104.09864.</summary>
/// <param name="Theta">Base of the frequencies, above 1; <c>rope_theta</c>, <c>rope.freq_base</c>.</param>
/// <param name="Dimensions">R: so many of a head's first numbers turn, an even number; the rest stay. Null: all of them.
/// <c>partial_rotary_factor</c> times head dimension, <c>rope.dimension_count</c>.</param>
/// <param name="Pairing">Which numbers turn together.</param>
/// <param name="Scaling">How frequencies are slowed down; <c>rope_type</c>, <c>rope.scaling.type</c>.</param>
/// <param name="Factor">By how much, at least 1, for both kinds of scaling.</param>
/// <param name="LowFrequencyFactor">Llama 3: waves longer than the original context divided by this are divided by the factor.</param>
/// <param name="HighFrequencyFactor">Llama 3: waves shorter than the original context divided by this are kept; above <paramref name="LowFrequencyFactor"/>.</param>
/// <param name="OriginalContextLength">Llama 3: context before scaling, in tokens; <c>original_max_position_embeddings</c>.</param>
/// <param name="Divisors">R/2 numbers by which the frequencies are divided last, as GGUF's tensor <c>rope_freqs.weight</c> lists them
/// for Llama 3 (then without <paramref name="Scaling"/>); empty: none.</param>
public readonly record struct RotarySettings(double Theta, int? Dimensions = null, RotaryPairing Pairing = RotaryPairing.Half,
    RotaryScaling Scaling = RotaryScaling.None, double Factor = 1, double LowFrequencyFactor = 1, double HighFrequencyFactor = 4,
    int OriginalContextLength = 8192, ReadOnlyMemory<float> Divisors = default)
{
    /// <summary>Whole heads turn, in halves, with base 10,000 and without scaling.</summary>
    public RotarySettings() : this(10_000) { }

    /// <summary>Numbers of a head that turn.</summary>
    /// <param name="headDimension">Numbers of a head.</param>
    internal int TurnedOf(int headDimension) => Dimensions ?? headDimension;

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
            if (OriginalContextLength < 1)
                throw Refused(FormattableString.Invariant($"the original context is {OriginalContextLength} tokens; expected at least 1"));
        }
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
