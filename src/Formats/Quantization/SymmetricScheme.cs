namespace OpenEuroLLM.Formats.Quantization;

/// <summary>Blocks of 256 in 16 groups of 16, each with a scale that is a whole multiple of the block's: x = d·scale·v.</summary>
/// <param name="LeastLevel">The least v, a power of two below 0; the largest is one less than its magnitude.</param>
/// <param name="LeastMultiple">The least scale of a group; the largest is one less than its magnitude.</param>
/// <param name="Spacing">How far apart the steps lie that a search begins with: it takes the largest number for LeastLevel − 1, + 0, + 1, ... of these.</param>
/// <param name="Reach">How far from the scale that a group's own step asks for its scale is looked for at first; 1 later. Where levels are few, a
/// group has good steps far from its best one.</param>
/// <remarks>The search is as that of <see cref="MinimumScheme"/>: groups alone, then the shared scale, then both in turns.</remarks>
internal readonly record struct SymmetricScheme(int LeastLevel, int LeastMultiple, float Spacing, int Reach = 1)
{
    private const int Groups = 16;
    private const int Rounds = 3;

    public int MostLevel => -LeastLevel - 1;

    public int MostMultiple => -LeastMultiple - 1;

    /// <summary>Looks for the block that stands for 256 numbers.</summary>
    /// <param name="multiples">Receives each group's scale.</param>
    /// <param name="levels">Receives v of each number, counted from the least level.</param>
    /// <returns>d in half precision.</returns>
    public ushort Search(ReadOnlySpan<float> x, ReadOnlySpan<float> importance, Span<sbyte> multiples, Span<byte> levels)
    {
        multiples.Clear();
        levels.Fill((byte)-LeastLevel);
        var spread = ErrorWeights.Spread(x);
        if (spread == 0) return 0;
        Span<SymmetricGroup<Lanes16>> groups = stackalloc SymmetricGroup<Lanes16>[Groups];
        for (var j = 0; j < Groups; j++)
        {
            ref var group = ref groups[j];
            group = default;
            group.X = Lanes16.Load(x[(j * 16)..]);
            group.W = ErrorWeights.Of(group.X, spread, importance, j * 16);
            group.FitAlone(x.Slice(j * 16, 16), this);
        }

        var next = SharedScale(groups);
        var (written, known) = (0f, double.MaxValue);
        for (var round = 0; round < Rounds; round++)
        {
            var error = 0.0;
            foreach (ref var group in groups) error += group.FitMultiple(next, this, first: round == 0);
            if (error >= known) break;
            (written, known) = (next, error);
            for (var j = 0; j < Groups; j++)
            {
                multiples[j] = (sbyte)groups[j].Multiple;
                groups[j].Store(levels.Slice(j * 16, 16), this);
            }
            next = FitShared(groups);
            if (next == written || next == 0) break;
        }
        return HalfPrecision.ToFloat16(written);
    }

    /// <summary>Looks for the step of a block of 32 that stands for itself: x = d·v.</summary>
    /// <param name="levels">Receives v of each number, counted from the least level.</param>
    /// <returns>d in half precision; 0 where the numbers are too small for a search.</returns>
    public ushort SearchAlone(ReadOnlySpan<float> x, ReadOnlySpan<float> importance, Span<byte> levels)
    {
        var group = new SymmetricGroup<Lanes32> { X = Lanes32.Load(x) };
        group.W = ErrorWeights.Of(group.X, ErrorWeights.Spread(x), importance, 0);
        group.FitAlone(x, this);
        var step = HalfNumber(group.Step);
        group.Assign(step, this);
        group.Store(levels, this);
        return HalfPrecision.ToFloat16(step);
    }

    public int Nearest(float step, float scale) => Math.Clamp(HalfAway.Round(Math.Clamp(step / scale, -200, 200)), LeastMultiple, MostMultiple);

    /// <summary>A scale of which the groups' own steps are close to whole multiples.</summary>
    private float SharedScale(ReadOnlySpan<SymmetricGroup<Lanes16>> groups)
    {
        var largest = 0f;
        foreach (ref readonly var group in groups)
            if (Math.Abs(group.Step) > Math.Abs(largest)) largest = group.Step;
        var (best, least) = (0f, double.MaxValue);
        for (var multiple = -LeastMultiple; multiple > -LeastMultiple * 3 / 4; multiple--)
        {
            // The least multiple has no counterpart above 0, so the scale takes the other sign there.
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
    private static float FitShared(ReadOnlySpan<SymmetricGroup<Lanes16>> groups)
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

    private static float HalfNumber(float value) => HalfPrecision.FromFloat16(HalfPrecision.ToFloat16(Math.Clamp(value, -65504, 65504)));
}
