using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving;

/// <summary>What a dialect calls the fields of the one internal request, for errors that Inference finds.</summary>
/// <param name="Names">The dialect's names by the internal ones, only where they differ.</param>
internal sealed record FieldNames(IReadOnlyDictionary<string, string> Names)
{
    /// <summary>An error of the engine in the dialect's words.</summary>
    public ApiError Translate(RequestException problem)
    {
        string? field = problem.Field;
        string message = problem.Message;
        if (field is not null)
        {
            int end = field.AsSpan().IndexOfAny('[', '.');
            string root = end < 0 ? field : field[..end];
            if (Names.TryGetValue(root, out string? name)) field = name + field[root.Length..];
        }
        // "prompt" is a word of the messages too; all others are names only.
        // What is said about a schema speaks of the client's own names.
        bool aboutSchema = problem.Field is "grammar" or "tools";
        foreach (var (inner, outer) in Names)
            if (inner != "prompt" && !aboutSchema) message = message.Replace(inner, outer, StringComparison.Ordinal);
        return problem.Code switch
        {
            RequestErrorCode.Overloaded => new ApiError(429, "rate_limit_exceeded", message, field, RetryAfterSeconds: 1),
            RequestErrorCode.DeadlineExceeded => new ApiError(504, problem.Code, message, field),
            _ => new ApiError(400, problem.Code, message, field),
        };
    }
}
