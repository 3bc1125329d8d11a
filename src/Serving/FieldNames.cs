using System.Text;
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
        // What is said about a schema is in the client's own names already.
        string message = field is "grammar" or "tools" ? problem.Message : Renamed(problem.Message);
        if (field is not null)
        {
            int end = field.AsSpan().IndexOfAny('[', '.');
            string root = end < 0 ? field : field[..end];
            if (Names.TryGetValue(root, out string? name)) field = name + field[root.Length..];
        }
        return problem.Code switch
        {
            RequestErrorCode.Overloaded => new ApiError(429, "rate_limit_exceeded", message, field, problem.RetryAfterSeconds ?? 1),
            RequestErrorCode.ModelNotFound => new ApiError(404, problem.Code, message, field),
            RequestErrorCode.ModelUnavailable or RequestErrorCode.ModelFailed => new ApiError(503, problem.Code, message, field, problem.RetryAfterSeconds ?? 1),
            RequestErrorCode.DeadlineExceeded => new ApiError(504, problem.Code, message, field),
            _ => new ApiError(400, problem.Code, message, field),
        };
    }

    /// <summary>A message with the dialect's names. "prompt" is a word of the messages too; all others are names only.</summary>
    private string Renamed(string message)
    {
        var renamed = new StringBuilder(message.Length);
        for (int at = 0; at < message.Length;)
        {
            int end = at;
            while (end < message.Length && (char.IsAsciiLetterOrDigit(message[end]) || message[end] == '_')) end++;
            string word = message[at..end];
            renamed.Append(word != "prompt" && Names.TryGetValue(word, out string? name) ? name : word);
            if (end < message.Length) renamed.Append(message[end]);
            at = end + 1;
        }
        return renamed.ToString();
    }
}
