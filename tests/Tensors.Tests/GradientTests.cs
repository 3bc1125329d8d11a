using OpenEuroLLM.Tensors.Kernels.Reference;
using static OpenEuroLLM.Tensors.Tests.Agreement;

namespace OpenEuroLLM.Tensors.Tests;

/// <summary>Every operation's way back, through the engine, against central differences of its definition in double precision.</summary>
public sealed class GradientTests
{
    private const double Tolerance = 2e-5;

    [Fact]
    public void Product()
    {
        using var engine = new Engine(2);
        using var weight = Filled(9, 7, 2);
        var (x, dy) = (Normal(5 * 7, 1), Normal(5 * 9, 3));
        engine.Record();
        var input = engine.Create(5, 7, x);
        Back(engine, engine.Product(input, weight), dy);
        var (xd, wd) = (Double(x), Double(weight.Values));
        double Loss() => Dot(ProductDefinition.Forward(xd, wd, 7), Double(dy));
        Within(Tolerance, Slope(xd, Loss), engine.GradientOf(input), "dx");
        Within(Tolerance, Slope(wd, Loss), weight.Gradient, "dW");
    }

    [Fact]
    public void Norm()
    {
        using var engine = new Engine(2);
        using var gain = Filled(1, 19, 2);
        var (x, dy) = (Normal(5 * 19, 1), Normal(5 * 19, 3));
        engine.Record();
        var input = engine.Create(5, 19, x);
        Back(engine, engine.RmsNorm(input, gain, 1e-5), dy);
        var (xd, gd) = (Double(x), Double(gain.Values));
        double Loss() => Dot(RmsNormDefinition.Forward(xd, gd, 1e-5), Double(dy));
        Within(Tolerance, Slope(xd, Loss), engine.GradientOf(input), "dx");
        Within(Tolerance, Slope(gd, Loss), gain.Gradient, "dGain");
    }

    [Fact]
    public void Attention_with_rotary_embedding()
    {
        const int heads = 4, keyValueHeads = 2, dimension = 6, rows = 12;
        int[] lengths = [1, 8, 3];
        using var engine = new Engine(2);
        var (q, k, v, dy) = (Normal(rows * heads * dimension, 1), Normal(rows * keyValueHeads * dimension, 2), Normal(rows * keyValueHeads * dimension, 3), Normal(rows * heads * dimension, 4));
        engine.Record();
        var queries = engine.Create(rows, heads * dimension, q);
        var keys = engine.Create(rows, keyValueHeads * dimension, k);
        var values = engine.Create(rows, keyValueHeads * dimension, v);
        Back(engine, engine.Attend(queries, keys, values, SmallDecoder.Layout(lengths), new AttentionSettings(heads, keyValueHeads, new RotarySettings(100)), 0), dy);
        var (qd, kd, vd) = (Double(q), Double(k), Double(v));
        var positions = lengths.SelectMany(length => Enumerable.Range(0, length)).ToArray();
        var attention = new AttentionDefinition(lengths, heads, keyValueHeads, dimension);
        double Loss() => Dot(attention.Forward(RotaryDefinition.Apply(qd, heads, dimension, positions, new RotarySettings(100), back: false),
            RotaryDefinition.Apply(kd, keyValueHeads, dimension, positions, new RotarySettings(100), back: false), vd), Double(dy));
        Within(Tolerance, Slope(qd, Loss), engine.GradientOf(queries), "dQueries");
        Within(Tolerance, Slope(kd, Loss), engine.GradientOf(keys), "dKeys");
        Within(Tolerance, Slope(vd, Loss), engine.GradientOf(values), "dValues");
    }

    [Fact]
    public void Gated_unit()
    {
        using var engine = new Engine(2);
        var (g, u, dy) = (Normal(3 * 11, 1, 3), Normal(3 * 11, 2), Normal(3 * 11, 3));
        engine.Record();
        var (gate, up) = (engine.Create(3, 11, g), engine.Create(3, 11, u));
        Back(engine, engine.SwiGlu(gate, up), dy);
        var (gd, ud) = (Double(g), Double(u));
        double Loss() => Dot(SwiGluDefinition.Forward(gd, ud), Double(dy));
        Within(Tolerance, Slope(gd, Loss), engine.GradientOf(gate), "dGate");
        Within(Tolerance, Slope(ud, Loss), engine.GradientOf(up), "dUp");
    }

