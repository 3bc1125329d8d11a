using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.OpenAi;

/// <summary>The routes of OpenAI's dialect under <c>/v1</c>.</summary>
internal sealed class OpenAiRoutes(IInferenceEngine engine, ServerOptions options, TimeProvider time, ILogger logger)
{
    /// <summary>Response header that lists the fields of the request without effect here.</summary>
    public const string IgnoredFieldsHeader = "x-oellm-ignored-fields";

    private readonly DateTimeOffset loaded = time.GetUtcNow();

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v1/models", (RequestDelegate)ListModelsAsync);
        routes.MapGet("/v1/models/{**id}", (RequestDelegate)ShowModelAsync);
        routes.MapPost("/v1/chat/completions", (RequestDelegate)CompleteAsync);
    }

    private Task ListModelsAsync(HttpContext context) => JsonBody.WriteAsync(context.Response, json =>
    {
        json.WriteStartObject();
        json.WriteString("object", "list");
        json.WriteStartArray("data");
        WriteModel(json);
        json.WriteEndArray();
        json.WriteEndObject();
    });

    private Task ShowModelAsync(HttpContext context)
    {
        string id = (string?)context.Request.RouteValues["id"] ?? "";
        if (!string.Equals(id, engine.Info.Name, StringComparison.Ordinal)) throw ChatRequest.NoSuchModel(id, engine.Info);
        return JsonBody.WriteAsync(context.Response, WriteModel);
    }

    private void WriteModel(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("id", engine.Info.Name);
        json.WriteString("object", "model");
        json.WriteNumber("created", loaded.ToUnixTimeSeconds());
        json.WriteString("owned_by", "local");
        json.WriteEndObject();
    }

    private async Task CompleteAsync(HttpContext context)
    {
        ChatRequest request;
        using (JsonDocument body = await RequestBody.ReadAsync(context.Request, options.MaxBodyBytes).ConfigureAwait(false))
        {
            request = ChatRequest.Read(body.RootElement, engine.Info);
        }
        if (request.Ignored.Count > 0) context.Response.Headers[IgnoredFieldsHeader] = string.Join(", ", request.Ignored);
        var answer = new ChatAnswer(engine.Info, time.GetUtcNow());
        try
        {
            IAsyncEnumerable<GenerationEvent> events = engine.Generate(request.Generation, context.RequestAborted);
            await (request.Stream ? StreamAsync(context, request, answer, events) : AnswerAsync(context, request, answer, events)).ConfigureAwait(false);
        }
        catch (RequestException problem) when (!context.Response.HasStarted)
        {
            throw new ApiException(request.Translate(problem));
        }
    }

    private static async Task AnswerAsync(HttpContext context, ChatRequest request, ChatAnswer answer, IAsyncEnumerable<GenerationEvent> events)
    {
        var texts = new StringBuilder[request.Generation.Choices];
        for (int choice = 0; choice < texts.Length; choice++) texts[choice] = new StringBuilder();
        var tally = new Tally(texts.Length);
        await foreach (GenerationEvent happened in events.ConfigureAwait(false))
        {
            if (happened is GenerationEvent.Text piece) texts[piece.Choice].Append(piece.Value);
            if (happened is GenerationEvent.Finished finished) tally.Add(finished);
        }
        Usage usage = tally.Total();
        await JsonBody.WriteAsync(context.Response, json =>
            answer.Write(json, [.. texts.Select((text, choice) => (text.ToString(), tally.ReasonOf(choice)))], usage)).ConfigureAwait(false);
    }

    private async Task StreamAsync(HttpContext context, ChatRequest request, ChatAnswer answer, IAsyncEnumerable<GenerationEvent> events)
    {
        var stream = new EventStream(context.Response);
        var tally = new Tally(request.Generation.Choices);
        try
        {
            // The status line waits for the first event or the first ping, so that a full queue still becomes a status.
            await foreach (GenerationEvent? happened in WithPausesAsync(events).ConfigureAwait(false))
            {
                if (!context.Response.HasStarted) await BeginAsync(stream, request, answer).ConfigureAwait(false);
                switch (happened)
                {
                    case null:
                        await stream.PingAsync().ConfigureAwait(false);
                        break;
                    case GenerationEvent.Text piece:
                        await stream.SendAsync(json => answer.WriteChunk(json, piece.Choice, request.IncludeUsage, text: piece.Value)).ConfigureAwait(false);
                        break;
                    case GenerationEvent.Finished finished:
                        tally.Add(finished);
                        await stream.SendAsync(json => answer.WriteChunk(json, finished.Choice, request.IncludeUsage, reason: finished.Reason)).ConfigureAwait(false);
                        break;
                }
            }
            Usage usage = tally.Total();
            if (request.IncludeUsage) await stream.SendAsync(json => answer.WriteUsageChunk(json, usage)).ConfigureAwait(false);
            await stream.DoneAsync().ConfigureAwait(false);
        }
        catch (Exception problem) when (context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
        {
            if (problem is not RequestException) RequestGuard.LogDefect(logger, context, problem);
            ApiError error = problem is RequestException known ? request.Translate(known) : RequestGuard.InternalError(context);
            await stream.SendAsync(json => OpenAiError.Write(json, error)).ConfigureAwait(false);
        }
    }

    private static async Task BeginAsync(EventStream stream, ChatRequest request, ChatAnswer answer)
    {
        await stream.StartAsync().ConfigureAwait(false);
        for (int choice = 0; choice < request.Generation.Choices; choice++)
            await stream.SendAsync(json => answer.WriteChunk(json, choice, request.IncludeUsage, first: true)).ConfigureAwait(false);
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

    /// <summary>How the choices of one request ended.</summary>
    private sealed class Tally(int choices)
    {
        private readonly GenerationEvent.Finished?[] ends = new GenerationEvent.Finished?[choices];

        public void Add(GenerationEvent.Finished finished) => ends[finished.Choice] = finished;

        public FinishReason ReasonOf(int choice) => ends[choice]!.Reason;

        /// <summary>The tokens of all choices; the prompt, which they share, counts once.</summary>
        public Usage Total()
        {
            if (Array.IndexOf(ends, null) is >= 0 and int open)
                throw new InvalidOperationException(FormattableString.Invariant($"The engine ended without finishing choice {open}."));
            return new Usage(ends[0]!.Usage.PromptTokens, ends.Sum(end => end!.Usage.CompletionTokens));
        }
    }
}
