namespace OpenEuroLLM.Corpus.Archives;

/// <summary>Decodes a prefix code by looking up its next bits: short codes in one step, long ones through a second table.</summary>
/// <remarks>An entry has in bits 0 to 7 the bits to take; in 8 to 12 the number of extra bits, or the width of the second table; above 16 the
/// value, or the place of the second table.</remarks>
internal sealed class HuffmanTable(int rootBits, int size)
{
    /// <summary>The entry is a literal byte.</summary>
    public const uint Literal = 0x8000;

    /// <summary>The entry is the end of the block, a second table (with a width) or no code at all (neither).</summary>
    public const uint Special = 0x4000;

    /// <summary>With <see cref="Special"/>: the end of the block.</summary>
    public const uint EndOfBlock = 0x2000;

    private const int MaxLength = 15;

    private readonly ushort[] _sorted = new ushort[320];

    /// <summary>The first table, <see cref="RootBits"/> wide, and behind it the second ones.</summary>
    public uint[] Entries { get; } = new uint[size];

    /// <summary>Bits that the first table looks at.</summary>
    public int RootBits => rootBits;

    /// <summary>Builds the tables of a code.</summary>
    /// <param name="lengths">Length of each symbol's code; 0 where it has none.</param>
    /// <param name="meanings">Entry of each symbol, without the bits to take.</param>
    /// <exception cref="DamagedDataException">The lengths are no prefix code.</exception>
    public void Build(ReadOnlySpan<byte> lengths, ReadOnlySpan<uint> meanings)
    {
        Span<int> counts = stackalloc int[MaxLength + 1], next = stackalloc int[MaxLength + 2];
        counts.Clear();
        foreach (byte length in lengths) counts[length]++;
        counts[0] = 0;
        int left = 1, longest = 0;
        for (int length = 1; length <= MaxLength; length++)
        {
            left = (left << 1) - counts[length];
            if (left < 0) throw new DamagedDataException(DamagedDataException.Damaged, "the gzip data is not valid");
            if (counts[length] > 0) longest = length;
        }
        if (left > 0 && longest > 1) throw new DamagedDataException(DamagedDataException.Damaged, "the gzip data is not valid");   // a single code may stand alone
        next.Clear();
        for (int length = 1; length <= MaxLength; length++) next[length + 1] = next[length] + counts[length];
        int symbols = next[MaxLength + 1];
        for (int symbol = 0; symbol < lengths.Length; symbol++)
            if (lengths[symbol] != 0) _sorted[next[lengths[symbol]]++] = (ushort)symbol;

        Array.Fill(Entries, Special);
        int code = 0, free = 1 << rootBits, openRoot = -1, openWidth = 0, openPlace = 0, previous = 0;
        for (int i = 0; i < symbols; i++)
        {
            int symbol = _sorted[i], length = lengths[symbol];
            code <<= length - previous;
            previous = length;
            int reversed = Reverse(code, length);
            if (length <= rootBits)
            {
                for (int place = reversed; place < 1 << rootBits; place += 1 << length) Entries[place] = meanings[symbol] | (uint)length;
            }
            else
            {
                int root = reversed & ((1 << rootBits) - 1);
                if (root != openRoot)
                {
                    openWidth = length - rootBits;
                    for (int room = 1 << openWidth; openWidth + rootBits < longest; room <<= 1)
                    {
                        room -= counts[openWidth + rootBits];
                        if (room <= 0) break;
                        openWidth++;
                    }
                    (openRoot, openPlace) = (root, free);
                    free += 1 << openWidth;
                    Entries[root] = Special | (uint)rootBits | ((uint)openWidth << 8) | ((uint)openPlace << 16);
                }
                for (int place = reversed >> rootBits; place < 1 << openWidth; place += 1 << (length - rootBits))
                    Entries[openPlace + place] = meanings[symbol] | (uint)(length - rootBits);
            }
            counts[length]--;
            code++;
        }
    }

    private static int Reverse(int code, int length)
    {
        int reversed = 0;
        for (int bit = 0; bit < length; bit++, code >>= 1) reversed = (reversed << 1) | (code & 1);
        return reversed;
    }
}
