using System.Numerics;

namespace OpenEuroLLM.Inference.Grammars;

/// <summary>How far one answer has come in its grammar.</summary>
/// <param name="matcher">The grammar, shared with other answers.</param>
/// <param name="ends">The tokens that end an answer; they may come where the answer can end, and nowhere else.</param>
internal sealed class AnswerGrammar(GrammarMatcher matcher, int[] ends)
{
    private readonly float[] _endLogits = new float[ends.Length];
    private readonly HashSet<ulong> _masked = []; // the states whose masks were counted
    private MatcherState? _current; // set by the worker: the matcher is its own
    private long _work;
    private int _tokens;

    private MatcherState Place => _current = _current is null ? matcher.Start : matcher.Current(_current);

    /// <summary>Steps so far, as the budget counts them.</summary>
    public long Work => _work;

    /// <summary>Whether nothing can follow.</summary>
    public bool IsComplete => Place.MustEnd;

    /// <summary>Takes away all tokens that cannot come next.</summary>
    /// <exception cref="RequestException">Too many readings are possible.</exception>
    public void Mask(Span<float> logits)
    {
        var place = Place;
        var mask = matcher.MaskOf(place);
        if (_masked.Add(place.Identity)) Count(place.MaskCost);
        for (int i = 0; i < ends.Length; i++) _endLogits[i] = logits[ends[i]];
        for (int word = 0; word < mask.Length; word++)
        {
            ulong allowed = mask[word];
            if (allowed == ulong.MaxValue) continue;
            var some = logits.Slice(word * 64, Math.Min(64, logits.Length - word * 64));
            if (allowed == 0)
            {
                some.Fill(float.NegativeInfinity);
                continue;
            }

            for (ulong forbidden = some.Length == 64 ? ~allowed : ~allowed & ((1UL << some.Length) - 1); forbidden != 0; forbidden &= forbidden - 1)
                some[BitOperations.TrailingZeroCount(forbidden)] = float.NegativeInfinity;
        }

        if (mask.Length * 64 < logits.Length) logits[(mask.Length * 64)..].Fill(float.NegativeInfinity);
        for (int i = 0; i < ends.Length; i++) logits[ends[i]] = place.MayEnd ? _endLogits[i] : float.NegativeInfinity;
    }

    /// <summary>Goes on behind a token that does not end the answer.</summary>
    /// <exception cref="RequestException">Too many readings are possible.</exception>
    public void Add(int id)
    {
        _current = matcher.After(Place, id, out int work);
        _tokens++;
        Count(work);
    }

    /// <summary>The end of an answer that cannot go on.</summary>
    public RequestException DeadEnd() => new(matcher.Field,
        "the model has no token with which the answer could go on in the form that was asked for; expected a token for every byte that does not end the answer. Use another model, or leave out stop_token_ids.");

    private void Count(int work)
    {
        if ((_work += work) > matcher.Limits.AnswerWork + (long)_tokens * matcher.Limits.TokenWork) throw matcher.TooAmbiguous();
    }
}
