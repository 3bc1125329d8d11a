namespace OpenEuroLLM.Formats.Quantization;

/// <summary>A group with a step and an offset, x ≈ step·v − offset with v from 0 up: its numbers, their weights, and how they are stored so far.</summary>
internal struct MinimumGroup<TLanes> where TLanes : struct, IGroupLanes<TLanes>
{
    private const int Starts = 8;

    public TLanes X, W, V;
    public float Step, Offset;
    public int Multiple, Minimum;

    /// <summary>The best step and offset without a thought of other groups.</summary>
    /// <param name="x">The numbers once more.</param>
    /// <param name="mostLevel">The largest v.</param>
    /// <param name="anyOffset">Whether the offset may be negative.</param>
    public void FitAlone(ReadOnlySpan<float> x, int mostLevel, bool anyOffset)
    {
        var (least, most) = anyOffset ? (x[0], x[0]) : (0, 0);
        foreach (var value in x) (least, most) = (Math.Min(least, value), Math.Max(most, value));
        var range = most - least;
        if (range == 0 || !float.IsFinite(1 / range * (mostLevel + 1))) return;
        var best = double.MaxValue;
        var spacing = Math.Min(1, (mostLevel + 1) / 16f);
        for (var start = 0; start < Starts; start++)
        {
            Assign(range / (mostLevel + 1 - start * spacing), -least, mostLevel);
            for (var turn = 0; turn < 2; turn++)
            {
                var (step, offset) = Fit(Sums(), anyOffset);
                if (step <= 0) break;
                Assign(step, offset, mostLevel);
                var error = Error(step, offset);
                if (error >= best) continue;
                (best, Step, Offset) = (error, step, offset);
            }
        }
    }

    /// <summary>Chooses the whole multiples of the shared scales, and with them the levels; returns the error.</summary>
    /// <param name="around">Look around the present multiples, not around those that step and offset ask for.</param>
    public double FitMultiples(float scale, float minimumScale, MinimumScheme scheme, bool around)
    {
        var multiple = around ? Multiple : Nearest(Step, scale, scheme.MostMultiple);
        var minimum = around ? Minimum : Nearest(Offset, minimumScale, scheme.MostMultiple);
        var best = double.MaxValue;
        var (bestMultiple, bestMinimum) = (0, 0);
        for (var m = Math.Max(0, multiple - 1); m <= Math.Min(scheme.MostMultiple, multiple + 1); m++)
        {
            for (var n = Math.Max(0, minimum - 1); n <= Math.Min(minimumScale == 0 ? 0 : scheme.MostMultiple, minimum + 1); n++)
            {
                Assign(scale * m, minimumScale * n, scheme.MostLevel);
                var error = Error(scale * m, minimumScale * n);
                if (error < best) (best, bestMultiple, bestMinimum) = (error, m, n);
            }
        }
        (Multiple, Minimum) = (bestMultiple, bestMinimum);
        Assign(scale * Multiple, minimumScale * Minimum, scheme.MostLevel);
        return best;
    }

    public readonly Moments Sums()
    {
        var wv = W * V;
        return new Moments(TLanes.Sum(W), TLanes.Sum(wv), TLanes.Sum(wv * V), TLanes.Sum(W * X), TLanes.Sum(wv * X));
    }

    /// <summary>The levels for a step and an offset.</summary>
    public void Assign(float step, float offset, int mostLevel)
    {
        var inverse = 1 / step;
        V = float.IsFinite(inverse) ? TLanes.Level((X + TLanes.Create(offset)) * TLanes.Create(inverse), 0, mostLevel) : TLanes.Create(0);
    }

    public readonly void Store(Span<byte> levels)
    {
        Span<float> values = stackalloc float[TLanes.Count];
        TLanes.CopyTo(V, values);
        for (var i = 0; i < values.Length; i++) levels[i] = (byte)values[i];
    }

    private readonly double Error(float step, float offset)
    {
        var e = X - (V * TLanes.Create(step) - TLanes.Create(offset));
        return TLanes.Sum(W * e * e);
    }

    private static int Nearest(float own, float scale, int most) => scale == 0 ? 0 : Math.Min(most, HalfAway.Round(Math.Min(own / scale, most)));

    private static (float Step, float Offset) Fit(in Moments s, bool anyOffset)
    {
        var determinant = s.One * s.LevelLevel - s.Level * s.Level;
        var step = determinant > 1e-9 * s.One * s.LevelLevel ? (s.One * s.LevelX - s.X * s.Level) / determinant : 0;
        var offset = (step * s.Level - s.X) / s.One;
        if (!anyOffset && (offset < 0 || step <= 0)) (step, offset) = (s.LevelLevel > 0 ? s.LevelX / s.LevelLevel : 0, 0);
        return ((float)step, (float)offset);
    }
}

/// <summary>Weighted sums that every fit needs.</summary>
internal readonly record struct Moments(double One, double Level, double LevelLevel, double X, double LevelX);
