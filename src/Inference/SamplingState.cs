namespace OpenEuroLLM.Inference;

/// <summary>How the tokens of one answer are chosen, and what the penalties know of it so far.</summary>
internal sealed class SamplingState
{
    private readonly (int Id, float Bias)[] _bias;
    private readonly Dictionary<int, int>? _counts;    // of each token seen, how often it was generated; null without penalties

    /// <param name="sampling">How to choose.</param>
    /// <param name="choice">The answer, from 0.</param>
    /// <param name="prompt">The prompt's tokens.</param>
    public SamplingState(Sampling sampling, int choice, ReadOnlySpan<int> prompt)
    {
        (Sampling, Choice) = (sampling, choice);
        _bias = [.. (sampling.LogitBias ?? new Dictionary<int, double>()).OrderBy(pair => pair.Key).Select(pair => (pair.Key, (float)pair.Value))];
        if (sampling is { RepetitionPenalty: 1, PresencePenalty: 0, FrequencyPenalty: 0 }) return;
        _counts = [];
        if (sampling.RepetitionPenalty == 1) return;
        foreach (int id in prompt) _counts.TryAdd(id, 0);
    }

    public Sampling Sampling { get; }

    public int Choice { get; }

    /// <summary>Tokens of the answer so far.</summary>
    public int Generated { get; private set; }

    /// <summary>Notes the token that was chosen.</summary>
    public void Add(int id)
    {
        Generated++;
        if (_counts is not null) _counts[id] = _counts.GetValueOrDefault(id) + 1;
    }

    /// <summary>Bias and penalties, in their order.</summary>
    public void Modify(Span<float> logits)
    {
        foreach (var (id, bias) in _bias) logits[id] += bias;
        if (_counts is null) return;
        float repetition = (float)Sampling.RepetitionPenalty, presence = (float)Sampling.PresencePenalty, frequency = (float)Sampling.FrequencyPenalty;
        foreach (var (id, count) in _counts) // each changes its own logit only, so their order does not matter
        {
            ref float logit = ref logits[id];
            if (repetition != 1) logit = logit > 0 ? logit / repetition : logit * repetition;
            if (count > 0) logit -= count * frequency + presence;
        }
    }
}
