using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using OpenEuroLLM.Serving.Operation;
using OpenEuroLLM.Serving.Security;

namespace OpenEuroLLM.Serving;

/// <summary>What every request passes through: it must be meant for this machine, must not come from another site's
/// page, and whatever goes wrong becomes an error in the dialect's shape.</summary>
internal sealed class RequestGuard(ListenAddress address, RequestRecords records, Drain drain, ILogger logger)
{
    public const string RequestIdHeader = "x-request-id";

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        WriteHeaders(context);
        try
        {
            RefuseTwoLengths(context.Request);
            RefuseOtherNames(context.Request);
            RefuseOtherSites(context.Request);
            using IDisposable? place = drain.Enter(context);
            await next(context).ConfigureAwait(false);
            if (!context.Response.HasStarted && context.Response.StatusCode is 404 or 405 && context.Response.ContentLength is null)
                await AnswerAsync(context, NoSuchRoute(context)).ConfigureAwait(false);
        }
        catch (ApiException problem) when (!context.Response.HasStarted)
        {
            await AnswerAsync(context, problem.Error).ConfigureAwait(false);
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client has left; nobody reads an answer.
        }
        catch (BadHttpRequestException problem) when (!context.Response.HasStarted)
        {
            await AnswerAsync(context, new ApiError(problem.StatusCode, "bad_request", "The HTTP request is malformed.")).ConfigureAwait(false);
        }
        catch (Exception defect) when (!context.Response.HasStarted)
        {
            LogDefect(logger, context, defect);
            await AnswerAsync(context, InternalError(context)).ConfigureAwait(false);
        }
    }

    /// <summary>The answer to a defect of this program: nothing but the id to look for in the log.</summary>
    public static ApiError InternalError(HttpContext context) =>
        new(500, "server_error", $"The server failed to answer; its log has the details under {context.TraceIdentifier}.");

    /// <summary>Writes a defect to the log without its message, which might quote a prompt.</summary>
    public static void LogDefect(ILogger logger, HttpContext context, Exception defect)
    {
        if (logger.IsEnabled(LogLevel.Error))
            logger.LogError("{RequestId} failed: {Type}{NewLine}{Stack}", context.TraceIdentifier, defect.GetType().FullName, Environment.NewLine, defect.StackTrace);
    }

    private async Task AnswerAsync(HttpContext context, ApiError error)
    {
        // These come before the body was read. The server then closes the connection sooner or later; a client that was not told
        // might send its next request into the closing.
        if (error.Code == "bad_request" || (error.Status is 403 or 404 or 405 or 413 or 415 && !HttpMethods.IsGet(context.Request.Method)))
            context.Response.Headers.Connection = "close";
        await Dialects.WriteErrorAsync(context, await records.RefuseAsync(context, error).ConfigureAwait(false)).ConfigureAwait(false);
    }

    private static void WriteHeaders(HttpContext context)
    {
        IHeaderDictionary headers = context.Response.Headers;
        headers[RequestIdHeader] = context.TraceIdentifier;
        headers.CacheControl = "no-store";
        headers.XContentTypeOptions = "nosniff";
        headers.ContentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
            + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
    }

    /// <summary>Where a request ends must have one reading: a proxy in front that goes by the other one would take what is behind it for a request of
    /// somebody else. Kestrel goes by the chunks, and keeps the length under another name.</summary>
    private static void RefuseTwoLengths(HttpRequest request)
    {
        if (request.Headers.TransferEncoding.Count > 0 && (request.Headers.ContainsKey("X-Content-Length") || request.Protocol == HttpProtocol.Http10))
            throw new ApiException(400, "bad_request", "The request says in two ways where it ends; expected either Content-Length or Transfer-Encoding, the latter not in HTTP/1.0.");
    }

    private void RefuseOtherNames(HttpRequest request)
    {
        if (!address.Names(request.Host.Host))
            throw new ApiException(403, "host_not_allowed", "The Host header must name this server: 127.0.0.1, [::1], localhost, or a name that it was started with.");
    }

    /// <summary>A browser names the page's origin with every request that can change something; programs send none.</summary>
    private static void RefuseOtherSites(HttpRequest request)
    {
        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)) return;
        foreach (string? origin in request.Headers.Origin)
        {
            if (!string.Equals(origin, $"{request.Scheme}://{request.Host.Value}", StringComparison.OrdinalIgnoreCase))
                throw new ApiException(403, "origin_not_allowed", "Pages of other origins may not send requests to this server.");
        }
    }

    private static ApiError NoSuchRoute(HttpContext context) => context.Response.StatusCode == 405
        ? new(405, "method_not_allowed", $"{RequestBody.Shown(context.Request.Method)} is not possible here; expected {context.Response.Headers.Allow}.")
        : new(404, "unknown_url", $"There is no {RequestBody.Shown(context.Request.Method)} {RequestBody.Shown(context.Request.Path.Value ?? "")} here; the API starts with /v1.");
}
