using OpenEuroLLM.Core;
using OpenEuroLLM.Tensors.Kernels.Reference;
using static OpenEuroLLM.Tensors.Tests.Agreement;

namespace OpenEuroLLM.Tensors.Tests;

/// <summary>Biases, layer and head norms, factors, columns and learned positions: definitions at awkward sizes, and finite differences.</summary>
public sealed class RowOperationsTests
{
    private const double Tolerance = 2e-5;

    public static TheoryData<int, int> Sizes() => RowKernelsTests.Sizes();

    [Theory, MemberData(nameof(Sizes))]
    public void The_layer_norm_agrees_with_its_definition(int rows, int width)
    {
        foreach (var withBias in new[] { true, false })
        {
            using var engine = new Engine(2);
            using var gain = Filled(1, width, 1);
            using var bias = Filled(1, width, 2);
            var (x, dy, first) = (Normal(rows * width, 3), Normal(rows * width, 4), Normal(rows * width, 5));
            for (var i = 0; i < x.Length; i++) x[i] += 3; // a mean far from zero
            engine.Record();
            var input = engine.Create(rows, width, x);
            var y = engine.LayerNorm(input, gain, withBias ? bias : null, 1e-5);
            engine.SetGradient(y, dy);
            engine.SetGradient(input, first); // the way back adds to what is there
            engine.Backward();
            Within(2e-6, LayerNormDefinition.Forward(Double(x), Double(gain.Values), withBias ? Double(bias.Values) : [], 1e-5), y.Values, "y");
            var (dx, dGain, dBias) = LayerNormDefinition.Backward(Double(x), Double(gain.Values), 1e-5, Double(dy));
            Within(1e-5, [.. dx.Zip(first, (a, b) => a + b)], engine.GradientOf(input), "dx");
            Within(1e-5, dGain, gain.Gradient, "dGain");
            Within(1e-5, withBias ? dBias : new double[width], bias.Gradient, "dBias");
        }
    }

    [Fact]
    public void The_way_back_of_the_layer_norm_agrees_with_finite_differences()
    {
        using var engine = new Engine(2);
        using var gain = Filled(1, 19, 1);
        using var bias = Filled(1, 19, 2);
        var (x, dy) = (Normal(5 * 19, 3), Normal(5 * 19, 4));
        engine.Record();
        var input = engine.Create(5, 19, x);
        engine.SetGradient(engine.LayerNorm(input, gain, bias, 1e-3), dy);
        engine.Backward();
        var (xd, gd, bd) = (Double(x), Double(gain.Values), Double(bias.Values));
        double Loss() => Dot(LayerNormDefinition.Forward(xd, gd, bd, 1e-3), Double(dy));
        Within(Tolerance, Slope(xd, Loss), engine.GradientOf(input), "dx");
        Within(Tolerance, Slope(gd, Loss), gain.Gradient, "dGain");
        Within(Tolerance, Slope(bd, Loss), bias.Gradient, "dBias");
    }

    [Fact]
    public void A_constant_row_has_a_finite_layer_norm_that_is_the_bias()
    {
        using var engine = new Engine(1);
        using var gain = Filled(1, 20, 1);
        using var bias = Filled(1, 20, 2);
        var y = engine.LayerNorm(engine.Create(1, 20, [.. Enumerable.Repeat(7.25f, 20)]), gain, bias, 1e-5);
        Assert.Equal(bias.Values.ToArray(), y.Values.ToArray());
    }

    [Theory]
    [InlineData(1, 1, 3)]
    [InlineData(33, 5, 7)]
    [InlineData(70, 4, 64)]
    [InlineData(3, 2, 130)]
    public void The_head_norm_is_the_norm_of_each_head(int rows, int heads, int dimension)
    {
        using var engine = new Engine(2);
        using var gain = Filled(1, dimension, 1);
        foreach (var plusOne in new[] { false, true })
        {
            engine.Reset();
            gain.ClearGradient();
            var (x, dy) = (Normal(rows * heads * dimension, 2), Normal(rows * heads * dimension, 3));
            engine.Record();
            var input = engine.Create(rows, heads * dimension, x);
            var y = engine.HeadNorm(input, gain, 1e-6, plusOne);
            Assert.Equal((rows, heads * dimension), (y.Rows, y.Columns));
            engine.SetGradient(y, dy);
            engine.Backward();
            var factors = Double(gain.Values).Select(g => plusOne ? 1 + g : g).ToArray();
            Within(1e-6, RmsNormDefinition.Forward(Double(x), factors, 1e-6), y.Values, "y");
            var (dx, dGain) = RmsNormDefinition.Backward(Double(x), factors, 1e-6, Double(dy));
            Within(1e-5, dx, engine.GradientOf(input), "dx");
            Within(1e-5, dGain, gain.Gradient, "dGain");
        }
    }

