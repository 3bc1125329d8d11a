using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace OpenEuroLLM.Serving.Gemini;

/// <summary>Errors in Google's shape: <c>{"error":{"code","message","status","details"}}</c>.</summary>
internal static class GeminiError
{
    public static Task WriteAsync(HttpResponse response, ApiError error) => JsonBody.WriteErrorAsync(response, error, json => Write(json, error));

    public static void Write(Utf8JsonWriter json, ApiError error)
    {
        json.WriteStartObject();
        json.WriteStartObject("error");
        json.WriteNumber("code", error.Status);
        json.WriteString("message", error.Message);
        json.WriteString("status", error.Status switch
        {
            401 => "UNAUTHENTICATED",
            403 => "PERMISSION_DENIED",
            404 => "NOT_FOUND",
            405 => "UNIMPLEMENTED",
            429 => "RESOURCE_EXHAUSTED",
            503 => "UNAVAILABLE",
            504 => "DEADLINE_EXCEEDED",
            >= 500 => "INTERNAL",
            _ => "INVALID_ARGUMENT",
        });
        json.WriteStartArray("details");
        if (error.RetryAfterSeconds is int seconds)
        {
            json.WriteStartObject();
            json.WriteString("@type", "type.googleapis.com/google.rpc.RetryInfo");
            json.WriteString("retryDelay", seconds.ToString(CultureInfo.InvariantCulture) + "s");
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
