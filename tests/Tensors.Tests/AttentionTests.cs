using OpenEuroLLM.Tensors.Kernels.Reference;
using static OpenEuroLLM.Tensors.Tests.Agreement;

namespace OpenEuroLLM.Tensors.Tests;

public sealed class AttentionTests
{
    private static readonly RotarySettings Rotary = new();

    public static TheoryData<int, int> HeadsAndGroups()
    {
        var data = new TheoryData<int, int>();
        foreach (var dimension in new[] { 2, 8, 30, 64 })
            foreach (var group in new[] { 1, 2, 4 }) data.Add(dimension, group);
        return data;
    }

    [Theory, MemberData(nameof(HeadsAndGroups))]
    public void Agrees_with_the_full_softmax_of_each_row(int dimension, int group)
    {
        int[] lengths = [1, 65, 63, 2, 130, 64];
        const int keyValueHeads = 2;
        var heads = keyValueHeads * group;
        var batch = new Batch(lengths.Sum(), heads, keyValueHeads, dimension);
        var dy = Normal(batch.Queries.Length, 9);
        using var engine = new Engine(2);
        engine.Record();
        var (queries, keys, values) = batch.Create(engine, 0, batch.Rows);
        var y = engine.Attend(queries, keys, values, SmallDecoder.Layout(lengths), new AttentionSettings(heads, keyValueHeads, Rotary), 0);
        engine.SetGradient(y, dy);
        engine.Backward();
        var positions = lengths.SelectMany(length => Enumerable.Range(0, length)).ToArray();
        var turnedQueries = RotaryDefinition.Apply(Double(batch.Queries), heads, dimension, positions, Rotary, back: false);
        var turnedKeys = RotaryDefinition.Apply(Double(batch.Keys), keyValueHeads, dimension, positions, Rotary, back: false);
        var definition = new AttentionDefinition(lengths, heads, keyValueHeads, dimension);
        Within(1e-5, definition.Forward(turnedQueries, turnedKeys, Double(batch.Values)), y.Values, "y");
        var (dQueries, dKeys, dValues) = definition.Backward(turnedQueries, turnedKeys, Double(batch.Values), Double(dy));
        Within(3e-5, RotaryDefinition.Apply(dQueries, heads, dimension, positions, Rotary, back: true), engine.GradientOf(queries), "dQueries");
        Within(3e-5, RotaryDefinition.Apply(dKeys, keyValueHeads, dimension, positions, Rotary, back: true), engine.GradientOf(keys), "dKeys");
        Within(3e-5, dValues, engine.GradientOf(values), "dValues");
    }

    [Theory, MemberData(nameof(HeadsAndGroups))]
    public void Any_chunking_of_a_cached_prefill_gives_the_bits_of_the_whole_sequence(int dimension, int group)
    {
        const int rows = 150, keyValueHeads = 2;
        var heads = keyValueHeads * group;
        var batch = new Batch(rows, heads, keyValueHeads, dimension);
        using var engine = new Engine(2);
        var expected = batch.Whole(engine);
        using var cache = new KeyValueCache(1, keyValueHeads, dimension, 3);
        foreach (var chunks in new int[][] { [150], [1, 149], [63, 1, 1, 64, 21], [64, 64, 22], [130, .. Enumerable.Repeat(1, 20)] })
        {
            using var sequence = cache.Begin();
            var first = 0;
            foreach (var chunk in chunks)
            {
                var layout = new SequenceLayout();
                layout.Add(chunk, sequence);
                var (queries, keys, values) = batch.Create(engine, first, chunk);
                var y = engine.Attend(queries, keys, values, layout, new AttentionSettings(heads, keyValueHeads, Rotary), 0);
                Assert.Equal(expected.AsSpan(first * heads * dimension, chunk * heads * dimension).ToArray(), Bits(y.Values));
                first += chunk;
                Assert.Equal(first, sequence.Length);
                engine.Reset();
            }
        }
    }

    [Fact]
    public void Neighbours_in_the_batch_do_not_matter()
    {
        const int heads = 4, keyValueHeads = 2, dimension = 30;
        using var engine = new Engine(2);
        var batch = new Batch(70, heads, keyValueHeads, dimension);
        var other = new Batch(5 + 70 + 90, heads, keyValueHeads, dimension, stream: 50);
        other.Replace(5, batch);
        var (queries, keys, values) = other.Create(engine, 0, other.Rows);
        var y = Bits(engine.Attend(queries, keys, values, SmallDecoder.Layout(5, 70, 90), new AttentionSettings(heads, keyValueHeads, Rotary), 0).Values);
        var expected = batch.Whole(engine);
        Assert.Equal(expected, y.AsSpan(5 * heads * dimension, expected.Length).ToArray());

        using var cache = new KeyValueCache(1, keyValueHeads, dimension, 8);
        using var before = cache.Begin();
        using var own = cache.Begin();
        using var after = cache.Begin();
        var layout = new SequenceLayout();
        layout.Add(5, before);
        layout.Add(70, own);
        layout.Add(90, after);
        (queries, keys, values) = other.Create(engine, 0, other.Rows);
        y = Bits(engine.Attend(queries, keys, values, layout, new AttentionSettings(heads, keyValueHeads, Rotary), 0).Values);
        Assert.Equal(expected, y.AsSpan(5 * heads * dimension, expected.Length).ToArray());
    }

