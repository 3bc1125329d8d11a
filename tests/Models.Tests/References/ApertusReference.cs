using System.Text.Json.Nodes;

namespace OpenEuroLLM.Models.Tests.References;

/// <summary>Apertus. Sources: Apertus team, "Apertus: democratizing open and compliant LLMs for global language environments", 2025 (an
/// ungated part with xIELU, norms of queries and keys); the published configuration files.</summary>
internal sealed class ApertusReference(JsonObject config, Func<string, (int[] Shape, float[] Values)> weights) : ReferenceModel(config, weights)
{
    protected override double[][] Forward(int[] tokens)
    {
        var rotary = Rotary(tokens.Length);
        var x = Embed(tokens);
        for (var layer = 0; layer < Layers; layer++)
        {
            var p = $"model.layers.{layer}.";
            var a = RmsNorm(x, p + "attention_layernorm");
            var q = HeadNorm(Linear(a, p + "self_attn.q_proj"), p + "self_attn.q_norm");
            var k = HeadNorm(Linear(a, p + "self_attn.k_proj"), p + "self_attn.k_norm");
            var v = Linear(a, p + "self_attn.v_proj");
            x = Add(x, Linear(Attend(rotary.Apply(q, HeadDimension), rotary.Apply(k, HeadDimension), v), p + "self_attn.o_proj"));

            var act = p + "mlp.act_fn.";
            var (positive, negative, beta, epsilon) = (Vector(act + "alpha_p")[0], Vector(act + "alpha_n")[0], Vector(act + "beta")[0], Vector(act + "eps")[0]);
            var m = Linear(RmsNorm(x, p + "feedforward_layernorm"), p + "mlp.up_proj");
            x = Add(x, Linear(Map(m, value => Plain.XIelu(value, positive, negative, beta, epsilon)), p + "mlp.down_proj"));
        }
        return Head(RmsNorm(x, "model.norm"), Is("tie_word_embeddings"));
    }
}
