using System.Text.Json.Nodes;

namespace OpenEuroLLM.Models.Tests.References;

/// <summary>Llama and its kin. Sources: Touvron et al., "Llama 2", 2023; Llama team, "The Llama 3 herd of models", 2024; Jiang et al.,
/// "Mistral 7B", 2023 (the window); Bakouch et al., "SmolLM3", 2025 (layers without positions, after Yang et al., "RoPE to NoPE and back
/// again", 2025); the published configuration files.</summary>
internal sealed class LlamaReference(JsonObject config, Func<string, (int[] Shape, float[] Values)> weights) : ReferenceModel(config, weights)
{
    protected override double[][] Forward(int[] tokens)
    {
        var rotary = Rotary(tokens.Length);
        var x = Embed(tokens);
        for (var layer = 0; layer < Layers; layer++)
        {
            var p = $"model.layers.{layer}.";
            var a = RmsNorm(x, p + "input_layernorm");
            var q = Linear(a, p + "self_attn.q_proj", Is("attention_bias"));
            var k = Linear(a, p + "self_attn.k_proj", Is("attention_bias"));
            var v = Linear(a, p + "self_attn.v_proj", Is("attention_bias"));
            if (Turns(layer)) (q, k) = (rotary.Apply(q, HeadDimension), rotary.Apply(k, HeadDimension));
            x = Add(x, Linear(Attend(q, k, v, Window), p + "self_attn.o_proj", Is("attention_bias")));

            var m = RmsNorm(x, p + "post_attention_layernorm");
            var gate = Map(Linear(m, p + "mlp.gate_proj", Is("mlp_bias")), Plain.Silu);
            x = Add(x, Linear(Times(gate, Linear(m, p + "mlp.up_proj", Is("mlp_bias"))), p + "mlp.down_proj", Is("mlp_bias")));
        }
        return Head(RmsNorm(x, "model.norm"), Is("tie_word_embeddings"));
    }

    private int? Window => (string)Config["model_type"]! == "mistral" && Has("sliding_window") ? Whole("sliding_window") : null;

    /// <summary>SmolLM3's list is named for the layers without positions, but its ones mark those that have them.</summary>
    private bool Turns(int layer)
    {
        if ((string)Config["model_type"]! != "smollm3") return true;
        if (Config["no_rope_layers"] is JsonArray marks) return (int)marks[layer]! == 1;
        return (layer + 1) % (Has("no_rope_layer_interval") ? Whole("no_rope_layer_interval") : 4) != 0;
    }
}
