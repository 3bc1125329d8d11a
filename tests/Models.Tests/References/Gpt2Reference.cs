using System.Text.Json.Nodes;

namespace OpenEuroLLM.Models.Tests.References;

/// <summary>GPT-2. Sources: Radford et al., "Language models are unsupervised multitask learners", 2019; the published configuration files.
/// Its matrices are stored as (in, out), the transpose of everybody else's.</summary>
internal sealed class Gpt2Reference(JsonObject config, Func<string, (int[] Shape, float[] Values)> weights) : ReferenceModel(config, weights)
{
    protected override double[][] Forward(int[] tokens)
    {
        var width = Whole("n_embd");
        var heads = Whole("n_head");
        var epsilon = Number("layer_norm_epsilon");
        var places = Matrix("transformer.wpe.weight");
        var x = Add(Embed(tokens, "transformer.wte.weight"), [.. tokens.Select((_, t) => places[t])]);
        for (var layer = 0; layer < Whole("n_layer"); layer++)
        {
            var p = $"transformer.h.{layer}.";
            var fused = TransposedLinear(LayerNorm(x, p + "ln_1", epsilon), p + "attn.c_attn");
            double[][] Part(int number) => [.. fused.Select(row => row[(number * width)..((number + 1) * width)])];
            var attended = Plain.Attention(Part(0), Part(1), Part(2), heads, heads, width / heads, 1 / Math.Sqrt((double)width / heads), window: null, softCap: null);
            x = Add(x, TransposedLinear(attended, p + "attn.c_proj"));

            var m = Map(TransposedLinear(LayerNorm(x, p + "ln_2", epsilon), p + "mlp.c_fc"), Plain.GeluTanh);
            x = Add(x, TransposedLinear(m, p + "mlp.c_proj"));
        }
        var table = Matrix("transformer.wte.weight");
        return [.. LayerNorm(x, "transformer.ln_f", epsilon).Select(row => Plain.Product(table, row))];
    }

    private double[][] TransposedLinear(double[][] x, string name)
    {
        var (matrix, bias) = (Matrix(name + ".weight"), Vector(name + ".bias"));
        return [.. x.Select(row =>
        {
            var y = bias.ToArray();
            for (var i = 0; i < row.Length; i++)
                for (var o = 0; o < y.Length; o++) y[o] += row[i] * matrix[i][o];
            return y;
        })];
    }
}
