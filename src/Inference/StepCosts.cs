using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Inference;

/// <summary>What a step costs by its rows, in steps of one row. Decides how much is guessed, never what is answered.</summary>
/// <remarks>One row waits for memory, which a few share; how many depends on how much arithmetic the type of the weights needs. A table of what was
/// measured (docs/results/engine.md) and not a clock decides, so that a request makes the same steps every time.</remarks>
internal sealed class StepCosts
{
    // Below the last-level cache of common processors, the cache of keys and values aside.
    private const long CachedBytes = 24 << 20;

    private readonly double[] _costs;
    private readonly double _perRow;    // beyond those

    /// <param name="costs">Of 1 row, 2 rows and so on, at least of two; a row beyond costs what those behind the first did on average.</param>
    public StepCosts(params double[] costs)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(costs.Length, 2);
        (_costs, _perRow) = (costs, (costs[^1] - costs[0]) / (costs.Length - 1));
    }

    /// <summary>Where single-precision numbers are multiplied: f32, bf16, f16.</summary>
    public static StepCosts Floats { get; } = new(1, 1.02, 1.05, 1.1, 1.7, 1.75, 2.05, 2.1, 2.7);

    /// <summary>Where levels are ready for arithmetic as they lie: q8_0.</summary>
    public static StepCosts Bytes { get; } = new(1, 1.02, 1.03, 1.05, 1.25, 1.5, 1.75, 1.75, 2.1);

    /// <summary>Where levels are put together from bits first: all other quantized types.</summary>
    public static StepCosts Bits { get; } = new(1, 1.15, 1.65, 1.75, 2.2, 2.6, 3.1, 3.15, 3.6);

    /// <summary>Where no row waits for memory, because the whole model lies in the processor's cache.</summary>
    public static StepCosts InCache { get; } = new(1, 1.2, 1.85, 1.9, 2.85, 2.9, 3.55, 3.6, 4.5);

    /// <summary>Of a model: by its size, and by the type that most of its numbers have.</summary>
    public static StepCosts Of(IReadOnlyCollection<Weight> weights) =>
        Of(weights.Sum(weight => weight.StorageBytes), weights.GroupBy(weight => weight.Type).MaxBy(group => group.Sum(weight => weight.Count))!.Key);

    /// <summary>Of weights of one type and so many bytes.</summary>
    public static StepCosts Of(long sizeBytes, ElementType type)
    {
        if (sizeBytes <= CachedBytes) return InCache;
        if (!ElementTypes.IsQuantized(type)) return Floats;
        return type == ElementType.Q8_0 ? Bytes : Bits;
    }

    /// <param name="rows">At least 1.</param>
    public double this[int rows] => rows <= _costs.Length ? _costs[rows - 1] : _costs[^1] + (rows - _costs.Length) * _perRow;
}
