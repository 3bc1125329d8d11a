using OpenEuroLLM.Core;
using OpenEuroLLM.Tensors.Kernels;
using static OpenEuroLLM.Tensors.Tests.Agreement;

namespace OpenEuroLLM.Tensors.Tests;

public sealed class EngineTests
{
    [Fact]
    public void Threads_and_register_width_do_not_change_a_bit_of_losses_and_gradients()
    {
        var expected = Run(1, wide: false);
        Assert.Equal(expected, Run(3, wide: false));
        Assert.Equal(expected, Run(1, wide: true));
        Assert.Equal(expected, Run(2, wide: true));

        static int[] Run(int threads, bool wide)
        {
            using var engine = new Engine(threads, wide);
            using var decoder = new SmallDecoder(layers: 2, width: 60, heads: 6, keyValueHeads: 2, hidden: 130, vocabulary: 300, tied: true);
            var (tokens, targets) = decoder.Text(300);
            var bits = new List<int>(Bits(decoder.Step(engine, tokens, targets, SmallDecoder.Layout(1, 64, 65, 130, 40)).Values));
            foreach (var weight in decoder.Weights)
            {
                bits.AddRange(Bits(weight.Gradient));
                bits.AddRange(Bits([(float)engine.SquaredGradientNorm(weight)]));
            }
            return [.. bits];
        }
    }

    [Fact]
    public void A_training_step_allocates_nothing_after_the_first_ones()
    {
        using var engine = new Engine(2);
        using var decoder = new SmallDecoder(layers: 2, width: 32, heads: 4, keyValueHeads: 2, hidden: 48, vocabulary: 100, tied: true);
        var moments = decoder.Weights.ConvertAll(weight => (First: new NumberBuffer(weight.Count), Second: new NumberBuffer(weight.Count)));
        var layout = SmallDecoder.Layout(30, 70, 1);
        var (tokens, targets) = decoder.Text(101);
        AllocatesNothing(() =>
        {
            decoder.ClearGradients();
            decoder.Step(engine, tokens, targets, layout);
            for (var i = 0; i < decoder.Weights.Count; i++)
            {
                engine.SquaredGradientNorm(decoder.Weights[i]);
                engine.Update(decoder.Weights[i], moments[i].First, moments[i].Second, new AdamWStep(1e-3f, 0.9f, 0.95f, 1e-8f, 0.1f, 0.1f, 0.05f, 1));
            }
            engine.Reset();
        });
        foreach (var (first, second) in moments)
        {
            first.Dispose();
            second.Dispose();
        }
    }

    [Fact]
    public void A_decoding_step_allocates_nothing_after_the_first_ones()
    {
        using var engine = new Engine(2);
        using var decoder = new SmallDecoder(layers: 2, width: 32, heads: 4, keyValueHeads: 2, hidden: 48, vocabulary: 100, tied: true);
        using var cache = decoder.CreateCache(8);
        using var one = cache.Begin();
        using var two = cache.Begin();
        var layout = new SequenceLayout();
        int[] tokens = [3, 4];
        int[] rows = [0, 1];
        AllocatesNothing(() =>
        {
            layout.Clear();
            layout.Add(1, one);
            layout.Add(1, two);
            engine.Logits(decoder.Forward(engine, tokens, layout), decoder.Weights[0], rows);
            engine.Reset();
        });
    }

    [Fact]
    public void Step_memory_is_used_again_after_a_reset()
    {
        using var engine = new Engine(1);
        using var decoder = new SmallDecoder(layers: 1, width: 16, heads: 2, keyValueHeads: 1, hidden: 20, vocabulary: 30, tied: true);
        var (tokens, targets) = decoder.Text(50);
        decoder.Step(engine, tokens, targets, SmallDecoder.Layout(50));
        var (used, reserved) = (engine.PeakBytes, engine.StepBytes);
        for (var i = 0; i < 5; i++)
        {
            engine.Reset();
            Assert.Equal(0, engine.UsedBytes);
            decoder.Step(engine, tokens, targets, SmallDecoder.Layout(50));
            Assert.Equal((used, reserved), (engine.PeakBytes, engine.StepBytes));
        }
    }

    [Fact]
    public void Logits_of_chosen_rows_are_those_of_all_rows()
    {
        using var engine = new Engine(2);
        using var head = Weight.Trainable("head", 37, 20);
        Normal(37 * 20, 1).CopyTo(head.Values);
        var x = engine.Create(9, 20, Normal(9 * 20, 2));
        var all = Bits(engine.Product(x, head).Values);
        var chosen = Bits(engine.Logits(x, head, [8, 0, 8]).Values);
        Assert.Equal([.. all[(8 * 37)..], .. all[..37], .. all[(8 * 37)..]], chosen);
        Assert.Throws<ArgumentOutOfRangeException>(() => engine.Logits(x, head, [9]));
    }

    [Fact]
    public void Tokens_outside_the_vocabulary_are_refused()
    {
        using var engine = new Engine(1);
        using var table = Weight.Trainable("table", 10, 4);
        Assert.Contains("token 10 is outside", Assert.Throws<UserErrorException>(() => engine.Embed([1, 10], table)).Message, StringComparison.Ordinal);
        Assert.Throws<UserErrorException>(() => engine.Embed([-1], table));
        var x = engine.Create(1, 4, [1, 2, 3, 4]);
        Assert.Throws<UserErrorException>(() => engine.HeadLoss(x, table, [10]));
        Assert.Throws<UserErrorException>(() => engine.HeadLoss(x, table, [-2]));
    }

    [Fact]
    public void Shapes_that_do_not_fit_are_refused()
    {
        using var engine = new Engine(1);
        using var weight = Weight.Trainable("weight", 10, 4);
        var x = engine.Create(2, 5, new float[10]);
        Assert.Throws<ArgumentException>(() => engine.Product(x, weight));
        Assert.Throws<ArgumentException>(() => engine.RmsNorm(x, weight, 1e-5));
        Assert.Throws<ArgumentException>(() => engine.SwiGlu(x, engine.Create(5, 2, new float[10])));
        Assert.Throws<ArgumentException>(() => engine.Add(x, engine.Create(5, 2, new float[10])));
        Assert.Throws<ArgumentException>(() => engine.HeadLoss(engine.Create(2, 4, new float[8]), weight, [1]));
        Assert.Throws<UserErrorException>(() => new Engine(0));
    }

    [Fact]
    public void Recording_with_a_weight_that_cannot_be_trained_is_refused()
    {
        using var engine = new Engine(1);
        using var packed = Weight.Packed("packed", 10, 4, ElementType.F32);
        using var gain = Weight.Vector("gain", 4);
        var x = engine.Create(2, 4, new float[8]);
        engine.Product(x, packed);
        engine.Record();
        Assert.Throws<InvalidOperationException>(() => engine.Product(x, packed));
        Assert.Throws<InvalidOperationException>(() => engine.RmsNorm(x, gain, 1e-5));
        Assert.Throws<InvalidOperationException>(() => engine.Embed([1], packed));
        Assert.Throws<InvalidOperationException>(() => engine.HeadLoss(x, packed, [1, 2]));
    }

    /// <summary>The runner's own threads may allocate meanwhile, so one quiet round is enough: a step that allocates does so in every round.</summary>
    internal static void AllocatesNothing(Action step)
    {
        for (var i = 0; i < 20; i++) step();
        var least = long.MaxValue;
        for (var round = 0; round < 10 && least != 0; round++)
        {
            var before = GC.GetTotalAllocatedBytes(precise: true);
            for (var i = 0; i < 5; i++) step();
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }
        Assert.Equal(0, least);
    }
}
