using System.Collections.Frozen;

namespace OpenEuroLLM.Serving.Security;

/// <summary>What a key may be used for. A route demands exactly one of them.</summary>
public static class KeyScope
{
    /// <summary>Generating text, in every dialect, and counting its tokens.</summary>
    public const string Chat = "chat";

    /// <summary>Turning texts into vectors.</summary>
    public const string Embeddings = "embeddings";

    /// <summary>Seeing which models there are.</summary>
    public const string Models = "models";

    /// <summary>Reading <c>/metrics</c>.</summary>
    public const string Metrics = "metrics";

    /// <summary>All scopes, in the order in which they are shown.</summary>
    public static IReadOnlyList<string> All { get; } = [Chat, Embeddings, Models, Metrics];

    /// <summary>What a key gets when nothing is said: everything that a user's program needs.</summary>
    public static IReadOnlyList<string> Usual { get; } = [Chat, Embeddings, Models];

    internal static FrozenSet<string> Known { get; } = All.ToFrozenSet(StringComparer.Ordinal);
}

/// <summary>A key as the server knows it: never the key itself, only its hash.</summary>
/// <param name="Id">12 hex digits, the public part of the key; what logs and audit rows name.</param>
/// <param name="Name">Whose key it is, for people.</param>
/// <param name="Sha256">SHA-256 of the whole key, in lower-case hex. A plain hash suffices: the key holds 256 random bits, so that nobody can try them all.</param>
/// <param name="Scopes">What it may be used for (<see cref="KeyScope"/>).</param>
/// <param name="Created">When it was made.</param>
/// <param name="Expires">From when on it is refused; null for never.</param>
/// <param name="Revoked">When it was revoked; null while it is not.</param>
/// <param name="RequestsPerMinute">Most requests per minute; null for no limit.</param>
/// <param name="TokensPerDay">Most tokens of prompts and answers per day of UTC; null for no limit.</param>
/// <param name="Streams">Most requests at the same time; null for no limit.</param>
public sealed record ApiKey(
    string Id,
    string Name,
    string Sha256,
    IReadOnlyList<string> Scopes,
    DateTimeOffset Created,
    DateTimeOffset? Expires = null,
    DateTimeOffset? Revoked = null,
    int? RequestsPerMinute = null,
    long? TokensPerDay = null,
    int? Streams = null)
{
    /// <summary>Whether the key opens anything at this moment.</summary>
    public bool IsValid(DateTimeOffset now) => Revoked is null && (Expires is null || now < Expires);
}
