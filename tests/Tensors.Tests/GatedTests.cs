using System.Runtime.InteropServices;
using System.Security.Cryptography;
using OpenEuroLLM.Tensors.Kernels.Reference;
using static OpenEuroLLM.Tensors.Tests.Agreement;

namespace OpenEuroLLM.Tensors.Tests;

/// <summary>Gated units with GELU, gains stored as distance from one, residual sums in place.</summary>
public sealed class GatedTests
{
    private const double Tolerance = 2e-5;

    /// <summary>Bits of both gated units and a norm, there and back. It changes only when their arithmetic is changed on purpose.</summary>
    private const string ExpectedHash = "c7f33c9687ad2c424c9699426f2eb08e3d2d833054795980521f51037ecfe59c";

    public static TheoryData<int, int, GeluForm> Sizes()
    {
        var data = new TheoryData<int, int, GeluForm>();
        foreach (var form in Enum.GetValues<GeluForm>())
            foreach (var (rows, width) in new[] { (1, 1), (1, 7), (3, 8), (31, 33), (130, 257) }) data.Add(rows, width, form);
        return data;
    }

    [Theory, MemberData(nameof(Sizes))]
    public void The_gated_unit_agrees_with_its_definition(int rows, int width, GeluForm form)
    {
        using var engine = new Engine(2);
        var (g, u, dy) = (Normal(rows * width, 1, 4), Normal(rows * width, 2), Normal(rows * width, 3));
        engine.Record();
        var (gate, up) = (engine.Create(rows, width, g), engine.Create(rows, width, u));
        var y = engine.GeGlu(gate, up, form);
        Within(1e-6, GeGluDefinition.Forward(Double(g), Double(u), form), y.Values, "y");
        engine.SetGradient(y, dy);
        engine.Backward();
        var (dGate, dUp) = GeGluDefinition.Backward(Double(g), Double(u), Double(dy), form);
        Within(2e-6, dGate, engine.GradientOf(gate), "dGate");
        Within(2e-6, dUp, engine.GradientOf(up), "dUp");
    }

    [Theory]
    [InlineData(GeluForm.Tanh)]
    [InlineData(GeluForm.Exact)]
    public void The_way_back_of_the_gated_unit_agrees_with_finite_differences(GeluForm form)
    {
        using var engine = new Engine(2);
        var (g, u, dy) = (Normal(3 * 11, 1, 3), Normal(3 * 11, 2), Normal(3 * 11, 3));
        engine.Record();
        var (gate, up) = (engine.Create(3, 11, g), engine.Create(3, 11, u));
        engine.SetGradient(engine.GeGlu(gate, up, form), dy);
        engine.Backward();
        var (gd, ud) = (Double(g), Double(u));
        double Loss() => Dot(GeGluDefinition.Forward(gd, ud, form), Double(dy));
        Within(Tolerance, Slope(gd, Loss), engine.GradientOf(gate), "dGate");
        Within(Tolerance, Slope(ud, Loss), engine.GradientOf(up), "dUp");
    }

    [Theory]
    [InlineData(GeluForm.Tanh)]
    [InlineData(GeluForm.Exact)]
    public void The_gated_unit_keeps_its_digits_at_both_ends(GeluForm form)
    {
        using var engine = new Engine(1);
        float[] x = [-1e30f, -40, -13.5f, -9, -5, -1e-3f, 0, 1e-30f, 1e-3f, 5, 9, 40, 1e30f];
        var ones = Enumerable.Repeat(1f, x.Length).ToArray();
        engine.Record();
        var (gate, up) = (engine.Create(1, x.Length, x), engine.Create(1, x.Length, ones));
        var y = engine.GeGlu(gate, up, form);
        var values = y.Values.ToArray();
        engine.SetGradient(y, ones);
        engine.Backward();
        var slopes = engine.GradientOf(gate).ToArray();
        for (var i = 0; i < x.Length; i++)
        {
            var expected = Math.Abs(x[i]) >= 1e30f ? Math.Max(0, x[i]) : GeGluDefinition.Forward([x[i]], [1], form)[0];
            // Below, the exact form ends in subnormal numbers; the definition of the other cancels.
            var (smallest, tolerance) = form == GeluForm.Exact ? (1e-37, 1e-6) : (1e-6, 2e-6);
            if (Math.Abs(expected) > smallest) Assert.InRange(values[i] / expected, 1 - tolerance, 1 + tolerance);
            else Assert.InRange(values[i], -smallest, smallest);
            Assert.InRange(slopes[i], -0.2, 1.2);
        }
        Assert.Equal((0f, 1f), (slopes[0], slopes[^1]));
        var broken = engine.GeGlu(engine.Create(1, 2, [float.NaN, 1]), engine.Create(1, 2, [1, float.NaN]), form).Values;
        Assert.True(float.IsNaN(broken[0]) && float.IsNaN(broken[1]));
    }

