using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OpenEuroLLM.Inference;
using OpenEuroLLM.Serving.Anthropic;

namespace OpenEuroLLM.Serving;

/// <summary>The models at <c>/v1/models</c>, an address that OpenAI's and Anthropic's clients share: each gets its own shape.</summary>
internal sealed class ModelRoutes(ServedModels models, TimeProvider time)
{
    private const string Root = "/v1/models";
    private const int UsualModels = 20, MaxModels = 1000;   // of a page, in Anthropic's dialect

    // A model has no other date here.
    private readonly DateTimeOffset started = time.GetUtcNow();

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(Root, (RequestDelegate)(context => AnthropicRoutes.IsAsked(context.Request) ? ListForAnthropicAsync(context) : ListAsync(context)));
        routes.MapGet(Root + "/{**id}", (RequestDelegate)ShowAsync);
    }

    private Task ListAsync(HttpContext context) => JsonBody.WriteAsync(context.Response, json =>
    {
        json.WriteStartObject();
        json.WriteString("object", "list");
        json.WriteStartArray("data");
        foreach (ModelStatus model in models.All) Write(json, model);
        json.WriteEndArray();
        json.WriteEndObject();
    });

    private Task ListForAnthropicAsync(HttpContext context)
    {
        AnthropicRoutes.CheckHeaders(context);
        var query = new ListQuery(context.Request.Query, "limit", "after_id", "before_id");
        var (page, more) = query.PageOf(models.All, model => model.Name, "after_id", "before_id", UsualModels, MaxModels);
        return JsonBody.WriteAsync(context.Response, json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("data");
            foreach (ModelStatus model in page) WriteForAnthropic(json, model);
            json.WriteEndArray();
            json.WriteBoolean("has_more", more);
            json.WriteString("first_id", page.Count == 0 ? null : page[0].Name);
            json.WriteString("last_id", page.Count == 0 ? null : page[^1].Name);
            json.WriteEndObject();
        });
    }

    private Task ShowAsync(HttpContext context)
    {
        bool forAnthropic = AnthropicRoutes.IsAsked(context.Request);
        if (forAnthropic) AnthropicRoutes.CheckHeaders(context);
        ModelStatus model = models.Find((string?)context.Request.RouteValues["id"] ?? "");
        return JsonBody.WriteAsync(context.Response, json =>
        {
            if (forAnthropic) WriteForAnthropic(json, model);
            else Write(json, model);
        });
    }

    private void Write(Utf8JsonWriter json, ModelStatus model)
    {
        json.WriteStartObject();
        json.WriteString("id", model.Name);
        json.WriteString("object", "model");
        json.WriteNumber("created", started.ToUnixTimeSeconds());
        json.WriteString("owned_by", "local");
        json.WriteNumber("max_model_len", model.ContextLength); // vLLM's name for it
        json.WriteString("state", ServedModels.StateOf(model));
        json.WriteEndObject();
    }

    private void WriteForAnthropic(Utf8JsonWriter json, ModelStatus model)
    {
        json.WriteStartObject();
        json.WriteString("type", "model");
        json.WriteString("id", model.Name);
        json.WriteString("display_name", model.Name);
        json.WriteString("created_at", started.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture));
        json.WriteNumber("max_input_tokens", model.ContextLength);
        json.WriteNumber("max_tokens", model.ContextLength);
        json.WriteString("lifecycle", "active");
        foreach (string unknown in (ReadOnlySpan<string>)["capabilities", "line", "deprecated_at", "retires_at"]) json.WriteNull(unknown);
        json.WriteString("state", ServedModels.StateOf(model));
        json.WriteEndObject();
    }
}
