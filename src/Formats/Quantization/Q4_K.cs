using System.Buffers.Binary;
using System.Runtime.Intrinsics;

namespace OpenEuroLLM.Formats.Quantization;

/// <summary>Block of 256: <c>f16 d, f16 dmin, u8 s[12], u8 q[128]</c>, eight groups of 32 with 6-bit scale and minimum each;
/// x = d·scale·v − dmin·minimum, v from 0 to 15.</summary>
/// <remarks>The encoder looks for the least weighted squared error, large numbers weighing more (|x| + root mean square of the block):
/// first every group alone (several steps to begin with, each improved by least squares), then the two shared scales (several candidates, so
/// that the groups' own scales and minima land close to whole multiples), then in turns every group's whole numbers in their neighbourhood and
/// the shared scales by least squares, as long as the error falls.</remarks>
internal sealed class Q4_K() : BlockFormat("Q4_K", Elements, Bytes, 32 * 65504.0)
{
    private const int Elements = 256;
    private const int Bytes = 144;
    private const int Groups = 8;
    private const int GroupElements = 32;
    private const int MostLevel = 15;
    private const int MostMultiple = 63;
    private const int Starts = 8;
    private const int Rounds = 3;

    private protected override void EncodeBlocks(ReadOnlySpan<float> values, Span<byte> blocks)
    {
        for (; !values.IsEmpty; values = values[Elements..], blocks = blocks[Bytes..]) EncodeBlock(values[..Elements], blocks[..Bytes]);
    }

