using System.Buffers;
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

    /// <summary>The bytes of a body.</summary>
    public static byte[] ToBytes(Action<Utf8JsonWriter> write) => Write(write).WrittenSpan.ToArray();

    private static ArrayBufferWriter<byte> Write(Action<Utf8JsonWriter> write)
    {
        var body = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(body, Form)) write(json);
        return body;
    }
}
