using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using OpenEuroLLM.Inference;
using OpenEuroLLM.Serving.Security;

namespace OpenEuroLLM.Serving.OpenAi.Responses;

/// <summary>OpenAI's Responses: answers that are made of items, and what is kept of them.</summary>
internal sealed class ResponseRoutes(ServedModels models, ServerOptions options, TimeProvider time, ILogger logger)
{
    /// <summary>Response header with the number of items that <c>truncation: auto</c> left out.</summary>
    public const string DroppedItemsHeader = "x-oellm-dropped-items";

    private const string Root = "/v1/responses";
    private const int UsualItems = 20, MaxItems = 100;

    private readonly StreamSender sender = new(options, time, logger);
    private readonly MemoryResponseStore store = new(options.StoredResponses, time);

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost(Root, (RequestDelegate)(context => Dialects.TranslatingAsync(context, ResponseRequest.Names, () => CreateAsync(context))));
        routes.MapPost(Root + "/input_tokens", (RequestDelegate)(context => Dialects.TranslatingAsync(context, ResponseRequest.Names, () => CountAsync(context))));
        routes.MapGet(Root + "/{id}", (RequestDelegate)ShowAsync);
        routes.MapDelete(Root + "/{id}", (RequestDelegate)DeleteAsync);
        routes.MapGet(Root + "/{id}/input_items", (RequestDelegate)ListInputAsync);
        routes.MapPost(Root + "/{id}/cancel", (RequestDelegate)CancelAsync);
    }

    private async Task CreateAsync(HttpContext context)
    {
        DateTimeOffset created = time.GetUtcNow();
        var id = ResponseId.New();
        var (engine, request) = await ReadAsync(context, id, count: false).ConfigureAwait(false);
        var (input, turns) = await GatherAsync(context, request).ConfigureAwait(false);
        byte[] kept = request.Settings.Store ? InputToKeep(input) : [];
        var (generation, dropped) = Fit(engine, request, turns);
        if (request.Settings.Truncates) context.Response.Headers[DroppedItemsHeader] = FormattableString.Invariant($"{dropped}");

        IAsyncEnumerable<GenerationEvent> events = engine.Generate(generation, context.RequestAborted);
        var answer = new ResponseAnswer(engine, id, request, generation, created, dropped);
        if (request.Stream)
        {
            var output = new ResponseOutput(id);
            var stream = new ResponseStream(context.Response, engine, answer, output, () => CompleteAsync(context, id, request, kept, answer, output));
            await sender.SendAsync(context, stream, events, ResponseRequest.Names).ConfigureAwait(false);
            return;
        }
        ResponseOutput collected = await ResponseOutput.CollectAsync(events, id).ConfigureAwait(false);
        byte[] whole = await CompleteAsync(context, id, request, kept, answer, collected).ConfigureAwait(false);
        await WriteAsync(context.Response, whole).ConfigureAwait(false);
    }

    /// <summary>The JSON of the complete response, which is kept unless the request says otherwise.</summary>
    private async Task<byte[]> CompleteAsync(HttpContext context, ResponseId id, ResponseRequest request, byte[] input, ResponseAnswer answer, ResponseOutput output)
    {
        byte[] whole = JsonBody.ToBytes(json => answer.WriteEnded(json, output, time.GetUtcNow()));
        if (request.Settings.Store)
            await store.AddAsync(new StoredResponse(id.ToString(), Owner, request.Settings.Previous, whole, input), context.RequestAborted).ConfigureAwait(false);
        return whole;
    }

    private async Task CountAsync(HttpContext context)
    {
        var (engine, request) = await ReadAsync(context, ResponseId.New(), count: true).ConfigureAwait(false);
        var (_, turns) = await GatherAsync(context, request).ConfigureAwait(false);
        var (generation, _) = Fit(engine, request, turns);
        int tokens = engine.Encode(generation.Input).Count;
        await JsonBody.WriteAsync(context.Response, json =>
        {
            json.WriteStartObject();
            json.WriteString("object", "response.input_tokens");
            json.WriteNumber("input_tokens", tokens);
            json.WriteEndObject();
        }).ConfigureAwait(false);
    }

    private async Task ShowAsync(HttpContext context)
    {
        StoredResponse response = await FindAsync(context).ConfigureAwait(false);
        var query = new ListQuery(context.Request.Query, "include", "include[]", "stream", "starting_after", "include_obfuscation");
        if (query.Flag("stream") || query.Text("starting_after") is not null)
            throw ApiException.Unsupported("stream", "The events of a response are sent once, while it comes into being; leave 'stream' and 'starting_after' out to get the whole.");
        await WriteAsync(context.Response, response.Response).ConfigureAwait(false);
    }

    private async Task DeleteAsync(HttpContext context)
    {
        string id = IdOf(context);
        if (!await store.RemoveAsync(Owner, id, context.RequestAborted).ConfigureAwait(false)) throw NotFound(id);
        await JsonBody.WriteAsync(context.Response, json =>
        {
            json.WriteStartObject();
            json.WriteString("id", id);
            json.WriteString("object", "response");
            json.WriteBoolean("deleted", true);
            json.WriteEndObject();
        }).ConfigureAwait(false);
    }

    private async Task ListInputAsync(HttpContext context)
    {
        StoredResponse response = await FindAsync(context).ConfigureAwait(false);
        var query = new ListQuery(context.Request.Query, "include", "include[]", "limit", "order", "after", "before");
        List<ResponseItem> items = await HistoryOf(context).InputOfAsync(response).ConfigureAwait(false);
        if (query.NewestFirst()) items.Reverse();
        var (page, more) = query.PageOf(items, item => item.Id, "after", "before", UsualItems, MaxItems);
        await JsonBody.WriteAsync(context.Response, json =>
        {
            json.WriteStartObject();
            json.WriteString("object", "list");
            json.WriteStartArray("data");
            foreach (ResponseItem item in page) item.Write(json);
            json.WriteEndArray();
            json.WriteString("first_id", page.Count == 0 ? null : page[0].Id);
            json.WriteString("last_id", page.Count == 0 ? null : page[^1].Id);
            json.WriteBoolean("has_more", more);
            json.WriteEndObject();
        }).ConfigureAwait(false);
    }

    private async Task CancelAsync(HttpContext context)
    {
        await FindAsync(context).ConfigureAwait(false);
        throw ApiException.Unsupported("id", "Only responses in the background can be cancelled, and this server has none; to end a response, close its connection.");
    }

    private async Task<(IInferenceEngine Engine, ResponseRequest Request)> ReadAsync(HttpContext context, ResponseId id, bool count)
    {
        using JsonDocument body = await RequestBody.ReadAsync(context.Request, options.MaxBodyBytes).ConfigureAwait(false);
        IInferenceEngine engine = await models.UseAsync(context, body.RootElement, count ? ResponseRequest.CountFields : ResponseRequest.Fields).ConfigureAwait(false);
        ResponseRequest request = ResponseRequest.Read(body.RootElement, engine.Info, id, count);
        Dialects.TellIgnored(context.Response, request.Ignored);
        return (engine, request);
    }

    private async Task<(IReadOnlyList<ResponseItem> Input, List<ResponseTurn> Turns)> GatherAsync(HttpContext context, ResponseRequest request)
    {
        ResponseHistory history = HistoryOf(context);
        List<ResponseItem> items = await history.BeforeAsync(request.Settings.Previous).ConfigureAwait(false);
        IReadOnlyList<ResponseItem> input = await history.ResolveAsync(request.Input).ConfigureAwait(false);
        items.AddRange(input);
        ResponseHistory.RequireDifferentIds(items);
        return (input, ResponseConversation.Of(request.Settings.Instructions, items));
    }

    private static (GenerationRequest Generation, int Dropped) Fit(IInferenceEngine engine, ResponseRequest request, List<ResponseTurn> turns)
    {
        if (!request.Settings.Truncates) return (request.GenerationOf([.. turns.Select(turn => turn.Message)]), 0);
        long room = engine.Info.Capacity - Math.Max(1L, request.Generation.MaxTokens ?? 1);
        var (messages, dropped) = ResponseTruncation.Fit(turns, messages => engine.Encode(request.GenerationOf(messages).Input).Count <= room);
        return (request.GenerationOf(messages), dropped);
    }

    private byte[] InputToKeep(IReadOnlyList<ResponseItem> input)
    {
        byte[] bytes = JsonBody.ToBytes(json =>
        {
            json.WriteStartArray();
            foreach (ResponseItem item in input) item.Write(json);
            json.WriteEndArray();
        });
        long most = options.StoredResponses.MaxBytesPerKey / 2;
        return bytes.Length <= most ? bytes
            : throw ApiException.Invalid("store", FormattableString.Invariant($"The input has {bytes.Length} bytes; this server stores at most {most}. Send 'store': false."));
    }

    private async Task<StoredResponse> FindAsync(HttpContext context)
    {
        string id = IdOf(context);
        return await store.FindAsync(Owner, id, context.RequestAborted).ConfigureAwait(false) ?? throw NotFound(id);
    }

    private ResponseHistory HistoryOf(HttpContext context) => new(store, Owner, context.RequestAborted);

    /// <summary>Whoever asks sees what was kept for the same key, and nothing else.</summary>
    private static string? Owner => Caller.Current?.KeyId;

    private static string IdOf(HttpContext context) => (string?)context.Request.RouteValues["id"] ?? "";

    private static ApiException NotFound(string id) =>
        new(404, "response_not_found", $"There is no response '{RequestBody.Shown(id)}' here: it was never stored, was deleted, or has expired.", "id");

    private static Task WriteAsync(HttpResponse response, ReadOnlyMemory<byte> json) =>
        JsonBody.WriteAsync(response, writer => writer.WriteRawValue(json.Span, skipInputValidation: true));
}
