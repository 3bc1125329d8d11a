using System.Globalization;
using System.Text;

namespace OpenEuroLLM.Privacy.Rights;

/// <summary>What policies need of an address: whose it is, and which of its pages.</summary>
/// <param name="Host">The host in small letters (international names in their ASCII form), with the port where it is not the scheme's own. Policies are kept under it,
/// whatever the scheme.</param>
/// <param name="Path">Path and query as written, <c>/</c> at least.</param>
public readonly record struct WebAddress(string Host, string Path)
{
    private const int LongestUrl = 1 << 16;

    /// <summary>The host without its port.</summary>
    public string Domain => Host.IndexOf(':', StringComparison.Ordinal) is > 0 and int colon && !Host.StartsWith('[') ? Host[..colon] : Host;

    /// <summary>Reads an address of the web; null when it is none.</summary>
    public static WebAddress? Parse(string? url)
    {
        if (url is null || url.Length > LongestUrl) return null;
        ReadOnlySpan<char> rest = url.AsSpan().Trim();
        bool secure = rest.StartsWith("https://", StringComparison.OrdinalIgnoreCase);
        if (!secure && !rest.StartsWith("http://", StringComparison.OrdinalIgnoreCase)) return null;
        rest = rest[(secure ? 8 : 7)..];
        int end = rest.IndexOfAny("/?#\\");
        ReadOnlySpan<char> authority = end < 0 ? rest : rest[..end];
        authority = authority[(authority.LastIndexOf('@') + 1)..];
        string? port = null;
        int colon = authority.LastIndexOf(':');
        if (colon >= 0 && authority.LastIndexOf(']') < colon)
        {
            if (authority[(colon + 1)..] is { IsEmpty: false } digits && !(secure ? digits is "443" : digits is "80"))
            {
                if (!ushort.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out ushort number)) return null;
                port = string.Create(CultureInfo.InvariantCulture, $":{number}");
            }
            authority = authority[..colon];
        }
        if (NormalizeHost(authority) is not { } host) return null;
        ReadOnlySpan<char> path = end < 0 ? [] : rest[end..];
        int fragment = path.IndexOf('#');
        if (fragment >= 0) path = path[..fragment];
        return new WebAddress(port is null ? host : host + port, path.IsEmpty ? "/" : path[0] == '/' ? path.ToString() : path[0] == '\\' ? string.Concat("/", path[1..]) : string.Concat("/", path));
    }

    /// <summary>The one form of a host's name; null when it is none.</summary>
    internal static string? NormalizeHost(ReadOnlySpan<char> name)
    {
        name = name.TrimEnd('.');
        if (name.Length is 0 or > 255) return null;
        string host = name.ToString().ToLowerInvariant();
        if (!Ascii.IsValid(host))
        {
            try
            {
                host = new IdnMapping { AllowUnassigned = true }.GetAscii(host).ToLowerInvariant();
            }
            catch (ArgumentException)
            {
                return null;
            }
        }
        foreach (char letter in host)
            if (!char.IsAsciiLetterLower(letter) && !char.IsAsciiDigit(letter) && letter is not ('-' or '.' or '_' or ':' or '[' or ']')) return null;
        return host;
    }

    /// <summary>The path in the spelling that patterns are compared with.</summary>
    internal byte[] NormalizedPath() => PathPattern.NormalizePath(Encoding.UTF8.GetBytes(Path));
}
