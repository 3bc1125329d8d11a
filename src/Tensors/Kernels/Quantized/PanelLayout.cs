namespace OpenEuroLLM.Tensors.Kernels.Quantized;

/// <summary>How quantized weights lie in memory: 16 rows ("lanes") interleaved, block after block, in as many bytes as in the file.</summary>
/// <remarks>
/// All is made of vectors: 16 words of 32 bits, one a lane. The two 16-bit halves of a word belong to two neighbouring numbers of the row,
/// so that a shift and a mask give pairs of 16-bit integers, ready for a multiplication of pairs that adds the two products.
/// <list type="bullet">
/// <item>Bytes: vector v of a block holds the numbers 4v to 4v+3; their pairs are the low bytes and the high bytes of the halves.</item>
/// <item>Nibbles: vector v holds 8v to 8v+7; pair j is nibble j of both halves.</item>
/// <item>Two bits: vector u completes the vectors of nibbles 2u and 2u+1, its bits where they belong above pairs 0 to 2 of the first, and two
/// further for the second; those of pairs 3 take the lowest places.</item>
/// <item>q8_0, 544 bytes a block: 8 vectors of bytes, 16 scales (f16).</item>
/// <item>q4_0, 288 bytes: 4 vectors of nibbles, 16 scales.</item>
/// <item>q4_K, 2304 bytes: 16 scales, 16 scales of minima, 3 vectors of the file's 12 bytes of group scales, 8 × 4 vectors of nibbles.</item>
/// <item>q6_K, 3360 bytes: 8 × (4 vectors of nibbles, 2 of two bits), 4 vectors of group scales, 16 scales.</item>
/// </list>
/// </remarks>
internal static unsafe class PanelLayout
{
    /// <summary>Rows that are interleaved.</summary>
    public const int Lanes = 16;

    /// <summary>Bytes of a vector.</summary>
    public const int Vector = 64;