    private protected override void DecodeBlocks(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; !values.IsEmpty; values = values[Elements..], blocks = blocks[Bytes..])
        {
            var scale = HalfPrecision.FromFloat16(BinaryPrimitives.ReadUInt16LittleEndian(blocks));
            var minimumScale = HalfPrecision.FromFloat16(BinaryPrimitives.ReadUInt16LittleEndian(blocks[2..]));
            for (var j = 0; j < Groups; j++)
            {
                var (multiple, minimum) = Multiples(blocks[4..], j);
                var (step, offset) = (scale * multiple, minimumScale * minimum);
                var packed = blocks.Slice(16 + j / 2 * GroupElements, GroupElements);
                var shift = j % 2 * 4;
                for (var i = 0; i < GroupElements; i++) values[j * GroupElements + i] = (step * ((packed[i] >> shift) & 15)) - offset;
            }
        }
    }

    /// <summary>Scale and minimum of a group, six bits each, from their twelve bytes.</summary>
    private static (int Scale, int Minimum) Multiples(ReadOnlySpan<byte> s, int j) => j < 4
        ? (s[j] & 63, s[j + 4] & 63)
        : ((s[j + 4] & 15) | (s[j - 4] >> 6 << 4), (s[j + 4] >> 4) | (s[j] >> 6 << 4));

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
            group.X0 = Lanes.Load(x[(j * GroupElements)..]);
            group.X1 = Lanes.Load(x[(j * GroupElements + 16)..]);
            group.W0 = Vector512.Abs(group.X0) + Vector512.Create(spread);
            group.W1 = Vector512.Abs(group.X1) + Vector512.Create(spread);
            group.FitAlone(x.Slice(j * GroupElements, GroupElements));
        }

        var best = new Shared(HalfNumber(SharedScale(groups, minima: false)), HalfNumber(SharedScale(groups, minima: true)), double.MaxValue);
        Span<byte> levels = stackalloc byte[Elements];
        Span<(int, int)> multiples = stackalloc (int, int)[Groups];
        for (var round = 0; round < Rounds; round++)
        {
            var trial = best with { Error = 0 };
            foreach (ref var group in groups) trial.Error += group.FitMultiples(trial.Scale, trial.MinimumScale, around: round > 0);
            if (round > 0 && trial.Error >= best.KnownError) break;
            for (var j = 0; j < Groups; j++)
            {
                multiples[j] = (groups[j].Multiple, groups[j].Minimum);
                groups[j].Store(levels.Slice(j * GroupElements, GroupElements));
            }
            Write(block, trial, multiples, levels);
            var (scale, minimumScale) = FitShared(groups);
            best = new Shared(HalfNumber(scale), HalfNumber(minimumScale), trial.Error);
            if (best.Scale == trial.Scale && best.MinimumScale == trial.MinimumScale && round > 0) break;
        }
    }

    private static void Write(Span<byte> block, in Shared shared, ReadOnlySpan<(int Scale, int Minimum)> multiples, ReadOnlySpan<byte> levels)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(block, HalfPrecision.ToFloat16(shared.Scale));
        BinaryPrimitives.WriteUInt16LittleEndian(block[2..], HalfPrecision.ToFloat16(shared.MinimumScale));
        var s = block.Slice(4, 12);
        for (var j = 0; j < 4; j++)
        {
            s[j] = (byte)(multiples[j].Scale | (multiples[j + 4].Scale >> 4 << 6));
            s[j + 4] = (byte)(multiples[j].Minimum | (multiples[j + 4].Minimum >> 4 << 6));
            s[j + 8] = (byte)((multiples[j + 4].Scale & 15) | ((multiples[j + 4].Minimum & 15) << 4));
        }
        for (var i = 0; i < Elements / 2; i++)
        {
            var low = i / GroupElements * 2 * GroupElements + i % GroupElements;
            block[16 + i] = (byte)(levels[low] | (levels[low + GroupElements] << 4));
        }
    }

    /// <summary>A scale of which the groups' own scales (or minima) are close to whole multiples up to 63.</summary>
    private static float SharedScale(ReadOnlySpan<Group> groups, bool minima)
    {
        var largest = 0f;
        foreach (ref readonly var group in groups) largest = Math.Max(largest, minima ? group.Offset : group.Step);
        if (largest == 0) return 0;
        var (best, least) = (0f, double.MaxValue);
        for (var multiple = MostMultiple; multiple > MostMultiple - 16; multiple--)
        {
            var scale = HalfNumber(largest / multiple);
            if (scale == 0) continue;
            var error = 0.0;
            foreach (ref readonly var group in groups)
            {
                double own = minima ? group.Offset : group.Step;
                var rest = own - scale * (double)Math.Min(MostMultiple, HalfAway.Round((float)own / scale));
                error += rest * rest;
            }
            if (error < least) (best, least) = (scale, error);
        }
        return best;
    }

    /// <summary>Both shared scales by least squares, with everything else as it is.</summary>
    private static (float Scale, float MinimumScale) FitShared(ReadOnlySpan<Group> groups)
    {
        double aa = 0, ab = 0, bb = 0, ax = 0, bx = 0; // x ≈ scale·a + minimumScale·b with a = multiple·level, b = −minimum
        foreach (ref readonly var group in groups)
        {
            var sums = group.Sums();
            double a = group.Multiple, b = -group.Minimum;
            aa += a * a * sums.LevelLevel;
            ab += a * b * sums.Level;
            bb += b * b * sums.One;
            ax += a * sums.LevelX;
            bx += b * sums.X;
        }
        var determinant = aa * bb - ab * ab;
        if (bb == 0 || determinant <= 1e-9 * aa * bb) return (aa > 0 ? (float)Math.Max(0, ax / aa) : 0, 0);
        var (scale, minimumScale) = ((ax * bb - bx * ab) / determinant, (bx * aa - ax * ab) / determinant);
        return minimumScale >= 0 && scale >= 0 ? ((float)scale, (float)minimumScale) : (aa > 0 ? (float)Math.Max(0, ax / aa) : 0, 0);
    }

    private static float HalfNumber(float value) => HalfPrecision.FromFloat16(HalfPrecision.ToFloat16(Math.Min(value, 65504)));

    private record struct Shared(float Scale, float MinimumScale, double Error)
    {
        /// <summary>The error of the block as it was written last.</summary>
        public readonly double KnownError => Error;
    }

    /// <summary>Weighted sums that every fit needs.</summary>
    private readonly record struct Moments(double One, double Level, double LevelLevel, double X, double LevelX);

    /// <summary>32 numbers, their weights, and how they are stored so far.</summary>
    private struct Group
    {
        public Vector512<float> X0, X1, W0, W1, V0, V1;
        public float Step, Offset;
        public int Multiple, Minimum;

        /// <summary>The best step and offset without a thought of the other groups: x ≈ step·v − offset, both at least 0.</summary>
        public void FitAlone(ReadOnlySpan<float> x)
        {
            float least = 0, most = 0;
            foreach (var value in x) (least, most) = (Math.Min(least, value), Math.Max(most, value));
            var range = most - least;
            if (range == 0 || !float.IsFinite(1 / range * (MostLevel + 1))) return;
            var best = double.MaxValue;
            for (var start = 0; start < Starts; start++)
            {
                Assign(range / (MostLevel + 1 - start), -least);
                for (var turn = 0; turn < 2; turn++)
                {
                    var (step, offset) = Fit(Sums());
                    if (step <= 0) break;
                    Assign(step, offset);
                    var error = Error(step, offset);
                    if (error >= best) continue;
                    (best, Step, Offset) = (error, step, offset);
                }
            }
        }

        /// <summary>Chooses the whole multiples of the shared scales, and with them the levels; returns the error.</summary>
        /// <param name="around">Look around the present multiples, not around those that step and offset ask for.</param>
        public double FitMultiples(float scale, float minimumScale, bool around)
        {
            var multiple = around ? Multiple : Nearest(Step, scale);
            var minimum = around ? Minimum : Nearest(Offset, minimumScale);
            var best = double.MaxValue;
            var (bestMultiple, bestMinimum) = (0, 0);
            for (var m = Math.Max(0, multiple - 1); m <= Math.Min(MostMultiple, multiple + 1); m++)
            {
                for (var n = Math.Max(0, minimum - 1); n <= Math.Min(minimumScale == 0 ? 0 : MostMultiple, minimum + 1); n++)
                {
                    Assign(scale * m, minimumScale * n);
                    var error = Error(scale * m, minimumScale * n);
                    if (error < best) (best, bestMultiple, bestMinimum) = (error, m, n);
                }
            }
            (Multiple, Minimum) = (bestMultiple, bestMinimum);
            Assign(scale * Multiple, minimumScale * Minimum);
            return best;
        }

        public readonly Moments Sums()
        {
            var (wv0, wv1) = (W0 * V0, W1 * V1);
            return new Moments(Lanes.Sum(W0 + W1), Lanes.Sum(wv0 + wv1), Lanes.Sum(wv0 * V0 + wv1 * V1), Lanes.Sum(W0 * X0 + W1 * X1), Lanes.Sum(wv0 * X0 + wv1 * X1));
        }

        public readonly void Store(Span<byte> levels)
        {
            for (var i = 0; i < 16; i++) (levels[i], levels[i + 16]) = ((byte)V0[i], (byte)V1[i]);
        }

        private static int Nearest(float own, float scale) => scale == 0 ? 0 : Math.Min(MostMultiple, HalfAway.Round(Math.Min(own / scale, MostMultiple)));

        private void Assign(float step, float offset)
        {
            var inverse = 1 / step;
            if (!float.IsFinite(inverse))
            {
                V0 = V1 = Vector512<float>.Zero;
                return;
            }
            V0 = Lanes.Level((X0 + Vector512.Create(offset)) * inverse, 0, MostLevel);
            V1 = Lanes.Level((X1 + Vector512.Create(offset)) * inverse, 0, MostLevel);
        }

        private readonly double Error(float step, float offset)
        {
            var e0 = X0 - (V0 * step - Vector512.Create(offset));
            var e1 = X1 - (V1 * step - Vector512.Create(offset));
            return Lanes.Sum(W0 * e0 * e0 + W1 * e1 * e1);
        }

        private static (float Step, float Offset) Fit(in Moments s)
        {
            var determinant = s.One * s.LevelLevel - s.Level * s.Level;
            var step = determinant > 1e-9 * s.One * s.LevelLevel ? (s.One * s.LevelX - s.X * s.Level) / determinant : 0;
            var offset = (step * s.Level - s.X) / s.One;
            if (offset < 0 || step <= 0) (step, offset) = (s.LevelLevel > 0 ? s.LevelX / s.LevelLevel : 0, 0);
            return ((float)step, (float)offset);
        }
    }
}
