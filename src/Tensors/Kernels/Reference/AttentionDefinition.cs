using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tensors.Kernels.Reference;

/// <summary>Causal attention for grouped queries with the full softmax of each row: softmax(cap(q·kᵀ · scale)) · v over the keys up to the
/// row itself, within its sequence and window.</summary>
/// <param name="Lengths">Rows of each sequence; sequences follow each other.</param>
/// <param name="Heads">Query heads.</param>
/// <param name="KeyValueHeads">Key/value heads; query head h uses key/value head h / (Heads / KeyValueHeads).</param>
/// <param name="Dimension">Numbers of a head.</param>
/// <param name="Window">Keys that a row sees, its own included; null: all.</param>
/// <param name="Scale">Factor of the scores; null: 1 / √D.</param>
/// <param name="SoftCap">Scaled scores are capped; null: not.</param>
internal sealed record AttentionDefinition(int[] Lengths, int Heads, int KeyValueHeads, int Dimension, int? Window = null, double? Scale = null, double? SoftCap = null)
{
    private double Factor => Scale ?? 1 / Math.Sqrt(Dimension);

    private int Rows => Lengths.Sum();

    public double[] Forward(double[] queries, double[] keys, double[] values)
    {
        var output = new double[Rows * Heads * Dimension];
        foreach (var (row, first, head) in RowsAndHeads())
        {
            var weights = Weights(queries, keys, row, first, head);
            for (var j = first; j <= row; j++)
                for (var d = 0; d < Dimension; d++) output[Query(row, head) + d] += weights[j - first] * values[Key(j, head) + d];
        }
        return output;
    }

    public (double[] Queries, double[] Keys, double[] Values) Backward(double[] queries, double[] keys, double[] values, double[] dOutput)
    {
        var (dQueries, dKeys, dValues) = (new double[queries.Length], new double[keys.Length], new double[values.Length]);
        foreach (var (row, first, head) in RowsAndHeads())
        {
            var weights = Weights(queries, keys, row, first, head);
            var slopes = new double[weights.Length];
            var mean = 0.0;
            for (var j = first; j <= row; j++)
            {
                for (var d = 0; d < Dimension; d++)
                {
                    slopes[j - first] += dOutput[Query(row, head) + d] * values[Key(j, head) + d];
                    dValues[Key(j, head) + d] += weights[j - first] * dOutput[Query(row, head) + d];
                }
                mean += weights[j - first] * slopes[j - first];
            }
            for (var j = first; j <= row; j++)
            {
                var slope = weights[j - first] * (slopes[j - first] - mean) * SoftCapDefinition.Slope(Score(queries, keys, row, j, head), SoftCap) * Factor;
                for (var d = 0; d < Dimension; d++)
                {
                    dQueries[Query(row, head) + d] += slope * keys[Key(j, head) + d];
                    dKeys[Key(j, head) + d] += slope * queries[Query(row, head) + d];
                }
            }
        }
        return (dQueries, dKeys, dValues);
    }

    private double[] Weights(double[] queries, double[] keys, int row, int first, int head)
    {
        var weights = new double[row - first + 1];
        for (var j = first; j <= row; j++) weights[j - first] = SoftCapDefinition.Value(Score(queries, keys, row, j, head), SoftCap);
        var largest = weights.Max();
        for (var j = 0; j < weights.Length; j++) weights[j] = Numerics.Exp(weights[j] - largest);
        var sum = weights.Sum();
        for (var j = 0; j < weights.Length; j++) weights[j] /= sum;
        return weights;
    }

    private double Score(double[] queries, double[] keys, int row, int j, int head)
    {
        var score = 0.0;
        for (var d = 0; d < Dimension; d++) score += queries[Query(row, head) + d] * keys[Key(j, head) + d] * Factor;
        return score;
    }

    private IEnumerable<(int Row, int First, int Head)> RowsAndHeads()
    {
        var first = 0;
        foreach (var length in Lengths)
        {
            for (var row = first; row < first + length; row++)
                for (var head = 0; head < Heads; head++) yield return (row, Math.Max(first, row + 1 - (Window ?? row + 1)), head);
            first += length;
        }
    }

    private int Query(int row, int head) => (row * Heads + head) * Dimension;

    private int Key(int row, int head) => (row * KeyValueHeads + head / (Heads / KeyValueHeads)) * Dimension;
}
