namespace OpenEuroLLM.Models.Tests;

internal static class Agreement
{
    /// <summary>The largest difference in a row relative to the largest expected value of the row; the worst row counts.</summary>
    public static double WorstRow(double[,] actual, double[,] expected)
    {
        Assert.Equal((expected.GetLength(0), expected.GetLength(1)), (actual.GetLength(0), actual.GetLength(1)));
        var worst = 0.0;
        for (var row = 0; row < expected.GetLength(0); row++)
        {
            var (difference, largest) = (0.0, 0.0);
            for (var i = 0; i < expected.GetLength(1); i++)
            {
                if (!double.IsFinite(actual[row, i])) return double.PositiveInfinity;
                difference = Math.Max(difference, Math.Abs(actual[row, i] - expected[row, i]));
                largest = Math.Max(largest, Math.Abs(expected[row, i]));
            }
            worst = Math.Max(worst, difference / largest);
        }
        return worst;
    }
}
