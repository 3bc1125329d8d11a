using Microsoft.Extensions.Logging;
using OpenEuroLLM.Core;
using OpenEuroLLM.Core.Auditing;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.Operation;

/// <summary>Writes what the server does into the audit. While no row can be written, nothing is answered that would need one.</summary>
internal sealed class Auditor : IAsyncDisposable
{
    private const int RetryAfterSeconds = 5;
    private readonly IAuditStore store;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly ModelHashes hashes;
    private readonly RefusalTally refusals;
    private long rows;
    private int failing;
    private bool stopped;

    public Auditor(IAuditStore store, TimeProvider time, ILogger logger)
    {
        (this.store, this.time, this.logger) = (store, time, logger);
        hashes = new ModelHashes((model, hash) => _ = TryAppendAsync(new AuditEntry(AuditKind.Model, Now(), Model: model.Name, Fingerprint: model.Fingerprint, WeightsSha256: hash)));
        refusals = new RefusalTally(time, entry => TryAppendAsync(entry));
    }

    /// <summary>Rows written by this server.</summary>
    public long Rows => Interlocked.Read(ref rows);

    /// <summary>Rows that wait to be written.</summary>
    public int Waiting => store.Waiting;

    /// <summary>Whether a row could be written now.</summary>
    public bool IsWorking => store.Obstacle is null;

    /// <summary>Rows that were given up.</summary>
    public long Lost => store.Lost;

    /// <summary>Writes that a server begins.</summary>
    /// <exception cref="UserErrorException">It cannot be written: then the server does not begin.</exception>
    public async Task StartAsync()
    {
        try
        {
            await AppendAsync(new AuditEntry(AuditKind.Started, Now(), Software: BuildVersion.Current)).ConfigureAwait(false);
        }
        catch (AuditUnavailableException problem)
        {
            throw new UserErrorException(problem.Message, problem);
        }
    }

    /// <summary>Has the model's hash computed, so that the rows to come can carry it.</summary>
    public void Learn(ModelInfo model) => hashes.Of(model);

    /// <summary>Refuses work whose row could not be written.</summary>
    /// <exception cref="ApiException">503.</exception>
    public void RequireWorking()
    {
        if (!IsWorking) throw Unavailable();
    }

    /// <summary>Writes the row of an answer; ends when it is on the disk.</summary>
    /// <exception cref="ApiException">503: it could not be written, and the client must not see the answer's end.</exception>
    public async Task WriteAsync(EngineCall call)
    {
        try
        {
            await AppendAsync(call.ToEntry(hashes.Of(call.Model))).ConfigureAwait(false);
        }
        catch (AuditUnavailableException)
        {
            throw Unavailable();
        }
    }

    /// <summary>As <see cref="WriteAsync"/>; what cannot be written now is written later.</summary>
    public Task TryWriteAsync(EngineCall call) => TryAppendAsync(call.ToEntry(hashes.Of(call.Model)));

    /// <summary>Writes that a request was refused. The first of its kind is on the disk when this ends; further ones are summed for some seconds.</summary>
    public Task RefuseAsync(RequestRecord request, ApiError error)
    {
        EngineCall? call = request.Calls.Count > 0 ? request.Calls[0] : null;
        return refusals.AddAsync(new AuditEntry(AuditKind.Refusal, AuditEntry.Moment(request.At), request.Id, KeyId: request.KeyId, KeyName: request.KeyName, Route: request.Route,
            Model: call?.Model.Name, Fingerprint: call?.Model.Fingerprint, Outcome: AuditOutcome.Refused, Code: error.Code, Status: error.Status));
    }

    /// <summary>Writes what is left and that the server ended in order.</summary>
    public async ValueTask DisposeAsync()
    {
        if (stopped) return;
        stopped = true;
        await refusals.DisposeAsync().ConfigureAwait(false);
        await TryAppendAsync(new AuditEntry(AuditKind.Stopped, Now(), Software: BuildVersion.Current)).ConfigureAwait(false);
    }

    private DateTimeOffset Now() => AuditEntry.Moment(time.GetUtcNow());

    private async Task AppendAsync(AuditEntry entry)
    {
        try
        {
            await store.AppendAsync(entry).ConfigureAwait(false);
            Interlocked.Increment(ref rows);
            if (Interlocked.Exchange(ref failing, 0) == 1) logger.LogWarning("The audit can be written again.");
        }
        catch (AuditUnavailableException problem)
        {
            if (Interlocked.Exchange(ref failing, 1) == 0) logger.LogError("No request is answered, because its row could not be written. {Problem}", problem.Message);
            throw;
        }
    }

    private async Task TryAppendAsync(AuditEntry entry)
    {
        try
        {
            await AppendAsync(entry).ConfigureAwait(false);
        }
        catch (AuditUnavailableException)
        {
            // Said in the log; the store keeps the row and writes it when it can.
        }
        catch (ObjectDisposedException)
        {
            logger.LogError("A row of the audit came after its file was closed.");
        }
    }

    private static ApiException Unavailable() => new(new ApiError(503, "audit_unavailable",
        "The server cannot record requests at the moment and therefore answers none; its log says why.", RetryAfterSeconds: RetryAfterSeconds));
}