    [Theory, MemberData(nameof(Sizes))]
    public void A_bias_is_added_to_each_row_and_gathers_their_gradients_in_order(int rows, int width)
    {
        using var engine = new Engine(3);
        using var weight = Filled(width, 3, 1);
        using var bias = Filled(1, width, 2);
        var (x, dy) = (Normal(rows * 3, 3), Normal(rows * width, 4));
        engine.Record();
        var product = engine.Product(engine.Create(rows, 3, x), weight);
        var values = Double(product.Values);
        var used = engine.UsedBytes;
        var y = engine.AddBias(product, bias);
        Assert.Equal(used, engine.UsedBytes);
        Assert.Throws<InvalidOperationException>(() => product.Values.Length);
        Within(1e-7, BiasDefinition.Forward(values, Double(bias.Values)), y.Values, "y");
        engine.SetGradient(y, dy);
        engine.Backward();
        for (var i = 0; i < width; i++)
        {
            var chain = 0f;
            for (var r = 0; r < rows; r++) chain += dy[r * width + i];
            Assert.Equal(chain, bias.Gradient[i]);
        }
        Within(2e-6, BiasDefinition.Backward(Double(dy), width), bias.Gradient, "dBias");
        Within(1e-5, ProductDefinition.WeightGradient(Double(dy), Double(x), 3), weight.Gradient, "dW");
    }

    [Theory]
    [InlineData(1, 1, 0, 1)]
    [InlineData(33, 30, 7, 16)]
    [InlineData(5, 192, 64, 64)]
    [InlineData(70, 41, 40, 1)]
    public void Columns_are_copied_and_their_gradients_added_in_place(int rows, int width, int first, int count)
    {
        using var engine = new Engine(2);
        var (x, dy, dAll) = (Normal(rows * width, 1), Normal(rows * count, 2), Normal(rows * width, 3));
        engine.Record();
        var input = engine.Create(rows, width, x);
        var whole = engine.Columns(input, 0, width);
        var part = engine.Columns(input, first, count);
        Assert.Equal(x, whole.Values.ToArray());
        Within(0, ColumnsDefinition.Forward(Double(x), width, first, count), part.Values, "y");
        engine.SetGradient(part, dy);
        engine.SetGradient(whole, dAll);
        engine.Backward(); // the part first: the other columns begin with zeros
        Within(1e-7, [.. ColumnsDefinition.Backward(Double(dy), width, first, count).Zip(dAll, (a, b) => a + b)], engine.GradientOf(input), "dx");
    }

    [Fact]
    public void A_factor_multiplies_values_and_gradients()
    {
        using var engine = new Engine(2);
        var (x, dy) = (Normal(5 * 21, 1), Normal(5 * 21, 2));
        engine.Record();
        var input = engine.Create(5, 21, x);
        var y = engine.Scale(input, Math.Sqrt(21));
        var factor = (float)Math.Sqrt(21);
        Assert.Equal(x.Select(value => value * factor), y.Values.ToArray());
        engine.SetGradient(y, dy);
        engine.SetGradient(input, x);
        engine.Backward();
        Assert.Equal(x.Zip(dy, (a, b) => a + b * factor), engine.GradientOf(input).ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => engine.Scale(input, double.NaN));
    }

