using OpenEuroLLM.Core;
using static OpenEuroLLM.Tensors.Tests.Agreement;

namespace OpenEuroLLM.Tensors.Tests;

/// <summary>Segments that are computed again on the way back, and the memory of a step.</summary>
public sealed class RecomputeTests
{
    [Fact]
    public void Recomputing_layers_does_not_change_a_bit_of_losses_and_gradients()
    {
        var random = new CounterRandom(11, 2);
        for (var round = 0; round < 6; round++)
        {
            using var decoder = new SmallDecoder(layers: 1 + round % 3, width: 24, heads: 4, keyValueHeads: 2, hidden: 50, vocabulary: 70, tied: round % 2 == 0);
            var lengths = Enumerable.Range(0, 1 + round).Select(i => 1 + (int)random.Below((ulong)(100 * round + i), 90)).ToArray();
            var (tokens, targets) = decoder.Text(lengths.Sum());
            var expected = Run(recompute: false, threads: 1, wide: false);
            Assert.Equal(expected, Run(recompute: true, threads: 1, wide: false));
            Assert.Equal(expected, Run(recompute: true, threads: 3, wide: true));

            int[] Run(bool recompute, int threads, bool wide)
            {
                using var engine = new Engine(threads, wide) { Recompute = recompute };
                decoder.ClearGradients();
                var bits = new List<int>();
                for (var micro = 0; micro < 2; micro++) // gradients of two micro-batches add up
                {
                    engine.Reset();
                    bits.AddRange(Bits(decoder.Step(engine, tokens, targets, SmallDecoder.Layout(lengths)).Values));
                }
                foreach (var weight in decoder.Weights) bits.AddRange(Bits(weight.Gradient));
                return [.. bits];
            }
        }
    }

    [Fact]
    public void A_recomputed_segment_may_hold_another_one()
    {
        var (x, dy) = (Normal(6 * 8, 1), Normal(6 * 8, 2));
        Assert.Equal(Run(recompute: false), Run(recompute: true));

        int[] Run(bool recompute)
        {
            using var engine = new Engine(2) { Recompute = recompute };
            using var nest = new Nest();
            engine.Record();
            var input = engine.Create(6, 8, x);
            var y = engine.Segment(nest, input, SmallDecoder.Layout(6), 0);
            var values = Bits(y.Values);
            engine.SetGradient(y, dy);
            engine.Backward();
            return [.. values, .. Bits(engine.GradientOf(input)), .. Bits(nest.Weight.Gradient)];
        }
    }

    [Fact]
    public void With_recomputation_a_layer_more_costs_its_input_alone()
    {
        const int rows = 200, width = 48, hidden = 128;
        long Peak(int layers, bool recompute)
        {
            using var engine = new Engine(1) { Recompute = recompute };
            using var decoder = new SmallDecoder(layers, width, heads: 4, keyValueHeads: 2, hidden, vocabulary: 60, tied: true);
            var (tokens, targets) = decoder.Text(rows);
            decoder.Step(engine, tokens, targets, SmallDecoder.Layout(rows));
            return engine.PeakBytes;
        }
        Assert.Equal(rows * width * sizeof(float), Peak(9, recompute: true) - Peak(8, recompute: true));
        Assert.True(Peak(8, recompute: false) > 3 * Peak(8, recompute: true));
    }

    [Fact]
    public void The_way_back_needs_little_more_memory_than_the_way_there()
    {
        using var engine = new Engine(1);
        using var decoder = new SmallDecoder(layers: 8, width: 48, heads: 4, keyValueHeads: 2, hidden: 128, vocabulary: 60, tied: true);
        var (tokens, targets) = decoder.Text(200);
        engine.Record();
        decoder.Forward(engine, tokens, SmallDecoder.Layout(200));
        var there = engine.UsedBytes;
        engine.Reset();
        decoder.Step(engine, tokens, targets, SmallDecoder.Layout(200));
        Assert.True(engine.PeakBytes < 1.15 * there, $"there {there}, and back {engine.PeakBytes}");
    }

    [Fact]
    public void Without_recording_the_results_of_a_segment_are_given_back()
    {
        using var engine = new Engine(1);
        long Peak(int layers)
        {
            using var counting = new Engine(1);
            using var decoder = new SmallDecoder(layers, width: 48, heads: 4, keyValueHeads: 2, hidden: 128, vocabulary: 60, tied: true);
            decoder.Forward(counting, decoder.Text(200).Tokens, SmallDecoder.Layout(200));
            return counting.PeakBytes;
        }
        Assert.Equal(Peak(2), Peak(9));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_outline_counts_exactly_what_the_same_step_takes(bool recompute)
    {
        foreach (var (layers, width, hidden, rows) in new[] { (1, 8, 9, 5), (3, 48, 130, 300), (2, 256, 700, 1000) })
        {
            using var engine = new Engine(2) { Recompute = recompute };
            using var outline = Engine.Outline();
            outline.Recompute = recompute;
            using var decoder = new SmallDecoder(layers, width, heads: 4, keyValueHeads: 2, hidden, vocabulary: 500, tied: true);
            var (tokens, targets) = decoder.Text(rows);
            for (var step = 0; step < 2; step++)
            {
                foreach (var one in new[] { engine, outline })
                {
                    one.Reset();
                    decoder.Step(one, tokens, targets, SmallDecoder.Layout(rows));
                }
                Assert.Equal((engine.PeakBytes, engine.StepBytes), (outline.PeakBytes, outline.StepBytes));
            }
            Assert.True(engine.StepBytes < 1.25 * engine.PeakBytes, $"{engine.StepBytes} of memory for {engine.PeakBytes} in use");
        }
    }

    [Fact]
    public void Results_that_were_given_back_cannot_be_read_and_cached_sequences_cannot_be_recomputed()
    {
        using var engine = new Engine(1) { Recompute = true };
        using var decoder = new SmallDecoder(layers: 1, width: 16, heads: 2, keyValueHeads: 1, hidden: 20, vocabulary: 30, tied: true);
        using var cache = decoder.CreateCache(1);
        using var sequence = cache.Begin();
        var layout = new SequenceLayout();
        layout.Add(3, sequence);
        engine.Record();
        Assert.Throws<InvalidOperationException>(() => decoder.Forward(engine, [1, 2, 3], layout));
        Assert.Equal(0, sequence.Length);
        engine.Reset();
        engine.Record();
        var x = engine.Create(3, 16, Normal(48, 1));
        var y = engine.Product(x, decoder.Weights[2]);
        engine.HeadLoss(y, decoder.Weights[0], [1, 2, 3]);
        engine.Backward();
        Assert.Throws<InvalidOperationException>(() => y.Values.Length);
    }

    private sealed class Nest : ISegment, IDisposable
    {
        public Nest() => Normal(64, 9, 0.3f).CopyTo(Weight.Values);

        public Weight Weight { get; } = Weight.Trainable("w", 8, 8);

        public Tensor Forward(Tensor x, SequenceLayout layout, int index)
        {
            var h = x + x.Engine.Product(x, Weight);
            return index == 0 ? x.Engine.Residual(x, x.Engine.Product(x.Engine.Segment(this, h, layout, 1), Weight)) : h;
        }

        public void Dispose() => Weight.Dispose();
    }
}
