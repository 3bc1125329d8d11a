namespace OpenEuroLLM.Inference;

/// <summary>The one table of limits that every request is checked against.</summary>
/// <param name="MaxTemperature">Highest temperature; the lowest is 0.</param>
/// <param name="MaxTopK">Highest top-k; the lowest is 0, which switches it off.</param>
/// <param name="MinRepetitionPenalty">Lowest repetition penalty.</param>
/// <param name="MaxRepetitionPenalty">Highest repetition penalty.</param>
/// <param name="MaxStops">Most stop texts.</param>
/// <param name="MaxStopCharacters">Longest stop text, in characters (code points).</param>
/// <param name="MaxChoices">Most answers to one request.</param>
/// <param name="MaxMessages">Most messages of one conversation.</param>
/// <param name="MaxInputBytes">Longest input text, all messages together, in bytes of UTF-8.</param>
public sealed record RequestLimits(
    double MaxTemperature = 2,
    int MaxTopK = 1_000_000,
    double MinRepetitionPenalty = 0.01,
    double MaxRepetitionPenalty = 10,
    int MaxStops = 16,
    int MaxStopCharacters = 256,
    int MaxChoices = 16,
    int MaxMessages = 4096,
    int MaxInputBytes = 4 << 20);
