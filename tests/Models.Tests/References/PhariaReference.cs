using System.Text.Json.Nodes;

namespace OpenEuroLLM.Models.Tests.References;

/// <summary>Pharia-1. Sources: Aleph Alpha, "Introducing Pharia-1-LLM: transparent and compliant", 2024 (layer norms, biases, ungated GELU,
/// grouped queries); the published configuration file and model description: neighbours form the pairs of the rotation, and the norms add the
/// 1e-5 that no setting names.</summary>
internal sealed class PhariaReference(JsonObject config, Func<string, (int[] Shape, float[] Values)> weights) : ReferenceModel(config, weights)
{
    private const double Epsilon = 1e-5;

    protected override double[][] Forward(int[] tokens)
    {
        var rotary = Rotary(tokens.Length, interleaved: true);
        var x = Embed(tokens);
        for (var layer = 0; layer < Layers; layer++)
        {
            var p = $"model.layers.{layer}.";
            var a = LayerNorm(x, p + "input_layernorm", Epsilon);
            var q = Linear(a, p + "self_attn.q_proj", Is("attention_bias"));
            var k = Linear(a, p + "self_attn.k_proj", Is("attention_bias"));
            var v = Linear(a, p + "self_attn.v_proj", Is("attention_bias"));
            x = Add(x, Linear(Attend(rotary.Apply(q, HeadDimension), rotary.Apply(k, HeadDimension), v), p + "self_attn.o_proj", Is("attention_bias")));

            var m = Linear(LayerNorm(x, p + "post_attention_layernorm", Epsilon), p + "mlp.up_proj", Is("mlp_bias"));
            x = Add(x, Linear(Map(m, Plain.Gelu), p + "mlp.down_proj", Is("mlp_bias")));
        }
        return Head(LayerNorm(x, "model.norm", Epsilon), Is("tie_word_embeddings"));
    }
}
