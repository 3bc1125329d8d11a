namespace OpenEuroLLM.Inference;

/// <summary>A request that cannot be served as it is. Carries no paths and no secrets: a server may show it.</summary>
public sealed class RequestException : Exception
{
    /// <summary>Creates the error.</summary>
    /// <param name="field">The field of the request, in the words of <see cref="GenerationRequest"/> written in snake case
    /// (<c>messages[2].role</c>, <c>max_tokens</c>), or null when no single field is meant.</param>
    /// <param name="message">What was found and what was expected, one line.</param>
    /// <param name="code">One of <see cref="RequestErrorCode"/>.</param>
    /// <param name="cause">What was behind it, for logs only; null for nothing.</param>
    public RequestException(string? field, string message, string code = RequestErrorCode.InvalidValue, Exception? cause = null) : base(message, cause)
    {
        Field = field;
        Code = code;
    }

    /// <summary>The field of the request, or null.</summary>
    public string? Field { get; }

    /// <summary>One of <see cref="RequestErrorCode"/>.</summary>
    public string Code { get; }

    /// <summary>When another attempt has a chance, in seconds from 1, as far as the recent past can tell; null where that does not depend on time.</summary>
    public int? RetryAfterSeconds { get; init; }
}

/// <summary>The codes of <see cref="RequestException"/>.</summary>
public static class RequestErrorCode
{
    /// <summary>A field lies outside its range.</summary>
    public const string InvalidValue = "invalid_value";

    /// <summary>Prompt and answer do not fit into the model's context; the message has the counts.</summary>
    public const string ContextLengthExceeded = "context_length_exceeded";

    /// <summary>The model has no chat template that this version can render.</summary>
    public const string ChatNotSupported = "chat_not_supported";

    /// <summary>Too many requests wait already; try again later.</summary>
    public const string Overloaded = "overloaded";

    /// <summary>There is no model of that name; the message lists those there are.</summary>
    public const string ModelNotFound = "model_not_found";

    /// <summary>There is no room for the model beside those in use; try again later.</summary>
    public const string ModelUnavailable = "model_unavailable";

    /// <summary>The model cannot be loaded.</summary>
    public const string ModelFailed = "model_load_failed";

    /// <summary>The request's deadline passed before its answer was complete.</summary>
    public const string DeadlineExceeded = "deadline_exceeded";
}