    [Fact]
    public void Embedding()
    {
        using var engine = new Engine(2);
        using var table = Filled(6, 5, 1);
        int[] tokens = [3, 0, 3, 5, 3];
        var dy = Normal(tokens.Length * 5, 2);
        engine.Record();
        Back(engine, engine.Embed(tokens, table), dy);
        var td = Double(table.Values);
        Within(Tolerance, Slope(td, () => Dot(EmbeddingDefinition.Forward(tokens, td, 5), Double(dy))), table.Gradient, "dTable");
    }

    [Fact]
    public void Head_and_loss()
    {
        using var engine = new Engine(2);
        using var head = Filled(13, 6, 1);
        int[] targets = [3, -1, 12, 0];
        var x = Normal(4 * 6, 2);
        engine.Record();
        var input = engine.Create(4, 6, x);
        engine.HeadLoss(input, head, targets, 0.5);
        engine.Backward();
        var (xd, hd) = (Double(x), Double(head.Values));
        double Loss() => 0.5 * HeadLossDefinition.Forward(xd, hd, 6, targets).Sum();
        Within(Tolerance, Slope(xd, Loss), engine.GradientOf(input), "dx");
        Within(Tolerance, Slope(hd, Loss), head.Gradient, "dHead");
    }

    [Fact]
    public void A_tensor_used_three_times_gathers_all_its_gradients()
    {
        using var engine = new Engine(2);
        using var weight = Filled(5, 5, 1);
        var (x, dy) = (Normal(15, 2), Normal(15, 3));
        engine.Record();
        var input = engine.Create(3, 5, x);
        Back(engine, input + engine.Product(input, weight) + input, dy);
        var (xd, wd) = (Double(x), Double(weight.Values));
        double Loss() => Dot([.. ProductDefinition.Forward(xd, wd, 5).Zip(xd, (y, own) => y + 2 * own)], Double(dy));
        Within(Tolerance, Slope(xd, Loss), engine.GradientOf(input), "dx");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_whole_decoder(bool tied)
    {
        int[] lengths = [4, 1, 5];
        using var engine = new Engine(2);
        using var decoder = new SmallDecoder(layers: 2, width: 8, heads: 4, keyValueHeads: 2, hidden: 11, vocabulary: 10, tied);
        var (tokens, targets) = decoder.Text(lengths.Sum());
        var losses = decoder.Step(engine, tokens, targets, SmallDecoder.Layout(lengths));
        var weights = decoder.Weights.ConvertAll(weight => Double(weight.Values));
        Within(Tolerance, decoder.Losses(weights, tokens, targets, lengths), losses.Values, "loss");
        for (var i = 0; i < weights.Count; i++)
        {
            var slope = Slope(weights[i], () => decoder.Losses(weights, tokens, targets, lengths).Sum() / targets.Length);
            Within(1e-4, slope, decoder.Weights[i].Gradient, decoder.Weights[i].Name);
        }
    }

    [Fact]
    public void Gradients_of_two_micro_batches_add_up()
    {
        using var engine = new Engine(2);
        using var decoder = new SmallDecoder(layers: 1, width: 8, heads: 2, keyValueHeads: 1, hidden: 9, vocabulary: 10, tied: true);
        var (tokens, targets) = decoder.Text(9);
        decoder.Step(engine, tokens, targets, SmallDecoder.Layout(9));
        var once = decoder.Weights.ConvertAll(weight => Double(weight.Gradient));
        engine.Reset();
        decoder.Step(engine, tokens, targets, SmallDecoder.Layout(9));
        for (var i = 0; i < once.Count; i++) Within(1e-5, [.. once[i].Select(value => 2 * value)], decoder.Weights[i].Gradient, decoder.Weights[i].Name);
    }

    private static void Back(Engine engine, Tensor output, float[] dy)
    {
        engine.SetGradient(output, dy);
        engine.Backward();
    }

    private static Weight Filled(int rows, int columns, ulong stream)
    {
        var weight = Weight.Trainable("w", rows, columns);
        Normal(rows * columns, stream).CopyTo(weight.Values);
        return weight;
    }
}
