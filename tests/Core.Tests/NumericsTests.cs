using System.Numerics;

namespace OpenEuroLLM.Core.Tests;

/// <summary>Accuracy against values computed here in whole-number arithmetic with hundreds of bits.</summary>
public sealed class NumericsTests
{
    private static IEnumerable<double> Uniform(double low, double high, int count, string name)
    {
        var random = new CounterRandom(11, 0).Substream(name);
        for (int i = 0; i < count; i++) yield return low + (high - low) * random.UniformAt((ulong)i);
    }

    // Of any magnitude: the exponent is uniform.
    private static IEnumerable<double> Logarithmic(int lowExponent, int highExponent, int count, string name)
    {
        var random = new CounterRandom(12, 0).Substream(name);
        for (int i = 0; i < count; i++)
            yield return Math.ScaleB(1 + random.UniformAt((ulong)(2 * i)), lowExponent + (int)random.Below((ulong)(2 * i + 1), (uint)(highExponent - lowExponent)));
    }

    // How far off, in units of the last place of the nearest double.
    private static void Near(Precise expected, double actual, double units, string what)
    {
        double nearest = expected.ToDouble();
        double unit = Math.BitIncrement(Math.Abs(nearest)) - Math.Abs(nearest);
        double error = Math.Abs((expected - Precise.From(actual)).ToDouble()) / unit;
        Assert.True(error <= units, $"{what}: {actual:R} is {error} units from {nearest:R}");
    }

    [Fact]
    public void Exp_is_within_one_unit()
    {
        foreach (double x in Uniform(-708, 709.7, 1500, "exp").Concat(Uniform(-1, 1, 1500, "exp near 0")).Concat(Logarithmic(-60, -1, 300, "exp tiny")))
            Near(Precise.From(x).Exp(), Numerics.Exp(x), 0.7, $"exp({x:R})");
    }

    [Fact]
    public void Log_is_within_one_unit()
    {
        foreach (double x in Logarithmic(-1022, 1023, 1500, "log").Concat(Uniform(0.5, 2, 1500, "log near 1")).Concat(Uniform(1 - 1e-6, 1 + 1e-6, 300, "log at 1")).Concat([double.Epsilon, 1e-310]))
            Near(Precise.From(x).Log(), Numerics.Log(x), 1.0, $"log({x:R})");
    }

    [Fact]
    public void Pow_is_within_one_unit()
    {
        double[] exponents = [.. Uniform(-100, 100, 800, "pow y")];
        double[] bases = [.. Logarithmic(-10, 10, 800, "pow x")];
        for (int i = 0; i < bases.Length; i++)
        {
            if (Math.Abs(exponents[i] * Math.ILogB(bases[i])) > 1000) continue;
            Near((Precise.From(bases[i]).Log() * Precise.From(exponents[i])).Exp(), Numerics.Pow(bases[i], exponents[i]), 1.0, $"pow({bases[i]:R}, {exponents[i]:R})");
        }

        foreach (double x in Uniform(1, 1 + 1e-8, 100, "pow near 1"))
            Near((Precise.From(x).Log() * Precise.From(1e9)).Exp(), Numerics.Pow(x, 1e9), 1.0, $"pow({x:R}, 1e9)");
    }

    [Fact]
    public void Pow_of_small_whole_numbers_is_exact()
    {
        for (int x = -12; x <= 12; x++)
        {
            BigInteger power = 1;
            for (int y = 0; BigInteger.Abs(power) < 1L << 53 && y < 40; y++, power *= x) Assert.Equal((double)power, Numerics.Pow(x, y));
        }

        for (int i = -1074; i < 1024; i++) Assert.Equal(Math.ScaleB(1, i), Numerics.Pow(2, i));
    }

    [Fact]
    public void Sin_and_Cos_are_within_one_unit_at_any_angle()
    {
        double[] angles =
        [
            .. Uniform(-4, 4, 800, "sin"), .. Uniform(-1e6, 1e6, 800, "sin wide"), .. Logarithmic(-40, 20, 400, "sin small"), .. Logarithmic(20, 1023, 200, "sin huge"),
            .. Enumerable.Range(-40, 80).Select(i => i * (Math.PI / 2)), .. Enumerable.Range(1, 40).Select(i => i * 16384 * (Math.PI / 2)),
            6381956970095103.0 * Math.ScaleB(1, 797), 1048575.9, 1048576.1, // the first: the double nearest to a multiple of π/2
        ];
        foreach (double x in angles)
        {
            Near(Precise.From(x).Sin(), Numerics.Sin(x), 0.8, $"sin({x:R})");
            Near(Precise.From(x).Cos(), Numerics.Cos(x), 0.8, $"cos({x:R})");
        }
    }

    [Fact]
    public void Tanh_is_within_two_units()
    {
        foreach (double x in Uniform(-5, 5, 1000, "tanh").Concat(Uniform(-23, 23, 300, "tanh wide")).Concat(Logarithmic(-40, 0, 300, "tanh small")))
        {
            var square = (Precise.From(x) * Precise.From(2)).Exp();
            Near((square - Precise.From(1)) / (square + Precise.From(1)), Numerics.Tanh(x), 2.0, $"tanh({x:R})");
        }
    }

