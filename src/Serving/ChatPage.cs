using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving;

/// <summary>The chat page at <c>/</c>: static files that lie inside the assembly, so that nothing else can be asked for.</summary>
internal static class ChatPage
{
    private const string Folder = "Page/";
    private static readonly string[] GetAndHead = [HttpMethods.Get, HttpMethods.Head];

    public static void Map(IEndpointRouteBuilder routes)
    {
        foreach (string resource in typeof(ChatPage).Assembly.GetManifestResourceNames())
        {
            if (!resource.StartsWith(Folder, StringComparison.Ordinal)) continue;
            string name = resource[Folder.Length..];
            Map(routes, name == "index.html" ? "/" : $"/page/{name}", ContentType(name), Read(resource));
        }
        Map(routes, "/page/limits.json", ContentType("limits.json"), PageLimits.Write(new RequestLimits()));
    }

    private static void Map(IEndpointRouteBuilder routes, string path, string type, byte[] content)
    {
        var tag = new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(content))}\"");
        routes.MapMethods(path, GetAndHead, (RequestDelegate)(context =>
        {
            // Asked anew each time, sent only when changed: a new version of the server never meets an old page.
            context.Response.Headers.CacheControl = "no-cache";
            return Results.Bytes(content, type, entityTag: tag).ExecuteAsync(context);
        }));
    }

    private static byte[] Read(string resource)
    {
        using Stream stream = typeof(ChatPage).Assembly.GetManifestResourceStream(resource)!;
        byte[] content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }

    private static string ContentType(string name) => Path.GetExtension(name) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".json" => "application/json",
        ".svg" => "image/svg+xml",
        string other => throw new InvalidOperationException($"Page/{name}: no content type is known for '{other}'."),
    };
}
