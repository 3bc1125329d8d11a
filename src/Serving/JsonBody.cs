using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace OpenEuroLLM.Serving;

/// <summary>Writes JSON answers. Letters of all languages stand as themselves; the content type keeps it out of markup.</summary>
internal static class JsonBody
{
    public static readonly JsonWriterOptions Form = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes the whole body of a response, with its length.</summary>
    public static async Task WriteAsync(HttpResponse response, Action<Utf8JsonWriter> write)
    {
        ReadOnlyMemory<byte> body = Write(write).WrittenMemory;
        response.ContentType = "application/json";
        response.ContentLength = body.Length;
        await response.Body.WriteAsync(body, response.HttpContext.RequestAborted).ConfigureAwait(false);
    }

    /// <summary>Writes an error: its status, when to try again, and what the dialect says of it.</summary>
    public static Task WriteErrorAsync(HttpResponse response, ApiError error, Action<Utf8JsonWriter> write)
    {
        response.StatusCode = error.Status;
        if (error.RetryAfterSeconds is int seconds) response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        return WriteAsync(response, write);
    }

    /// <summary>The bytes of a body.</summary>
    public static byte[] ToBytes(Action<Utf8JsonWriter> write) => Write(write).WrittenSpan.ToArray();

    private static ArrayBufferWriter<byte> Write(Action<Utf8JsonWriter> write)
    {
        var body = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(body, Form)) write(json);
        return body;
    }
}
