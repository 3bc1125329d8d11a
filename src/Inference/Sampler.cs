using System.Runtime.InteropServices;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Inference;

/// <summary>Chooses the next token from logits, reproducibly: the draw is a function of (seed, choice, token index), sums run in a fixed
/// order, and among equal logits the lowest id comes first. Nothing here depends on what else is in the batch.</summary>
/// <remarks>One instance serves one thread: it owns the scratch memory of a whole vocabulary.</remarks>
/// <param name="vocabularySize">Logits of a row.</param>
/// <param name="textless">Ids that the tokenizer has no token for, such as rows that only fill the vocabulary up: never chosen.</param>
internal sealed class Sampler(int vocabularySize, IReadOnlyList<int>? textless = null)
{
    private readonly Candidate[] _candidates = new Candidate[vocabularySize];
    private readonly Deviation[] _deviations = new Deviation[vocabularySize];
    private readonly int[] _textless = [.. textless ?? []];
    private readonly LogitOrder _order = new(vocabularySize);

    /// <summary>Chooses a token and notes it in <paramref name="state"/>.</summary>
    /// <param name="logits">One per token id; changed in place by grammar, bias and penalties.</param>
    /// <param name="state">How to choose.</param>
    /// <param name="grammar">What tokens may come at all; null for any.</param>
    /// <exception cref="UserErrorException">A logit is not a number: the weights are damaged.</exception>
    /// <exception cref="RequestException">No token can come next in the grammar.</exception>
    public int Choose(Span<float> logits, SamplingState state, Grammars.AnswerGrammar? grammar = null)
    {
        CheckNumbers(logits, state.Generated);
        foreach (int id in _textless) logits[id] = float.NegativeInfinity;
        grammar?.Mask(logits);
        state.Modify(logits);
        int best = LogitOrder.Highest(logits);
        if (float.IsNegativeInfinity(logits[best])) throw grammar?.DeadEnd() ?? (Exception)NotANumber(logits[best], best, state.Generated);
        int chosen = state.Sampling.Temperature == 0 ? best : Draw(Keep(logits, logits[best], state.Sampling), state, best);
        state.Add(chosen);
        return chosen;
    }

    /// <summary>Whether every logit is a number.</summary>
    /// <exception cref="UserErrorException">One is not.</exception>
    public static void CheckNumbers(ReadOnlySpan<float> logits, int tokenIndex)
    {
        if (LogitOrder.FirstBad(logits) is var id and >= 0) throw NotANumber(logits[id], id, tokenIndex);
    }

    private static int Draw(ReadOnlySpan<Candidate> kept, SamplingState state, int best)
    {
        double total = 0;
        foreach (ref readonly var candidate in kept) total += candidate.Weight;
        double drawn = new CounterRandom(state.Sampling.Seed, (ulong)state.Choice).UniformAt((ulong)state.Generated) * total;
        double sum = 0;
        foreach (ref readonly var candidate in kept)
        {
            sum += candidate.Weight;
            if (drawn < sum) return candidate.Id;
        }

        return best; // only when the product above was rounded up to the total itself
    }

    private static UserErrorException NotANumber(float found, int id, int tokenIndex) => new(
        FormattableString.Invariant($"the model gave the logit {found} for token id {id} at token {tokenIndex} of the answer; ") +
        "expected a finite number. The weights are damaged: verify the model folder or make it again.");

    /// <summary>The candidates after temperature, top-k, top-p, min-p and typical: in ascending id without a cut by order, by descending
    /// logit with one, by deviation with the last.</summary>
    private ReadOnlySpan<Candidate> Keep(ReadOnlySpan<float> logits, float highest, Sampling sampling)
    {
        int count = 0;
        // Relative to the most likely token, whose weight is 1, min-p needs no order and no sum; done first where nothing else cuts.
        bool cutByCount = sampling.TopK > 0 && sampling.TopK < logits.Length;
        bool sorted = cutByCount || sampling.TopP < 1;
        double Weight(float logit) => Numerics.Exp(((double)logit - highest) / sampling.Temperature);
        if (sorted)
        {
            var order = _order.Descending(logits);
            foreach (int id in cutByCount ? order[..sampling.TopK] : order) _candidates[count++] = new Candidate(id, logits[id], Weight(logits[id]));
        }
        else
        {
            for (int id = 0; id < logits.Length; id++)
                if (Weight(logits[id]) is var weight && weight >= sampling.MinP) _candidates[count++] = new Candidate(id, logits[id], weight);
        }

        var kept = _candidates.AsSpan(0, count);
        if (sorted)
        {
            if (sampling.TopP < 1) kept = kept[..Reaching(kept, sampling.TopP)];
            while (kept[^1].Weight < sampling.MinP) kept = kept[..^1];
        }

        return sampling.TypicalP < 1 ? Typical(kept, sampling.TypicalP) : kept;
    }

    /// <summary>How many of the first candidates reach a share of the weights of all.</summary>
    private static int Reaching(ReadOnlySpan<Candidate> candidates, double share)
    {
        double total = 0, sum = 0;
        foreach (ref readonly var candidate in candidates) total += candidate.Weight;
        for (int i = 0; i < candidates.Length; i++)
        {
            sum += candidates[i].Weight;
            if (sum >= share * total) return i + 1;
        }

        return candidates.Length;
    }

    /// <summary>Those whose surprise is nearest to the expected one, as many as reach the share. Source: arXiv:2202.00666, section 3.</summary>
    private ReadOnlySpan<Candidate> Typical(Span<Candidate> candidates, double share)
    {
        double total = 0, entropy = 0;
        foreach (ref readonly var candidate in candidates) total += candidate.Weight;
        var deviations = _deviations.AsSpan(0, candidates.Length);
        for (int i = 0; i < candidates.Length; i++)
        {
            double probability = candidates[i].Weight / total;
            double surprise = probability > 0 ? -Numerics.Log(probability) : double.PositiveInfinity;
            if (probability > 0) entropy += probability * surprise;
            deviations[i] = new Deviation(surprise, candidates[i]);
        }

        for (int i = 0; i < deviations.Length; i++) deviations[i] = deviations[i] with { Distance = Math.Abs(deviations[i].Distance - entropy) };
        MemoryExtensions.Sort(deviations);
        for (int i = 0; i < deviations.Length; i++) candidates[i] = deviations[i].Candidate;
        return candidates[..Reaching(candidates, share)];
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

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Deviation(double Distance, Candidate Candidate) : IComparable<Deviation>
    {
        public int CompareTo(Deviation other)
        {
            int byDistance = Distance.CompareTo(other.Distance);
            return byDistance != 0 ? byDistance : Candidate.CompareTo(other.Candidate);
        }
    }
}
