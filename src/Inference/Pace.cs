namespace OpenEuroLLM.Inference;

/// <summary>How fast the last hundred steps were and how long answers are, to tell clients when another attempt has a chance.</summary>
internal sealed class Pace
{
    private const double Kept = 0.99;       // of the past, at each step
    private const double OfNewest = 0.05;   // an answer's part in the usual length

    private double _tokens, _seconds, _answerTokens = double.PositiveInfinity;

    /// <summary>Tokens a second; 0 while nothing is known.</summary>
    public double TokensPerSecond => _seconds > 0 ? _tokens / _seconds : 0;

    /// <summary>Tokens of a usual answer; infinite while none has ended.</summary>
    public double AnswerTokens => _answerTokens;

    /// <summary>Learns from one step.</summary>
    public void Stepped(int tokens, double seconds) => (_tokens, _seconds) = ((_tokens * Kept) + tokens, (_seconds * Kept) + seconds);

    /// <summary>Learns from one complete answer.</summary>
    public void Answered(int tokens) => _answerTokens = double.IsFinite(_answerTokens) ? _answerTokens + (OfNewest * (tokens - _answerTokens)) : tokens;

    /// <summary>How long that many tokens take; 0 while nothing is known.</summary>
    public double SecondsFor(double tokens) => TokensPerSecond > 0 ? tokens / TokensPerSecond : 0;
}
