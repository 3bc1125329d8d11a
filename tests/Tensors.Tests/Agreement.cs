using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tensors.Tests;

/// <summary>Seeded numbers, and comparison of single precision with definitions in double precision.</summary>
internal static class Agreement
{
    public static float[] Normal(int count, ulong stream, float scale = 1)
    {
        var random = new CounterRandom(7, stream);
        var values = new float[count];
        for (var i = 0; i < count; i++) values[i] = scale * random.NormalAt((ulong)i);
        return values;
    }

    public static double[] Double(ReadOnlySpan<float> values)
    {
        var result = new double[values.Length];
        for (var i = 0; i < values.Length; i++) result[i] = values[i];
        return result;
    }

    public static int[] Bits(ReadOnlySpan<float> values) => System.Runtime.InteropServices.MemoryMarshal.Cast<float, int>(values).ToArray();

    /// <summary>Every element lies within <paramref name="tolerance"/> · (its size + the root mean square of all).</summary>
    public static void Within(double tolerance, double[] expected, ReadOnlySpan<float> actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        var typical = Math.Sqrt(expected.Sum(value => value * value) / Math.Max(1, expected.Length));
        for (var i = 0; i < expected.Length; i++)
        {
            var error = Math.Abs(actual[i] - expected[i]);
            if (!(error <= tolerance * (Math.Abs(expected[i]) + typical) + 1e-12))
                Assert.Fail(FormattableString.Invariant($"{what}[{i}] is {actual[i]}; expected {expected[i]}, typical size {typical}"));
        }
    }

    /// <summary>Central differences of <paramref name="loss"/> in every element of <paramref name="at"/>, which is put back.</summary>
    public static double[] Slope(double[] at, Func<double> loss)
    {
        const double step = 1e-5;
        var slope = new double[at.Length];
        for (var i = 0; i < at.Length; i++)
        {
            var before = at[i];
            at[i] = before + step;
            var above = loss();
            at[i] = before - step;
            var below = loss();
            at[i] = before;
            slope[i] = (above - below) / (2 * step);
        }
        return slope;
    }

    public static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();
}
