using OpenEuroLLM.Tensors.Kernels.Reference;

namespace OpenEuroLLM.Tensors.Tests;

/// <summary>A decoder whose layers use what <see cref="SmallDecoder"/> does not: biases, layer norms, norms of heads, fused products, learned positions,
/// a factor of the embedding, activations without a gate, soft caps, YaRN. No model is like it; it holds all of them together.</summary>
internal sealed class MixedDecoder : ISegment, IDisposable
{
    private const double Epsilon = 1e-5, EmbeddingFactor = 1.7, ScoreCap = 2.5, LogitCap = 1.5, Beta = 0.5, LargestExponent = -1e-6;
    private const int Heads = 2, KeyValueHeads = 1, PerLayer = 14;
    private static readonly RotarySettings Rotary = new(100, Scaling: RotaryScaling.Yarn, Factor: 4, OriginalContextLength: 16, BetaFast: 2, BetaSlow: 0.5);
    private readonly int layers, width, hidden, vocabulary;
    private readonly int? window;

    public MixedDecoder(int layers, int width, int hidden, int vocabulary, int positions, int? window = null)
    {
        (this.layers, this.width, this.hidden, this.vocabulary, this.window) = (layers, width, hidden, vocabulary, window);
        Weights = [Matrix("embedding", vocabulary, width), Matrix("positions", positions, width)];
        for (var layer = 0; layer < layers; layer++)
        {
            Weights.AddRange([Matrix("gain1", 1, width), Matrix("bias1", 1, width), Matrix("fused", Fused, width), Matrix("fused bias", 1, Fused),
                Matrix("queries' gain", 1, Dimension), Matrix("keys' gain", 1, Dimension), Matrix("output", width, width), Matrix("output bias", 1, width),
                Matrix("gain2", 1, width), Matrix("up", hidden, width), Matrix("up bias", 1, hidden), Matrix("down", width, hidden),
                Matrix("alpha positive", 1, 1), Matrix("alpha negative", 1, 1)]);
        }
        Weights.AddRange([Matrix("gain", 1, width), Matrix("bias", 1, width)]);
        for (var i = 0; i < Weights.Count; i++)
        {
            var spread = Weights[i].Rows == 1 ? 0.3f : (float)(1 / Math.Sqrt(width));
            Agreement.Normal((int)Weights[i].Count, (ulong)i + 200, spread).CopyTo(Weights[i].Values);
            if (!Weights[i].Name.Contains("gain", StringComparison.Ordinal)) continue;
            foreach (ref var gain in Weights[i].Values) gain += 1;
        }
    }

    public List<Weight> Weights { get; }

    private int Dimension => width / Heads;

    private int KeyWidth => KeyValueHeads * Dimension;

    private int Fused => width + 2 * KeyWidth;

    private AttentionSettings Attention => new(Heads, KeyValueHeads, Rotary, window, SoftCap: ScoreCap);

    public KeyValueCache CreateCache(int pages) => new(layers, KeyValueHeads, Dimension, pages);

    public Tensor Forward(Engine engine, ReadOnlySpan<int> tokens, SequenceLayout layout)
    {
        var x = engine.AddPositions(engine.Scale(engine.Embed(tokens, Weights[0]), EmbeddingFactor), Weights[1], layout);
        for (var layer = 0; layer < layers; layer++) x = engine.Segment(this, x, layout, layer);
        return engine.LayerNorm(x, Weights[^2], Weights[^1], Epsilon);
    }

    Tensor ISegment.Forward(Tensor x, SequenceLayout layout, int index)
    {
        var (engine, w) = (x.Engine, 2 + PerLayer * index);
        var fused = engine.AddBias(engine.Product(engine.LayerNorm(x, Weights[w], Weights[w + 1], Epsilon), Weights[w + 2]), Weights[w + 3]);
        var queries = engine.HeadNorm(engine.Columns(fused, 0, width), Weights[w + 4], Epsilon);
        var keys = engine.HeadNorm(engine.Columns(fused, width, KeyWidth), Weights[w + 5], Epsilon, gainPlusOne: true);
        var attended = engine.Attend(queries, keys, engine.Columns(fused, width + KeyWidth, KeyWidth), layout, Attention, index);
        x = engine.Residual(x, engine.AddBias(engine.Product(attended, Weights[w + 6]), Weights[w + 7]));
        var h = engine.AddBias(engine.Product(engine.LayerNorm(x, Weights[w + 8], null, Epsilon), Weights[w + 9]), Weights[w + 10]);
        h = (index % 4) switch
        {
            0 => engine.XIelu(h, Weights[w + 12], Weights[w + 13], Beta, LargestExponent),
            1 => engine.Gelu(h, GeluForm.Tanh),
            2 => engine.SquaredRelu(h),
            _ => engine.Gelu(h, GeluForm.Exact),
        };
        return engine.Residual(x, engine.Product(h, Weights[w + 11]));
    }

