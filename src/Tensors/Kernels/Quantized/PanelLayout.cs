namespace OpenEuroLLM.Tensors.Kernels.Quantized;

/// <summary>How quantized weights lie in memory: 32 rows ("lanes") interleaved, block after block, in as many bytes as in the file.</summary>
/// <remarks>
/// All is made of vectors: 32 words of 32 bits, one a lane, read from first to last. The two 16-bit halves of a word belong to two
/// neighbouring numbers of the row, so that a shift and a mask give pairs of 16-bit integers, ready for a multiplication of pairs that
/// adds the two products.
/// <list type="bullet">
/// <item>Bytes: vector v of a group holds the numbers 4v to 4v+3; their pairs are the low bytes and the high bytes of the halves.</item>
/// <item>Nibbles: vector v holds 8v to 8v+7; pair j is nibble j of both halves.</item>
/// <item>Upper bits: one vector completes four (one bit each) or two (two bits each) vectors of nibbles, its bits where they belong above pairs 0 to 2
/// of the first, and one or two further for each vector behind; those of pairs 3 take the lowest places.</item>
/// <item>Two bits: vector v holds 16v to 16v+15; pair j is at bit 2j of both halves. A vector of third bits completes two of these: bit 2j of its
/// halves belongs to pair j of the first, bit 2j+1 to pair j of the second.</item>
/// <item>q8_0, 1088 bytes a block: 8 vectors of bytes, 32 scales (f16).</item>
/// <item>q4_0, 576 bytes: 4 vectors of nibbles, 32 scales. q4_1, 640 bytes: 32 minima (f16) behind them.</item>
/// <item>q5_0, 704 bytes: a vector of fifth bits, 4 of nibbles, 32 scales. q5_1, 768 bytes: 32 minima behind them.</item>
/// <item>q4_K, 4608 bytes: 32 scales, 32 scales of minima, 3 vectors of the file's 12 bytes of group scales, 8 × 4 vectors of nibbles.</item>
/// <item>q5_K, 5632 bytes: as q4_K, but 8 × (a vector of fifth bits, 4 of nibbles).</item>
/// <item>q6_K, 6720 bytes: 32 scales, 4 vectors of group scales, 8 × 2 × (a vector of upper bits, 2 of nibbles).</item>
/// <item>q3_K, 3520 bytes: 32 scales, 3 vectors of the file's 12 bytes of group scales, 8 × (a vector of third bits, 2 of two bits).</item>
/// <item>q2_K, 2688 bytes: 32 scales, 32 scales of minima, 4 vectors of group scales and minima, 16 vectors of two bits.</item>
/// </list>
/// </remarks>
internal static unsafe class PanelLayout
{
    /// <summary>Rows that are interleaved.</summary>
    public const int Lanes = 32;

    /// <summary>Bytes of a vector.</summary>
    public const int Vector = Lanes * sizeof(uint);

    /// <summary>Bytes of the f16 scales of all lanes.</summary>
    public const int Scales = Lanes * sizeof(ushort);

    /// <summary>Vectors of a group of 32 numbers.</summary>
    public const int ByteVectors = 8;
    public const int NibbleVectors = 4;

    /// <summary>Where the group scales begin in the large blocks with and without minima.</summary>
    public const int MinimumMultiples = 2 * Scales;
    public const int SymmetricMultiples = Scales;

    /// <summary>Puts rows, as they lie in the file, into their lanes: a block of all of them after the other, so that each line is filled while it is near.</summary>
    /// <param name="lane">The first row's; as many lanes follow as there are rows.</param>
    /// <returns>The rows, counted from 0, in which a scale is infinite or not a number, as bits.</returns>
    public static uint Set(ElementType type, byte* panel, int lane, int rows, int columns, byte* stored)
    {
        var work = new SetWork((nint)panel, lane, rows, columns, (nint)stored, ElementTypes.RowBytes(type, columns));
        BlockTypes.Run(type, ref work);
        return work.Damaged;
    }

    /// <summary>The numbers of one row: exact products of scales and integers, rounded once where they do not fit.</summary>
    public static void Copy(ElementType type, byte* panel, int lane, int columns, float* target)
    {
        var work = new CopyWork((nint)panel, lane, columns, (nint)target);
        BlockTypes.Run(type, ref work);
    }

    public static ref uint Word(byte* first, int vector, int lane) => ref ((uint*)first)[vector * Lanes + lane];

    public static float Scale(byte* scales, int lane) => HalfFloat.Widen(((ushort*)scales)[lane]);

    public static bool SetScale(byte* scales, int lane, byte* stored)
    {
        ((ushort*)scales)[lane] = *(ushort*)stored;
        return HalfFloat.IsFinite(*(ushort*)stored);
    }

    /// <summary>The lower or upper nibbles of 8 bytes: those of even places in the lower half, four bits apart, the others in the upper half.</summary>
    public static uint Nibbles(byte* q, int shift)
    {
        // Nibbles 16 bits apart, times 1 + 2^12 + 2^24 + 2^36 from above: the sums that meet in the upper 16 bits are the four in order, and no two overlap.
        const ulong gather = 0x0001_0010_0100_1000, places = 0x000F_000F_000F_000F;
        var nibbles = *(ulong*)q >> shift;
        return (uint)(((nibbles & places) * gather) >> 48) | ((uint)((((nibbles >> 8) & places) * gather) >> 48) << 16);
    }

    public static int Nibble(byte* vectors, int lane, int i) => (int)(Word(vectors, i / 8, lane) >> (i % 2 * 16 + i % 8 / 2 * 4)) & 15;

    /// <summary>Where the upper bits of a number stand in their word.</summary>
    /// <param name="i">The number, counted from the first that the word completes.</param>
    /// <param name="bits">Upper bits of a number.</param>
    public static int UpperPlace(int i, int bits) => i % 2 * 16 + (i % 8 < 6 ? 4 + i % 8 / 2 * 4 : 0) + i / 8 * bits;

    /// <summary>Where the two bits of a number stand in their word.</summary>
    public static int TwoBitsPlace(int i) => i % 2 * 16 + i % 16 / 2 * 2;

    private struct SetWork(nint panel, int lane, int rows, int columns, nint stored, long rowBytes) : IBlockWork
    {
        public uint Damaged { get; private set; }

        public void Run<TBlock>() where TBlock : struct, IBlock
        {
            var to = (byte*)panel;
            var from = (byte*)stored;
            for (var k = 0; k < columns; k += 32 * TBlock.Groups, to += TBlock.Size, from += TBlock.Size / Lanes)
            {
                for (var r = 0; r < rows; r++)
                    if (!TBlock.Set(to, lane + r, from + r * rowBytes)) Damaged |= 1u << r;
            }
        }
    }

    private readonly struct CopyWork(nint panel, int lane, int columns, nint target) : IBlockWork
    {
        public void Run<TBlock>() where TBlock : struct, IBlock
        {
            var to = (float*)target;
            for (var group = 0; group < columns / 32; group++, to += 32)
                TBlock.Copy((byte*)panel + (long)(group / TBlock.Groups) * TBlock.Size, lane, group % TBlock.Groups, to);
        }
    }
}
