namespace OpenEuroLLM.Serving.Security;

/// <summary>Whose request is being answered, for the parts that see no HTTP.</summary>
/// <param name="KeyId">The id of the key, or null on a server without keys.</param>
/// <param name="Use">Where tokens are charged, or null on a server without keys.</param>
internal sealed record Caller(string? KeyId, KeyUse? Use)
{
    private static readonly AsyncLocal<Caller?> Ambient = new();

    /// <summary>The caller of the request that this code runs for; null outside of requests.</summary>
    public static Caller? Current
    {
        get => Ambient.Value;
        set => Ambient.Value = value;
    }
}
