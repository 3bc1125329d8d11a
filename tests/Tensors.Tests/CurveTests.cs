using System.Runtime.Intrinsics;
using OpenEuroLLM.Core;
using OpenEuroLLM.Tensors.Kernels;
using OpenEuroLLM.Tensors.Kernels.Reference;
using static OpenEuroLLM.Tensors.Tests.Agreement;

namespace OpenEuroLLM.Tensors.Tests;

/// <summary>Activations without a gate, and the functions they and soft caps are made of.</summary>
public sealed class CurveTests
{
    private const double Tolerance = 2e-5;
    private const float AlphaPositive = 0.3f, AlphaNegative = -0.4f;

    public static TheoryData<int, int> Sizes()
    {
        var data = new TheoryData<int, int>();
        foreach (var (rows, width) in new[] { (1, 1), (1, 7), (3, 8), (1, 15), (31, 33), (130, 257) }) data.Add(rows, width);
        return data;
    }

    [Theory, MemberData(nameof(Sizes))]
    public void Curves_agree_with_their_definitions_both_ways(int rows, int width)
    {
        var (x, dy) = (Normal(rows * width, 1, 3), Normal(rows * width, 2));
        Check((engine, input) => engine.Gelu(input, GeluForm.Tanh), value => GeluDefinition.Value(value, GeluForm.Tanh), value => GeluDefinition.Slope(value, GeluForm.Tanh));
        Check((engine, input) => engine.Gelu(input, GeluForm.Exact), value => GeluDefinition.Value(value, GeluForm.Exact), value => GeluDefinition.Slope(value, GeluForm.Exact));
        Check((engine, input) => engine.SquaredRelu(input), SquaredReluDefinition.Value, SquaredReluDefinition.Slope);

        void Check(Func<Engine, Tensor, Tensor> curve, Func<double, double> value, Func<double, double> slope)
        {
            using var engine = new Engine(2);
            engine.Record();
            var input = engine.Create(rows, width, x);
            var y = curve(engine, input);
            Within(1e-6, [.. Double(x).Select(value)], y.Values, "y");
            engine.SetGradient(y, dy);
            engine.Backward();
            Within(2e-6, [.. Double(x).Zip(dy, (a, b) => b * slope(a))], engine.GradientOf(input), "dx");
        }
    }

    [Theory, MemberData(nameof(Sizes))]
    public void The_learned_curve_agrees_with_its_definition_both_ways(int rows, int width)
    {
        var (x, dy) = (Normal(rows * width, 1, 3), Normal(rows * width, 2));
        using var engine = new Engine(2);
        using var positive = One(AlphaPositive);
        using var negative = One(AlphaNegative);
        engine.Record();
        var input = engine.Create(rows, width, x);
        var y = engine.XIelu(input, positive, negative, 0.5, -1e-6);
        var definition = new XIeluDefinition(AlphaPositive, AlphaNegative, 0.5, -1e-6);
        Within(1e-6, [.. Double(x).Select(definition.Value)], y.Values, "y");
        engine.SetGradient(y, dy);
        engine.Backward();
        var (dx, dPositive, dNegative) = definition.Backward(Double(x), Double(dy));
        Within(2e-6, dx, engine.GradientOf(input), "dx");
        var size = Math.Sqrt(Double(x).Zip(dy, (a, b) => a * a * b * (a * a * b)).Sum());
        Assert.InRange(positive.Gradient[0], dPositive - 2e-6 * size, dPositive + 2e-6 * size);
        Assert.InRange(negative.Gradient[0], dNegative - 2e-6 * size, dNegative + 2e-6 * size);
    }

    [Fact]
    public void The_way_back_agrees_with_finite_differences()
    {
        var (x, dy) = (Normal(3 * 11, 1, 3), Normal(3 * 11, 2));
        using var engine = new Engine(2);
        using var positive = One(AlphaPositive);
        using var negative = One(AlphaNegative);
        foreach (var form in Enum.GetValues<GeluForm>())
            Check(input => engine.Gelu(input, form), values => [.. values.Select(value => GeluDefinition.Value(value, form))]);
        Check(engine.SquaredRelu, values => [.. values.Select(SquaredReluDefinition.Value)]);
        double[] alphas = [AlphaPositive, AlphaNegative];
        double[] Learned(double[] values) => [.. values.Select(new XIeluDefinition(alphas[0], alphas[1], 0.5, -1e-6).Value)];
        Check(input => engine.XIelu(input, positive, negative, 0.5, -1e-6), Learned);
        Within(Tolerance, Slope(alphas, () => Dot(Learned(Double(x)), Double(dy))), [positive.Gradient[0], negative.Gradient[0]], "dAlphas");

        void Check(Func<Tensor, Tensor> curve, Func<double[], double[]> definition)
        {
            engine.Reset();
            engine.Record();
            var input = engine.Create(3, 11, x);
            engine.SetGradient(curve(input), dy);
            engine.Backward();
            var xd = Double(x);
            Within(Tolerance, Slope(xd, () => Dot(definition(xd), Double(dy))), engine.GradientOf(input), "dx");
        }
    }

