namespace OpenEuroLLM.Inference;

/// <summary>How many tokens the steps of an engine computed, counted by size.</summary>
/// <param name="Counts">Steps of up to each of <see cref="Bounds"/> tokens and more than the bound before; one more count for larger ones.</param>
/// <param name="Tokens">Tokens of all steps.</param>
public sealed record StepSizes(IReadOnlyList<long> Counts, long Tokens)
{
    /// <summary>Tokens of a step, ascending.</summary>
    public static IReadOnlyList<double> Bounds { get; } = [1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384];

    /// <summary>The steps of two engines together; null where neither counted.</summary>
    public static StepSizes? Sum(StepSizes? one, StepSizes? other) => one is null ? other : other is null ? one
        : new StepSizes([.. one.Counts.Zip(other.Counts, (mine, theirs) => mine + theirs)], one.Tokens + other.Tokens);
}

/// <summary>Counts steps; one thread counts, any reads.</summary>
internal sealed class StepCounter
{
    private readonly Lock _counting = new();
    private readonly long[] _counts = new long[StepSizes.Bounds.Count + 1];
    private long _tokens;

    public void Count(int tokens)
    {
        int place = 0;
        while (place < StepSizes.Bounds.Count && StepSizes.Bounds[place] < tokens) place++;
        lock (_counting)
        {
            _counts[place]++;
            _tokens += tokens;
        }
    }

    public StepSizes Read()
    {
        lock (_counting) return new StepSizes([.. _counts], _tokens);
    }
}
