using OpenEuroLLM.Core;
using OpenEuroLLM.Tensors.Kernels;
using OpenEuroLLM.Tensors.Kernels.Reference;
using static OpenEuroLLM.Tensors.Tests.Agreement;

namespace OpenEuroLLM.Tensors.Tests;

/// <summary>Row kernels against their definitions at widths around every register and chunk.</summary>
public sealed class RowKernelsTests
{
    public static TheoryData<int, int> Sizes()
    {
        var data = new TheoryData<int, int>();
        foreach (var width in new[] { 1, 7, 16, 33, 192, 257 })
            foreach (var rows in new[] { 1, 31, 130 }) data.Add(rows, width);
        return data;
    }

    [Theory, MemberData(nameof(Sizes))]
    public void The_norm_agrees_with_its_definition(int rows, int width)
    {
        using var engine = new Engine(2);
        using var gain = Trainable(1, width, 1);
        var (x, dy, first) = (Normal(rows * width, 2), Normal(rows * width, 3), Normal(rows * width, 4));
        engine.Record();
        var input = engine.Create(rows, width, x);
        var y = engine.RmsNorm(input, gain, 1e-6);
        engine.SetGradient(y, dy);
        engine.SetGradient(input, first); // the way back adds to what is there
        engine.Backward();
        Within(1e-6, RmsNormDefinition.Forward(Double(x), Double(gain.Values), 1e-6), y.Values, "y");
        var (dx, dGain) = RmsNormDefinition.Backward(Double(x), Double(gain.Values), 1e-6, Double(dy));
        Within(1e-5, [.. dx.Zip(first, (a, b) => a + b)], engine.GradientOf(input), "dx");
        Within(1e-5, dGain, gain.Gradient, "dGain");
    }

    [Fact]
    public void A_row_of_zeros_has_a_finite_norm()
    {
        using var engine = new Engine(1);
        using var gain = Trainable(1, 20, 1);
        Assert.All(engine.RmsNorm(engine.Create(1, 20, new float[20]), gain, 1e-6).Values.ToArray(), value => Assert.Equal(0, value));
    }

    [Theory, MemberData(nameof(Sizes))]
    public void The_gated_unit_agrees_with_its_definition(int rows, int width)
    {
        using var engine = new Engine(2);
        var (g, u, dy) = (Normal(rows * width, 1, 4), Normal(rows * width, 2), Normal(rows * width, 3));
        engine.Record();
        var (gate, up) = (engine.Create(rows, width, g), engine.Create(rows, width, u));
        var y = engine.SwiGlu(gate, up);
        engine.SetGradient(y, dy);
        engine.Backward();
        Within(1e-6, SwiGluDefinition.Forward(Double(g), Double(u)), y.Values, "y");
        var (dGate, dUp) = SwiGluDefinition.Backward(Double(g), Double(u), Double(dy));
        Within(2e-6, dGate, engine.GradientOf(gate), "dGate");
        Within(2e-6, dUp, engine.GradientOf(up), "dUp");
    }

    [Fact]
    public void The_gated_unit_stays_finite_far_from_zero()
    {
        using var engine = new Engine(1);
        engine.Record();
        var (gate, up) = (engine.Create(1, 4, [-1e4f, -88.8f, 88.8f, 1e4f]), engine.Create(1, 4, [1, 1, 1, 1]));
        var y = engine.SwiGlu(gate, up);
        engine.SetGradient(y, [1, 1, 1, 1]);
        engine.Backward();
        Within(1e-6, [0, 0, 88.8, 1e4], y.Values, "y");
        Within(1e-6, [0, 0, 1, 1], engine.GradientOf(gate), "dGate");
    }

    [Theory, MemberData(nameof(Sizes))]
    public void Embedding_copies_rows_and_gathers_gradients(int rows, int width)
    {
        const int vocabulary = 9;
        using var engine = new Engine(2);
        using var table = Trainable(vocabulary, width, 1);
        var random = new CounterRandom(1, 1);
        var tokens = Enumerable.Range(0, rows).Select(i => (int)random.Below((ulong)i, vocabulary)).ToArray();
        var dy = Normal(rows * width, 2);
        engine.Record();
        var y = engine.Embed(tokens, table);
        engine.SetGradient(y, dy);
        engine.Backward();
        Within(0, EmbeddingDefinition.Forward(tokens, Double(table.Values), width), y.Values, "y");
        Within(2e-6, EmbeddingDefinition.Backward(tokens, Double(dy), vocabulary, width), table.Gradient, "dTable");
    }

