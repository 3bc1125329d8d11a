using Microsoft.AspNetCore.Http;
using OpenEuroLLM.Inference;
using OpenEuroLLM.Serving.Anthropic;
using OpenEuroLLM.Serving.Gemini;
using OpenEuroLLM.Serving.OpenAi;

namespace OpenEuroLLM.Serving;

/// <summary>What all dialects do alike.</summary>
internal static class Dialects
{
    /// <summary>Response header that lists the fields of the request without effect here.</summary>
    public const string IgnoredFieldsHeader = "x-oellm-ignored-fields";

    /// <summary>Names the ignored fields, if there are any.</summary>
    public static void TellIgnored(HttpResponse response, IReadOnlyCollection<string> ignored)
    {
        if (ignored.Count > 0) response.Headers[IgnoredFieldsHeader] = string.Join(", ", ignored);
    }

    /// <summary>Runs what talks to the engine; an error of the engine becomes the dialect's as long as nothing was sent.</summary>
    public static async Task TranslatingAsync(HttpContext context, FieldNames names, Func<Task> work)
    {
        try
        {
            await work().ConfigureAwait(false);
        }
        catch (RequestException problem) when (!context.Response.HasStarted)
        {
            throw new ApiException(names.Translate(problem));
        }
    }

    /// <summary>Writes an error in the shape of the dialect whose address was asked.</summary>
    public static Task WriteErrorAsync(HttpContext context, ApiError error)
    {
        PathString path = context.Request.Path;
        if (AnthropicRoutes.IsAsked(context.Request)) return AnthropicError.WriteAsync(context, error);
        if (path.StartsWithSegments(GeminiRoutes.Root, StringComparison.OrdinalIgnoreCase)) return GeminiError.WriteAsync(context.Response, error);
        return OpenAiError.WriteAsync(context.Response, error);
    }
}
