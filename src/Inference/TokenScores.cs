using OpenEuroLLM.Core;

namespace OpenEuroLLM.Inference;

/// <summary>How likely a token was, by the model's own distribution.</summary>
/// <param name="LogProbability">Natural logarithm of the token's probability: of the softmax over the raw logits, before bias,
/// penalties, temperature and cuts, so that it does not depend on how the token was chosen.</param>
/// <param name="Alternatives">The most likely tokens of the same place, the most likely first, equal ones by ascending id; as many as
/// were asked for.</param>
public sealed record TokenLikelihood(double LogProbability, IReadOnlyList<TokenAlternative> Alternatives);

/// <summary>A token that could have stood in a place.</summary>
/// <param name="Id">The token's id.</param>
/// <param name="LogProbability">Natural logarithm of its probability; see <see cref="TokenLikelihood"/>.</param>
public sealed record TokenAlternative(int Id, double LogProbability);

/// <summary>Log-probabilities of one row of logits. Keeps a copy of the row, because choosing changes the logits. Serves one thread.</summary>
internal sealed class TokenScores(int vocabularySize, IReadOnlyList<int>? textless = null)
{
    private readonly float[] _logits = new float[vocabularySize];
    private readonly HashSet<int> _textless = [.. textless ?? []];
    private double _normalizer;

    /// <summary>Takes the raw logits.</summary>
    public void Take(ReadOnlySpan<float> logits)
    {
        logits.CopyTo(_logits);
        double highest = float.NegativeInfinity, sum = 0;
        foreach (float logit in logits) highest = Math.Max(highest, logit);
        foreach (float logit in logits) sum += Numerics.Exp(logit - highest);
        _normalizer = highest + Numerics.Log(sum);
    }

    /// <summary>What they say about a token.</summary>
    public TokenLikelihood Of(int id, int alternatives)
    {
        var best = new TokenAlternative[Math.Min(alternatives, _logits.Length - _textless.Count)];
        int taken = -1;
        for (int place = 0; place < best.Length; place++)
        {
            int next = -1;
            for (int other = 0; other < _logits.Length; other++)
                if (Follows(other, taken) && !_textless.Contains(other) && (next < 0 || _logits[other] > _logits[next])) next = other;
            best[place] = new TokenAlternative(next, LogProbability(next));
            taken = next;
        }

        return new TokenLikelihood(LogProbability(id), best);
    }

    // By descending logit, then ascending id.
    private bool Follows(int id, int taken) =>
        taken < 0 || _logits[id] < _logits[taken] || (_logits[id] == _logits[taken] && id > taken);

    private double LogProbability(int id) => _logits[id] - _normalizer;
}