    [Theory]
    [InlineData(1, 1, 2)]
    [InlineData(33, 7, 15)]
    [InlineData(65, 33, 257)]
    [InlineData(1540, 3, 1000)] // more rows than one chunk of logits holds
    public void Head_and_loss_agree_with_their_definition(int rows, int width, int vocabulary)
    {
        using var engine = new Engine(2);
        using var head = Trainable(vocabulary, width, 1);
        var x = Normal(rows * width, 2);
        var random = new CounterRandom(1, 2);
        var targets = Enumerable.Range(0, rows).Select(i => (int)random.Below((ulong)i, (uint)vocabulary + 1) - 1).ToArray();
        var losses = HeadLossDefinition.Forward(Double(x), Double(head.Values), width, targets);
        Within(2e-6, losses, engine.HeadLoss(engine.Create(rows, width, x), head, targets).Values, "loss");
        Assert.All(head.Gradient.ToArray(), value => Assert.Equal(0, value)); // nothing was recorded
        engine.Record();
        var input = engine.Create(rows, width, x);
        Within(2e-6, losses, engine.HeadLoss(input, head, targets, 0.25).Values, "loss");
        engine.Backward();
        var (dx, dHead) = HeadLossDefinition.Backward(Double(x), Double(head.Values), width, targets, 0.25);
        Within(1e-5, dx, engine.GradientOf(input), "dx");
        Within(1e-5, dHead, head.Gradient, "dHead");
    }

    [Fact]
    public void Loss_survives_logits_of_any_size()
    {
        using var engine = new Engine(1);
        using var head = Weight.Trainable("head", 3, 1);
        head.SetRow(0, [1e4f]);
        head.SetRow(1, [-1e4f]);
        var losses = engine.HeadLoss(engine.Create(2, 1, [1f, 1f]), head, [0, 1]);
        Assert.Equal([0f, 2e4f], losses.Values.ToArray());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(16_385)]
    public void The_optimizer_agrees_with_its_definition(int count)
    {
        using var engine = new Engine(2);
        using var weight = Trainable(1, count, 1);
        using var first = new NumberBuffer(count);
        using var second = new NumberBuffer(count);
        var (w, m, v) = (Double(weight.Values), new double[count], new double[count]);
        for (var step = 1; step <= 4; step++)
        {
            Normal(count, (ulong)step + 10, 1e-3f).CopyTo(weight.Gradient);
            var settings = new AdamWStep(1e-2f, 0.9f, 0.95f, 1e-8f, 0.1f, (float)(1 - Numerics.Pow(0.9, step)), (float)(1 - Numerics.Pow(0.95, step)), 0.7f);
            engine.Update(weight, first, second, settings);
            AdamWDefinition.Update(w, Double(weight.Gradient), m, v, settings);
        }
        Within(1e-6, w, weight.Values, "weights");
        Within(1e-6, m, first.Values, "first moments");
        Within(1e-6, v, second.Values, "second moments");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16_383)]
    [InlineData(40_001)]
    public void The_squared_norm_of_a_gradient_agrees_with_its_definition(int count)
    {
        using var engine = new Engine(2);
        using var weight = Weight.Trainable("w", 1, count);
        Normal(count, 1).CopyTo(weight.Gradient);
        var expected = Double(weight.Gradient).Sum(value => value * value);
        Assert.InRange(engine.SquaredGradientNorm(weight), expected * (1 - 1e-6), expected * (1 + 1e-6));
    }

    private static Weight Trainable(int rows, int columns, ulong stream)
    {
        var weight = Weight.Trainable("w", rows, columns);
        Normal(rows * columns, stream).CopyTo(weight.Values);
        return weight;
    }
}
