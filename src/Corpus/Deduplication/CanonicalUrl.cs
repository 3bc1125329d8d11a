using System.Text;

namespace OpenEuroLLM.Corpus.Deduplication;

/// <summary>One form for the addresses of one page: http and https, <c>www.</c>, letter case of the host, default ports, fragments, tracking and session
/// parameters, the order of parameters, a final slash and names such as <c>index.html</c> make no difference.</summary>
internal static class CanonicalUrl
{
    private const int LongestUrl = 1 << 16;
    private const int SessionCharacters = 16;

    private static readonly HashSet<string> Tracking = new(StringComparer.OrdinalIgnoreCase)
    {
        "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "fbclid", "msclkid", "yclid", "twclid", "igshid", "mc_cid", "mc_eid", "_ga", "_gl", "_hsenc", "_hsmi", "mkt_tok", "vero_id",
        "oly_anon_id", "oly_enc_id", "wickedid", "ref_src",
    };

    /// <summary>Parameters of sessions where their value is as long as that of a session; a short one may be the number of an article.</summary>
    private static readonly HashSet<string> Session = new(StringComparer.OrdinalIgnoreCase) { "sid", "s", "phpsessid", "jsessionid", "aspsessionid", "sessionid", "session_id" };

    /// <summary>The canonical form, or null when it is no address of the web.</summary>
    public static string? Of(string? url)
    {
        if (url is null || url.Length > LongestUrl || !Uri.TryCreate(url.Trim(), UriKind.Absolute, out Uri? parsed) || parsed.Scheme is not ("http" or "https")) return null;
        var canonical = new StringBuilder(Host(parsed));
        if (!parsed.IsDefaultPort && parsed.Port is not (80 or 443)) canonical.Append(':').Append(parsed.Port);
        canonical.Append(Path(parsed.AbsolutePath));
        string[] parameters = [.. parsed.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries).Where(IsContent).Order(StringComparer.Ordinal)];
        if (parameters.Length > 0) canonical.Append('?').AppendJoin('&', parameters);
        return canonical.ToString();
    }

    /// <summary>The host of an address, in its ASCII form and small letters, without <c>www.</c>.</summary>
    public static string Host(Uri address)
    {
        string host = address.IdnHost.ToLowerInvariant().TrimEnd('.');
        return host.StartsWith("www.", StringComparison.Ordinal) ? host[4..] : host;
    }

    private static string Path(string path)
    {
        int session = path.IndexOf(";jsessionid=", StringComparison.OrdinalIgnoreCase);
        if (session >= 0) path = path[..session];
        int name = path.LastIndexOf('/') + 1;
        if (path[name..].ToLowerInvariant() is "index.html" or "index.htm" or "index.php" or "default.html" or "default.htm" or "default.asp" or "default.aspx") path = path[..name];
        return path.TrimEnd('/');
    }

    private static bool IsContent(string parameter)
    {
        string[] parts = parameter.Split('=', 2);
        return !parts[0].StartsWith("utm_", StringComparison.OrdinalIgnoreCase) && !Tracking.Contains(parts[0]) && !(Session.Contains(parts[0]) && parts.Length == 2 && parts[1].Length >= SessionCharacters);
    }
}
