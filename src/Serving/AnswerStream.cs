using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving;

/// <summary>An answer as it comes into being, in the words of one dialect.</summary>
internal interface IAnswerStream
{
    /// <summary>Sends the status line and whatever comes before the first event.</summary>
    Task BeginAsync();

    /// <summary>Sends what an event means.</summary>
    Task SendAsync(GenerationEvent happened);

    /// <summary>Sends a sign of life that readers skip.</summary>
    Task PingAsync();

    /// <summary>Sends the mark of a complete answer.</summary>
    Task EndAsync();

    /// <summary>Sends that the answer stays incomplete.</summary>
    Task FailAsync(ApiError error);
}

/// <summary>Sends the events of the engine through a dialect's stream.</summary>
internal sealed class StreamSender(ServerOptions options, TimeProvider time, ILogger logger)
{
    /// <summary>Sends all events. What goes wrong before the first is thrown and becomes a status; what goes wrong later ends the stream.</summary>
    public async Task SendAsync(HttpContext context, IAnswerStream stream, IAsyncEnumerable<GenerationEvent> events, FieldNames names)
    {
        try
        {
            // The status line waits for the first event or the first ping, so that a full queue still becomes a status.
            await foreach (GenerationEvent? happened in WithPausesAsync(events).ConfigureAwait(false))
            {
                if (!context.Response.HasStarted) await stream.BeginAsync().ConfigureAwait(false);
                await (happened is null ? stream.PingAsync() : stream.SendAsync(happened)).ConfigureAwait(false);
            }
            await stream.EndAsync().ConfigureAwait(false);
        }
        catch (Exception problem) when (context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
        {
            if (problem is not (RequestException or ApiException)) RequestGuard.LogDefect(logger, context, problem);
            ApiError error = problem switch
            {
                RequestException known => names.Translate(known),
                ApiException known => known.Error,
                _ => RequestGuard.InternalError(context),
            };
            await stream.FailAsync(error).ConfigureAwait(false);
        }
    }

    /// <summary>The events, with a null wherever the engine was silent for so long that the client needs a sign of life.</summary>
    private async IAsyncEnumerable<GenerationEvent?> WithPausesAsync(IAsyncEnumerable<GenerationEvent> events)
    {
        TimeSpan patience = TimeSpan.FromSeconds(options.KeepAliveSeconds);
        IAsyncEnumerator<GenerationEvent> source = events.GetAsyncEnumerator();
        Task<bool> next = Task.FromResult(false);
        try
        {
            while (true)
            {
                next = source.MoveNextAsync().AsTask();
                while (!next.IsCompleted)
                {
                    await ((Task)next).WaitAsync(patience, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    if (!next.IsCompleted) yield return null;
                }
                if (!await next.ConfigureAwait(false)) yield break;
                yield return source.Current;
            }
        }
        finally
        {
            // The client left during a pause: the engine sees the same cancellation, and a source may not be disposed of while it moves.
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await source.DisposeAsync().ConfigureAwait(false);
        }
    }
}