    public Tensor Logits(Engine engine, ReadOnlySpan<int> tokens, SequenceLayout layout, ReadOnlySpan<int> rows) =>
        engine.Logits(Forward(engine, tokens, layout), Weights[0], rows, LogitCap);

    /// <summary>Losses of a whole step, with gradients of their mean added to the weights.</summary>
    public Tensor Step(Engine engine, ReadOnlySpan<int> tokens, ReadOnlySpan<int> targets, SequenceLayout layout)
    {
        engine.Record();
        var losses = engine.HeadLoss(Forward(engine, tokens, layout), Weights[0], targets, 1.0 / targets.Length, LogitCap);
        engine.Backward();
        return losses;
    }

    /// <summary>The same losses by definition.</summary>
    public double[] Losses(List<double[]> weights, int[] tokens, int[] targets, int[] lengths)
    {
        var positions = lengths.SelectMany(length => Enumerable.Range(0, length)).ToArray();
        var attention = new AttentionDefinition(lengths, Heads, KeyValueHeads, Dimension, window, SoftCap: ScoreCap);
        var x = Sum([.. EmbeddingDefinition.Forward(tokens, weights[0], width).Select(value => value * EmbeddingFactor)], EmbeddingDefinition.Forward(positions, weights[1], width));
        for (var layer = 0; layer < layers; layer++)
        {
            var w = weights.GetRange(2 + PerLayer * layer, PerLayer);
            var fused = BiasDefinition.Forward(ProductDefinition.Forward(LayerNormDefinition.Forward(x, w[0], w[1], Epsilon), w[2], width), w[3]);
            var queries = RmsNormDefinition.Forward(ColumnsDefinition.Forward(fused, Fused, 0, width), w[4], Epsilon);
            var keys = RmsNormDefinition.Forward(ColumnsDefinition.Forward(fused, Fused, width, KeyWidth), [.. w[5].Select(gain => 1 + gain)], Epsilon);
            var attended = attention.Forward(RotaryDefinition.Apply(queries, Heads, Dimension, positions, Rotary, back: false),
                RotaryDefinition.Apply(keys, KeyValueHeads, Dimension, positions, Rotary, back: false), ColumnsDefinition.Forward(fused, Fused, width + KeyWidth, KeyWidth));
            x = Sum(x, BiasDefinition.Forward(ProductDefinition.Forward(attended, w[6], width), w[7]));
            var h = BiasDefinition.Forward(ProductDefinition.Forward(LayerNormDefinition.Forward(x, w[8], [], Epsilon), w[9], width), w[10]);
            Func<double, double> curve = (layer % 4) switch
            {
                0 => new XIeluDefinition(w[12][0], w[13][0], Beta, LargestExponent).Value,
                1 => value => GeluDefinition.Value(value, GeluForm.Tanh),
                2 => SquaredReluDefinition.Value,
                _ => value => GeluDefinition.Value(value, GeluForm.Exact),
            };
            x = Sum(x, ProductDefinition.Forward([.. h.Select(curve)], w[11], hidden));
        }
        return HeadLossDefinition.Forward(LayerNormDefinition.Forward(x, weights[^2], weights[^1], Epsilon), weights[0], width, targets, LogitCap);
    }

    /// <summary>Seeded tokens, and as targets the next ones; every seventh row has none.</summary>
    public (int[] Tokens, int[] Targets) Text(int rows)
    {
        var random = new Core.CounterRandom(3, 6);
        var tokens = Enumerable.Range(0, rows).Select(i => (int)random.Below((ulong)i, (uint)vocabulary)).ToArray();
        return (tokens, [.. Enumerable.Range(0, rows).Select(i => i % 7 == 6 ? -1 : tokens[(i + 1) % rows])]);
    }

    public void ClearGradients()
    {
        foreach (var weight in Weights) weight.ClearGradient();
    }

    public void Dispose()
    {
        foreach (var weight in Weights) weight.Dispose();
    }

    private static double[] Sum(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x + y)];

    private static Weight Matrix(string name, int rows, int columns) => Weight.Trainable(name, rows, columns);
}
