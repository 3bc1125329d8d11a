namespace OpenEuroLLM.Serving;

/// <summary>How much of what OpenAI's Responses ask to be stored is kept, in memory only. Beyond a limit the responses that were not used for
/// the longest time are forgotten; a restart forgets all of them.</summary>
/// <param name="MaxPerKey">Most responses of one key, or of everybody on a server without keys.</param>
/// <param name="MaxBytesPerKey">Most bytes of one key; a request of more than half of that is not stored but refused.</param>
/// <param name="MaxBytes">Most bytes of all keys together.</param>
/// <param name="MaxHours">A response that was not used for so long is forgotten, in hours. To be read or continued counts as use.</param>
public sealed record StoredResponseLimits(int MaxPerKey = 1_000, long MaxBytesPerKey = 32 << 20, long MaxBytes = 256 << 20, double MaxHours = 24);
