using System.Buffers.Binary;
using System.Runtime.Intrinsics;

namespace OpenEuroLLM.Formats.Quantization;

/// <summary>Block of 256: <c>u8 ql[128], u8 qh[64], i8 sc[16], f16 d</c>, sixteen groups of 16 with an 8-bit scale each;
/// x = d·scale·v, v from −32 to 31.</summary>
/// <remarks>The encoder looks for the least weighted squared error, large numbers weighing more (|x| + root mean square of the block), as
/// that of <see cref="Q4_K"/> does: groups alone, then the shared scale, then both in turns.</remarks>
internal sealed class Q6_K() : BlockFormat("Q6_K", Elements, Bytes, 2048 * 65504.0)
{
    private const int Elements = 256;
    private const int Bytes = 210;
    private const int Groups = 16;
    private const int GroupElements = 16;
    private const int LeastLevel = -32, MostLevel = 31;
    private const int Rounds = 3;

    private protected override void EncodeBlocks(ReadOnlySpan<float> values, Span<byte> blocks)
    {
        for (; !values.IsEmpty; values = values[Elements..], blocks = blocks[Bytes..]) EncodeBlock(values[..Elements], blocks[..Bytes]);
    }

    private protected override void DecodeBlocks(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; !values.IsEmpty; values = values[Elements..], blocks = blocks[Bytes..])
        {
            var scale = HalfPrecision.FromFloat16(BinaryPrimitives.ReadUInt16LittleEndian(blocks[208..]));
            for (var i = 0; i < Elements; i++)
            {
                var (low, lowShift, high, highShift) = Place(i);
                var level = ((blocks[low] >> lowShift) & 15) | (((blocks[128 + high] >> highShift) & 3) << 4);
                values[i] = scale * (sbyte)blocks[192 + i / GroupElements] * (level - 32);
            }
        }
    }

    /// <summary>Where the four low and two high bits of an element lie: byte and shift in ql, byte and shift in qh.</summary>
    private static (int Low, int LowShift, int High, int HighShift) Place(int element)
    {
        var (half, quarter, l) = (element / 128, element % 128 / 32, element % 32);
        return (64 * half + quarter % 2 * 32 + l, quarter / 2 * 4, 32 * half + l, 2 * quarter);
    }

    private static void EncodeBlock(ReadOnlySpan<float> x, Span<byte> block)
    {
        block.Clear();
        Span<Group> groups = stackalloc Group[Groups];
        var squares = Vector512<float>.Zero;
        for (var i = 0; i < Elements; i += 16) squares += Lanes.Load(x[i..]) * Lanes.Load(x[i..]);
        var spread = (float)Math.Sqrt(Lanes.Sum(squares) / Elements);
        if (spread == 0) return;
        for (var j = 0; j < Groups; j++)
        {
            ref var group = ref groups[j];
            group.X = Lanes.Load(x[(j * GroupElements)..]);
            group.W = Vector512.Abs(group.X) + Vector512.Create(spread);
            group.FitAlone(x.Slice(j * GroupElements, GroupElements));
        }

        var scale = SharedScale(groups);
        var known = double.MaxValue;
        for (var round = 0; round < Rounds; round++)
        {
            var error = 0.0;
            foreach (ref var group in groups) error += group.FitMultiple(scale, around: round > 0);
            if (error >= known) break;
            known = error;
            Write(block, scale, groups);
            var better = FitShared(groups);
            if (better == scale || better == 0) break;
            scale = better;
        }
    }

    private static void Write(Span<byte> block, float scale, ReadOnlySpan<Group> groups)
    {
        block.Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(block[208..], HalfPrecision.ToFloat16(scale));
        for (var i = 0; i < Elements; i++)
        {
            ref readonly var group = ref groups[i / GroupElements];
            block[192 + i / GroupElements] = (byte)(sbyte)group.Multiple;
            var level = (int)group.V[i % GroupElements] + 32;
            var (low, lowShift, high, highShift) = Place(i);
            block[low] |= (byte)((level & 15) << lowShift);
            block[128 + high] |= (byte)(level >> 4 << highShift);
        }
    }

    /// <summary>A scale of which the groups' own steps are close to whole multiples from −128 to 127.</summary>
    private static float SharedScale(ReadOnlySpan<Group> groups)
    {
        var largest = 0f;
        foreach (ref readonly var group in groups)
            if (Math.Abs(group.Step) > Math.Abs(largest)) largest = group.Step;
        var (best, least) = (0f, double.MaxValue);
        for (var multiple = 128; multiple > 96; multiple--)
        {
            // 128 is reached on the negative side only, so the scale takes the other sign there.
            var scale = HalfNumber(largest / -multiple);
            if (scale == 0) continue;
            var error = 0.0;
            foreach (ref readonly var group in groups)
            {
                var rest = group.Step - scale * (double)Nearest(group.Step, scale);
                error += rest * rest;
            }
            if (error < least) (best, least) = (scale, error);
        }
        return best;
    }

    /// <summary>The shared scale by least squares, with everything else as it is.</summary>
    private static float FitShared(ReadOnlySpan<Group> groups)
    {
        double aa = 0, ax = 0;
        foreach (ref readonly var group in groups)
        {
            var (levelLevel, levelX) = group.Sums();
            aa += (double)group.Multiple * group.Multiple * levelLevel;
            ax += group.Multiple * levelX;
        }
        return aa > 0 ? HalfNumber((float)(ax / aa)) : 0;
    }

    private static int Nearest(float step, float scale) => Math.Clamp(HalfAway.Round(Math.Clamp(step / scale, -200, 200)), -128, 127);

    private static float HalfNumber(float value) => HalfPrecision.FromFloat16(HalfPrecision.ToFloat16(Math.Clamp(value, -65504, 65504)));

    /// <summary>16 numbers, their weights, and how they are stored so far.</summary>
    private struct Group
    {
        public Vector512<float> X, W, V;
        public float Step;
        public int Multiple;

        /// <summary>The best step without a thought of the other groups: x ≈ step·v.</summary>
        public void FitAlone(ReadOnlySpan<float> x)
        {
            var largest = 0f;
            foreach (var value in x)
                if (Math.Abs(value) > Math.Abs(largest)) largest = value;
            if (largest == 0 || !float.IsFinite(LeastLevel / largest)) return;
            var best = double.MaxValue;
            for (var level = LeastLevel - 1; level <= LeastLevel + 4; level++)
            {
                Assign(largest / level);
                for (var turn = 0; turn < 2; turn++)
                {
                    var (levelLevel, levelX) = Sums();
                    var step = levelLevel > 0 ? (float)(levelX / levelLevel) : 0;
                    if (step == 0) break;
                    Assign(step);
                    var error = Error(step);
                    if (error >= best) continue;
                    (best, Step) = (error, step);
                }
            }
        }

        /// <summary>Chooses the whole multiple of the shared scale, and with it the levels; returns the error.</summary>
        public double FitMultiple(float scale, bool around)
        {
            var multiple = scale == 0 ? 0 : around ? Multiple : Nearest(Step, scale);
            var best = double.MaxValue;
            for (var m = Math.Max(-128, multiple - 1); m <= Math.Min(127, multiple + 1); m++)
            {
                Assign(scale * m);
                var error = Error(scale * m);
                if (error < best) (best, Multiple) = (error, m);
            }
            Assign(scale * Multiple);
            return best;
        }

        public readonly (double LevelLevel, double LevelX) Sums() => (Lanes.Sum(W * V * V), Lanes.Sum(W * V * X));

        private void Assign(float step)
        {
            var inverse = 1 / step;
            V = float.IsFinite(inverse) ? Lanes.Level(X * inverse, LeastLevel, MostLevel) : Vector512<float>.Zero;
        }

        private readonly double Error(float step)
        {
            var e = X - V * step;
            return Lanes.Sum(W * e * e);
        }
    }
}
