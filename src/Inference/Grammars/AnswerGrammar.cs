using System.Numerics;

namespace OpenEuroLLM.Inference.Grammars;

/// <summary>How far one answer has come in its grammar.</summary>
/// <param name="matcher">The grammar, shared with other answers.</param>
/// <param name="ends">The tokens that end an answer; they may come where the answer can end, and nowhere else.</param>
internal sealed class AnswerGrammar(GrammarMatcher matcher, int[] ends)
{
    private readonly float[] _endLogits = new float[ends.Length];
    private MatcherState? _current; // set by the worker: the matcher is its own
    private long _work;
    private int _tokens;

    private MatcherState Place => _current ??= matcher.Start;

    /// <summary>Whether nothing can follow.</summary>
    public bool IsComplete => Place.MustEnd;

    /// <summary>Takes away all tokens that cannot come next.</summary>
    /// <exception cref="RequestException">No token can, or too many readings are possible.</exception>
    public void Mask(Span<float> logits)
    {
        var mask = matcher.MaskOf(Place);
        Count();
        if (mask.IndexOfAnyExcept(0UL) < 0 && !(Place.MayEnd && ends.Length > 0))
            throw new RequestException("grammar", "the model's vocabulary has no token with which the answer could go on in the form that was asked for; expected a token for every byte. Use another model.");
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
        for (int i = 0; i < ends.Length; i++) logits[ends[i]] = Place.MayEnd ? _endLogits[i] : float.NegativeInfinity;
    }

    /// <summary>Goes on behind a token that does not end the answer.</summary>
    public void Add(int id)
    {
        _current = matcher.After(Place, id);
        _tokens++;
        Count();
    }

    private void Count()
    {
        if ((_work += matcher.Work) > matcher.Limits.AnswerWork + (long)_tokens * matcher.Limits.TokenWork) throw GrammarMatcher.TooAmbiguous();
    }
}