    [Fact]
    public void Results_below_the_normal_range_are_nearest_or_next_to_it()
    {
        foreach (double x in Uniform(-745, -708.5, 500, "exp subnormal"))
            Near(Precise.From(x).Exp(), Numerics.Exp(x), 1.0, $"exp({x:R})");
        Assert.Equal(double.Epsilon, Numerics.Exp(-744.5));
        Assert.Equal(0, Numerics.Exp(-746));
        Assert.Equal(double.PositiveInfinity, Numerics.Exp(709.9));
    }

    [Fact]
    public void Exp_and_Log_never_fall_where_the_argument_rises()
    {
        double exp = 0, log = double.NegativeInfinity;
        for (int i = 0; i < 200_000; i++)
        {
            double e = Numerics.Exp(-3 + i * 3e-5), l = Numerics.Log((i + 1) * 1e-5);
            Assert.True(e >= exp && l >= log);
            (exp, log) = (e, l);
        }

        // the smallest steps across the seams of the argument reductions
        foreach (double seam in (double[])[Math.Sqrt(0.5), 1, Math.Sqrt(2), 2])
            for (double x = seam - 1e-14; x < seam + 1e-14; x = Math.BitIncrement(x)) Assert.True(Numerics.Log(Math.BitIncrement(x)) >= Numerics.Log(x));
    }

    [Fact]
    public void Special_values_follow_the_standard()
    {
        const double nan = double.NaN, infinity = double.PositiveInfinity;
        Assert.Equal((nan, infinity, 0.0, 1.0), (Numerics.Exp(nan), Numerics.Exp(infinity), Numerics.Exp(-infinity), Numerics.Exp(0)));
        Assert.Equal((nan, infinity, -infinity, nan), (Numerics.Log(nan), Numerics.Log(infinity), Numerics.Log(0), Numerics.Log(-1)));
        Assert.Equal((-infinity, nan, 0.0), (Numerics.Log(-0.0), Numerics.Log(-infinity), Numerics.Log(1)));
        Assert.Equal((nan, 1.0, -1.0), (Numerics.Tanh(nan), Numerics.Tanh(infinity), Numerics.Tanh(-infinity)));
        Assert.Equal((nan, nan, nan, nan), (Numerics.Sin(nan), Numerics.Sin(infinity), Numerics.Cos(nan), Numerics.Cos(-infinity)));
        foreach (var function in (Func<double, double>[])[Numerics.Sin, Numerics.Tanh])
            foreach (double x in (double[])[0.0, -0.0, double.Epsilon, -1e-310]) Assert.Equal(BitConverter.DoubleToInt64Bits(x), BitConverter.DoubleToInt64Bits(function(x)));
        Assert.Equal((1.0, 1.0), (Numerics.Cos(0), Numerics.Cos(1e-310)));

        (double X, double Y, double Power)[] table =
        [
            (nan, 0, 1), (1, nan, 1), (nan, 1, nan), (2, nan, nan), (0, 0, 1), (infinity, 0, 1), (0, 2, 0), (0, -2, infinity), (-0.0, 3, -0.0), (-0.0, -3, -infinity), (-0.0, 2, 0), (-0.0, 0.5, 0),
            (infinity, 2, infinity), (infinity, -2, 0), (-infinity, 3, -infinity), (-infinity, 2, infinity), (-infinity, -3, -0.0), (-infinity, 0.5, infinity), (2, infinity, infinity), (2, -infinity, 0),
            (0.5, infinity, 0), (0.5, -infinity, infinity), (-1, infinity, 1), (-1, -infinity, 1), (-8, 1.0 / 3, nan), (-2, 3, -8), (-2, 2, 4), (-2, -1, -0.5), (10, 308, 1e308), (10, 309, infinity),
            (10, -400, 0), (-10, 401, -infinity), (-10, -401, -0.0), (-1, 1e300, 1), (1.0000001, 1e300, infinity), (0.9999999, 1e300, 0), (double.Epsilon, 1, double.Epsilon), (9007199254740993, 1, 9007199254740992),
        ];
        foreach (var (x, y, power) in table)
            Assert.True(BitConverter.DoubleToInt64Bits(power) == BitConverter.DoubleToInt64Bits(Numerics.Pow(x, y)) || (double.IsNaN(power) && double.IsNaN(Numerics.Pow(x, y))), $"pow({x:R}, {y:R}) is {Numerics.Pow(x, y):R}, not {power:R}");
    }

    [Fact]
    public void Bits_are_golden()
    {
        // One value of many: any change of the arithmetic shows here, on every machine.
        ulong hash = 0xCBF29CE484222325;
        void Add(double value) => hash = (hash ^ (ulong)BitConverter.DoubleToInt64Bits(value)) * 0x100000001B3;
        foreach (double x in Uniform(-20, 20, 2000, "golden"))
        {
            Add(Numerics.Exp(x));
            Add(Numerics.Log(Math.Abs(x)));
            Add(Numerics.Pow(Math.Abs(x), x / 3));
            Add(Numerics.Sin(x * 1000));
            Add(Numerics.Cos(x * 1e9));
            Add(Numerics.Tanh(x / 7));
        }

        Assert.Equal(GoldenBits, hash);
    }

    private const ulong GoldenBits = 14873795920518166693;
}
