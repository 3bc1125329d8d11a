using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.Anthropic;

/// <summary>The routes of Anthropic's dialect: <c>/v1/messages</c> and the count of its tokens.</summary>
internal sealed class AnthropicRoutes(ServedModels models, ServerOptions options, TimeProvider time, ILogger logger)
{
    private const string VersionHeader = "anthropic-version";

    private static readonly PathString Root = "/v1/messages";

    /// <summary>The versions that are spoken here. The later one takes no sampling settings, no documents of the assistant and no citations of the
    /// user; here the first are taken in both, since a model on one's own machine needs them, and the others in neither.</summary>
    private static readonly string[] Versions = ["2023-06-01", "2026-10-21"];

    private readonly StreamSender sender = new(options, time, logger);

    /// <summary>Whether a client of this dialect asks: by the address, or by its header where addresses are shared.</summary>
    public static bool IsAsked(HttpRequest request) =>
        // As the router, which takes paths in any case.
        request.Path.StartsWithSegments(Root, StringComparison.OrdinalIgnoreCase)
        || (request.Path.StartsWithSegments("/v1/models", StringComparison.OrdinalIgnoreCase) && request.Headers.ContainsKey(VersionHeader));

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost(Root, (RequestDelegate)AnswerAsync);
        routes.MapPost(Root + "/count_tokens", (RequestDelegate)CountAsync);
    }

    /// <summary>Names the request where this dialect's clients look for it.</summary>
    public static void WriteRequestId(HttpContext context) => context.Response.Headers["request-id"] = context.TraceIdentifier;

    /// <summary>Checks the version that the client speaks, where it names one; returns the headers without effect here.</summary>
    public static IReadOnlyList<string> CheckHeaders(HttpContext context)
    {
        WriteRequestId(context);
        foreach (string? version in context.Request.Headers[VersionHeader])
        {
            if (!Versions.Contains(version, StringComparer.Ordinal))
                throw ApiException.Invalid("anthropic-version", $"The header anthropic-version is '{RequestBody.Shown(version ?? "")}'; expected {string.Join(" or ", Versions)}.");
        }
        return context.Request.Headers["anthropic-beta"].Count > 0 ? ["anthropic-beta"] : [];
    }

    private async Task AnswerAsync(HttpContext context)
    {
        IReadOnlyList<string> headers = CheckHeaders(context);
        MessagesRequest request;
        IInferenceEngine engine;
        using (JsonDocument body = await RequestBody.ReadAsync(context.Request, options.MaxBodyBytes).ConfigureAwait(false))
        {
            engine = await models.UseAsync(context, body.RootElement, MessagesRequest.Fields).ConfigureAwait(false);
            request = MessagesRequest.Read(body.RootElement, engine.Info);
        }
        Dialects.TellIgnored(context.Response, [.. headers, .. request.Ignored]);
        var answer = new MessagesAnswer(engine.Info);
        await Dialects.TranslatingAsync(context, MessagesRequest.Names, async () =>
        {
            IAsyncEnumerable<GenerationEvent> events = engine.Generate(request.Generation, context.RequestAborted);
            if (request.Stream)
            {
                var stream = new MessagesStream(context, answer, engine.Encode(request.Generation.Input).Count);
                await sender.SendAsync(context, stream, events, MessagesRequest.Names).ConfigureAwait(false);
                return;
            }
            Answers answers = await Answers.CollectAsync(events, 1).ConfigureAwait(false);
            await JsonBody.WriteAsync(context.Response, json => answer.Write(json, answers[0])).ConfigureAwait(false);
        }).ConfigureAwait(false);
    }

    private async Task CountAsync(HttpContext context)
    {
        IReadOnlyList<string> headers = CheckHeaders(context);
        GenerationInput.Messages conversation;
        IReadOnlyCollection<string> ignored;
        IInferenceEngine engine;
        using (JsonDocument body = await RequestBody.ReadAsync(context.Request, options.MaxBodyBytes).ConfigureAwait(false))
        {
            engine = await models.UseAsync(context, body.RootElement, MessagesRequest.CountFields).ConfigureAwait(false);
            (conversation, ignored) = MessagesRequest.ReadForCount(body.RootElement, engine.Info);
        }
        Dialects.TellIgnored(context.Response, [.. headers, .. ignored]);
        await Dialects.TranslatingAsync(context, MessagesRequest.Names, () =>
        {
            int tokens = engine.Encode(conversation).Count;
            return JsonBody.WriteAsync(context.Response, json =>
            {
                json.WriteStartObject();
                json.WriteNumber("input_tokens", tokens);
                json.WriteEndObject();
            });
        }).ConfigureAwait(false);
    }
}
