using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using OpenEuroLLM.Inference;
using static OpenEuroLLM.Serving.RequestFields;

namespace OpenEuroLLM.Serving.Gemini;

/// <summary>The routes of Google's dialect: <c>/v1beta/models/NAME:METHOD</c>.</summary>
internal sealed class GeminiRoutes(ServedModels models, ServerOptions options, TimeProvider time, ILogger logger)
{
    /// <summary>Where this dialect's addresses begin.</summary>
    public static readonly PathString Root = "/v1beta";

    private static readonly string[] Methods = ["generateContent", "streamGenerateContent", "countTokens", "embedContent", "batchEmbedContents"];
    private static readonly FieldTable CountFields = new FieldTable().Read("contents", "generateContentRequest");
    private static readonly FieldTable EmbedFields = new FieldTable().Read("content", "outputDimensionality").Ignored("model", "taskType", "title");
    private static readonly FieldTable BatchFields = new FieldTable().Read("requests");

    private readonly StreamSender sender = new(options, time, logger);

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(Root + "/models", (RequestDelegate)(context => JsonBody.WriteAsync(context.Response, json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("models");
            foreach (ModelStatus model in models.All) WriteModel(json, model);
            json.WriteEndArray();
            json.WriteEndObject();
        })));
        routes.MapGet(Root + "/models/{**name}", (RequestDelegate)(context =>
        {
            ModelStatus model = models.Find((string?)context.Request.RouteValues["name"] ?? "");
            return JsonBody.WriteAsync(context.Response, json => WriteModel(json, model));
        }));
        routes.MapPost(Root + "/models/{**call}", (RequestDelegate)(context => Dialects.TranslatingAsync(context, ContentRequest.Names, () => CallAsync(context))));
    }

    /// <summary>The method that an address names, with its colon; empty for none that there is.</summary>
    public static string MethodOf(string path) => Methods.FirstOrDefault(method => path.EndsWith(":" + method, StringComparison.Ordinal)) is string known ? ":" + known : "";

    private async Task CallAsync(HttpContext context)
    {
        string call = (string?)context.Request.RouteValues["call"] ?? "";
        int colon = call.LastIndexOf(':');
        string method = colon < 0 ? "" : call[(colon + 1)..];
        if (!Methods.Contains(method, StringComparer.Ordinal))
            throw new ApiException(404, "unknown_url", $"There is no method '{RequestBody.Shown(method)}' here; expected generateContent, streamGenerateContent, countTokens, embedContent or batchEmbedContents.");
        models.Find(call[..colon]);
        using JsonDocument body = await RequestBody.ReadAsync(context.Request, options.MaxBodyBytes).ConfigureAwait(false);
        RequireBody(body.RootElement);
        IInferenceEngine engine = await models.UseAsync(context, call[..colon]).ConfigureAwait(false);
        await (method switch
        {
            "countTokens" => CountAsync(context, engine, body.RootElement),
            "embedContent" => EmbedAsync(context, engine, body.RootElement, single: true),
            "batchEmbedContents" => EmbedAsync(context, engine, body.RootElement, single: false),
            _ => GenerateAsync(context, engine, body.RootElement, stream: method == "streamGenerateContent"),
        }).ConfigureAwait(false);
    }

    private async Task GenerateAsync(HttpContext context, IInferenceEngine engine, JsonElement body, bool stream)
    {
        ContentRequest request = ContentRequest.Read(body, engine.Info);
        string? form = context.Request.Query["alt"];
        if (form is not (null or "json") && !(stream && form == "sse"))
            throw ApiException.Invalid("alt", $"'alt' is '{RequestBody.Shown(form)}'; expected {(stream ? "sse or " : "")}json.");
        Dialects.TellIgnored(context.Response, request.Ignored);
        var answer = new ContentAnswer(engine, request);
        IAsyncEnumerable<GenerationEvent> events = engine.Generate(request.Generation, context.RequestAborted);
        if (stream)
        {
            await sender.SendAsync(context, new ContentStream(context.Response, request, answer, form == "sse"), events, ContentRequest.Names).ConfigureAwait(false);
            return;
        }
        Answers answers = await Answers.CollectAsync(events, request.Generation.Choices).ConfigureAwait(false);
        await JsonBody.WriteAsync(context.Response, json => answer.Write(json, answers)).ConfigureAwait(false);
    }

    private static Task CountAsync(HttpContext context, IInferenceEngine engine, JsonElement body)
    {
        var ignored = new SortedSet<string>(StringComparer.Ordinal);
        CountFields.Check(body, "", ignored);
        JsonElement? whole = Object(body, "generateContentRequest");
        if (whole is not null && Value(body, "contents") is not null)
            throw ApiException.Invalid("contents", "Send one of 'contents' and 'generateContentRequest'.");
        ContentRequest request = ContentRequest.Read(whole ?? body, engine.Info);
        ignored.UnionWith(request.Ignored);
        Dialects.TellIgnored(context.Response, ignored);
        int tokens = engine.Encode(request.Generation.Input).Count;
        return JsonBody.WriteAsync(context.Response, json =>
        {
            json.WriteStartObject();
            json.WriteNumber("totalTokens", tokens);
            json.WriteEndObject();
        });
    }

    private static async Task EmbedAsync(HttpContext context, IInferenceEngine engine, JsonElement body, bool single)
    {
        var ignored = new SortedSet<string>(StringComparer.Ordinal);
        var inputs = new List<GenerationInput>();
        var dimensions = new List<int?>();
        if (single)
        {
            inputs.Add(ReadInput(engine, body, "", dimensions, ignored));
        }
        else
        {
            BatchFields.Check(body, "", ignored);
            JsonElement list = List(body, "requests") ?? throw ApiException.Invalid("requests", "'requests' must be a list of requests.");
            foreach (JsonElement item in list.EnumerateArray())
            {
                string where = FormattableString.Invariant($"requests[{inputs.Count}]");
                RequireObject(item, where);
                inputs.Add(ReadInput(engine, item, where + ".", dimensions, ignored));
            }
        }
        Dialects.TellIgnored(context.Response, ignored);
        CancellationToken left = context.RequestAborted;
        // The call waits for the model's worker; the threads of the server must not.
        IReadOnlyList<Embedding> made = await Task.Run(() => engine.Embed(inputs, cancellation: left), left).ConfigureAwait(false);
        await JsonBody.WriteAsync(context.Response, json =>
        {
            json.WriteStartObject();
            if (single) json.WriteStartObject("embedding");
            else json.WriteStartArray("embeddings");
            for (int index = 0; index < made.Count; index++)
            {
                if (!single) json.WriteStartObject();
                json.WriteStartArray("values");
                foreach (float number in EmbeddingDimensions.Cut(made[index].Vector, dimensions[index])) json.WriteNumberValue(number);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            if (!single) json.WriteEndArray();
            json.WriteEndObject();
        }).ConfigureAwait(false);
    }

    private static GenerationInput.TextInput ReadInput(IInferenceEngine engine, JsonElement item, string where, List<int?> dimensions, ICollection<string> ignored)
    {
        EmbedFields.Check(item, where, ignored);
        dimensions.Add(EmbeddingDimensions.Read(item, "outputDimensionality", where, engine.Info));
        JsonElement content = Object(item, "content", where) ?? throw ApiException.Invalid(where + "content", $"'{where}content' is missing.");
        return new GenerationInput.TextInput(Contents.ReadText(content, where + "content", ignored));
    }

    private static void WriteModel(Utf8JsonWriter json, ModelStatus model)
    {
        json.WriteStartObject();
        json.WriteString("name", "models/" + model.Name);
        json.WriteString("displayName", model.Name);
        json.WriteString("description", ServedModels.StateOf(model));
        json.WriteNumber("inputTokenLimit", model.ContextLength);
        json.WriteNumber("outputTokenLimit", model.ContextLength);
        json.WriteStartArray("supportedGenerationMethods");
        foreach (string method in (ReadOnlySpan<string>)["generateContent", "countTokens", "embedContent", "batchEmbedContents"]) json.WriteStringValue(method);
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
