namespace OpenEuroLLM.Corpus.Extraction;

/// <summary>A page as it was fetched or saved.</summary>
/// <param name="Id">Its address, or its file's name.</param>
/// <param name="Url">Its address, where it has one.</param>
/// <param name="Bytes">Its bytes in whatever encoding.</param>
/// <param name="Charset">The encoding that the server named, or null.</param>
internal sealed record WebPage(string Id, string? Url, byte[] Bytes, string? Charset);
