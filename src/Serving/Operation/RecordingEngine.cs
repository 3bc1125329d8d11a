using System.Runtime.CompilerServices;
using OpenEuroLLM.Core.Auditing;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.Operation;

/// <summary>The engine with a record: every dialect passes here, so that none has to write rows. The last event of an answer is handed on when its
/// row is in the audit for good, so that no client has seen the end of an answer that nobody will know of.</summary>
internal sealed class RecordingEngine(IInferenceEngine engine, Auditor? auditor, TimeProvider time, bool keepContent = false) : WrappedEngine(engine)
{
    public override IAsyncEnumerable<GenerationEvent> Generate(GenerationRequest request, CancellationToken cancellation = default)
    {
        auditor?.RequireWorking();
        var call = new EngineCall(request, Inner.Info, time, keepContent);
        try
        {
            return RecordAsync(Inner.Generate(request, cancellation), request, call, cancellation);
        }
        catch (RequestException problem)
        {
            call.End(AuditOutcome.Refused, problem.Code); // written with the error that the client gets
            throw;
        }
    }

    public override IReadOnlyList<Embedding> Embed(IReadOnlyList<GenerationInput> inputs, Pooling pooling = Pooling.Mean, bool normalize = true, CancellationToken cancellation = default)
    {
        auditor?.RequireWorking();
        var call = new EngineCall(Inner.Info, time);
        try
        {
            IReadOnlyList<Embedding> made = Inner.Embed(inputs, pooling, normalize, cancellation);
            call.Complete(made.Sum(each => each.Tokens));
            auditor?.WriteAsync(call).GetAwaiter().GetResult(); // the call blocks its thread for the model already
            return made;
        }
        catch (RequestException problem)
        {
            call.End(AuditOutcome.Refused, problem.Code);
            throw;
        }
        catch (Exception problem) when (call.Outcome is null)
        {
            EndEarly(call, problem, inputs: null);
            auditor?.TryWriteAsync(call).GetAwaiter().GetResult();
            throw;
        }
    }

    private async IAsyncEnumerable<GenerationEvent> RecordAsync(
        IAsyncEnumerable<GenerationEvent> events, GenerationRequest request, EngineCall call, [EnumeratorCancellation] CancellationToken cancellation)
    {
        IAsyncEnumerator<GenerationEvent> source = events.GetAsyncEnumerator(cancellation);
        Exception? failure = null;
        try
        {
            while (true)
            {
                try
                {
                    if (!await source.MoveNextAsync().ConfigureAwait(false)) break;
                }
                catch (Exception problem)
                {
                    failure = problem;
                    throw;
                }
                call.Add(source.Current);
                if (call.IsComplete && call.Outcome is null)
                {
                    call.Complete();
                    if (auditor is not null) await auditor.WriteAsync(call).ConfigureAwait(false);
                }
                yield return source.Current;
            }
        }
        finally
        {
            if (call.Outcome is null)
            {
                EndEarly(call, failure, request.Input);
                // Nobody can be told any more, or is told of the failure itself: what cannot be written now is written later.
                if (auditor is not null && !call.Refused) await auditor.TryWriteAsync(call).ConfigureAwait(false);
            }
            await source.DisposeAsync().ConfigureAwait(false);
        }
    }

    private void EndEarly(EngineCall call, Exception? failure, GenerationInput? inputs)
    {
        int? promptTokens = call.AnswerTokens > 0 && inputs is not null ? CountOf(inputs) : null;
        switch (failure)
        {
            case RequestException refused when !call.Begun:
                call.End(AuditOutcome.Refused, refused.Code);
                break;
            case RequestException late:
                call.End(AuditOutcome.Failed, late.Code, promptTokens);
                break;
            case ApiException stopped: // the server is being stopped
                call.End(AuditOutcome.Cancelled, stopped.Error.Code, promptTokens);
                break;
            case null or OperationCanceledException:
                call.End(AuditOutcome.Cancelled, "client_left", promptTokens);
                break;
            default:
                call.End(AuditOutcome.Failed, "server_error", promptTokens);
                break;
        }
    }

    /// <summary>The prompt of an answer that was cut off was computed all the same; only the end of an answer tells its tokens.</summary>
    private int? CountOf(GenerationInput input)
    {
        try
        {
            return Inner.Encode(input).Count;
        }
        catch (Exception failure) when (failure is RequestException or ObjectDisposedException)
        {
            return null;
        }
    }
}
