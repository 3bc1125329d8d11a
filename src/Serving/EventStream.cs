using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace OpenEuroLLM.Serving;

/// <summary>Server-sent events in an HTTP response. Every event is sent at once; a slow reader slows the writer down, and one who takes nothing for
/// <see cref="HttpLimits.ReaderSeconds"/> while all buffers are full is let go.</summary>
internal sealed class EventStream(HttpResponse response)
{
    private static readonly byte[] Ping = ": ping\n\n"u8.ToArray();
    private static readonly byte[] Done = "data: [DONE]\n\n"u8.ToArray();
    private readonly PipeWriter body = response.BodyWriter;
    private readonly CancellationToken left = response.HttpContext.RequestAborted;

    /// <summary>Announces the stream; from here on the status can no longer change.</summary>
    public Task StartAsync()
    {
        response.ContentType = "text/event-stream";
        return response.StartAsync(left);
    }

    /// <summary>Sends one event of JSON, with its name where the dialect has names.</summary>
    public async Task SendAsync(Action<Utf8JsonWriter> write, string? name = null)
    {
        if (name is not null) body.Write(Encoding.UTF8.GetBytes($"event: {name}\n"));
        body.Write("data: "u8);
        using (var json = new Utf8JsonWriter(body, JsonBody.Form)) write(json);
        body.Write("\n\n"u8);
        await SentAsync(body.FlushAsync(left)).ConfigureAwait(false);
    }

    /// <summary>Sends a line that readers skip, to keep the connection open.</summary>
    public Task PingAsync() => SendAsync(Ping);

    /// <summary>Sends the mark of a complete stream.</summary>
    public Task DoneAsync() => SendAsync(Done);

    private Task SendAsync(byte[] line) => SentAsync(body.WriteAsync(line, left));

    // The server's own minimum rate counts all bytes of a long answer, most of which the system's buffers took: it would wait for a quarter of an hour.
    private async Task SentAsync(ValueTask<FlushResult> sending)
    {
        if (sending.IsCompleted)
        {
            await sending.ConfigureAwait(false);
            return;
        }
        try
        {
            await sending.AsTask().WaitAsync(TimeSpan.FromSeconds(HttpLimits.ReaderSeconds)).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            response.HttpContext.Abort();
            await Task.Delay(Timeout.InfiniteTimeSpan, left).ConfigureAwait(false); // ends with the cancellation that follows
        }
    }
}
