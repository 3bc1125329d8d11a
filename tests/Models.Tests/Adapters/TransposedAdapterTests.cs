using OpenEuroLLM.Core;
using OpenEuroLLM.Models.Adapters;
using OpenEuroLLM.Models.Tests.References;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models.Tests.Adapters;

/// <summary>GPT-2's files hold its matrices as (inputs, outputs); an adapter's A and B do not turn with them.</summary>
public sealed class TransposedAdapterTests : IDisposable
{
    private const int Rank = 3;

    private readonly string folder = Directory.CreateTempSubdirectory("oellm-turned-adapter-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory, InlineData("gpt2"), InlineData("gpt2-bare")]
    public void An_adapter_of_GPT2_gives_the_logits_of_the_plain_definition_with_merged_weights(string name)
    {
        var tiny = TinyModels.Named(name).Copy();
        tiny.Write(folder);
        var config = new AdapterConfig(Rank, 6, ["c_attn", "c_fc"]);
        var random = new CounterRandom(23, 0);
        ulong next = 0;
        var matrices = ModelFolder.ReadConfig(folder).Weights.Where(shape => shape.Role is WeightRole.QueryKeyValue or WeightRole.Up)
            .Select(shape => new AdapterMatrix(shape, Some(Rank * shape.Columns), Some(Rank * shape.Rows))).ToList();
        Assert.Equal(4, matrices.Count);
        var adapter = Directory.CreateDirectory(Path.Combine(folder, "adapter")).FullName;
        AdapterWriter.Write(adapter, config, matrices);
        using var engine = new Engine(2);
        using var plain = LanguageModel.Load(folder, engine);
        var before = Agreement.WorstRow(Logits(plain), tiny.Reference().Logits(TinyModel.Tokens));
        foreach (var (shape, a, b) in matrices)
        {
            var values = tiny.Values(tiny.Tensors.Single(tensor => tensor.Name.EndsWith(shape.Name, StringComparison.Ordinal)).Name);
            for (var input = 0; input < shape.Columns; input++)
                for (var output = 0; output < shape.Rows; output++)
                {
                    var sum = 0.0;
                    for (var k = 0; k < Rank; k++) sum += (double)b.Span[output * Rank + k] * a.Span[k * shape.Columns + input];
                    values[input * shape.Rows + output] += (float)(config.Scale * sum);
                }
        }
        using var adapted = LanguageModel.Load(folder, engine, [adapter]);
        var expected = tiny.Reference().Logits(TinyModel.Tokens);
        Assert.InRange(before, 0, 1e-4);
        Assert.InRange(Agreement.WorstRow(Logits(adapted), expected), 0, 1e-4);
        Assert.True(Agreement.WorstRow(Logits(plain), expected) > 0.05, "The adapter changes nothing.");

        float[] Some(int count) => [.. Enumerable.Range(0, count).Select(_ => 0.2f * random.NormalAt(next++))];
    }

    private static double[,] Logits(LanguageModel model)
    {
        model.Engine.Reset();
        var layout = new SequenceLayout();
        layout.Add(TinyModel.Tokens.Length);
        var logits = new float[TinyModel.Tokens.Length * model.VocabularySize];
        model.Logits(model.Forward(TinyModel.Tokens, layout), [.. Enumerable.Range(0, TinyModel.Tokens.Length)], logits);
        var rows = new double[TinyModel.Tokens.Length, model.VocabularySize];
        for (var i = 0; i < logits.Length; i++) rows[i / model.VocabularySize, i % model.VocabularySize] = logits[i];
        return rows;
    }
}
