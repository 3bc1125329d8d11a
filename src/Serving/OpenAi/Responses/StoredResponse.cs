namespace OpenEuroLLM.Serving.OpenAi.Responses;

/// <summary>A response as it is kept: what its client may ask for again, and what a conversation goes on from.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Owner">The id of the key that asked; null on a server without keys.</param>
/// <param name="Previous">The response that it goes on from; null for none.</param>
/// <param name="Response">The response, as JSON.</param>
/// <param name="Input">The items of its request alone, as a JSON list.</param>
internal sealed record StoredResponse(string Id, string? Owner, string? Previous, ReadOnlyMemory<byte> Response, ReadOnlyMemory<byte> Input)
{
    // Names and the bookkeeping around them.
    private const int Overhead = 1024;

    /// <summary>What it takes in memory, about.</summary>
    public long Bytes => Response.Length + Input.Length + Overhead;
}

/// <summary>Where responses are kept. What one owner keeps does not exist for another.</summary>
internal interface IResponseStore
{
    /// <summary>Keeps a response; others may be forgotten for it.</summary>
    Task AddAsync(StoredResponse response, CancellationToken cancellation);

    /// <summary>The response, or null when this owner has none of this name. To be asked for counts as use.</summary>
    Task<StoredResponse?> FindAsync(string? owner, string id, CancellationToken cancellation);

    /// <summary>Forgets a response; false when this owner has none of this name.</summary>
    Task<bool> RemoveAsync(string? owner, string id, CancellationToken cancellation);
}
