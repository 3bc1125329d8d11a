using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using OpenEuroLLM.Inference;
using OpenEuroLLM.Serving.OpenAi.Responses;

namespace OpenEuroLLM.Serving.OpenAi;

/// <summary>The routes of OpenAI's dialect under <c>/v1</c>.</summary>
internal sealed class OpenAiRoutes(ServedModels models, ServerOptions options, TimeProvider time, ILogger logger)
{
    private readonly StreamSender sender = new(options, time, logger);

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/chat/completions", (RequestDelegate)ChatAsync);
        routes.MapPost("/v1/completions", (RequestDelegate)CompleteAsync);
        new TextRoutes(models, options).Map(routes);
        new ResponseRoutes(models, options, time, logger).Map(routes);
    }

    private async Task ChatAsync(HttpContext context)
    {
        ChatRequest request;
        IInferenceEngine engine;
        using (JsonDocument body = await RequestBody.ReadAsync(context.Request, options.MaxBodyBytes).ConfigureAwait(false))
        {
            engine = await models.UseAsync(context, body.RootElement, ChatRequest.Fields).ConfigureAwait(false);
            request = ChatRequest.Read(body.RootElement, engine.Info);
        }
        Dialects.TellIgnored(context.Response, request.Ignored);
        var answer = new ChatAnswer(engine, time.GetUtcNow());
        await Dialects.TranslatingAsync(context, request.Names, async () =>
        {
            IAsyncEnumerable<GenerationEvent> events = engine.Generate(request.Generation, context.RequestAborted);
            if (request.Stream)
            {
                await sender.SendAsync(context, new ChatStream(context.Response, request, answer), events, request.Names).ConfigureAwait(false);
                return;
            }
            Answers answers = await Answers.CollectAsync(events, request.Generation.Choices).ConfigureAwait(false);
            await JsonBody.WriteAsync(context.Response, json => answer.Write(json, answers, request.Generation.Logprobs is not null)).ConfigureAwait(false);
        }).ConfigureAwait(false);
    }

    private async Task CompleteAsync(HttpContext context)
    {
        TextRequest request;
        IInferenceEngine engine;
        using (JsonDocument body = await RequestBody.ReadAsync(context.Request, options.MaxBodyBytes).ConfigureAwait(false))
        {
            engine = await models.UseAsync(context, body.RootElement, TextRequest.Fields).ConfigureAwait(false);
            request = TextRequest.Read(body.RootElement, engine.Info);
        }
        Dialects.TellIgnored(context.Response, request.Ignored);
        var answer = new TextAnswer(engine, request, time.GetUtcNow());
        await Dialects.TranslatingAsync(context, TextRequest.Names, async () =>
        {
            IAsyncEnumerable<GenerationEvent>[] events = [.. request.Generations.Select(generation => engine.Generate(generation, context.RequestAborted))];
            if (request.Stream)
            {
                await sender.SendAsync(context, new TextStream(context.Response, request, answer), Together(events), TextRequest.Names).ConfigureAwait(false);
                return;
            }
            Task<Answers>[] running = [.. events.Select((each, prompt) => Answers.CollectAsync(each, request.Generations[prompt].Choices))];
            Answers[] answers = await Task.WhenAll(running).ConfigureAwait(false);
            await JsonBody.WriteAsync(context.Response, json => answer.Write(json, answers)).ConfigureAwait(false);
        }).ConfigureAwait(false);
    }

    private static async IAsyncEnumerable<GenerationEvent> Together(IAsyncEnumerable<GenerationEvent>[] all)
    {
        foreach (IAsyncEnumerable<GenerationEvent> events in all)
            await foreach (GenerationEvent happened in events.ConfigureAwait(false)) yield return happened;
    }
}