    [Fact]
    public void A_gain_stored_as_distance_from_one_gives_the_bits_of_the_gain()
    {
        using var engine = new Engine(2);
        using var gain = Filled(1, 37, 1, 0);
        using var distance = Filled(1, 37, 1, 0);
        for (var i = 0; i < 37; i++) gain.Values[i] = 1 + distance.Values[i];
        var (x, dy) = (Normal(40 * 37, 2), Normal(40 * 37, 3));
        var expected = Run(gain, plusOne: false);
        Assert.Equal(expected, Run(distance, plusOne: true));

        int[] Run(Weight weight, bool plusOne)
        {
            engine.Reset();
            engine.Record();
            var input = engine.Create(40, 37, x);
            var y = engine.RmsNorm(input, weight, 1e-6, plusOne);
            engine.SetGradient(y, dy);
            engine.Backward();
            return [.. Bits(y.Values), .. Bits(engine.GradientOf(input)), .. Bits(weight.Gradient)];
        }
    }

    [Fact]
    public void The_way_back_of_a_norm_behind_a_sublayer_agrees_with_finite_differences()
    {
        // y = x + norm(x·Wᵀ)·(1 + gain), as in models that norm what a sublayer adds.
        using var engine = new Engine(2);
        using var weight = Filled(9, 9, 1, 0);
        using var gain = Filled(1, 9, 2, 0);
        var (x, dy) = (Normal(4 * 9, 3), Normal(4 * 9, 4));
        engine.Record();
        var input = engine.Create(4, 9, x);
        var y = engine.Residual(input, engine.RmsNorm(engine.Product(input, weight), gain, 1e-5, gainPlusOne: true));
        engine.SetGradient(y, dy);
        engine.Backward();
        var (xd, wd, gd) = (Double(x), Double(weight.Values), Double(gain.Values));
        double[] Forward() => [.. RmsNormDefinition.Forward(ProductDefinition.Forward(xd, wd, 9), [.. gd.Select(g => 1 + g)], 1e-5).Zip(xd, (a, b) => a + b)];
        double Loss() => Dot(Forward(), Double(dy));
        Within(2e-6, Forward(), y.Values, "y");
        Within(Tolerance, Slope(xd, Loss), engine.GradientOf(input), "dx");
        Within(Tolerance, Slope(wd, Loss), weight.Gradient, "dW");
        Within(Tolerance, Slope(gd, Loss), gain.Gradient, "dGain");
    }

    [Fact]
    public void A_residual_sum_has_the_bits_of_a_sum_and_takes_no_memory()
    {
        using var engine = new Engine(2);
        using var weight = Filled(12, 12, 1, 0);
        var x = Normal(5 * 12, 2);
        var input = engine.Create(5, 12, x);
        var expected = Bits((input + engine.Product(input, weight)).Values);
        var branch = engine.Product(input, weight);
        var used = engine.UsedBytes;
        Assert.Equal(expected, Bits(engine.Residual(input, branch).Values));
        Assert.Equal(used, engine.UsedBytes);
        Assert.Throws<InvalidOperationException>(() => branch.Values.Length);
        Assert.Throws<ArgumentException>(() => engine.Residual(input, input));
        Assert.Throws<ArgumentException>(() => engine.Residual(input, engine.Create(12, 5, x)));
        Assert.Throws<ArgumentException>(() => engine.GeGlu(input, engine.Create(12, 5, x), GeluForm.Exact));
    }

    /// <summary>Run without some instruction sets by <see cref="InstructionSetTests"/> too.</summary>
    [Fact]
    public void The_bits_are_the_committed_ones()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Append(ReadOnlySpan<float> values) => hash.AppendData(MemoryMarshal.AsBytes(values));
        using var engine = new Engine(2);
        using var gain = Filled(1, 37, 5, 0);
        var (g, u, dy) = (Normal(9 * 37, 1, 4), Normal(9 * 37, 2), Normal(9 * 37, 3));
        foreach (var form in Enum.GetValues<GeluForm>())
        {
            engine.Reset();
            engine.Record();
            var (gate, up) = (engine.Create(9, 37, g), engine.Create(9, 37, u));
            var y = engine.RmsNorm(engine.GeGlu(gate, up, form), gain, 1e-6, gainPlusOne: true);
            Append(y.Values);
            engine.SetGradient(y, dy);
            engine.Backward();
            Append(engine.GradientOf(gate));
            Append(engine.GradientOf(up));
            Append(gain.Gradient);
        }
        var found = Convert.ToHexStringLower(hash.GetHashAndReset());
        Assert.True(found == ExpectedHash, found);
    }

    private static Weight Filled(int rows, int columns, ulong stream, float shift)
    {
        var weight = Weight.Trainable("w", rows, columns);
        Normal(rows * columns, stream, 0.3f).CopyTo(weight.Values);
        foreach (ref var value in weight.Values) value += shift;
        return weight;
    }
}
