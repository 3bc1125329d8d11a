namespace OpenEuroLLM.Formats.Quantization;

/// <summary>Blocks of 256 in groups with scale and minimum, both whole multiples of a scale of the block: x = d·scale·v − dmin·minimum.</summary>
/// <param name="MostLevel">The largest v; the least is 0.</param>
/// <param name="MostMultiple">The largest scale and minimum of a group.</param>
/// <remarks>The search is for the least weighted squared error (<see cref="ErrorWeights"/>): first every group alone (several steps to begin
/// with, each improved by least squares), then the two shared scales (several candidates, so that the groups' own scales and minima land close to
/// whole multiples), then in turns every group's whole numbers in their neighbourhood and the shared scales by least squares, as long as the
/// error falls.</remarks>
internal readonly record struct MinimumScheme(int MostLevel, int MostMultiple)
{
    private const int Rounds = 3;
    private const int Candidates = 16;

    /// <summary>Looks for the block that stands for some numbers.</summary>
    /// <param name="multiples">Receives each group's scale, which says how many groups there are.</param>
    /// <param name="minima">Receives each group's minimum.</param>
    /// <param name="levels">Receives v of each number.</param>
    /// <returns>d and dmin in half precision.</returns>
    public (ushort Scale, ushort MinimumScale) Search<TLanes>(ReadOnlySpan<float> x, ReadOnlySpan<float> importance, Span<byte> multiples, Span<byte> minima, Span<byte> levels)
        where TLanes : unmanaged, IGroupLanes<TLanes>
    {
        multiples.Clear();
        minima.Clear();
        levels.Clear();
        var spread = ErrorWeights.Spread(x);
        if (spread == 0) return (0, 0);
        Span<MinimumGroup<TLanes>> groups = stackalloc MinimumGroup<TLanes>[multiples.Length];
        for (var j = 0; j < groups.Length; j++)
        {
            ref var group = ref groups[j];
            var start = j * TLanes.Count;
            group = default;
            group.X = TLanes.Load(x[start..]);
            group.W = ErrorWeights.Of(group.X, spread, importance, start);
            group.FitAlone(x.Slice(start, TLanes.Count), MostLevel, anyOffset: false);
        }

        var (written, known) = (default((float Scale, float MinimumScale)), double.MaxValue);
        var next = (Scale: HalfNumber(SharedScale<TLanes>(groups, minima: false)), MinimumScale: HalfNumber(SharedScale<TLanes>(groups, minima: true)));
        for (var round = 0; round < Rounds; round++)
        {
            var error = 0.0;
            foreach (ref var group in groups) error += group.FitMultiples(next.Scale, next.MinimumScale, this, around: round > 0);
            if (round > 0 && error >= known) break;
            (written, known) = (next, error);
            for (var j = 0; j < groups.Length; j++)
            {
                (multiples[j], minima[j]) = ((byte)groups[j].Multiple, (byte)groups[j].Minimum);
                groups[j].Store(levels.Slice(j * TLanes.Count, TLanes.Count));
            }
            var (scale, minimumScale) = FitShared<TLanes>(groups);
            next = (HalfNumber(scale), HalfNumber(minimumScale));
            if (next == written && round > 0) break;
        }
        return (HalfPrecision.ToFloat16(written.Scale), HalfPrecision.ToFloat16(written.MinimumScale));
    }

    /// <summary>A scale of which the groups' own scales (or minima) are close to whole multiples.</summary>
    private float SharedScale<TLanes>(ReadOnlySpan<MinimumGroup<TLanes>> groups, bool minima) where TLanes : struct, IGroupLanes<TLanes>
    {
        var largest = 0f;
        foreach (ref readonly var group in groups) largest = Math.Max(largest, minima ? group.Offset : group.Step);
        if (largest == 0) return 0;
        var (best, least) = (0f, double.MaxValue);
        for (var multiple = MostMultiple; multiple > Math.Max(0, MostMultiple - Candidates); multiple--)
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
    private static (float Scale, float MinimumScale) FitShared<TLanes>(ReadOnlySpan<MinimumGroup<TLanes>> groups) where TLanes : struct, IGroupLanes<TLanes>
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
}
