using OpenEuroLLM.Tensors.Kernels.Reference;

namespace OpenEuroLLM.Tensors.Tests;

/// <summary>A decoder of few layers over the engine, and the same one from the definitions in double precision.</summary>
internal sealed class SmallDecoder : ISegment, IDisposable
{
    private const double Epsilon = 1e-5;
    private static readonly RotarySettings Rotary = new();
    private readonly int layers, heads, keyValueHeads, width;

    public SmallDecoder(int layers, int width, int heads, int keyValueHeads, int hidden, int vocabulary, bool tied)
    {
        (this.layers, this.width, this.heads, this.keyValueHeads) = (layers, width, heads, keyValueHeads);
        Vocabulary = vocabulary;
        var keyWidth = width / heads * keyValueHeads;
        Weights = [Matrix("embedding", vocabulary, width)];
        for (var layer = 0; layer < layers; layer++)
        {
            Weights.AddRange([Matrix("norm1", 1, width), Matrix("queries", width, width), Matrix("keys", keyWidth, width), Matrix("values", keyWidth, width),
                Matrix("output", width, width), Matrix("norm2", 1, width), Matrix("gate", hidden, width), Matrix("up", hidden, width), Matrix("down", width, hidden)]);
        }
        Weights.Add(Matrix("norm", 1, width));
        if (!tied) Weights.Add(Matrix("head", vocabulary, width));
        for (var i = 0; i < Weights.Count; i++)
        {
            var weight = Weights[i];
            var spread = weight.Rows == 1 ? 0.2f : (float)(1 / Math.Sqrt(weight.Columns));
            Agreement.Normal((int)weight.Count, (ulong)i + 100, spread).CopyTo(weight.Values);
            if (weight.Rows != 1) continue;
            foreach (ref var gain in weight.Values) gain += 1;
        }
    }

    public List<Weight> Weights { get; }

    public int Vocabulary { get; }

    private Weight Head => Weights.Count == 2 + 9 * layers ? Weights[0] : Weights[^1];

    private int NormIndex => 1 + 9 * layers;

    public KeyValueCache CreateCache(int pages) => new(layers, keyValueHeads, width / heads, pages);

    public Tensor Forward(Engine engine, ReadOnlySpan<int> tokens, SequenceLayout layout)
    {
        var x = engine.Embed(tokens, Weights[0]);
        for (var layer = 0; layer < layers; layer++) x = engine.Segment(this, x, layout, layer);
        return engine.RmsNorm(x, Weights[NormIndex], Epsilon);
    }

    Tensor ISegment.Forward(Tensor x, SequenceLayout layout, int index)
    {
        var (engine, first) = (x.Engine, 1 + 9 * index);
        var h = engine.RmsNorm(x, Weights[first], Epsilon);
        var attended = engine.Attend(engine.Product(h, Weights[first + 1]), engine.Product(h, Weights[first + 2]), engine.Product(h, Weights[first + 3]),
            layout, new AttentionSettings(heads, keyValueHeads, Rotary), index);
        x += engine.Product(attended, Weights[first + 4]);
        h = engine.RmsNorm(x, Weights[first + 5], Epsilon);
        return engine.Residual(x, engine.Product(engine.SwiGlu(engine.Product(h, Weights[first + 6]), engine.Product(h, Weights[first + 7])), Weights[first + 8]));
    }

    /// <summary>Losses of a whole step, with gradients of their mean added to the weights.</summary>
    public Tensor Step(Engine engine, ReadOnlySpan<int> tokens, ReadOnlySpan<int> targets, SequenceLayout layout)
    {
        engine.Record();
        var losses = engine.HeadLoss(Forward(engine, tokens, layout), Head, targets, 1.0 / targets.Length);
        engine.Backward();
        return losses;
    }

    /// <summary>The same losses by definition.</summary>
    public double[] Losses(List<double[]> weights, int[] tokens, int[] targets, int[] lengths)
    {
        var positions = lengths.SelectMany(length => Enumerable.Range(0, length)).ToArray();
        var dimension = width / heads;
        var attention = new AttentionDefinition(lengths, heads, keyValueHeads, dimension);
        var x = EmbeddingDefinition.Forward(tokens, weights[0], width);
        for (var layer = 0; layer < layers; layer++)
        {
            var w = weights.GetRange(1 + 9 * layer, 9);
            var h = RmsNormDefinition.Forward(x, w[0], Epsilon);
            var queries = RotaryDefinition.Apply(ProductDefinition.Forward(h, w[1], width), heads, dimension, positions, Rotary, back: false);
            var keys = RotaryDefinition.Apply(ProductDefinition.Forward(h, w[2], width), keyValueHeads, dimension, positions, Rotary, back: false);
            var attended = attention.Forward(queries, keys, ProductDefinition.Forward(h, w[3], width));
            x = Sum(x, ProductDefinition.Forward(attended, w[4], width));
            h = RmsNormDefinition.Forward(x, w[5], Epsilon);
            var hidden = SwiGluDefinition.Forward(ProductDefinition.Forward(h, w[6], width), ProductDefinition.Forward(h, w[7], width));
            x = Sum(x, ProductDefinition.Forward(hidden, w[8], hidden.Length / tokens.Length));
        }
        var final = RmsNormDefinition.Forward(x, weights[NormIndex], Epsilon);
        return HeadLossDefinition.Forward(final, weights.Count == NormIndex + 1 ? weights[0] : weights[^1], width, targets);
    }

    public void ClearGradients()
    {
        foreach (var weight in Weights) weight.ClearGradient();
    }

    public static SequenceLayout Layout(params int[] lengths)
    {
        var layout = new SequenceLayout();
        foreach (var length in lengths) layout.Add(length);
        return layout;
    }

    /// <summary>Seeded tokens, and as targets the next ones; every seventh row has none.</summary>
    public (int[] Tokens, int[] Targets) Text(int rows)
    {
        var random = new Core.CounterRandom(3, 5);
        var tokens = Enumerable.Range(0, rows).Select(i => (int)random.Below((ulong)i, (uint)Vocabulary)).ToArray();
        var targets = Enumerable.Range(0, rows).Select(i => i % 7 == 6 ? -1 : tokens[(i + 1) % rows]).ToArray();
        return (tokens, targets);
    }

    public void Dispose()
    {
        foreach (var weight in Weights) weight.Dispose();
    }

    private static double[] Sum(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x + y)];

    private static Weight Matrix(string name, int rows, int columns) => Weight.Trainable(name, rows, columns);
}
