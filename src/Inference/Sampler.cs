using System.Runtime.InteropServices;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Inference;

/// <summary>Chooses the next token from logits, reproducibly: the draw is a function of (seed, choice, token index), sums run in a fixed
/// order, and among equal logits the lowest id comes first. Nothing here depends on what else is in the batch.</summary>
/// <remarks>One instance serves one thread: it owns the scratch memory of a whole vocabulary.</remarks>
internal sealed class Sampler(int vocabularySize)
{
    private readonly Candidate[] _candidates = new Candidate[vocabularySize];

    /// <summary>Chooses a token.</summary>
    /// <param name="logits">One per token id; changed in place by the repetition penalty.</param>
    /// <param name="sampling">How to choose.</param>
    /// <param name="seen">Token ids of prompt and answer so far, each once.</param>
    /// <param name="choice">The answer, from 0.</param>
    /// <param name="tokenIndex">The token's place in the answer, from 0.</param>
    /// <exception cref="UserErrorException">A logit is not a number: the weights are damaged.</exception>
    public int Choose(Span<float> logits, Sampling sampling, HashSet<int> seen, int choice, int tokenIndex)
    {
        CheckNumbers(logits, tokenIndex);
        if (sampling.RepetitionPenalty != 1)
        {
            float penalty = (float)sampling.RepetitionPenalty;
            foreach (int id in seen) logits[id] = logits[id] > 0 ? logits[id] / penalty : logits[id] * penalty;
        }

        int best = Highest(logits);
        if (sampling.Temperature == 0) return best;

        var kept = Keep(logits, logits[best], sampling);
        double total = 0;
        foreach (ref readonly var candidate in kept) total += candidate.Weight;
        double drawn = new CounterRandom(sampling.Seed, (ulong)choice).UniformAt((ulong)tokenIndex) * total;
        double sum = 0;
        foreach (ref readonly var candidate in kept)
        {
            sum += candidate.Weight;
            if (drawn < sum) return candidate.Id;
        }

        return best; // only when the product above was rounded up to the total itself
    }

    private static void CheckNumbers(ReadOnlySpan<float> logits, int tokenIndex)
    {
        bool possible = false;
        for (int id = 0; id < logits.Length; id++)
        {
            if (float.IsNaN(logits[id]) || float.IsPositiveInfinity(logits[id])) throw NotANumber(logits[id], id, tokenIndex);
            possible |= !float.IsNegativeInfinity(logits[id]);
        }

        if (!possible) throw NotANumber(float.NegativeInfinity, 0, tokenIndex);
    }

    private static UserErrorException NotANumber(float found, int id, int tokenIndex) => new(
        FormattableString.Invariant($"the model gave the logit {found} for token id {id} at token {tokenIndex} of the answer; ") +
        "expected a finite number. The weights are damaged: verify the model folder or make it again.");

    private static int Highest(ReadOnlySpan<float> logits)
    {
        int best = 0;
        for (int id = 1; id < logits.Length; id++)
            if (logits[id] > logits[best]) best = id;
        return best;
    }

    /// <summary>The candidates after temperature, top-k and top-p: in ascending id without a cut, by descending logit with one.</summary>
    private ReadOnlySpan<Candidate> Keep(ReadOnlySpan<float> logits, float highest, Sampling sampling)
    {
        for (int id = 0; id < logits.Length; id++)
            _candidates[id] = new Candidate(id, logits[id], Numerics.Exp(((double)logits[id] - highest) / sampling.Temperature));

        var kept = _candidates.AsSpan(0, logits.Length);
        bool cutByCount = sampling.TopK > 0 && sampling.TopK < kept.Length;
        if (!cutByCount && sampling.TopP >= 1) return kept;

        MemoryExtensions.Sort(kept);
        if (cutByCount) kept = kept[..sampling.TopK];
        if (sampling.TopP >= 1) return kept;

        double total = 0, sum = 0;
        foreach (ref readonly var candidate in kept) total += candidate.Weight;
        for (int i = 0; i < kept.Length; i++)
        {
            sum += kept[i].Weight;
            if (sum >= sampling.TopP * total) return kept[..(i + 1)];
        }

        return kept;
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Candidate(int Id, float Logit, double Weight) : IComparable<Candidate>
    {
        public int CompareTo(Candidate other)
        {
            int byLogit = other.Logit.CompareTo(Logit);
            return byLogit != 0 ? byLogit : Id.CompareTo(other.Id);
        }
    }
}
