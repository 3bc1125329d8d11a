using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Formats.Hub;

namespace OpenEuroLLM.Cli;

/// <summary>How long the hub is waited for.</summary>
/// <param name="Silence">Without a byte for this long a connection counts as lost.</param>
/// <param name="Wait">Waits between attempts.</param>
internal sealed record FetchPatience(TimeSpan Silence, Func<TimeSpan, CancellationToken, Task> Wait)
{
    public static FetchPatience Usual { get; } = new(TimeSpan.FromSeconds(60), Task.Delay);
}

/// <summary>Something that may go better next time: a lost connection, an overloaded server.</summary>
internal sealed class FetchInterruption(string message, TimeSpan? after = null, Exception? cause = null, bool isUnreachable = false) : Exception(message, cause)
{
    /// <summary>There was no connection at all.</summary>
    public bool IsUnreachable { get; } = isUnreachable;

    /// <summary>When the server said to come back, or null.</summary>
    public TimeSpan? After { get; } = after;
}

/// <summary>The hub's endpoints. The only code of this project that opens a connection to another machine.</summary>
/// <remarks>Redirects are followed here and not by the platform: the token goes to the endpoint's own address and nowhere else, and never from https to http.</remarks>
internal sealed class FetchHub : IDisposable
{
    private const int MaximumListBytes = 32 << 20;
    private const int MaximumFiles = 100_000;
    private const int MaximumRedirects = 10;

    private readonly Uri endpoint;
    private readonly string? token;
    private readonly HubName name;
    private readonly FetchPatience patience;
    private readonly HttpClient client;

    /// <summary>Prepares requests; none is sent yet.</summary>
    /// <exception cref="UserErrorException">The endpoint is no address, or the token would travel unprotected.</exception>
    public FetchHub(string endpoint, string? token, HubName name, FetchPatience patience)
    {
        if (!Uri.TryCreate(endpoint.TrimEnd('/') + "/", UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https") || address.UserInfo.Length > 0 || address.Query.Length > 0 || address.Fragment.Length > 0)
            throw new UserErrorException($"HF_ENDPOINT is '{GgufFile.Shown(endpoint)}'; expected an address such as https://huggingface.co, without user name and query.");
        token = string.IsNullOrWhiteSpace(token) ? null : token.Trim();
        if (token is not null && !token.All(letter => letter is > ' ' and < '\x7f'))
            throw new UserErrorException("HF_TOKEN holds blanks or letters that no token has; set it to the token alone.");
        if (token is not null && address.Scheme == "http" && !address.IsLoopback)
            throw new UserErrorException($"HF_ENDPOINT is {address}, and HF_TOKEN would travel there unprotected; use https, or unset HF_TOKEN.");
        (this.endpoint, this.token, this.name, this.patience) = (address, token, name, patience);
        client = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = TimeSpan.FromSeconds(30),
            MaxResponseHeadersLength = 64,
            UseCookies = false,
        })
        { Timeout = Timeout.InfiniteTimeSpan };
        client.DefaultRequestHeaders.UserAgent.ParseAdd("oellm/" + typeof(FetchHub).Assembly.GetName().Version!.ToString(3));
        client.DefaultRequestHeaders.AcceptEncoding.ParseAdd("identity");
    }

