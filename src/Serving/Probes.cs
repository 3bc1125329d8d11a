using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using OpenEuroLLM.Inference;
using OpenEuroLLM.Serving.Operation;

namespace OpenEuroLLM.Serving;

/// <summary><c>/health</c>: the process answers. <c>/ready</c>: every model that is loaded generates, proven by one token, at most once in
/// <see cref="ServerOptions.ReadyCacheSeconds"/>; none is loaded or kept for it.</summary>
internal sealed class Probes(ServedModels models, ServerOptions options, Drain drain, TimeProvider time, ILogger logger)
{
    private static readonly string[] GetAndHead = [HttpMethods.Get, HttpMethods.Head];
    private readonly TimeSpan limit = TimeSpan.FromSeconds(options.ReadySeconds), keep = TimeSpan.FromSeconds(options.ReadyCacheSeconds);
    private readonly Lock sharing = new();
    private long asked;
    private Task<string?>? running;

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapMethods("/health", GetAndHead, (RequestDelegate)(context => AnswerAsync(context, "alive", reason: null)));
        routes.MapMethods("/ready", GetAndHead, (RequestDelegate)(async context =>
        {
            string? reason = drain.HasBegun ? "The server is being stopped." : await CheckAsync().WaitAsync(context.RequestAborted).ConfigureAwait(false);
            await AnswerAsync(context, reason is null ? "ready" : "not ready", reason).ConfigureAwait(false);
        }));
    }

    private static Task AnswerAsync(HttpContext context, string status, string? reason)
    {
        context.Response.StatusCode = reason is null ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        return JsonBody.WriteAsync(context.Response, json =>
        {
            json.WriteStartObject();
            json.WriteString("status", status);
            if (reason is not null) json.WriteString("reason", reason);
            json.WriteEndObject();
        });
    }

    /// <summary>Why the model is not ready, or null. Whoever asks while a check runs, or right after it, gets its outcome: probes neither pile up nor load the model.</summary>
    private Task<string?> CheckAsync()
    {
        lock (sharing)
        {
            if (running is null || (running.IsCompleted && time.GetElapsedTime(asked) >= keep))
            {
                asked = time.GetTimestamp();
                running = models.FirstProblemAsync(GenerateOneTokenAsync);
            }
            return running;
        }
    }

    private async Task<string?> GenerateOneTokenAsync(IInferenceEngine engine)
    {
        using var deadline = new CancellationTokenSource(limit, time);
        try
        {
            var request = new GenerationRequest(new GenerationInput.TextInput("."), Sampling.Greedy, MaxTokens: 1, Priority: int.MaxValue);
            await foreach (GenerationEvent happened in engine.Generate(request, deadline.Token).ConfigureAwait(false))
            {
                if (happened is GenerationEvent.Finished { Usage.CompletionTokens: 1 }) return null;
            }
            return "The model ended without a token.";
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            return FormattableString.Invariant($"The model generated no token within {limit.TotalSeconds:0.###} seconds.");
        }
        catch (RequestException problem)
        {
            return problem.Message;
        }
#pragma warning disable CA1031 // A probe reports whatever is wrong; the log says what it was.
        catch (Exception defect)
#pragma warning restore CA1031
        {
            logger.LogError("The readiness check failed: {Type}{NewLine}{Stack}", defect.GetType().FullName, Environment.NewLine, defect.StackTrace);
            return "The model failed to generate a token; the server's log has the details.";
        }
    }
}
