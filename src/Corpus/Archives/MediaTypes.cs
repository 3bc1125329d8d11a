namespace OpenEuroLLM.Corpus.Archives;

/// <summary>Reads values such as <c>text/html; charset="utf-8"</c>.</summary>
internal static class MediaTypes
{
    /// <summary>The type in small letters, without parameters; null when there is none.</summary>
    public static string? Type(string? value)
    {
        string? type = value?.Split(';', 2)[0].Trim().ToLowerInvariant();
        return string.IsNullOrEmpty(type) ? null : type;
    }

    /// <summary>The parameter <c>charset</c>; null when there is none.</summary>
    public static string? Charset(string? value)
    {
        if (value is null) return null;
        foreach (string parameter in value.Split(';').Skip(1))
        {
            string[] parts = parameter.Split('=', 2);
            if (parts.Length == 2 && parts[0].Trim().Equals("charset", StringComparison.OrdinalIgnoreCase))
                return parts[1].Trim().Trim('"', '\'').Trim() is { Length: > 0 } charset ? charset : null;
        }
        return null;
    }

    /// <summary>Whether pages of the type are HTML.</summary>
    public static bool IsHtml(string? type) => type is "text/html" or "application/xhtml+xml" or "application/html" or "application/vnd.wap.xhtml+xml";
}
