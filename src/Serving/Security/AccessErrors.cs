namespace OpenEuroLLM.Serving.Security;

/// <summary>Everything that access control says to a client. None of it tells whether a key exists, was revoked or has expired.</summary>
internal static class AccessErrors
{
    public static ApiException NoKey() => new(401, "invalid_api_key", "A valid API key is needed; send it as 'Authorization: Bearer KEY'.");

    public static ApiException NoScope(string scope) => new(403, "insufficient_scope", $"This API key may not be used here; it would need the scope '{scope}'.");

    public static ApiException NotAllowed() => new(403, "route_not_allowed", "This address is not open to anybody.");

    public static ApiException StoreUnreadable() => new(503, "keys_unavailable", "The server cannot check API keys at the moment; its log says why.");

    public static ApiException TooManyRequests(int retryAfterSeconds) =>
        new(new ApiError(429, "rate_limit_exceeded", "This API key has used its requests of this minute.", RetryAfterSeconds: retryAfterSeconds));

    public static ApiException TooManyTokens(int retryAfterSeconds) =>
        new(new ApiError(429, "token_quota_exceeded", "This API key has used its tokens of this day (UTC).", RetryAfterSeconds: retryAfterSeconds));

    public static ApiException TooManyStreams() =>
        new(new ApiError(429, "too_many_streams", "This API key has as many requests running as it may.", RetryAfterSeconds: 1));
}
