using System.Buffers;

namespace OpenEuroLLM.Privacy.Rights;

/// <summary>A pattern over the paths of a site, as in robots.txt: a beginning, <c>*</c> for any run, a final <c>$</c> for the end.</summary>
/// <remarks>Paths and patterns are compared as octets in one spelling (RFC 9309, section 2.2.2): what needs no percent sign is written without, everything else with, in capital
/// hexadecimal letters. A star or dollar that is meant itself is therefore <c>%2A</c> or <c>%24</c> on both sides. Matching takes time linear in path and pattern.</remarks>
internal readonly struct PathPattern
{
    private const int ShortSegment = 16;

    private readonly byte[] _octets;
    private readonly bool _endsThere;

    private PathPattern(byte[] octets, bool endsThere) => (_octets, _endsThere) = (octets, endsThere);

    /// <summary>Length in octets: of two patterns that match, the longer is meant.</summary>
    public int Length => _octets.Length + (_endsThere ? 1 : 0);

    /// <summary>Reads a pattern as written in UTF-8.</summary>
    public static PathPattern Parse(ReadOnlySpan<byte> text)
    {
        bool endsThere = text is [.., (byte)'$'];
        if (endsThere) text = text[..^1];
        byte[] octets = new byte[Normalize(text, [], isPattern: true)];
        Normalize(text, octets, isPattern: true);
        return new PathPattern(octets, endsThere);
    }

    /// <summary>The one spelling of a path (with its query).</summary>
    public static byte[] NormalizePath(ReadOnlySpan<byte> path)
    {
        byte[] octets = new byte[Normalize(path, [], isPattern: false)];
        Normalize(path, octets, isPattern: false);
        return octets;
    }

    /// <summary>Whether a path in its one spelling matches.</summary>
    public bool Matches(ReadOnlySpan<byte> path)
    {
        ReadOnlySpan<byte> rest = _octets;
        int star = rest.IndexOf((byte)'*');
        if (star < 0) return _endsThere ? path.SequenceEqual(rest) : path.StartsWith(rest);
        if (!path.StartsWith(rest[..star])) return false;
        path = path[star..];
        rest = rest[(star + 1)..];
        // The first place of each segment leaves the most to the others.
        while ((star = rest.IndexOf((byte)'*')) >= 0)
        {
            int found = Find(path, rest[..star]);
            if (found < 0) return false;
            path = path[(found + star)..];
            rest = rest[(star + 1)..];
        }
        return _endsThere ? path.EndsWith(rest) : Find(path, rest) >= 0;
    }

    /// <summary>Writes the one spelling, or only counts its octets where there is no room.</summary>
    private static int Normalize(ReadOnlySpan<byte> text, Span<byte> octets, bool isPattern)
    {
        int length = 0;
        bool counts = octets.IsEmpty;
        for (int at = 0; at < text.Length; at++)
        {
            byte value = text[at];
            bool escaped = false;
            if (value == '%' && at + 2 < text.Length && char.IsAsciiHexDigit((char)text[at + 1]) && char.IsAsciiHexDigit((char)text[at + 2]))
            {
                value = (byte)((Digit(text[at + 1]) << 4) | Digit(text[at + 2]));
                escaped = !IsUnreserved(value);
                at += 2;
            }
            else if (value is (byte)'*') escaped = !isPattern;
            else escaped = value is (byte)'$' or (byte)'%' or <= 0x20 or >= 0x7F or (byte)'"' or (byte)'<' or (byte)'>' or (byte)'\\' or (byte)'^' or (byte)'`' or (byte)'{' or (byte)'|' or (byte)'}';
            if (!counts)
            {
                octets[length] = escaped ? (byte)'%' : value;
                if (escaped) (octets[length + 1], octets[length + 2]) = (Hexadecimal(value >> 4), Hexadecimal(value & 15));
            }
            length += escaped ? 3 : 1;
        }
        return length;
    }

    private static bool IsUnreserved(byte value) => char.IsAsciiLetterOrDigit((char)value) || value is (byte)'-' or (byte)'.' or (byte)'_' or (byte)'~';

    private static int Digit(byte letter) => letter <= '9' ? letter - '0' : (letter & 0xDF) - 'A' + 10;

    private static byte Hexadecimal(int digit) => (byte)(digit < 10 ? '0' + digit : 'A' + digit - 10);

    private static int Find(ReadOnlySpan<byte> path, ReadOnlySpan<byte> segment) =>
        segment.Length <= ShortSegment || path.Length <= ShortSegment ? path.IndexOf(segment) : FindLong(path, segment);

    /// <summary>Knuth, Morris and Pratt: a long segment of the same letter over and over must not cost more than a short one.</summary>
    private static int FindLong(ReadOnlySpan<byte> path, ReadOnlySpan<byte> segment)
    {
        if (segment.Length > path.Length) return -1;
        int[] borders = ArrayPool<int>.Shared.Rent(segment.Length);
        try
        {
            borders[0] = 0;
            for (int at = 1, border = 0; at < segment.Length; at++)
            {
                while (border > 0 && segment[at] != segment[border]) border = borders[border - 1];
                if (segment[at] == segment[border]) border++;
                borders[at] = border;
            }
            for (int at = 0, matched = 0; at < path.Length; at++)
            {
                while (matched > 0 && path[at] != segment[matched]) matched = borders[matched - 1];
                if (path[at] == segment[matched]) matched++;
                if (matched == segment.Length) return at - matched + 1;
            }
            return -1;
        }
        finally
        {
            ArrayPool<int>.Shared.Return(borders);
        }
    }
}
