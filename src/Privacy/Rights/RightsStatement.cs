using System.Text;

namespace OpenEuroLLM.Privacy.Rights;

/// <summary>Where a page says something about its use.</summary>
public enum StatementSource
{
    /// <summary>In a header of the response.</summary>
    Header,

    /// <summary>In a <c>meta</c> element.</summary>
    Meta,

    /// <summary>In a link to an RSL licence, in the head.</summary>
    Link,

    /// <summary>Inside the document: XMP, an EPUB package, a C2PA assertion.</summary>
    Embedded,

    /// <summary>In a sentence of its text; the name is the language.</summary>
    Text,
}

/// <summary>Something that a page says about its use, as written; what it means is decided later.</summary>
/// <param name="Source">Where it is said.</param>
/// <param name="Name">Under which name, in small letters where names are the same in any case.</param>
/// <param name="Value">What is said.</param>
public readonly record struct RightsStatement(StatementSource Source, string Name, string Value)
{
    /// <summary>Longer values are cut.</summary>
    public const int LongestValue = 4096;

    /// <summary>Name of a link to an RSL licence.</summary>
    public const string RslLink = "license";

    internal const string TdmReservation = "tdm:reservation";
    internal const string TdmPolicy = "tdm:policy";
    internal const string PlusDataMining = "plus:datamining";

    private const int LongestName = 64;

    /// <summary>The statement of a response's header; null when it is of no concern.</summary>
    public static RightsStatement? OfHeader(string name, string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (!RightsData.Headers.TryGetValue(name, out string? known)) return null;
        if (known == "link" && !value.Contains(RslDocument.MediaType, StringComparison.OrdinalIgnoreCase)) return null;
        return new RightsStatement(StatementSource.Header, known, Cut(value));
    }

    /// <summary>Whether a <c>meta</c> element of this name, in any case, may hold a statement.</summary>
    public static bool IsMeta(ReadOnlySpan<byte> name)
    {
        Span<char> letters = stackalloc char[LongestName];
        if (name.Length > LongestName) return false;
        for (int at = 0; at < name.Length; at++) letters[at] = (char)name[at];
        return RightsData.Metas.GetAlternateLookup<ReadOnlySpan<char>>().Contains(letters[..name.Length]);
    }

    /// <summary>The statement of a <c>meta</c> element.</summary>
    public static RightsStatement OfMeta(string name, string content) => new(StatementSource.Meta, name.ToLowerInvariant(), Cut(content));

    /// <summary>The statement of a link in the head to a licence of the media type <c>application/rsl+xml</c>.</summary>
    public static RightsStatement OfLink(string address) => new(StatementSource.Link, RslLink, Cut(address));

    /// <summary>Whether a media type is that of RSL licences.</summary>
    public static bool IsRslType(ReadOnlySpan<byte> type) => Ascii.EqualsIgnoreCase(type.Trim(" \t"u8), RslDocument.MediaType);

    private static string Cut(string value)
    {
        if (value.Length <= LongestValue) return value;
        int end = value.AsSpan(0, LongestValue).LastIndexOf(',');   // not within a directive
        return value[..(end > 0 ? end : LongestValue)];
    }
}
