namespace OpenEuroLLM.Tokenizers;

/// <summary>Which characters stay as they are, told by their first two bytes: most of any text is passed over with one look at a table for each.</summary>
internal sealed class PlainPairs
{
    private readonly uint[] _special = new uint[(1 << 16) / 32];       // a bit for each pair of bytes that has to be looked at

    /// <param name="map">The rules, or null.</param>
    /// <param name="untouched">Texts that are passed over as a whole, or null.</param>
    public PlainPairs(CharacterMap? map, ByteTrie? untouched)
    {
        Span<byte> pair = stackalloc byte[2];
        for (int first = 0; first < 256; first++)
        {
            pair[0] = (byte)first;
            bool begins = first == ' ' || (untouched is not null && BeginsWord(untouched, pair[..1])) || (map is not null && map.TryLongestMatch(pair[..1], out _, out _));
            for (int second = 0; second < 256; second++)
            {
                pair[1] = (byte)second;
                bool ruled = map is not null && map.Begins(pair);
                if (begins || ruled || !IsWellFormed(first, second) || pair.SequenceEqual("▁"u8[..2]))
                    _special[((first << 8) | second) >> 5] |= 1u << (second & 31);
            }
        }
    }

    /// <summary>The end of the characters from a place on that stay as they are.</summary>
    public int End(ReadOnlySpan<byte> text, int start)
    {
        int place = start;
        while (place + 2 < text.Length)
        {
            int first = text[place], second = text[place + 1];
            if ((_special[((first << 8) | second) >> 5] & (1u << (second & 31))) != 0)
                break;
            if (first < 0x80)
                place++;
            else if (first < 0xE0)
                place += 2;
            else if ((text[place + 2] & 0xC0) == 0x80)
                place += 3;
            else
                break;
        }
        return place;
    }

    /// <summary>Whether two bytes are well-formed as far as they go; what has a rule of its own for the second byte is left to others.</summary>
    private static bool IsWellFormed(int first, int second) => first switch
    {
        < 0x80 => true,
        >= 0xC2 and < 0xE0 or > 0xE0 and < 0xED or 0xEE or 0xEF => (second & 0xC0) == 0x80,
        _ => false,
    };

    private static bool BeginsWord(ByteTrie trie, ReadOnlySpan<byte> text)
    {
        int node = trie.Root;
        return trie.TryStep(ref node, text[0], out _);
    }
}
