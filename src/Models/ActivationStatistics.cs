using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models;

/// <summary>How strongly each input of each matrix is used: the mean square of the activations that meet it. Quantization weighs its errors with it.</summary>
/// <remarks>Observed in groups, one for each language: every group counts the same, however long its text. Sums are in double precision and in the
/// order of the rows, so that the same texts give the same numbers whatever the number of threads.</remarks>
public sealed class ActivationStatistics : IProductObserver
{
    private readonly Dictionary<string, Sums> byName = new(StringComparer.Ordinal);

    /// <summary>Groups that were ended.</summary>
    public int Groups { get; private set; }

    /// <inheritdoc/>
    public void Observe(Weight weight, Tensor x)
    {
        if (!byName.TryGetValue(weight.Name, out var sums)) byName[weight.Name] = sums = new Sums(weight.Columns);
        var values = x.Values;
        for (var row = 0; row < x.Rows; row++)
        {
            var numbers = values.Slice(row * x.Columns, x.Columns);
            for (var i = 0; i < numbers.Length; i++) sums.Squares[i] += (double)numbers[i] * numbers[i];
        }
        sums.Rows += x.Rows;
    }

    /// <summary>Ends a group.</summary>
    public void EndGroup()
    {
        Groups++;
        foreach (var sums in byName.Values) sums.EndGroup();
    }

    /// <summary>A non-negative number for each column of a weight; empty for one that no activation met.</summary>
    public float[] Of(WeightShape shape) =>
        byName.TryGetValue(shape.Name, out var sums) && Groups > 0 ? [.. sums.Means.Select(mean => (float)(mean / Groups))] : [];

    private sealed class Sums(int columns)
    {
        public double[] Squares { get; } = new double[columns];

        public double[] Means { get; } = new double[columns];

        public long Rows { get; set; }

        public void EndGroup()
        {
            if (Rows == 0) return;
            for (var i = 0; i < Squares.Length; i++) Means[i] += Squares[i] / Rows;
            Array.Clear(Squares);
            Rows = 0;
        }
    }
}