    /// <summary>The commit that the revision means now, and the names of its files.</summary>
    public async Task<(string Commit, IReadOnlyList<string> Files)> ListAsync(CancellationToken cancellation)
    {
        var address = new Uri(endpoint, $"api/models/{name.Repository}/revision/{Uri.EscapeDataString(name.Revision)}");
        using var response = await SendAsync(HttpMethod.Get, address, 0, false, cancellation).ConfigureAwait(false);
        RequireSuccess(response, null);
        byte[] json = await ReadAllAsync(response, address, cancellation).ConfigureAwait(false);
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false });
            string commit = document.RootElement.GetProperty("sha").GetString() ?? "";
            if (!HubHash.IsCommit(commit) || (name.IsCommit && commit != name.Revision))
                throw new UserErrorException($"{address}: the server names the commit '{GgufFile.Shown(commit)}'; expected {(name.IsCommit ? name.Revision : "40 hexadecimal digits")}.");
            var files = new List<string>();
            foreach (var entry in document.RootElement.GetProperty("siblings").EnumerateArray())
            {
                string file = entry.GetProperty("rfilename").GetString() ?? "";
                if (!HubName.IsFile(file))
                    throw new UserErrorException($"{address}: the server names a file '{GgufFile.Shown(file)}'; expected a relative path that stays inside the repository.");
                if (files.Count == MaximumFiles)
                    throw new UserErrorException($"{address}: the repository has more than {MaximumFiles} files, which no model has.");
                files.Add(file);
            }
            return (commit, [.. files.Distinct(StringComparer.Ordinal)]);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new UserErrorException($"{address}: the answer is not the list of files that a hub gives; is HF_ENDPOINT right?", exception);
        }
    }

    /// <summary>A file's size, and the hash that names its content.</summary>
    public async Task<FetchFile> DescribeAsync(string commit, string file, CancellationToken cancellation)
    {
        using var response = await SendAsync(HttpMethod.Head, AddressOf(commit, file), 0, true, cancellation).ConfigureAwait(false);
        if (!IsRedirect(response)) RequireSuccess(response, file);
        string hash = Header(response, "X-Linked-Etag") ?? response.Headers.ETag?.Tag ?? "";
        hash = (hash.StartsWith("W/", StringComparison.Ordinal) ? hash[2..] : hash).Trim('"').ToLowerInvariant();
        if (!HubHash.IsName(hash))
            throw new UserErrorException($"{name.Repository}: {file}: the server gives no hash to check it by (X-Linked-Etag or ETag); expected 40 or 64 hexadecimal digits. Use another HF_ENDPOINT.");
        if (Header(response, "X-Repo-Commit") is { } found && found != commit)
            throw new UserErrorException($"{name.Repository}: {file}: the server answers from commit {GgufFile.Shown(found)}; expected {commit}. Try again.");
        string? size = Header(response, "X-Linked-Size") ?? (IsRedirect(response) ? null : response.Content.Headers.ContentLength?.ToString(CultureInfo.InvariantCulture));
        return long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out long bytes) ? new(file, hash, bytes)
            : throw new UserErrorException($"{name.Repository}: {file}: the server does not say how large it is (X-Linked-Size or Content-Length). Use another HF_ENDPOINT.");
    }

    /// <summary>The content of a file from a byte on; a server that cannot begin there begins at 0.</summary>
    /// <param name="commit">The commit.</param>
    /// <param name="file">The file.</param>
    /// <param name="from">The first byte wanted.</param>
    /// <param name="take">Told once where the content begins, and then every piece.</param>
    /// <param name="cancellation">Stops between pieces.</param>
    /// <exception cref="FetchInterruption">The connection ended too early.</exception>
    public async Task ReadAsync(string commit, FetchFile file, long from, IFetchTarget take, CancellationToken cancellation)
    {
        using var response = await SendAsync(HttpMethod.Get, AddressOf(commit, file.Name), from, false, cancellation).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            take.Begin(0);
            throw new FetchInterruption($"{file.Name}: the server does not continue at byte {from}");
        }
        RequireSuccess(response, file.Name);
        long begin = 0;
        if (response.StatusCode == HttpStatusCode.PartialContent)
        {
            if (response.Content.Headers.ContentRange is not { From: { } first } range || first != from || (range.Length is { } all && all != file.Bytes))
                throw new UserErrorException($"{name.Repository}: {file.Name}: the server answers with another part than was asked for ({response.Content.Headers.ContentRange}); expected bytes {from}-{file.Bytes - 1}/{file.Bytes}.");
            begin = first;
        }
        take.Begin(begin);
        using var stream = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        byte[] piece = new byte[1 << 17];
        long left = file.Bytes - begin;
        while (await ReadSomeAsync(stream, piece, cancellation).ConfigureAwait(false) is > 0 and int read)
        {
            if ((left -= read) < 0)
                throw new UserErrorException($"{name.Repository}: {file.Name}: the server sends more than the {file.Bytes} bytes that it announced.");
            take.Take(piece.AsSpan(0, read));
        }
        if (left > 0) throw new FetchInterruption($"{file.Name}: the connection ended {left} bytes too early");
    }

    public void Dispose() => client.Dispose();

    private Uri AddressOf(string commit, string file) =>
        new(endpoint, $"{name.Repository}/resolve/{commit}/{string.Join('/', file.Split('/').Select(Uri.EscapeDataString))}");

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, Uri address, long from, bool stopAtContent, CancellationToken cancellation)
    {
        for (int redirects = 0; ; redirects++)
        {
            using var request = new HttpRequestMessage(method, address);
            if (token is not null && IsOwn(address)) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            if (from > 0) request.Headers.Range = new RangeHeaderValue(from, null);
            var response = await SendOnceAsync(request, cancellation).ConfigureAwait(false);
            // The answer that leads to where large files lie says what they are.
            if (!IsRedirect(response) || (stopAtContent && Header(response, "X-Linked-Etag") is not null)) return response;
            var next = response.Headers.Location is { } location ? new Uri(address, location) : null;
            response.Dispose();
            if (next is null || next.Scheme is not ("http" or "https") || (address.Scheme == "https" && next.Scheme == "http") || redirects == MaximumRedirects)
                throw new UserErrorException($"{address.GetLeftPart(UriPartial.Path)}: the server leads to {(next is null ? "nowhere" : redirects == MaximumRedirects ? $"more than {MaximumRedirects} other places" : $"'{next.GetLeftPart(UriPartial.Path)}', from https to {next.Scheme}")}; it was not followed.");
            address = next;
        }
    }

    private async Task<HttpResponseMessage> SendOnceAsync(HttpRequestMessage request, CancellationToken cancellation)
    {
        string host = request.RequestUri!.Authority;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(patience.Silence);
        HttpResponseMessage response;
        try
        {
            response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token).ConfigureAwait(false);
        }
        catch (HttpRequestException exception) when (exception.HttpRequestError == HttpRequestError.SecureConnectionError)
        {
            throw new UserErrorException($"{host}: no secure connection ({exception.Message.ReplaceLineEndings(" ")}); check the address and the machine's certificates.", exception);
        }
        catch (HttpRequestException exception)
        {
            throw new FetchInterruption($"{host}: {exception.Message.ReplaceLineEndings(" ").TrimEnd('.')}", cause: exception,
                isUnreachable: exception.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.ProxyTunnelError);
        }
        catch (OperationCanceledException exception) when (!cancellation.IsCancellationRequested)
        {
            throw new FetchInterruption($"{host}: no answer within {patience.Silence.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s", cause: exception);
        }
        int status = (int)response.StatusCode;
        if (status != 429 && status is not (408 or >= 500)) return response;
        var after = response.Headers.RetryAfter;
        response.Dispose();
        throw new FetchInterruption($"{host}: the server answers {status}", after?.Delta ?? (after?.Date is { } date ? date - SystemClock.Instance.UtcNow : null));
    }

    private async Task<int> ReadSomeAsync(Stream stream, Memory<byte> piece, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(patience.Silence);
        try
        {
            return await stream.ReadAsync(piece, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException exception) when (!cancellation.IsCancellationRequested)
        {
            throw new FetchInterruption($"no byte for {patience.Silence.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s", cause: exception);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            throw new FetchInterruption("the connection was lost", cause: exception);
        }
    }

    private async Task<byte[]> ReadAllAsync(HttpResponseMessage response, Uri address, CancellationToken cancellation)
    {
        using var stream = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        using var all = new MemoryStream();
        byte[] piece = new byte[1 << 16];
        while (await ReadSomeAsync(stream, piece, cancellation).ConfigureAwait(false) is > 0 and int read)
        {
            all.Write(piece, 0, read);
            if (all.Length > MaximumListBytes) throw new UserErrorException($"{address}: the list of files has more than {MaximumListBytes} bytes, which no model has.");
        }
        return all.ToArray();
    }

    private void RequireSuccess(HttpResponseMessage response, string? file)
    {
        if (response.IsSuccessStatusCode) return;
        string what = file is null ? name.ToString() : $"{name}: {file}";
        string page = new Uri(endpoint, name.Repository).ToString();
        throw new UserErrorException((response.StatusCode, Header(response, "X-Error-Code")) switch
        {
            (HttpStatusCode.Forbidden, _) or (_, "GatedRepo") => $"{what}: access is granted on request only; ask for it at {page}, then set HF_TOKEN to your token.",
            (HttpStatusCode.Unauthorized, _) => $"{what}: not to be had {(token is null ? "without a token: the name is wrong, or the repository is private; then set HF_TOKEN" : "with this HF_TOKEN: the name is wrong, or the token is not valid for it")}.",
            (HttpStatusCode.NotFound, "RevisionNotFound") => $"{what}: the repository has no branch, tag or commit '{name.Revision}'; see {page}.",
            (HttpStatusCode.NotFound, _) => $"{what}: not found on {endpoint.Authority}; check the name and the revision.",
            var (status, _) => $"{what}: {endpoint.Authority} answers {(int)status}; expected 200.",
        });
    }

    private bool IsOwn(Uri address) => address.Scheme == endpoint.Scheme && address.Host == endpoint.Host && address.Port == endpoint.Port;

    private static bool IsRedirect(HttpResponseMessage response) => (int)response.StatusCode is 301 or 302 or 303 or 307 or 308;

    private static string? Header(HttpResponseMessage response, string key) => response.Headers.TryGetValues(key, out var values) ? values.First() : null;
}

/// <summary>Takes what is read from the hub.</summary>
internal interface IFetchTarget
{
    /// <summary>The content begins at this byte; what was there beyond it is forgotten.</summary>
    void Begin(long at);

    /// <summary>The next bytes.</summary>
    void Take(ReadOnlySpan<byte> bytes);
}
