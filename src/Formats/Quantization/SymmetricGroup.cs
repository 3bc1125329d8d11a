namespace OpenEuroLLM.Formats.Quantization;

/// <summary>A group with a step, x ≈ step·v with v on both sides of 0: its numbers, their weights, and how they are stored so far.</summary>
internal struct SymmetricGroup<TLanes> where TLanes : struct, IGroupLanes<TLanes>
{
    public TLanes X, W, V;
    public float Step;
    public int Multiple;

    /// <summary>The best step without a thought of other groups.</summary>
    /// <param name="x">The numbers once more.</param>
    public void FitAlone(ReadOnlySpan<float> x, SymmetricScheme scheme)
    {
        var largest = 0f;
        foreach (var value in x)
            if (Math.Abs(value) > Math.Abs(largest)) largest = value;
        if (largest == 0 || !float.IsFinite(scheme.LeastLevel / largest)) return;
        var best = double.MaxValue;
        for (var start = -1; start < 5; start++)
        {
            Assign(largest / (scheme.LeastLevel + start * scheme.Spacing), scheme);
            for (var turn = 0; turn < 2; turn++)
            {
                var (levelLevel, levelX) = Sums();
                var step = levelLevel > 0 ? (float)(levelX / levelLevel) : 0;
                if (step == 0) break;
                Assign(step, scheme);
                var error = Error(step);
                if (error >= best) continue;
                (best, Step) = (error, step);
            }
        }
    }

    /// <summary>Chooses the whole multiple of the shared scale, and with it the levels; returns the error.</summary>
    /// <param name="first">Look around the multiple that the step asks for, not around the present one.</param>
    public double FitMultiple(float scale, SymmetricScheme scheme, bool first)
    {
        var multiple = scale == 0 ? 0 : first ? scheme.Nearest(Step, scale) : Multiple;
        var reach = first ? scheme.Reach : 1;
        var best = double.MaxValue;
        for (var m = Math.Max(scheme.LeastMultiple, multiple - reach); m <= Math.Min(scheme.MostMultiple, multiple + reach); m++)
        {
            Assign(scale * m, scheme);
            var error = Error(scale * m);
            if (error < best) (best, Multiple) = (error, m);
        }
        Assign(scale * Multiple, scheme);
        return best;
    }

    public readonly (double LevelLevel, double LevelX) Sums() => (TLanes.Sum(W * V * V), TLanes.Sum(W * V * X));

    /// <summary>The levels for a step.</summary>
    public void Assign(float step, SymmetricScheme scheme)
    {
        var inverse = 1 / step;
        V = float.IsFinite(inverse) ? TLanes.Level(X * TLanes.Create(inverse), scheme.LeastLevel, scheme.MostLevel) : TLanes.Create(0);
    }

    /// <summary>The levels, counted from the least.</summary>
    public readonly void Store(Span<byte> levels, SymmetricScheme scheme)
    {
        Span<float> values = stackalloc float[TLanes.Count];
        TLanes.CopyTo(V, values);
        for (var i = 0; i < values.Length; i++) levels[i] = (byte)(values[i] - scheme.LeastLevel);
    }

    private readonly double Error(float step)
    {
        var e = X - V * TLanes.Create(step);
        return TLanes.Sum(W * e * e);
    }
}
