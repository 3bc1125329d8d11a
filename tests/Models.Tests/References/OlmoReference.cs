using System.Text.Json.Nodes;

namespace OpenEuroLLM.Models.Tests.References;

/// <summary>OLMo 2 and 3. Sources: OLMo team, "2 OLMo 2 furious", 2025 (norms behind each part instead of before it, norms of all queries and
/// all keys together); "OLMo 3", 2025 (three local layers to a global one, YaRN on the global ones alone); the published configuration files.</summary>
internal sealed class OlmoReference(JsonObject config, Func<string, (int[] Shape, float[] Values)> weights) : ReferenceModel(config, weights)
{
    protected override double[][] Forward(int[] tokens)
    {
        var globally = Rotary(tokens.Length);
        var locally = new PlainRotary(Theta, HeadDimension, null, Whole("max_position_embeddings"), null, tokens.Length, interleaved: false);
        var x = Embed(tokens);
        for (var layer = 0; layer < Layers; layer++)
        {
            var p = $"model.layers.{layer}.";
            var local = IsLocal(layer);
            var rotary = local ? locally : globally;
            var q = RmsNorm(Linear(x, p + "self_attn.q_proj", Is("attention_bias")), p + "self_attn.q_norm");
            var k = RmsNorm(Linear(x, p + "self_attn.k_proj", Is("attention_bias")), p + "self_attn.k_norm");
            var v = Linear(x, p + "self_attn.v_proj", Is("attention_bias"));
            var attended = Attend(rotary.Apply(q, HeadDimension), rotary.Apply(k, HeadDimension), v, local ? Whole("sliding_window") : null);
            x = Add(x, RmsNorm(Linear(attended, p + "self_attn.o_proj", Is("attention_bias")), p + "post_attention_layernorm"));

            var gated = Times(Map(Linear(x, p + "mlp.gate_proj"), Plain.Silu), Linear(x, p + "mlp.up_proj"));
            x = Add(x, RmsNorm(Linear(gated, p + "mlp.down_proj"), p + "post_feedforward_layernorm"));
        }
        return Head(RmsNorm(x, "model.norm"), Is("tie_word_embeddings"));
    }

    private double Theta
    {
        get
        {
            var parameters = Config["rope_parameters"] as JsonObject;
            if (parameters?["sliding_attention"] is JsonObject nested) parameters = nested;
            return Plain.Number(parameters?["rope_theta"] ?? Config["rope_theta"]!);
        }
    }

    private bool IsLocal(int layer)
    {
        if ((string)Config["model_type"]! != "olmo3") return false;
        if (Config["layer_types"] is JsonArray types) return (string)types[layer]! == "sliding_attention";
        return (layer + 1) % 4 != 0;
    }
}
