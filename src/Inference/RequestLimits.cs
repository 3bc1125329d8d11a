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
/// <param name="MaxPenalty">Highest presence and frequency penalty; the lowest is the same below 0.</param>
/// <param name="MaxBias">Highest logit bias; the lowest is the same below 0.</param>
/// <param name="MaxBiases">Most tokens with a bias.</param>
/// <param name="MaxStopTokens">Most token ids that end an answer.</param>
/// <param name="MaxLogprobs">Most alternatives beside a token's likelihood.</param>
/// <param name="MaxSpeculation">Most tokens of a guess, and of a match.</param>
/// <param name="MaxSaltLength">Longest cache salt and longest name of a tenant, in UTF-16 units.</param>
/// <param name="MaxEmbeddingInputs">Most inputs of one call for embeddings.</param>
/// <param name="MaxPrompts">Most prompts of one call that completes texts.</param>
/// <param name="MaxTools">Most tools of one conversation.</param>
public sealed record RequestLimits(
    double MaxTemperature = 2,
    int MaxTopK = 1_000_000,
    double MinRepetitionPenalty = 0.01,
    double MaxRepetitionPenalty = 10,
    int MaxStops = 16,
    int MaxStopCharacters = 256,
    int MaxChoices = 16,
    int MaxMessages = 4096,
    int MaxInputBytes = 4 << 20,
    double MaxPenalty = 2,
    double MaxBias = 100,
    int MaxBiases = 1024,
    int MaxStopTokens = 64,
    int MaxLogprobs = 20,
    int MaxSpeculation = 64,
    int MaxSaltLength = 256,
    int MaxEmbeddingInputs = 2048,
    int MaxPrompts = 256,
    int MaxTools = 128);
