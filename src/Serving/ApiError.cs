namespace OpenEuroLLM.Serving;

/// <summary>What went wrong with one HTTP request, in no dialect yet. A message carries no path, no secret and no text of a prompt.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Code">The name that programs compare.</param>
/// <param name="Message">What was found, what was expected, what to do; one line.</param>
/// <param name="Field">The field of the request that is meant, or null.</param>
/// <param name="RetryAfterSeconds">When another attempt has a chance, or null.</param>
internal sealed record ApiError(int Status, string Code, string Message, string? Field = null, int? RetryAfterSeconds = null);

/// <summary>Ends a request with an <see cref="ApiError"/>.</summary>
internal sealed class ApiException(ApiError error) : Exception(error.Code)
{
    public ApiException(int status, string code, string message, string? field = null) : this(new ApiError(status, code, message, field)) { }

    public ApiError Error { get; } = error;

    /// <summary>A value of the request that this server cannot take (400).</summary>
    public static ApiException Invalid(string field, string message) => new(400, "invalid_value", message, field);

    /// <summary>A known feature that this version does not have (400).</summary>
    public static ApiException Unsupported(string field, string message) => new(400, "unsupported_parameter", message, field);
}