    public const int Q8Block = 8 * Vector + 32;
    public const int Q4Block = 4 * Vector + 32;
    public const int NibbleGroup = 4 * Vector;
    public const int Q4KHeader = Vector + 3 * Vector;
    public const int Q4KBlock = Q4KHeader + 8 * NibbleGroup;
    public const int Q6KGroup = 6 * Vector;
    public const int Q6KScales = 8 * Q6KGroup;
    public const int Q6KBlock = Q6KScales + 4 * Vector + 32;

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
                    finite &= SetScale(panel + 8 * Vector, lane, stored);
                    for (var v = 0; v < 8; v++) SetWord(panel, v, lane, Bytes(stored + 2 + 4 * v));
                    panel += Q8Block;
                    break;
                case ElementType.Q4_0:
                    finite &= SetScale(panel + 4 * Vector, lane, stored);
                    SetNibbles(panel, lane, stored + 2, 0);
                    panel += Q4Block;
                    break;
                case ElementType.Q4_K:
                    finite &= SetScale(panel, lane, stored) & SetScale(panel + 32, lane, stored + 2);
                    for (var v = 0; v < 3; v++) SetWord(panel + Vector, v, lane, ((uint*)(stored + 4))[v]);
                    for (var g = 0; g < 8; g++) SetK4Nibbles(panel + Q4KHeader + g * NibbleGroup, lane, stored + 16 + g / 2 * 32, g % 2 * 4);
                    panel += Q4KBlock;
                    break;
                default:
                    finite &= SetScale(panel + Q6KScales + 4 * Vector, lane, stored + 208);
                    for (var v = 0; v < 4; v++) SetWord(panel + Q6KScales, v, lane, ((uint*)(stored + 192))[v]);
                    for (var g = 0; g < 8; g++) SetSixBits(panel + g * Q6KGroup, lane, stored, g);
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
            switch (type)
            {
                case ElementType.Q8_0:
                {
                    var scale = Scale(panel + 8 * Vector, lane);
                    for (var i = 0; i < 32; i++) target[i] = scale * Byte(panel, lane, i);
                    panel += Q8Block;
                    break;
                }
                case ElementType.Q4_0:
                {
                    var scale = Scale(panel + 4 * Vector, lane);
                    for (var i = 0; i < 32; i++) target[i] = scale * (Nibble(panel, lane, i) - 8);
                    panel += Q4Block;
                    break;
                }
                case ElementType.Q4_K:
                {
                    var g = k / 32 % 8;
                    var (scale, minimum) = GroupScales(panel, lane, g);
                    for (var i = 0; i < 32; i++) target[i] = scale * Nibble(panel + Q4KHeader + g * NibbleGroup, lane, i) - minimum;
                    if (g == 7) panel += Q4KBlock;
                    break;
                }
                default:
                {
                    var g = k / 32 % 8;
                    for (var i = 0; i < 32; i++) target[i] = SixBitScale(panel, lane, 2 * g + i / 16) * (SixBits(panel + g * Q6KGroup, lane, i) - 32);
                    if (g == 7) panel += Q6KBlock;
                    break;
                }
            }
        }
    }

    /// <summary>Scale and minimum of a group of 32 in a q4_K block.</summary>
    private static (float Scale, float Minimum) GroupScales(byte* block, int lane, int group)
    {
        uint first = Word(block + Vector, 0, lane), second = Word(block + Vector, 1, lane), third = Word(block + Vector, 2, lane);
        var shift = group % 4 * 8;
        var (scale, minimum) = group < 4
            ? ((first >> shift) & 63, (second >> shift) & 63)
            : (((third >> shift) & 15) | (((first >> (shift + 6)) & 3) << 4), ((third >> (shift + 4)) & 15) | (((second >> (shift + 6)) & 3) << 4));
        return (Scale(block, lane) * scale, Scale(block + 32, lane) * minimum);
    }

    private static float SixBitScale(byte* block, int lane, int group) =>
        Scale(block + Q6KScales + 4 * Vector, lane) * (sbyte)(Word(block + Q6KScales, group / 4, lane) >> (group % 4 * 8));

    private static int Byte(byte* block, int lane, int i) => (sbyte)(Word(block, i / 4, lane) >> (i % 2 * 16 + i % 4 / 2 * 8));

    private static int Nibble(byte* group, int lane, int i) => (int)(Word(group, i / 8, lane) >> (i % 2 * 16 + i % 8 / 2 * 4)) & 15;

    private static int SixBits(byte* group, int lane, int i) =>
        Nibble(group, lane, i) | (int)((Word(group + NibbleGroup, i / 16, lane) >> UpperPlace(i)) & 3) << 4;

    /// <summary>Where the two bits of number i of a q6_K group stand in their word.</summary>
    private static int UpperPlace(int i) => i % 2 * 16 + (i % 8 < 6 ? 4 + i % 8 / 2 * 4 : 0) + i / 8 % 2 * 2;

    private static float Scale(byte* scales, int lane) => HalfFloat.Widen(((ushort*)scales)[lane]);

    private static bool SetScale(byte* scales, int lane, byte* stored)
    {
        ((ushort*)scales)[lane] = *(ushort*)stored;
        return HalfFloat.IsFinite(*(ushort*)stored);
    }

    private static uint Word(byte* vectors, int vector, int lane) => ((uint*)vectors)[vector * Lanes + lane];

    private static void SetWord(byte* vectors, int vector, int lane, uint value) => ((uint*)vectors)[vector * Lanes + lane] = value;

    private static uint Bytes(byte* q) => q[0] | (uint)q[2] << 8 | (uint)q[1] << 16 | (uint)q[3] << 24;

    /// <summary>q4_0: byte i holds the numbers i and i + 16.</summary>
    private static void SetNibbles(byte* group, int lane, byte* q, int vector)
    {
        for (var v = 0; v < 4; v++)
        {
            var from = q + v % 2 * 8;
            var shift = v / 2 * 4;
            var word = 0u;
            for (var i = 0; i < 8; i++) word |= (uint)((from[i] >> shift) & 15) << (i % 2 * 16 + i / 2 * 4);
            SetWord(group, vector + v, lane, word);
        }
    }

    /// <summary>q4_K: byte i holds the number i of one group and of the next.</summary>
    private static void SetK4Nibbles(byte* group, int lane, byte* q, int shift)
    {
        for (var v = 0; v < 4; v++, q += 8)
        {
            var word = 0u;
            for (var i = 0; i < 8; i++) word |= (uint)((q[i] >> shift) & 15) << (i % 2 * 16 + i / 2 * 4);
            SetWord(group, v, lane, word);
        }
    }

    /// <summary>q6_K: of each half of 128 numbers, the byte l of the low parts holds l (and l + 64), the byte l of the high parts l, l + 32, l + 64, l + 96.</summary>
    private static void SetSixBits(byte* group, int lane, byte* stored, int index)
    {
        var quarter = index % 4;
        var low = stored + index / 4 * 64 + quarter % 2 * 32;
        var high = stored + 128 + index / 4 * 32;
        for (var v = 0; v < 4; v++)
        {
            var word = 0u;
            for (var i = 0; i < 8; i++) word |= (uint)((low[8 * v + i] >> (quarter / 2 * 4)) & 15) << (i % 2 * 16 + i / 2 * 4);
            SetWord(group, v, lane, word);
        }
        for (var u = 0; u < 2; u++)
        {
            var word = 0u;
            for (var i = 0; i < 16; i++) word |= (uint)((high[16 * u + i] >> (quarter * 2)) & 3) << UpperPlace(i);
            SetWord(group + NibbleGroup, u, lane, word);
        }
    }
}
