using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace OpenEuroLLM.Serving.Security;

/// <summary>Finds the key in a request: each dialect's clients send it their own way.</summary>
internal static class Credentials
{
    private const string Bearer = "Bearer ";

    /// <summary>The one key that was presented, or null; two different ones count as none, so that no proxy and no log can disagree with us about who asks.</summary>
    public static string? Of(HttpRequest request)
    {
        string? found = null;
        bool clear = Take(request.Headers.Authorization, Bearer, ref found)
            && Take(request.Headers["x-api-key"], "", ref found)
            && Take(request.Headers["x-goog-api-key"], "", ref found);
        // In the address a key ends up in logs of proxies: only where that dialect's clients put it there.
        if (clear && request.Path.StartsWithSegments("/v1beta", StringComparison.OrdinalIgnoreCase)) clear = Take(request.Query["key"], "", ref found);
        return clear ? found : null;
    }

    private static bool Take(StringValues values, string beginning, ref string? found)
    {
        foreach (string? value in values)
        {
            if (value is null || !value.StartsWith(beginning, StringComparison.OrdinalIgnoreCase)) return false;
            string key = value[beginning.Length..].Trim();
            if (found is not null && !string.Equals(found, key, StringComparison.Ordinal)) return false;
            found = key;
        }
        return true;
    }
}
