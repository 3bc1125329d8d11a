namespace OpenEuroLLM.Tensors.Kernels.Quantized;

/// <summary>How quantized weights lie in memory: 32 rows ("lanes") interleaved, block after block, in as many bytes as in the file.</summary>
/// <remarks>
/// All is made of vectors: 32 words of 32 bits, one a lane, read from first to last. The two 16-bit halves of a word belong to two
/// neighbouring numbers of the row, so that a shift and a mask give pairs of 16-bit integers, ready for a multiplication of pairs that
/// adds the two products.
/// <list type="bullet">
/// <item>Bytes: vector v of a group holds the numbers 4v to 4v+3; their pairs are the low bytes and the high bytes of the halves.</item>
/// <item>Nibbles: vector v holds 8v to 8v+7; pair j is nibble j of both halves.</item>
/// <item>Two bits: vector u completes the vectors of nibbles 2u and 2u+1, its bits where they belong above pairs 0 to 2 of the first, and two
/// further for the second; those of pairs 3 take the lowest places.</item>
/// <item>q8_0, 1088 bytes a block: 8 vectors of bytes, 32 scales (f16).</item>
/// <item>q4_0, 576 bytes: 4 vectors of nibbles, 32 scales.</item>
/// <item>q4_K, 4608 bytes: 32 scales, 32 scales of minima, 3 vectors of the file's 12 bytes of group scales, 8 × 4 vectors of nibbles.</item>
/// <item>q6_K, 6720 bytes: 32 scales, 4 vectors of group scales, 8 × 2 × (a vector of two bits, 2 of nibbles).</item>
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
    public const int SixBitVectors = 6;

    /// <summary>Where scales of groups and the groups themselves begin in a block.</summary>
    public const int Q4KScales = 2 * Scales;
    public const int Q4KGroups = Q4KScales + 3 * Vector;
    public const int Q6KScales = Scales;
    public const int Q6KGroups = Q6KScales + 4 * Vector;

    public const int Q8Block = ByteVectors * Vector + Scales;
    public const int Q4Block = NibbleVectors * Vector + Scales;
    public const int Q4KBlock = Q4KGroups + 8 * NibbleVectors * Vector;
    public const int Q6KBlock = Q6KGroups + 8 * SixBitVectors * Vector;

    /// <summary>Puts one row, as it lies in the file, into its lane.</summary>
    /// <returns>False: a scale is infinite or not a number.</returns>
    public static bool Set(ElementType type, byte* panel, int lane, int columns, byte* stored)
    {
        var finite = true;
        for (var k = 0; k < columns; k += ElementTypes.BlockLength(type), stored += ElementTypes.BlockBytes(type))
        {
            switch (type)
            {
                case ElementType.Q8_0:
                    finite &= SetScale(panel + ByteVectors * Vector, lane, stored);
                    for (var v = 0; v < ByteVectors; v++) Word(panel, v, lane) = Bytes(stored + 2 + 4 * v);
                    panel += Q8Block;
                    break;
                case ElementType.Q4_0:
                    finite &= SetScale(panel + NibbleVectors * Vector, lane, stored);
                    // Byte i holds the numbers i and i + 16.
                    for (var v = 0; v < 4; v++) Word(panel, v, lane) = Nibbles(stored + 2 + v % 2 * 8, v / 2 * 4);
                    panel += Q4Block;
                    break;
                case ElementType.Q4_K:
                    finite &= SetScale(panel, lane, stored) & SetScale(panel + Scales, lane, stored + 2);
                    for (var v = 0; v < 3; v++) Word(panel + Q4KScales, v, lane) = ((uint*)(stored + 4))[v];
                    // Byte i holds the number i of one group and of the next.
                    for (var g = 0; g < 8; g++)
                        for (var v = 0; v < 4; v++) Word(Q4KGroup(panel, g), v, lane) = Nibbles(stored + 16 + g / 2 * 32 + 8 * v, g % 2 * 4);
                    panel += Q4KBlock;
                    break;
                default:
                    finite &= SetScale(panel, lane, stored + 208);
                    for (var v = 0; v < 4; v++) Word(panel + Q6KScales, v, lane) = ((uint*)(stored + 192))[v];
                    for (var g = 0; g < 8; g++) SetSixBits(Q6KGroup(panel, g), lane, stored, g);
                    panel += Q6KBlock;
                    break;
            }
        }
        return finite;
    }

    /// <summary>The numbers of one row: exact products of scales and integers, rounded once where they do not fit.</summary>
    public static void Copy(ElementType type, byte* panel, int lane, int columns, float* target)
    {
        for (var k = 0; k < columns; k += 32, target += 32)
        {
            var g = k / 32 % 8;
            switch (type)
            {
                case ElementType.Q8_0:
                    {
                        var scale = Scale(panel + ByteVectors * Vector, lane);
                        for (var i = 0; i < 32; i++) target[i] = scale * (sbyte)(Word(panel, i / 4, lane) >> (i % 2 * 16 + i % 4 / 2 * 8));
                        panel += Q8Block;
                        break;
                    }
                case ElementType.Q4_0:
                    {
                        var scale = Scale(panel + NibbleVectors * Vector, lane);
                        for (var i = 0; i < 32; i++) target[i] = scale * (Nibble(panel, lane, i) - 8);
                        panel += Q4Block;
                        break;
                    }
                case ElementType.Q4_K:
                    {
                        var (scale, minimum) = GroupScales(panel, lane, g);
                        for (var i = 0; i < 32; i++) target[i] = scale * Nibble(Q4KGroup(panel, g), lane, i) - minimum;
                        if (g == 7) panel += Q4KBlock;
                        break;
                    }
                default:
                    {
                        for (var i = 0; i < 32; i++) target[i] = SixBitScale(panel, lane, 2 * g + i / 16) * (SixBits(Q6KGroup(panel, g), lane, i) - 32);
                        if (g == 7) panel += Q6KBlock;
                        break;
                    }
            }
        }
    }

    /// <summary>A group of 32 numbers of a q4_K block.</summary>
    public static byte* Q4KGroup(byte* block, int group) => block + Q4KGroups + group * NibbleVectors * Vector;

    /// <summary>A group of 32 numbers of a q6_K block.</summary>
    public static byte* Q6KGroup(byte* block, int group) => block + Q6KGroups + group * SixBitVectors * Vector;

    /// <summary>Scale and minimum of a group of 32 in a q4_K block.</summary>
    private static (float Scale, float Minimum) GroupScales(byte* block, int lane, int group)
    {
        var words = block + Q4KScales;
        uint first = Word(words, 0, lane), second = Word(words, 1, lane), third = Word(words, 2, lane);
        var shift = group % 4 * 8;
        var (scale, minimum) = group < 4
            ? ((first >> shift) & 63, (second >> shift) & 63)
            : (((third >> shift) & 15) | (((first >> (shift + 6)) & 3) << 4), ((third >> (shift + 4)) & 15) | (((second >> (shift + 6)) & 3) << 4));
        return (Scale(block, lane) * scale, Scale(block + Scales, lane) * minimum);
    }

    private static float SixBitScale(byte* block, int lane, int group) =>
        Scale(block, lane) * (sbyte)(Word(block + Q6KScales, group / 4, lane) >> (group % 4 * 8));

    private static int Nibble(byte* group, int lane, int i) => (int)(Word(group, i / 8, lane) >> (i % 2 * 16 + i % 8 / 2 * 4)) & 15;

    private static int SixBits(byte* group, int lane, int i) =>
        Nibble(group + (i / 16 + 1) * Vector, lane, i) | (int)((Word(group, 3 * (i / 16), lane) >> UpperPlace(i)) & 3) << 4;

    /// <summary>Where the two bits of number i of a q6_K group stand in their word.</summary>
    private static int UpperPlace(int i) => i % 2 * 16 + (i % 8 < 6 ? 4 + i % 8 / 2 * 4 : 0) + i / 8 % 2 * 2;

    private static float Scale(byte* scales, int lane) => HalfFloat.Widen(((ushort*)scales)[lane]);

    private static bool SetScale(byte* scales, int lane, byte* stored)
    {
        ((ushort*)scales)[lane] = *(ushort*)stored;
        return HalfFloat.IsFinite(*(ushort*)stored);
    }

    private static ref uint Word(byte* first, int vector, int lane) => ref ((uint*)first)[vector * Lanes + lane];

    private static uint Bytes(byte* q) => q[0] | (uint)q[2] << 8 | (uint)q[1] << 16 | (uint)q[3] << 24;

    /// <summary>The lower or upper nibbles of 8 bytes.</summary>
    private static uint Nibbles(byte* q, int shift)
    {
        var word = 0u;
        for (var i = 0; i < 8; i++) word |= (uint)((q[i] >> shift) & 15) << (i % 2 * 16 + i / 2 * 4);
        return word;
    }

    /// <summary>Of each half of 128 numbers, byte l of the low parts holds l and l + 64, byte l of the high parts l, l + 32, l + 64, l + 96.</summary>
    private static void SetSixBits(byte* group, int lane, byte* stored, int index)
    {
        var quarter = index % 4;
        var low = stored + index / 4 * 64 + quarter % 2 * 32;
        var high = stored + 128 + index / 4 * 32;
        for (var v = 0; v < 4; v++) Word(group, v + v / 2 + 1, lane) = Nibbles(low + 8 * v, quarter / 2 * 4);
        for (var u = 0; u < 2; u++)
        {
            var word = 0u;
            for (var i = 0; i < 16; i++) word |= (uint)((high[16 * u + i] >> (quarter * 2)) & 3) << UpperPlace(i);
            Word(group, 3 * u, lane) = word;
        }
    }
}
