using Microsoft.AspNetCore.Http;

namespace OpenEuroLLM.Serving.Security;

/// <summary>What each route demands. A route that stands nowhere here is refused to everybody.</summary>
internal static class RouteScopes
{
    /// <summary>Open to everybody: the page's static files, and the probes of whoever runs the server.</summary>
    public const string Open = "open";

    private static readonly (string Path, bool Below, string Scope)[] Table =
    [
        ("/", false, Open),
        ("/page", true, Open),
        ("/health", false, Open),
        ("/ready", false, Open),
        ("/metrics", false, KeyScope.Metrics),
        ("/v1/models", true, KeyScope.Models),
        ("/v1/embeddings", false, KeyScope.Embeddings),
        ("/v1/chat/completions", false, KeyScope.Chat),
        ("/v1/completions", false, KeyScope.Chat),
        ("/v1/responses", true, KeyScope.Chat),
        ("/v1/messages", true, KeyScope.Chat),
        ("/tokenize", false, KeyScope.Chat),
        ("/detokenize", false, KeyScope.Chat),
    ];

    /// <summary>The scope that a request needs, <see cref="Open"/>, or null for a path that is not in the table.</summary>
    public static string? Of(HttpRequest request)
    {
        string path = request.Path.Value ?? "";
        // The router takes paths in any case and with a slash at the end.
        if (path.Length > 1 && path.EndsWith('/')) path = path[..^1];
        if (IsBelow(path, "/v1beta/models")) return OfGemini(request, path);
        foreach ((string known, bool below, string scope) in Table)
        {
            if (string.Equals(path, known, StringComparison.OrdinalIgnoreCase) || (below && IsBelow(path, known))) return scope;
        }
        return null;
    }

    /// <summary>Gemini's dialect names the work after a colon behind the model.</summary>
    private static string OfGemini(HttpRequest request, string path)
    {
        if (!HttpMethods.IsPost(request.Method)) return KeyScope.Models;
        return path.Contains("embed", StringComparison.OrdinalIgnoreCase) && path.AsSpan(path.LastIndexOf(':') + 1).Contains("embed", StringComparison.OrdinalIgnoreCase)
            ? KeyScope.Embeddings : KeyScope.Chat;
    }

    private static bool IsBelow(string path, string root) => path.StartsWith(root, StringComparison.OrdinalIgnoreCase) && (path.Length == root.Length || path[root.Length] == '/');
}
