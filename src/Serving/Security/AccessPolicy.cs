using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using OpenEuroLLM.Core;
using OpenEuroLLM.Serving.Operation;

namespace OpenEuroLLM.Serving.Security;

/// <summary>The one rule for all routes: what is not open needs a valid key with the route's scope, within the key's limits; what is not in
/// <see cref="RouteScopes"/> is refused. Without a file of keys the server answers this machine only, and whoever is on it may use all known routes.</summary>
internal sealed class AccessPolicy(KeyStore? keys, TimeProvider time, ILogger logger)
{
    private readonly ConcurrentDictionary<string, KeyUse> uses = new(StringComparer.Ordinal);

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        string? scope = RouteScopes.Of(context.Request);
        if (scope == RouteScopes.Open)
        {
            await next(context).ConfigureAwait(false);
            return;
        }
        if (keys is null)
        {
            if (scope is null && context.GetEndpoint() is not null) throw AccessErrors.NotAllowed();
            Caller.Current = new Caller(null, null);
            await next(context).ConfigureAwait(false);
            return;
        }
        await AdmitAsync(context, next, keys, scope).ConfigureAwait(false);
    }

    private async Task AdmitAsync(HttpContext context, RequestDelegate next, KeyStore store, string? scope)
    {
        ApiKey key = Authenticate(context, store);
        RequestRecord.Current?.Identify(key);
        if (scope is null)
        {
            // With a valid key the client may learn that there is nothing.
            if (context.GetEndpoint() is not null) throw AccessErrors.NotAllowed();
            await next(context).ConfigureAwait(false);
            return;
        }
        if (!key.Scopes.Contains(scope, StringComparer.Ordinal)) throw AccessErrors.NoScope(scope);
        KeyUse use = uses.GetOrAdd(key.Id, _ => new KeyUse(time));
        use.Enter(key);
        try
        {
            Caller.Current = new Caller(key.Id, use);
            await next(context).ConfigureAwait(false);
        }
        finally
        {
            use.Leave();
        }
    }

    private ApiKey Authenticate(HttpContext context, KeyStore store)
    {
        try
        {
            if (Credentials.Of(context.Request) is string presented && store.Authenticate(presented) is ApiKey key) return key;
        }
        catch (UserErrorException problem)
        {
            logger.LogError("API keys cannot be read: {Problem}", problem.Message);
            throw AccessErrors.StoreUnreadable();
        }
        context.Response.Headers.WWWAuthenticate = "Bearer";
        throw AccessErrors.NoKey();
    }
}