    [Fact]
    public void Learned_positions_follow_the_sequences_cached_or_not()
    {
        const int width = 11;
        using var engine = new Engine(2);
        using var table = Filled(9, width, 1);
        var (x, dy) = (Normal(12 * width, 2), Normal(12 * width, 3));
        int[] positions = [0, 1, 2, 0, 0, 1, 2, 3, 4, 5, 6, 7];
        var expected = Double(x).Zip(EmbeddingDefinition.Forward(positions, Double(table.Values), width), (a, b) => a + b).ToArray();
        engine.Record();
        var input = engine.Create(12, width, x);
        var used = engine.UsedBytes;
        var y = engine.AddPositions(input, table, SmallDecoder.Layout(3, 1, 8));
        Within(1e-7, expected, y.Values, "y");
        Assert.InRange(engine.UsedBytes - used, 0, 12 * sizeof(float) + 64); // the numbers of the positions alone
        Assert.Throws<InvalidOperationException>(() => input.Values.Length);
        engine.SetGradient(y, dy);
        engine.Backward();
        Within(2e-6, EmbeddingDefinition.Backward(positions, Double(dy), 9, width), table.Gradient, "dTable");
        Assert.Equal(dy, engine.GradientOf(input).ToArray());

        engine.Reset();
        using var stored = Weight.Packed("positions", 9, width, ElementType.F32);
        for (var row = 0; row < 9; row++) stored.SetRow(row, table.Values.Slice(row * width, width));
        using var cache = new KeyValueCache(1, 1, 4, 2);
        using var sequence = cache.Begin();
        sequence.Reserve(5);
        sequence.Advance(5);
        var layout = new SequenceLayout();
        layout.Add(2, sequence);
        y = engine.AddPositions(engine.Create(2, width, x.AsSpan(9 * width, 2 * width)), stored, layout);
        Within(1e-7, expected[(9 * width)..(11 * width)], y.Values, "cached");
    }

    [Fact]
    public void Positions_beyond_the_table_are_refused_by_name()
    {
        using var engine = new Engine(1);
        using var table = Weight.Packed("wpe.weight", 8, 4, ElementType.F32);
        var error = Assert.Throws<UserErrorException>(() => engine.AddPositions(engine.Create(10, 4, new float[40]), table, SmallDecoder.Layout(1, 9)));
        Assert.Equal("wpe.weight: a sequence of 9 tokens has no positions beyond 8, the model's context; shorten the text.", error.Message);
        Assert.Throws<ArgumentException>(() => engine.AddPositions(engine.Create(10, 4, new float[40]), table, SmallDecoder.Layout(1, 8)));
    }

    [Fact]
    public void Sizes_that_do_not_fit_are_refused()
    {
        using var engine = new Engine(1);
        using var vector = Filled(1, 6, 1);
        using var matrix = Filled(2, 6, 1);
        using var packed = Weight.Packed("packed", 1, 6, ElementType.F32);
        var x = engine.Create(2, 6, new float[12]);
        Assert.Throws<ArgumentException>(() => engine.AddBias(engine.Create(2, 5, new float[10]), vector));
        Assert.Throws<ArgumentException>(() => engine.AddBias(x, matrix));
        Assert.Throws<ArgumentException>(() => engine.AddBias(x, packed));
        Assert.Throws<ArgumentException>(() => engine.LayerNorm(x, vector, matrix, 1e-5));
        Assert.Throws<ArgumentException>(() => engine.HeadNorm(engine.Create(2, 9, new float[18]), vector, 1e-5));
        Assert.Throws<ArgumentException>(() => engine.Columns(x, 3, 4));
        Assert.Throws<ArgumentException>(() => engine.Columns(x, -1, 4));
        Assert.Throws<ArgumentException>(() => engine.Columns(x, int.MaxValue, 2));
        Assert.Throws<ArgumentException>(() => engine.Columns(x, 2, 0));
    }

    [Fact]
    public void The_input_of_a_segment_is_not_taken_over()
    {
        using var engine = new Engine(1) { Recompute = true };
        using var bias = Filled(1, 4, 1);
        engine.Record();
        var x = engine.Create(2, 4, new float[8]);
        Assert.Throws<InvalidOperationException>(() => engine.Segment(new Greedy(bias), x, SmallDecoder.Layout(2), 0));
    }

    private sealed class Greedy(Weight bias) : ISegment
    {
        public Tensor Forward(Tensor x, SequenceLayout layout, int index) => x.Engine.AddBias(x, bias);
    }

    private static Weight Filled(int rows, int columns, ulong stream)
    {
        var weight = Weight.Trainable("w", rows, columns);
        Normal(rows * columns, stream).CopyTo(weight.Values);
        return weight;
    }
}
