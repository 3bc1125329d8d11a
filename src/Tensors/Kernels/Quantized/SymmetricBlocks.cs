using System.Runtime.CompilerServices;

namespace OpenEuroLLM.Tensors.Kernels.Quantized;

/// <summary>q6_K: sixteen groups of 16 numbers of six bits, less 32, with a scale.</summary>
internal readonly unsafe struct SixBitsBlock : IBlock
{
    private const int FirstGroup = PanelLayout.SymmetricMultiples + 4 * PanelLayout.Vector;
    private const int HalfBytes = 3 * PanelLayout.Vector;

    public static int Size => FirstGroup + 16 * HalfBytes;

    public static int Groups => 8;

    public static int ScalesPerGroup => 2;

    public static bool HasMinima => false;

    public static int Offset => 32;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Step<TRegisters, TInt, TFloat>(byte* block, int lane, RoundedRow x, ref TFloat ya, ref TFloat yb, float* scratch)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        var next = lane + TRegisters.Lanes;
        GroupScaleKernels.SixBitScales<TRegisters, TInt, TFloat>(block, lane, scratch);
        GroupScaleKernels.SixBitScales<TRegisters, TInt, TFloat>(block, next, scratch);
        var a = block + FirstGroup + 4 * lane;
        var b = block + FirstGroup + 4 * next;
        scratch += lane;
        for (var g = 0; g < 16; g++, scratch += PanelLayout.Lanes, a += HalfBytes, b += HalfBytes)
        {
            BlockKernels.SixBits<TRegisters, TInt, TFloat>(a, b, x.Integers + 16 * g, out var sumA, out var sumB);
            var (xScale, offset) = (TRegisters.CreateSingle(x.Scales[g / 2]), TRegisters.Create(-32 * x.Sums[g]));
            ya = TRegisters.MultiplyAdd(TRegisters.Multiply(TRegisters.LoadSingle(scratch), xScale), TRegisters.ToSingle(TRegisters.Add(sumA, offset)), ya);
            yb = TRegisters.MultiplyAdd(TRegisters.Multiply(TRegisters.LoadSingle(scratch + TRegisters.Lanes), xScale), TRegisters.ToSingle(TRegisters.Add(sumB, offset)), yb);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Quarter<TRegisters, TInt, TFloat>(byte* block, int lane, int group, int quarter, ref TInt bits, out TInt p0, out TInt p1, out TInt p2, out TInt p3)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        var half = block + FirstGroup + (2 * group + quarter / 2) * HalfBytes + 4 * lane;
        bits = quarter % 2 == 0 ? BlockKernels.Stream<TRegisters, TInt, TFloat>(half) : TRegisters.ShiftRightShort(bits, 2);
        BlockKernels.ExtendedPairs<UpperTwo, TRegisters, TInt, TFloat>(half + (1 + quarter % 2) * PanelLayout.Vector, bits, out p0, out p1, out p2, out p3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ReadScales<TRegisters, TInt, TFloat>(byte* block, int lane, float* scales, float* minima)
        where TRegisters : IRegisters<TInt, TFloat>
        => GroupScaleKernels.SixBitScales<TRegisters, TInt, TFloat>(block, lane, scales);

    public static bool Set(byte* block, int lane, byte* stored)
    {
        for (var v = 0; v < 4; v++) PanelLayout.Word(block + PanelLayout.SymmetricMultiples, v, lane) = ((uint*)(stored + 192))[v];
        for (var g = 0; g < 8; g++)
        {
            // Of each half of 128 numbers, byte l of the low parts holds l and l + 64, byte l of the high parts l, l + 32, l + 64, l + 96.
            var quarter = g % 4;
            var group = block + FirstGroup + 2 * g * HalfBytes;
            var low = stored + g / 4 * 64 + quarter % 2 * 32;
            var high = stored + 128 + g / 4 * 32;
            for (var v = 0; v < 4; v++) PanelLayout.Word(group, v + v / 2 + 1, lane) = PanelLayout.Nibbles(low + 8 * v, quarter / 2 * 4);
            for (var u = 0; u < 2; u++)
            {
                var word = 0u;
                for (var i = 0; i < 16; i++) word |= (uint)((high[16 * u + i] >> (quarter * 2)) & 3) << PanelLayout.UpperPlace(i, 2);
                PanelLayout.Word(group, 3 * u, lane) = word;
            }
        }
        return PanelLayout.SetScale(block, lane, stored + 208);
    }

    public static void Copy(byte* block, int lane, int group, float* target)
    {
        for (var i = 0; i < 32; i++)
        {
            var g = 2 * group + i / 16;
            var half = block + FirstGroup + g * HalfBytes;
            var scale = PanelLayout.Scale(block, lane) * (sbyte)(PanelLayout.Word(block + PanelLayout.SymmetricMultiples, g / 4, lane) >> (g % 4 * 8));
            var upper = (int)((PanelLayout.Word(half, 0, lane) >> PanelLayout.UpperPlace(i % 16, 2)) & 3) << 4;
            target[i] = scale * ((PanelLayout.Nibble(half + PanelLayout.Vector, lane, i % 16) | upper) - 32);
        }
    }
}

/// <summary>q3_K: sixteen groups of 16 numbers of three bits, less 4, with a scale.</summary>
internal readonly unsafe struct ThreeBitsBlock : IBlock
{
    private const int FirstGroup = PanelLayout.SymmetricMultiples + 3 * PanelLayout.Vector;
    private const int GroupBytes = 3 * PanelLayout.Vector;

    public static int Size => FirstGroup + 8 * GroupBytes;

    public static int Groups => 8;

    public static int ScalesPerGroup => 2;

    public static bool HasMinima => false;

    public static int Offset => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Step<TRegisters, TInt, TFloat>(byte* block, int lane, RoundedRow x, ref TFloat ya, ref TFloat yb, float* scratch)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        var next = lane + TRegisters.Lanes;
        GroupScaleKernels.OffsetScales<TRegisters, TInt, TFloat>(block, lane, scratch);
        GroupScaleKernels.OffsetScales<TRegisters, TInt, TFloat>(block, next, scratch);
        var a = block + FirstGroup + 4 * lane;
        var b = block + FirstGroup + 4 * next;
        scratch += lane;
        for (var g = 0; g < 8; g++, scratch += 2 * PanelLayout.Lanes, a += GroupBytes, b += GroupBytes)
        {
            FewBitsKernels.ThreeBits<TRegisters, TInt, TFloat>(a, b, x.Integers + 32 * g, out var firstA, out var firstB, out var secondA, out var secondB);
            var xScale = TRegisters.CreateSingle(x.Scales[g]);
            Step<TRegisters, TInt, TFloat>(firstA, firstB, x.Sums[2 * g], scratch, xScale, ref ya, ref yb);
            Step<TRegisters, TInt, TFloat>(secondA, secondB, x.Sums[2 * g + 1], scratch + PanelLayout.Lanes, xScale, ref ya, ref yb);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Quarter<TRegisters, TInt, TFloat>(byte* block, int lane, int group, int quarter, ref TInt bits, out TInt p0, out TInt p1, out TInt p2, out TInt p3)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        // The third bits of a quarter stand at bits 0 to 6 or 8 to 14 of each half for the first 16 numbers, one further for the others.
        var thirds = block + FirstGroup + group * GroupBytes + 4 * lane;
        var low = TRegisters.Load(thirds + (1 + quarter / 2) * PanelLayout.Vector);
        if (quarter == 0) bits = BlockKernels.Stream<TRegisters, TInt, TFloat>(thirds);
        FewBitsKernels.ThreeBitPairs<TRegisters, TInt, TFloat>(low, bits, quarter, out p0, out p1, out p2, out p3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ReadScales<TRegisters, TInt, TFloat>(byte* block, int lane, float* scales, float* minima)
        where TRegisters : IRegisters<TInt, TFloat>
        => GroupScaleKernels.OffsetScales<TRegisters, TInt, TFloat>(block, lane, scales);

    public static bool Set(byte* block, int lane, byte* stored)
    {
        for (var v = 0; v < 3; v++) PanelLayout.Word(block + PanelLayout.SymmetricMultiples, v, lane) = ((uint*)(stored + 96))[v];
        for (var g = 0; g < 8; g++)
        {
            // Bit g of a third byte belongs to group g; of each half of 128 numbers, byte l of 32 holds l, l + 32, l + 64, l + 96.
            var group = block + FirstGroup + g * GroupBytes;
            var q = stored + 32 + g / 4 * 32;
            var (third, shift) = (0u, g % 4 * 2);
            for (var h = 0; h < 2; h++)
            {
                var word = 0u;
                for (var i = 0; i < 16; i++)
                {
                    word |= (uint)((q[16 * h + i] >> shift) & 3) << PanelLayout.TwoBitsPlace(i);
                    third |= (uint)((stored[16 * h + i] >> g) & 1) << (PanelLayout.TwoBitsPlace(i) + h);
                }
                PanelLayout.Word(group, 1 + h, lane) = word;
            }
            PanelLayout.Word(group, 0, lane) = third;
        }
        return PanelLayout.SetScale(block, lane, stored + 108);
    }

    public static void Copy(byte* block, int lane, int group, float* target)
    {
        var words = block + PanelLayout.SymmetricMultiples;
        var vectors = block + FirstGroup + group * GroupBytes;
        for (var i = 0; i < 32; i++)
        {
            var (g, place) = (2 * group + i / 16, PanelLayout.TwoBitsPlace(i));
            var multiple = ((PanelLayout.Word(words, g % 8 / 4, lane) >> (g % 4 * 8 + g / 8 * 4)) & 15) | (((PanelLayout.Word(words, 2, lane) >> (g % 4 * 8 + g / 4 * 2)) & 3) << 4);
            var level = ((PanelLayout.Word(vectors, 1 + i / 16, lane) >> place) & 3) | (((PanelLayout.Word(vectors, 0, lane) >> (place + i / 16)) & 1) << 2);
            target[i] = PanelLayout.Scale(block, lane) * ((int)multiple - 32) * ((int)level - 4);
        }
    }

    /// <summary>One scale's part of the law.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step<TRegisters, TInt, TFloat>(TInt sumA, TInt sumB, int xSum, float* scales, TFloat xScale, ref TFloat ya, ref TFloat yb)
        where TRegisters : IRegisters<TInt, TFloat>
    {
        var offset = TRegisters.Create(-4 * xSum);
        ya = TRegisters.MultiplyAdd(TRegisters.Multiply(TRegisters.LoadSingle(scales), xScale), TRegisters.ToSingle(TRegisters.Add(sumA, offset)), ya);
        yb = TRegisters.MultiplyAdd(TRegisters.Multiply(TRegisters.LoadSingle(scales + TRegisters.Lanes), xScale), TRegisters.ToSingle(TRegisters.Add(sumB, offset)), yb);
    }
}
