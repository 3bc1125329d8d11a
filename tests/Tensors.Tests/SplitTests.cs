using OpenEuroLLM.Core;
using static OpenEuroLLM.Tensors.Tests.Agreement;

namespace OpenEuroLLM.Tensors.Tests;

/// <summary>Logits are the same bits for any split of rows into batches: random sequences, cut at random places, in random company.</summary>
public sealed class SplitTests
{
    private const int Vocabulary = 60;

    [Theory]
    [InlineData(1, 1, false)]
    [InlineData(2, 2, true)]
    [InlineData(3, 3, true)]
    [InlineData(4, 2, false)]
    public void Logits_do_not_depend_on_the_split_into_batches_the_company_or_the_cache(int seed, int threads, bool wide)
    {
        var random = new CounterRandom((ulong)seed, 77);
        var draws = 0UL;
        int Draw(int below) => (int)random.Below(draws++, (uint)below);
        using var engine = new Engine(threads, wide);
        using var decoder = new SmallDecoder(layers: 2, width: 24, heads: 4, keyValueHeads: 2, hidden: 40, Vocabulary, tied: true);
        var texts = Enumerable.Range(0, 5).Select(_ => Enumerable.Range(0, 1 + Draw(200)).Select(_ => Draw(Vocabulary)).ToArray()).ToList();
        var expected = texts.ConvertAll(Alone);

        // Whole sequences without a cache, in random company.
        for (var round = 0; round < 3; round++)
        {
            var order = Enumerable.Range(0, texts.Count).OrderBy(_ => Draw(1000)).Take(1 + Draw(texts.Count)).ToList();
            engine.Reset();
            var layout = SmallDecoder.Layout([.. order.Select(i => texts[i].Length)]);
            var logits = Logits(engine, decoder, [.. order.SelectMany(i => texts[i])], layout);
            foreach (var i in order)
            {
                Assert.Equal(expected[i], logits[..(texts[i].Length * Vocabulary)]);
                logits = logits[(texts[i].Length * Vocabulary)..];
            }
        }

        // With a cache: each batch takes random pieces of random sequences, from one row to all that is left.
        using var cache = decoder.CreateCache(40);
        var sequences = texts.ConvertAll(_ => cache.Begin());
        while (sequences.Zip(texts).Any(pair => pair.First.Length < pair.Second.Length))
        {
            var batch = new List<(int Text, int First, int Rows)>();
            var layout = new SequenceLayout();
            for (var i = 0; i < texts.Count; i++)
            {
                var left = texts[i].Length - sequences[i].Length;
                if (left == 0 || Draw(3) == 0) continue;
                var rows = Draw(2) == 0 ? 1 : 1 + Draw(left);
                batch.Add((i, sequences[i].Length, rows));
                layout.Add(rows, sequences[i]);
            }
            if (batch.Count == 0) continue;
            engine.Reset();
            var logits = Logits(engine, decoder, [.. batch.SelectMany(piece => texts[piece.Text].AsSpan(piece.First, piece.Rows).ToArray())], layout);
            foreach (var (text, first, rows) in batch)
            {
                Assert.Equal(expected[text][(first * Vocabulary)..((first + rows) * Vocabulary)], logits[..(rows * Vocabulary)]);
                logits = logits[(rows * Vocabulary)..];
            }
        }
        foreach (var sequence in sequences) sequence.Dispose();

        int[] Alone(int[] tokens)
        {
            using var plain = new Engine(1, wide: false);
            return Logits(plain, decoder, tokens, SmallDecoder.Layout(tokens.Length));
        }
    }

    [Fact]
    public void Gradients_do_not_depend_on_threads_registers_or_recomputation_for_any_layout()
    {
        var random = new CounterRandom(5, 78);
        var draws = 0UL;
        for (var round = 0; round < 5; round++)
        {
            int Draw(int below) => (int)random.Below(draws++, (uint)below);
            var (heads, groups) = (1 + Draw(3), 1 + Draw(3));
            using var decoder = new SmallDecoder(1 + Draw(2), width: heads * groups * (2 + 2 * Draw(6)), heads * groups, keyValueHeads: heads, hidden: 1 + Draw(70), Vocabulary, tied: Draw(2) == 0);
            var lengths = Enumerable.Range(0, 1 + Draw(6)).Select(_ => 1 + Draw(100)).ToArray();
            var (tokens, targets) = decoder.Text(lengths.Sum());
            var expected = Run(1, wide: false, recompute: false);
            foreach (var recompute in new[] { false, true })
                foreach (var (threads, wide) in new[] { (2, false), (1, true), (4, true) }) Assert.Equal(expected, Run(threads, wide, recompute));

            int[] Run(int threads, bool wide, bool recompute)
            {
                using var engine = new Engine(threads, wide) { Recompute = recompute };
                decoder.ClearGradients();
                var losses = Bits(decoder.Step(engine, tokens, targets, SmallDecoder.Layout(lengths)).Values);
                return [.. losses, .. decoder.Weights.SelectMany(weight => Bits(weight.Gradient))];
            }
        }
    }

    private static int[] Logits(Engine engine, SmallDecoder decoder, int[] tokens, SequenceLayout layout) =>
        Bits(engine.Logits(decoder.Forward(engine, tokens, layout), decoder.Weights[0], [.. Enumerable.Range(0, tokens.Length)]).Values);
}