    [Fact]
    public void The_learned_curve_keeps_its_digits_beside_zero_and_far_from_it()
    {
        using var engine = new Engine(1);
        foreach (var (p, n) in new[] { (0.2f, -0.7f), (-40f, -40f), (30f, 50f) })
        {
            using var positive = One(p);
            using var negative = One(n);
            float[] x = [-1e30f, -200, -88, -20, -1, -1e-3f, -1e-5f, 0, 1e-30f, 1e-5f, 1, 100, 1e15f];
            var y = engine.XIelu(engine.Create(1, x.Length, x), positive, negative, 0.5, -1e-6).Values.ToArray();
            for (var i = 0; i < x.Length; i++)
            {
                var expected = new XIeluDefinition(p, n, 0.5, -1e-6).Value(x[i]);
                // Beside zero, e^x − 1 − x is the difference of two numbers of the size of x.
                var bound = 3e-7 * Math.Abs(expected) + 1e-7 * Math.Max(1, n) * Math.Min(1, Math.Max(1e-6, Math.Abs(x[i])));
                Assert.InRange(y[i], expected - bound, expected + bound);
            }
        }
        using var one = One(0);
        Assert.True(float.IsNaN(engine.XIelu(engine.Create(1, 1, [float.NaN]), one, one, 0.5, -1e-6).Values[0]));
        Assert.True(float.IsNaN(engine.SquaredRelu(engine.Create(1, 1, [float.NaN])).Values[0]));
        Assert.Throws<ArgumentException>(() => engine.XIelu(engine.Create(1, 1, [1f]), one, one, 0.5, 1e-6));
        using var two = Weight.Trainable("two", 1, 2);
        Assert.Throws<ArgumentException>(() => engine.XIelu(engine.Create(1, 2, [1f, 2f]), two, two, 0.5, -1e-6));
    }

    [Fact]
    public void The_learned_curve_of_published_layers_has_published_factors()
    {
        // Factors of 0.8 are stored as ln(e^0.8 − 1) and ln(e^(0.8 − 0.5) − 1).
        using var engine = new Engine(1);
        using var positive = One((float)Numerics.Log(Numerics.Exp(0.8) - 1));
        using var negative = One((float)Numerics.Log(Numerics.Exp(0.3) - 1));
        var y = engine.XIelu(engine.Create(1, 3, [2, -2, 0]), positive, negative, 0.5, -1e-6).Values;
        Within(1e-6, [0.8 * 4 + 1, 0.8 * (Numerics.Exp(-2) - 1 + 2) - 1, -0.8e-6], y, "y");
    }

    [Fact]
    public void Tanh_and_exponential_less_one_keep_their_digits_everywhere()
    {
        for (var i = 0; i < 40_000; i++)
        {
            var x = (float)(Numerics.Exp(i * 0.0025 - 90) * (i % 2 == 0 ? 1 : -1)); // from 1e-39 to 2e4
            var tanh = Numerics.Tanh(x);
            Assert.InRange(Lanes.Tanh(Vector256.Create(x)).ToScalar(), Below(tanh, 2.5e-7), Above(tanh, 2.5e-7));
            var below = -Math.Abs(x);
            var expected = -Numerics.Tanh(-below / 2) * 2 / (1 + Numerics.Tanh(-below / 2)); // e^x − 1 without cancellation
            Assert.InRange(Lanes.ExpMinusOne(Vector256.Create(below)).ToScalar(), Below(expected, 1.5e-7), Above(expected, 1.5e-7));
        }
        Assert.Equal([0f, 1f, -1f], [Tanh(0), Tanh(float.PositiveInfinity), Tanh(float.NegativeInfinity)]);
        Assert.True(float.IsNegative(Tanh(-0f)) && float.IsNaN(Tanh(float.NaN)));
        Assert.Equal(-1f, Lanes.ExpMinusOne(Vector256.Create(float.NegativeInfinity)).ToScalar());
        Assert.True(float.IsNaN(Lanes.ExpMinusOne(Vector256.Create(float.NaN)).ToScalar()));

        static float Tanh(float x) => Lanes.Tanh(Vector256.Create(x)).ToScalar();
        static double Below(double value, double share) => value - share * Math.Abs(value) - 3e-45;
        static double Above(double value, double share) => value + share * Math.Abs(value) + 3e-45;
    }

    private static Weight One(float value)
    {
        var weight = Weight.Trainable("alpha", 1, 1);
        weight.Values[0] = value;
        return weight;
    }
}
