using Microsoft.AspNetCore.Http;
using OpenEuroLLM.Serving.Security;

namespace OpenEuroLLM.Serving.Operation;

/// <summary>The end of a server in three steps: no new requests; running ones may finish; what is left then is ended with an error.</summary>
internal sealed class Drain(TimeProvider time) : IDisposable
{
    private const int RetryAfterSeconds = 5;
    private readonly CancellationTokenSource over = new();
    private readonly Lock counting = new();
    private readonly TaskCompletionSource idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int running;

    /// <summary>Whether no new request is taken.</summary>
    public bool HasBegun { get; private set; }

    /// <summary>Ends running answers.</summary>
    public CancellationToken Over => over.Token;

    /// <summary>Requests that are being answered.</summary>
    public int Running
    {
        get { lock (counting) return running; }
    }

    /// <summary>The error of a request that the end of the server came before.</summary>
    public static ApiException Stopping() =>
        new(new ApiError(503, "server_stopping", "The server is being stopped; send the request again, to another one or later.", RetryAfterSeconds: RetryAfterSeconds));

    /// <summary>Takes a request in; the result is disposed of when it was answered. Probes, metrics and the page's files are answered to the last.</summary>
    /// <exception cref="ApiException">The server is being stopped.</exception>
    public IDisposable? Enter(HttpContext context)
    {
        if (RouteScopes.Of(context.Request) is RouteScopes.Open or KeyScope.Metrics) return null;
        lock (counting)
        {
            if (HasBegun)
            {
                context.Response.Headers.Connection = "close";
                throw Stopping();
            }
            running++;
        }
        return new Place(this);
    }

    public void Begin()
    {
        lock (counting)
        {
            HasBegun = true;
            if (running == 0) idle.TrySetResult();
        }
    }

    /// <summary>Waits until all requests were answered, or the time is over, or <paramref name="hurry"/> says so.</summary>
    public Task IdleAsync(TimeSpan most, CancellationToken hurry) => idle.Task.WaitAsync(most, time, hurry);

    public Task EndAsync() => over.CancelAsync();

    public void Dispose() => over.Dispose();

    private void Leave()
    {
        lock (counting)
        {
            running--;
            if (HasBegun && running == 0) idle.TrySetResult();
        }
    }

    private sealed class Place(Drain drain) : IDisposable
    {
        public void Dispose() => drain.Leave();
    }
}
