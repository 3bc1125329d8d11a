using System.Text;

namespace OpenEuroLLM.Corpus.Extraction;

/// <summary>Turns text of markup into plain text: references replaced, runs of white space made one, invisible characters left out.</summary>
internal static class HtmlText
{
    /// <summary>The most bytes that text of a length can become: few references stand for more than their own length, the worst for six bytes in five.</summary>
    public static int MaximumBytes(int length) => length + (length / 4) + HtmlEntities.LongestReplacement;

    /// <summary>Decodes text.</summary>
    /// <param name="source">Valid UTF-8 with character references.</param>
    /// <param name="target">At least <see cref="MaximumBytes"/> bytes.</param>
    /// <param name="keepSpace">Whether white space is kept as it is.</param>
    /// <param name="afterSpace">Whether a space precedes, so that none is written first; says the same of what follows.</param>
    /// <returns>Bytes written.</returns>
    public static int Decode(ReadOnlySpan<byte> source, Span<byte> target, bool keepSpace, ref bool afterSpace)
    {
        int written = 0;
        Span<byte> replacement = stackalloc byte[HtmlEntities.LongestReplacement];
        for (int at = 0; at < source.Length;)
        {
            byte value = source[at];
            if (value > ' ' && value != '&' && value < 0x80)
            {
                target[written++] = value;
                afterSpace = false;
                at++;
                continue;
            }
            if (value <= ' ' || value == 0x7F)
            {
                at++;
                Space(value, target, ref written, keepSpace, ref afterSpace);
                continue;
            }
            int length;
            scoped ReadOnlySpan<byte> character;
            if (value == '&')
            {
                length = HtmlEntities.Read(source[at..], inAttribute: false, replacement, out int bytes);
                if (length == 0)
                {
                    length = 1;
                    character = source.Slice(at, 1);
                }
                else character = replacement[..bytes];
            }
            else
            {
                length = value < 0xE0 ? 2 : value < 0xF0 ? 3 : 4;
                character = source.Slice(at, length);
            }
            at += length;
            if (character[0] <= ' ') Space(character[0], target, ref written, keepSpace, ref afterSpace);
            else if (IsSpace(character)) Space((byte)' ', target, ref written, keepSpace, ref afterSpace);
            else if (!IsInvisible(character))
            {
                character.CopyTo(target[written..]);
                written += character.Length;
                afterSpace = false;
            }
        }
        return written;
    }

    /// <summary>The plain text of an attribute's value, trimmed.</summary>
    public static string Attribute(ReadOnlySpan<byte> value)
    {
        byte[] target = new byte[MaximumBytes(value.Length)];
        int written = 0;
        Span<byte> replacement = stackalloc byte[HtmlEntities.LongestReplacement];
        while (value.Length > 0)
        {
            int next = value.IndexOf((byte)'&');
            ReadOnlySpan<byte> plain = next < 0 ? value : value[..next];
            plain.CopyTo(target.AsSpan(written));
            written += plain.Length;
            if (next < 0) break;
            int length = HtmlEntities.Read(value[next..], inAttribute: true, replacement, out int bytes);
            (length == 0 ? "&"u8 : replacement[..bytes]).CopyTo(target.AsSpan(written));
            written += length == 0 ? 1 : bytes;
            value = value[(next + Math.Max(1, length))..];
        }
        bool afterSpace = true;
        byte[] clean = new byte[MaximumBytes(written)];
        return Encoding.UTF8.GetString(AsciiWord.Trim(clean.AsSpan(0, Collapse(target.AsSpan(0, written), clean, ref afterSpace))));
    }

    private static int Collapse(ReadOnlySpan<byte> source, Span<byte> target, ref bool afterSpace)
    {
        int written = 0;
        foreach (byte value in source)
        {
            if (value <= ' ') Space((byte)' ', target, ref written, keepSpace: false, ref afterSpace);
            else
            {
                target[written++] = value;
                afterSpace = false;
            }
        }
        return written;
    }

    private static void Space(byte value, Span<byte> target, ref int written, bool keepSpace, ref bool afterSpace)
    {
        if (keepSpace)
        {
            if (value is (byte)'\n' or (byte)'\t' or (byte)' ') target[written++] = value;
            afterSpace = false;
            return;
        }
        // Control characters are dropped, not taken for space: NUL bytes stand inside words.
        if (afterSpace || !AsciiWord.IsSpace(value)) return;
        target[written++] = (byte)' ';
        afterSpace = true;
    }

    // No-break space, the spaces of typography, line and paragraph separator, ideographic space.
    private static bool IsSpace(ReadOnlySpan<byte> character) => character[0] switch
    {
        0xC2 => character[1] is 0xA0 or 0x85,
        0xE2 => (character[1] == 0x80 && character[2] is (>= 0x80 and <= 0x8A) or 0xA8 or 0xA9 or 0xAF) || (character[1] == 0x81 && character[2] == 0x9F),
        0xE3 => character[1] == 0x80 && character[2] == 0x80,
        _ => false,
    };

    // C1 controls, soft hyphen, zero-width space, word joiner, byte-order mark. (Joiners carry meaning in some scripts and stay.)
    private static bool IsInvisible(ReadOnlySpan<byte> character) => character[0] switch
    {
        0xC2 => character[1] is 0xAD or < 0xA0,
        0xE2 => (character[1] == 0x80 && character[2] == 0x8B) || (character[1] == 0x81 && character[2] == 0xA0),
        0xEF => character[1] == 0xBB && character[2] == 0xBF,
        _ => false,
    };
}
