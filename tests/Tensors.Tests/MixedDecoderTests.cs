using System.Runtime.InteropServices;
using System.Security.Cryptography;
using static OpenEuroLLM.Tensors.Tests.Agreement;

namespace OpenEuroLLM.Tensors.Tests;

/// <summary>All operations of the model families in one decoder: gradients, equal bits, memory.</summary>
public sealed class MixedDecoderTests
{
    /// <summary>Bits of losses, gradients and logits. It changes only when a kernel's arithmetic is changed on purpose.</summary>
    private const string ExpectedHash = "6b63476f2b293546bc5f207305403f3dfde20d64e36d0574652412ff971599b4";

    [Fact]
    public void Losses_and_gradients_agree_with_the_definition()
    {
        int[] lengths = [4, 1, 6];
        using var engine = new Engine(2);
        using var decoder = new MixedDecoder(layers: 4, width: 8, hidden: 5, vocabulary: 9, positions: 6, window: 4);
        var (tokens, targets) = decoder.Text(lengths.Sum());
        var losses = decoder.Step(engine, tokens, targets, SmallDecoder.Layout(lengths));
        var weights = decoder.Weights.ConvertAll(weight => Double(weight.Values));
        Within(2e-5, decoder.Losses(weights, tokens, targets, lengths), losses.Values, "loss");
        for (var i = 0; i < weights.Count; i++)
        {
            var slope = Slope(weights[i], () => decoder.Losses(weights, tokens, targets, lengths).Sum() / targets.Length);
            Within(2e-4, slope, decoder.Weights[i].Gradient, $"{decoder.Weights[i].Name}, weight {i}");
        }
    }

    [Fact]
    public void Threads_registers_and_recomputation_change_no_bit_of_losses_and_gradients()
    {
        int[] lengths = [1, 65, 130, 40];
        using var decoder = new MixedDecoder(layers: 4, width: 76, hidden: 131, vocabulary: 300, positions: 130, window: 100);
        var (tokens, targets) = decoder.Text(lengths.Sum());
        var expected = Run(1, wide: false, recompute: false);
        foreach (var (threads, wide, recompute) in new[] { (3, false, false), (1, true, false), (2, true, true), (4, false, true) })
            Assert.Equal(expected, Run(threads, wide, recompute));

        int[] Run(int threads, bool wide, bool recompute)
        {
            using var engine = new Engine(threads, wide) { Recompute = recompute };
            decoder.ClearGradients();
            var losses = Bits(decoder.Step(engine, tokens, targets, SmallDecoder.Layout(lengths)).Values);
            return [.. losses, .. decoder.Weights.SelectMany(weight => Bits(weight.Gradient))];
        }
    }

    [Fact]
    public void Logits_are_the_same_bits_whole_or_in_pieces_alone_or_in_company()
    {
        const int rows = 150, vocabulary = 50;
        using var decoder = new MixedDecoder(layers: 4, width: 40, hidden: 70, vocabulary, positions: rows, window: 90);
        var (tokens, _) = decoder.Text(rows);
        using var plain = new Engine(1, wide: false);
        var expected = Bits(decoder.Logits(plain, tokens, SmallDecoder.Layout(rows), [.. Enumerable.Range(0, rows)]).Values);
        using var engine = new Engine(3);
        using var cache = decoder.CreateCache(8);
        foreach (var chunks in new int[][] { [150], [1, 149], [63, 1, 1, 64, 21], [130, .. Enumerable.Repeat(1, 20)] })
        {
            using var sequence = cache.Begin();
            using var neighbour = cache.Begin();
            var first = 0;
            foreach (var chunk in chunks)
            {
                engine.Reset();
                var layout = new SequenceLayout();
                if (neighbour.Length < rows) layout.Add(1, neighbour);
                var before = layout.Rows;
                layout.Add(chunk, sequence);
                var logits = decoder.Logits(engine, [.. tokens[..before], .. tokens.AsSpan(first, chunk)], layout, [.. Enumerable.Range(before, chunk)]);
                Assert.Equal(expected[(first * vocabulary)..((first + chunk) * vocabulary)], Bits(logits.Values));
                first += chunk;
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_outline_counts_exactly_what_the_same_step_takes(bool recompute)
    {
        using var engine = new Engine(2) { Recompute = recompute };
        using var outline = Engine.Outline();
        outline.Recompute = recompute;
        using var decoder = new MixedDecoder(layers: 4, width: 64, hidden: 190, vocabulary: 400, positions: 200);
        var (tokens, targets) = decoder.Text(300);
        for (var step = 0; step < 2; step++)
        {
            foreach (var one in new[] { engine, outline })
            {
                one.Reset();
                decoder.Step(one, tokens, targets, SmallDecoder.Layout(200, 100));
            }
            Assert.Equal((engine.PeakBytes, engine.StepBytes), (outline.PeakBytes, outline.StepBytes));
        }
    }

    [Fact]
    public void Steps_allocate_nothing_after_the_first_ones()
    {
        using var engine = new Engine(2);
        using var decoder = new MixedDecoder(layers: 4, width: 32, hidden: 48, vocabulary: 60, positions: 70);
        using var cache = decoder.CreateCache(4);
        using var sequence = cache.Begin();
        var layout = SmallDecoder.Layout(30, 70, 1);
        var cached = new SequenceLayout();
        var (tokens, targets) = decoder.Text(101);
        int[] rows = [0];
        EngineTests.AllocatesNothing(() =>
        {
            engine.Reset();
            decoder.Step(engine, tokens, targets, layout);
            engine.Reset();
            sequence.Truncate(0);
            cached.Clear();
            cached.Add(40, sequence);
            decoder.Logits(engine, tokens.AsSpan(0, 40), cached, rows);
        });
    }

    /// <summary>Run without some instruction sets by <see cref="InstructionSetTests"/> too.</summary>
    [Fact]
    public void The_bits_are_the_committed_ones()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Append(ReadOnlySpan<float> values) => hash.AppendData(MemoryMarshal.AsBytes(values));
        using var engine = new Engine(2);
        using var decoder = new MixedDecoder(layers: 4, width: 20, hidden: 27, vocabulary: 40, positions: 66, window: 30);
        var (tokens, targets) = decoder.Text(74);
        Append(decoder.Step(engine, tokens, targets, SmallDecoder.Layout(1, 66, 7)).Values);
        foreach (var weight in decoder.Weights) Append(weight.Gradient);
        engine.Reset();
        Append(decoder.Logits(engine, tokens, SmallDecoder.Layout(1, 66, 7), [0, 66, 73]).Values);
        var found = Convert.ToHexStringLower(hash.GetHashAndReset());
        Assert.True(found == ExpectedHash, found);
    }
}
