using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Serving;

/// <summary>Reads a request body as JSON that has one meaning only: UTF-8, no comments, no field twice, bounded size and depth.</summary>
internal static class RequestBody
{
    public const int MaxDepth = 64;

    /// <summary>Reads the body of a request; the caller disposes of the document.</summary>
    public static async Task<JsonDocument> ReadAsync(HttpRequest request, int maxBytes)
    {
        RequireJson(request);
        if (request.ContentLength > maxBytes) throw TooLarge(maxBytes);
        using var body = new MemoryStream((int)(request.ContentLength ?? 0));
        try
        {
            await request.Body.CopyToAsync(body, request.HttpContext.RequestAborted).ConfigureAwait(false);
        }
        catch (BadHttpRequestException problem) when (problem.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            throw TooLarge(maxBytes);
        }
        catch (IOException) when (!request.HttpContext.RequestAborted.IsCancellationRequested) // a size of a chunk that is beyond all numbers
        {
            throw new ApiException(400, "bad_request", "The HTTP request is malformed.");
        }
        return Parse(body.GetBuffer().AsMemory(0, (int)body.Length));
    }

    /// <summary>Parses bytes that stay unchanged while the document lives.</summary>
    public static JsonDocument Parse(ReadOnlyMemory<byte> utf8)
    {
        try
        {
            Scan(utf8.Span);
            return JsonDocument.Parse(utf8, new JsonDocumentOptions { MaxDepth = MaxDepth });
        }
        catch (JsonException problem)
        {
            throw new ApiException(400, "invalid_json", FormattableString.Invariant(
                $"The body is not valid JSON: look at line {problem.LineNumber + 1}, byte {problem.BytePositionInLine + 1}."));
        }
        catch (InvalidOperationException) // how the reader reports text that is not Unicode: bad UTF-8, half a surrogate pair
        {
            throw new ApiException(400, "invalid_json", "The body holds a text that is not valid Unicode; expected UTF-8.");
        }
    }

    private static void RequireJson(HttpRequest request)
    {
        bool json = MediaTypeHeaderValue.TryParse(request.ContentType, out MediaTypeHeaderValue? type)
            && type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            && (!type.Charset.HasValue || HeaderUtilities.RemoveQuotes(type.Charset).Equals("utf-8", StringComparison.OrdinalIgnoreCase));
        if (!json || request.Headers.ContentEncoding.Count > 0)
            throw new ApiException(415, "unsupported_content_type", "The body must be sent as Content-Type: application/json, in UTF-8 and without Content-Encoding.");
    }

    private static ApiException TooLarge(int maxBytes) => new(413, "request_too_large",
        FormattableString.Invariant($"The body is larger than {maxBytes} bytes, the most this server takes."));

    private static void Scan(ReadOnlySpan<byte> utf8)
    {
        // One level more than allowed, so that the reader leaves the judgement about depth to this loop.
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = MaxDepth + 1 });
        var open = new Stack<HashSet<string>>();
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject or JsonTokenType.StartArray when reader.CurrentDepth >= MaxDepth:
                    throw new ApiException(400, "invalid_json", FormattableString.Invariant($"The body is nested deeper than {MaxDepth} levels."));
                case JsonTokenType.StartObject:
                    open.Push(new HashSet<string>(StringComparer.Ordinal));
                    break;
                case JsonTokenType.EndObject:
                    open.Pop();
                    break;
                case JsonTokenType.PropertyName:
                    string name = reader.GetString()!;
                    if (!open.Peek().Add(name))
                        throw new ApiException(400, "invalid_json", $"Field '{Shown(name)}' stands twice in one object.", Shown(name));
                    break;
                case JsonTokenType.String when reader.ValueIsEscaped:
                    reader.GetString(); // throws for half a surrogate pair
                    break;
                case JsonTokenType.String when !Utf8IsValid(reader.ValueSpan):
                    throw new InvalidOperationException();
            }
        }
    }

    private static bool Utf8IsValid(ReadOnlySpan<byte> value) => System.Text.Unicode.Utf8.IsValid(value);

    /// <summary>A piece of the request as it may stand in an error message: short, and without control characters.</summary>
    public static string Shown(string value) => ShownText.Of(value);
}
