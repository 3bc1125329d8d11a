using OpenEuroLLM.Core;
using OpenEuroLLM.Tensors.Kernels.Reference;
using static OpenEuroLLM.Tensors.Tests.Agreement;

namespace OpenEuroLLM.Tensors.Tests;

/// <summary>Soft caps of attention scores and of logits.</summary>
public sealed class SoftCapTests
{
    private const double Tolerance = 2e-5;

    [Theory]
    [InlineData(8, 1, null, 50)]
    [InlineData(30, 4, 70, 3)]
    [InlineData(64, 2, 64, 0.5)]
    public void Capped_attention_agrees_with_its_definition_both_ways(int dimension, int group, int? window, double cap)
    {
        int[] lengths = [1, 65, 230, 3];
        const int keyValueHeads = 2;
        var (heads, rows) = (keyValueHeads * group, lengths.Sum());
        var (q, k, v) = (Normal(rows * heads * dimension, 1, 2), Normal(rows * keyValueHeads * dimension, 2), Normal(rows * keyValueHeads * dimension, 3));
        var dy = Normal(q.Length, 4);
        using var engine = new Engine(2);
        engine.Record();
        var (queries, keys, values) = (engine.Create(rows, heads * dimension, q), engine.Create(rows, keyValueHeads * dimension, k), engine.Create(rows, keyValueHeads * dimension, v));
        var y = engine.Attend(queries, keys, values, SmallDecoder.Layout(lengths), new AttentionSettings(heads, keyValueHeads, null, window, 0.3, cap), 0);
        engine.SetGradient(y, dy);
        engine.Backward();
        var definition = new AttentionDefinition(lengths, heads, keyValueHeads, dimension, window, 0.3, cap);
        Within(1e-5, definition.Forward(Double(q), Double(k), Double(v)), y.Values, "y");
        var (dQueries, dKeys, dValues) = definition.Backward(Double(q), Double(k), Double(v), Double(dy));
        Within(4e-5, dQueries, engine.GradientOf(queries), "dQueries");
        Within(4e-5, dKeys, engine.GradientOf(keys), "dKeys");
        Within(4e-5, dValues, engine.GradientOf(values), "dValues");
    }

    [Fact]
    public void The_way_back_of_capped_attention_agrees_with_finite_differences()
    {
        const int heads = 4, keyValueHeads = 2, dimension = 6, rows = 12;
        int[] lengths = [1, 8, 3];
        var (q, k, v) = (Normal(rows * heads * dimension, 1), Normal(rows * keyValueHeads * dimension, 2), Normal(rows * keyValueHeads * dimension, 3));
        var dy = Normal(q.Length, 4);
        using var engine = new Engine(2);
        engine.Record();
        var (queries, keys, values) = (engine.Create(rows, heads * dimension, q), engine.Create(rows, keyValueHeads * dimension, k), engine.Create(rows, keyValueHeads * dimension, v));
        engine.SetGradient(engine.Attend(queries, keys, values, SmallDecoder.Layout(lengths), new AttentionSettings(heads, keyValueHeads, null, 5, null, 0.8), 0), dy);
        engine.Backward();
        var (qd, kd, vd) = (Double(q), Double(k), Double(v));
        var definition = new AttentionDefinition(lengths, heads, keyValueHeads, dimension, 5, null, 0.8);
        double Loss() => Dot(definition.Forward(qd, kd, vd), Double(dy));
        Within(Tolerance, Slope(qd, Loss), engine.GradientOf(queries), "dQueries");
        Within(Tolerance, Slope(kd, Loss), engine.GradientOf(keys), "dKeys");
        Within(Tolerance, Slope(vd, Loss), engine.GradientOf(values), "dValues");
    }

    [Theory]
    [InlineData(1, 1, 2, 30)]
    [InlineData(33, 7, 15, 0.7)]
    [InlineData(65, 33, 257, 5)]
    [InlineData(1540, 3, 1000, 2)] // more rows than one chunk of logits holds
    public void Capped_logits_and_losses_agree_with_their_definition(int rows, int width, int vocabulary, double cap)
    {
        using var engine = new Engine(2);
        using var head = Weight.Trainable("head", vocabulary, width);
        Normal(vocabulary * width, 1).CopyTo(head.Values);
        var x = Normal(rows * width, 2);
        var random = new CounterRandom(1, 2);
        var targets = Enumerable.Range(0, rows).Select(i => (int)random.Below((ulong)i, (uint)vocabulary + 1) - 1).ToArray();
        double[] plain = ProductDefinition.Forward(Double(x), Double(head.Values), width);
        var input = engine.Create(rows, width, x);
        Within(1e-6, [.. plain.Select(logit => SoftCapDefinition.Value(logit, cap))], engine.Logits(input, head, [.. Enumerable.Range(0, rows)], cap).Values, "logits");

        var expected = HeadLossDefinition.Forward(Double(x), Double(head.Values), width, targets, cap);
        var losses = engine.HeadLoss(input, head, targets, softCap: cap).Values;
        Within(2e-6, expected, losses, "loss");
        Assert.All(head.Gradient.ToArray(), value => Assert.Equal(0, value)); // nothing was recorded
        engine.Record();
        var recorded = engine.Create(rows, width, x);
        Assert.Equal(Bits(losses), Bits(engine.HeadLoss(recorded, head, targets, 0.25, cap).Values));
        engine.Backward();
        var (dx, dHead) = HeadLossDefinition.Backward(Double(x), Double(head.Values), width, targets, 0.25, cap);
        Within(1e-5, dx, engine.GradientOf(recorded), "dx");
        Within(1e-5, dHead, head.Gradient, "dHead");
    }

    [Fact]
    public void The_way_back_of_capped_losses_agrees_with_finite_differences()
    {
        using var engine = new Engine(2);
        using var head = Weight.Trainable("head", 13, 6);
        Normal(13 * 6, 1).CopyTo(head.Values);
        int[] targets = [3, -1, 12, 0];
        var x = Normal(4 * 6, 2);
        engine.Record();
        var input = engine.Create(4, 6, x);
        engine.HeadLoss(input, head, targets, 0.5, 1.5);
        engine.Backward();
        var (xd, hd) = (Double(x), Double(head.Values));
        double Loss() => 0.5 * HeadLossDefinition.Forward(xd, hd, 6, targets, 1.5).Sum();
        Within(Tolerance, Slope(xd, Loss), engine.GradientOf(input), "dx");
        Within(Tolerance, Slope(hd, Loss), head.Gradient, "dHead");
    }

    [Fact]
    public void Caps_without_meaning_are_refused()
    {
        using var engine = new Engine(1);
        using var head = Weight.Trainable("head", 3, 2);
        var x = engine.Create(1, 2, [1f, 2f]);
        foreach (var cap in new[] { 0, -1, double.NaN, double.PositiveInfinity })
        {
            Assert.Throws<ArgumentException>(() => engine.Logits(x, head, [0], cap));
            Assert.Throws<ArgumentException>(() => engine.HeadLoss(x, head, [0], softCap: cap));
            Assert.Throws<ArgumentException>(() => engine.Attend(x, x, x, SmallDecoder.Layout(1), new AttentionSettings(1, 1, null, SoftCap: cap), 0));
        }
    }
}