    [Fact]
    public void Weights_stay_finite_when_scores_are_huge()
    {
        const int rows = 130, dimension = 8;
        var batch = new Batch(rows, 1, 1, dimension, scale: 300);
        using var engine = new Engine(2);
        var (queries, keys, values) = batch.Create(engine, 0, rows);
        var y = engine.Attend(queries, keys, values, SmallDecoder.Layout(rows), new AttentionSettings(1, 1, Rotary), 0);
        Assert.All(y.Values.ToArray(), value => Assert.True(float.IsFinite(value)));
    }

    [Fact]
    public void Each_call_goes_back_by_its_own_angles()
    {
        var batch = new Batch(9, 2, 1, 8);
        var dy = Normal(batch.Queries.Length, 9);
        int[] Gradient(bool another)
        {
            using var engine = new Engine(1);
            engine.Record();
            var (queries, keys, values) = batch.Create(engine, 0, batch.Rows);
            var y = engine.Attend(queries, keys, values, SmallDecoder.Layout(9), new AttentionSettings(2, 1, new RotarySettings(100)), 0);
            if (another)
            {
                var (q, k, v) = batch.Create(engine, 0, batch.Rows);
                engine.Attend(q, k, v, SmallDecoder.Layout(9), new AttentionSettings(2, 1, Rotary), 1);
            }
            engine.SetGradient(y, dy);
            engine.Backward();
            return Bits(engine.GradientOf(queries));
        }
        Assert.Equal(Gradient(another: false), Gradient(another: true));
    }

    [Fact]
    public void Sizes_that_do_not_fit_are_refused()
    {
        using var engine = new Engine(1);
        Tensor Zeros(int rows, int columns) => engine.Create(rows, columns, new float[rows * columns]);
        Assert.Throws<ArgumentException>(() => engine.Attend(Zeros(3, 8), Zeros(3, 4), Zeros(3, 4), SmallDecoder.Layout(4), new AttentionSettings(2, 1, Rotary), 0));
        Assert.Throws<ArgumentException>(() => engine.Attend(Zeros(3, 6), Zeros(3, 3), Zeros(3, 3), SmallDecoder.Layout(3), new AttentionSettings(2, 1, Rotary), 0)); // odd heads
        Assert.Throws<ArgumentException>(() => engine.Attend(Zeros(3, 12), Zeros(3, 8), Zeros(3, 8), SmallDecoder.Layout(3), new AttentionSettings(3, 2, Rotary), 0));
        Assert.Throws<ArgumentException>(() => engine.Attend(Zeros(3, 514), Zeros(3, 514), Zeros(3, 514), SmallDecoder.Layout(3), new AttentionSettings(1, 1, Rotary), 0)); // beyond the scratch memory
    }

    /// <summary>Queries, keys and values of some rows.</summary>
    private sealed class Batch(int rows, int heads, int keyValueHeads, int dimension, ulong stream = 1, float scale = 1)
    {
        public int Rows => rows;

        public float[] Queries { get; } = Normal(rows * heads * dimension, stream, scale);

        public float[] Keys { get; } = Normal(rows * keyValueHeads * dimension, stream + 1, scale);

        public float[] Values { get; } = Normal(rows * keyValueHeads * dimension, stream + 2);

        public (Tensor Queries, Tensor Keys, Tensor Values) Create(Engine engine, int first, int count)
        {
            var (width, keyWidth) = (heads * dimension, keyValueHeads * dimension);
            return (engine.Create(count, width, Queries.AsSpan(first * width, count * width)),
                engine.Create(count, keyWidth, Keys.AsSpan(first * keyWidth, count * keyWidth)),
                engine.Create(count, keyWidth, Values.AsSpan(first * keyWidth, count * keyWidth)));
        }

        public int[] Whole(Engine engine)
        {
            var (queries, keys, values) = Create(engine, 0, rows);
            return Bits(engine.Attend(queries, keys, values, SmallDecoder.Layout(rows), new AttentionSettings(heads, keyValueHeads, Rotary), 0).Values);
        }

        public void Replace(int first, Batch other)
        {
            other.Queries.CopyTo(Queries, first * heads * dimension);
            other.Keys.CopyTo(Keys, first * keyValueHeads * dimension);
            other.Values.CopyTo(Values, first * keyValueHeads * dimension);
        }
    }
}
