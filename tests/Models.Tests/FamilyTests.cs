using OpenEuroLLM.Formats.Quantization;
using OpenEuroLLM.Models.Tests.References;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models.Tests;

/// <summary>Every family against its plain definition, read from a folder as any user's is.</summary>
public sealed class FamilyTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("oellm-families-").FullName;
    private readonly Engine engine = new(2);

    /// <summary>The tiny models of the families that this version reads.</summary>
    public static TheoryData<string> Known { get; } =
    [
        .. TinyModels.All.Where(model => ModelFamily.All.Any(family => family.ModelTypes.Contains(model.ModelType))).Select(model => model.Name),
    ];

    public void Dispose()
    {
        engine.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Theory, MemberData(nameof(Known))]
    public void Logits_agree_with_the_plain_definition(string name)
    {
        var tiny = TinyModels.Named(name);
        using var model = Load(tiny);
        var actual = Rows(model, Whole(model, TinyModel.Tokens));
        Assert.InRange(Agreement.WorstRow(actual, tiny.Reference().Logits(TinyModel.Tokens)), 0, 1e-4);
    }

    [Fact]
    public void Every_family_that_is_promised_is_read() => Assert.Equal(TinyModels.All.Select(model => model.Name), Known.Select(row => row.Data));

    /// <summary>Against the plain definition on the values that the quantized weights stand for. Only activations are rounded on the way, so what is
    /// left is within 1e-3.</summary>
    [Theory, MemberData(nameof(Known))]
    public void Quantized_weights_give_the_logits_of_what_they_stand_for(string name)
    {
        foreach (var format in (BlockFormat[])[BlockFormat.Q8_0, BlockFormat.Q4_0])
        {
            var tiny = TinyModels.Named(name).Copy();
            tiny.Write(folder);
            using var source = new QuantizedSource(ModelSource.Open(folder), format);
            using var model = LanguageModel.Load(source, engine);
            var quantized = 0;
            foreach (var weight in model.Weights.Where(weight => weight.Rows > 1))
            {
                var row = new float[weight.Columns];
                var tensor = Tensor(tiny, weight);
                var values = tiny.Values(tensor.Name);
                for (var r = 0; r < weight.Rows; r++)
                {
                    weight.CopyRow(r, row);
                    for (var c = 0; c < row.Length; c++) values[IsTransposed(tiny, tensor) ? c * weight.Rows + r : r * row.Length + c] = row[c];
                }
                if (weight.Type.ToString() == format.Name) quantized++;
            }
            Assert.True(quantized > 2 * model.Config.Layers, $"{quantized} weights are {format.Name}.");
            var actual = Rows(model, Whole(model, TinyModel.Tokens));
            Assert.InRange(Agreement.WorstRow(actual, tiny.Reference().Logits(TinyModel.Tokens)), 1e-9, 1e-3);
        }
    }

    /// <summary>Embeddings are means of the states before the head: put through the head, such a mean is the mean of the plain definition's logits.</summary>
    [Theory, MemberData(nameof(Known))]
    public void The_mean_of_the_states_is_that_of_the_plain_definition(string name)
    {
        var tiny = TinyModels.Named(name);
        using var model = Load(tiny);
        engine.Reset();
        var layout = new SequenceLayout();
        layout.Add(TinyModel.Tokens.Length);
        var states = model.Forward(TinyModel.Tokens, layout);
        var mean = Enumerable.Range(0, states.Columns).Select(i => Enumerable.Range(0, states.Rows).Average(row => (double)states.Values[row * states.Columns + i])).ToArray();
        var shape = model.Config.Weights.Single(weight => weight.Role == (model.Config.TiedHead ? WeightRole.Embedding : WeightRole.Head));
        var head = model.Weights.Single(weight => weight.Name == shape.Name);
        var (actual, expected) = (new double[1, head.Rows], new double[1, head.Rows]);
        var logits = tiny.Reference().Logits(TinyModel.Tokens);
        var (cap, row) = (model.Config is Gemma.GemmaConfig { LogitSoftCap: { } given } ? given : (double?)null, new float[head.Columns]);
        for (var i = 0; i < head.Rows; i++)
        {
            head.CopyRow(i, row);
            actual[0, i] = row.Select((weight, k) => weight * mean[k]).Sum();
            expected[0, i] = Enumerable.Range(0, logits.GetLength(0)).Average(t => cap is { } most ? most / 2 * Core.Numerics.Log((most + logits[t, i]) / (most - logits[t, i])) : logits[t, i]);
        }
        Assert.InRange(Agreement.WorstRow(actual, expected), 0, 1e-4);
    }

    [Theory, MemberData(nameof(Known))]
    public void Chunks_single_tokens_and_mixed_batches_give_the_bits_of_the_whole(string name)
    {
        using var model = Load(TinyModels.Named(name));
        int[] tokens = TinyModel.Tokens, other = [.. tokens.Reverse().Take(31)];
        var (expected, expectedOther) = (Whole(model, tokens), Whole(model, other));
        using var cache = model.CreateCache(8);

        foreach (var piece in (int[])[48, 17, 5, 1])
        {
            using var sequence = cache.Begin();
            sequence.Reserve(tokens.Length);
            var found = new List<float>();
            for (var from = 0; from < tokens.Length; from += piece)
                found.AddRange(Step(model, (sequence, tokens[from..Math.Min(from + piece, tokens.Length)])));
            Assert.Equal(expected, found);
        }

        using var one = cache.Begin();
        using var two = cache.Begin();
        one.Reserve(tokens.Length);
        two.Reserve(other.Length);
        var (first, second) = (new List<float>(Step(model, (one, tokens[..40]))), new List<float>());
        for (var step = 0; step < 8; step++)
        {
            // One sequence is written on token by token while the other's prompt is read in pieces.
            var prompt = other[(4 * step)..Math.Min(4 * step + 4, other.Length)];
            var logits = Step(model, (one, tokens[(40 + step)..(41 + step)]), (two, prompt));
            first.AddRange(logits[..model.VocabularySize]);
            second.AddRange(logits[model.VocabularySize..]);
        }
        Assert.Equal(expected, first);
        Assert.Equal(expectedOther, second);
    }

    /// <summary>Along the gradient, the loss of the plain definition climbs as steeply as the gradient is long; a wrong part of it would
    /// climb less.</summary>
    [Theory, MemberData(nameof(Known))]
    public void The_gradient_is_the_slope_of_the_plain_definition(string name)
    {
        var tiny = TinyModels.Named(name).Copy();
        using var model = Load(tiny, trainable: true);
        var (tokens, targets) = (TinyModel.Tokens[..32], TinyModel.Tokens[1..33]);
        engine.Reset();
        engine.Record();
        var layout = new SequenceLayout();
        layout.Add(tokens.Length);
        var losses = model.Loss(model.Forward(tokens, layout), targets, 1.0 / tokens.Length).Values.ToArray();
        engine.Backward();
        Assert.Equal(Loss(tiny, tokens, targets), losses.Average(), 1e-4);

        foreach (var weight in model.Weights.Where(weight => weight.IsTrainable))
        {
            Assert.DoesNotContain(weight.Gradient.ToArray(), value => !float.IsFinite(value));
            Assert.True(weight.Gradient.ToArray().Any(value => value != 0), $"{weight.Name} gets no gradient.");
        }
        var parts = model.Weights.Where(weight => weight.IsTrainable).Select(weight => (Tensor: Tensor(tiny, weight), Gradient: weight.Gradient.ToArray())).ToList();
        var length = Math.Sqrt(parts.Sum(part => part.Gradient.Sum(value => (double)value * value)));
        var step = 0.002 / length;
        Move(step);
        var above = Loss(tiny, tokens, targets);
        Move(-2 * step);
        var below = Loss(tiny, tokens, targets);
        Assert.InRange((above - below) / (2 * step * length) / length, 0.998, 1.002);

        void Move(double amount)
        {
            foreach (var (tensor, gradient) in parts)
            {
                var values = tiny.Values(tensor.Name);
                for (var i = 0; i < gradient.Length; i++)
                {
                    var place = i;
                    if (IsTransposed(tiny, tensor)) place = i % tensor.Shape[0] * tensor.Shape[1] + i / tensor.Shape[0];
                    values[place] = (float)(values[place] + amount * gradient[i]);
                }
            }
        }
    }

    private static TinyTensor Tensor(TinyModel tiny, Weight weight)
    {
        var tensor = tiny.Tensors.SingleOrDefault(tensor => tensor.Name == weight.Name || tiny.FileName(tensor.Name) == weight.Name || tensor.Name == "transformer." + weight.Name);
        Assert.True(tensor is not null, $"{weight.Name} is no weight of {tiny.Name}.");
        Assert.Equal(tensor.Count, weight.Count);
        return tensor;
    }

    /// <summary>The matrices of GPT-2's layers lie in its files as (in, out).</summary>
    private static bool IsTransposed(TinyModel tiny, TinyTensor tensor) =>
        tiny.ModelType == "gpt2" && tensor.Shape.Length == 2 && tensor.Name.StartsWith("transformer.h.", StringComparison.Ordinal);

    private static double Loss(TinyModel tiny, int[] tokens, int[] targets)
    {
        var logits = tiny.Reference().Logits(tokens);
        var sum = 0.0;
        for (var t = 0; t < tokens.Length; t++)
        {
            var row = Enumerable.Range(0, logits.GetLength(1)).Select(i => logits[t, i]).ToArray();
            sum += row.Max() + Core.Numerics.Log(row.Sum(value => Core.Numerics.Exp(value - row.Max()))) - row[targets[t]];
        }
        return sum / tokens.Length;
    }

    private LanguageModel Load(TinyModel tiny, bool trainable = false)
    {
        tiny.Write(folder);
        return ModelFolder.Load(folder, engine, trainable);
    }

    private float[] Whole(LanguageModel model, int[] tokens)
    {
        engine.Reset();
        var layout = new SequenceLayout();
        layout.Add(tokens.Length);
        return Logits(model, tokens, layout);
    }

    private float[] Step(LanguageModel model, params (KeyValueSequence Sequence, int[] Tokens)[] parts)
    {
        engine.Reset();
        var layout = new SequenceLayout();
        foreach (var (sequence, tokens) in parts) layout.Add(tokens.Length, sequence);
        return Logits(model, [.. parts.SelectMany(part => part.Tokens)], layout);
    }

    private static float[] Logits(LanguageModel model, int[] tokens, SequenceLayout layout)
    {
        var logits = new float[tokens.Length * model.VocabularySize];
        model.Logits(model.Forward(tokens, layout), [.. Enumerable.Range(0, tokens.Length)], logits);
        return logits;
    }

    private static double[,] Rows(LanguageModel model, float[] logits)
    {
        var rows = new double[logits.Length / model.VocabularySize, model.VocabularySize];
        for (var i = 0; i < logits.Length; i++) rows[i / model.VocabularySize, i % model.VocabularySize] = logits[i];
        return rows;
    }
}
