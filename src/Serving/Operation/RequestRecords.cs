using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OpenEuroLLM.Serving.Metrics;
using OpenEuroLLM.Serving.Security;

namespace OpenEuroLLM.Serving.Operation;

/// <summary>The first that a request meets and the last that it leaves: gives it its id and its record, and hands the record to audit, log and metrics.</summary>
internal sealed class RequestRecords(Auditor? auditor, RequestLog? log, GatewayMetrics metrics, TimeProvider time)
{
    private const string UnknownRoute = "unknown";

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        context.TraceIdentifier = "req_" + RandomNumberGenerator.GetHexString(32, lowercase: true);
        if (IsOpen(context))
        {
            await next(context).ConfigureAwait(false);
            return;
        }
        var record = new RequestRecord(context.TraceIdentifier, MethodOf(context.Request), time.GetUtcNow(), time.GetTimestamp());
        RequestRecord.Current = record;
        try
        {
            await next(context).ConfigureAwait(false);
        }
        finally
        {
            record.Route ??= RouteOf(context);
            int? status = context.Response.HasStarted ? context.Response.StatusCode : null;
            metrics.Ended(record);
            // Whoever reads the metrics does so every few seconds.
            if (status != StatusCodes.Status200OK || RouteScopes.Of(context.Request) != KeyScope.Metrics) log?.Write(record, status, time.GetElapsedTime(record.Arrived));
        }
    }

    /// <summary>Notes the route once it is known.</summary>
    public static Task RoutedAsync(HttpContext context, RequestDelegate next)
    {
        if (RequestRecord.Current is { } record) record.Route = RouteOf(context);
        return next(context);
    }

    /// <summary>Records the error that a client is about to get; returns the one that it gets.</summary>
    public async Task<ApiError> RefuseAsync(HttpContext context, ApiError error)
    {
        if (RequestRecord.Current is not { } record) return error;
        record.Route ??= RouteOf(context);
        record.Error = error;
        // An answer that was begun has its row already.
        if (auditor is not null && !record.Begun && error.Code != "audit_unavailable") await auditor.RefuseAsync(record, error).ConfigureAwait(false);
        return error;
    }

    private static bool IsOpen(HttpContext context) => RouteScopes.Of(context.Request) == RouteScopes.Open;

    /// <summary>Nothing here is a client's own word: it stands in the audit, in logs and in labels.</summary>
    private static string RouteOf(HttpContext context)
    {
        if (context.GetEndpoint() is not RouteEndpoint { RoutePattern.RawText: string pattern }) return UnknownRoute;
        if (pattern.EndsWith("{**call}", StringComparison.Ordinal)) pattern = pattern[..^"/{**call}".Length] + Gemini.GeminiRoutes.MethodOf(context.Request.Path.Value ?? "");
        return $"{MethodOf(context.Request)} {pattern}";
    }

    private static string MethodOf(HttpRequest request) =>
        HttpMethods.IsPost(request.Method) ? "POST" : HttpMethods.IsGet(request.Method) ? "GET" : HttpMethods.IsDelete(request.Method) ? "DELETE" : "OTHER";
}
