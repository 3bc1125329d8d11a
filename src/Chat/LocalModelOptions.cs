namespace OpenEuroLLM.Chat;

/// <summary>How a model is loaded.</summary>
/// <param name="Path">A model folder, or a GGUF file.</param>
/// <param name="Threads">Threads that compute; null for one per processor. The number changes no answer.</param>
/// <param name="CacheTokens">Tokens that the key/value cache holds, of all conversations under way; null chooses by the memory there is.</param>
public sealed record LocalModelOptions(string Path, int? Threads = null, int? CacheTokens = null);
