namespace OpenEuroLLM.Inference;

/// <summary>How much an engine does at once. None of these values changes any answer.</summary>
/// <param name="BatchRows">Most rows (tokens) of one forward call.</param>
/// <param name="Sequences">Most answers generated at the same time.</param>
/// <param name="WaitingAnswers">Most answers that wait; one more is refused with <see cref="RequestErrorCode.Overloaded"/>. While several tenants wait, each may fill
/// its share: the newest requests of the one that holds the most give way to a tenant that holds less.</param>
/// <param name="CacheTokens">Tokens that the key/value cache holds, all sequences together; null for eight full contexts, and at least 16,384.</param>
public sealed record EngineLimits(
    int BatchRows = 256,
    int Sequences = 64,
    int WaitingAnswers = 128,
    int? CacheTokens = null);
