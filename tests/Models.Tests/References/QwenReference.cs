using System.Text.Json.Nodes;

namespace OpenEuroLLM.Models.Tests.References;

/// <summary>Dense Qwen. Sources: Yang et al., "Qwen2 technical report", 2024 (biases of queries, keys and values); Yang et al., "Qwen3
/// technical report", 2025 (no biases, norms of queries and keys); the published configuration files. OpenEuroLLM's Prelude has the shape of
/// the latter with a head of its own.</summary>
internal sealed class QwenReference(JsonObject config, Func<string, (int[] Shape, float[] Values)> weights) : ReferenceModel(config, weights)
{
    protected override double[][] Forward(int[] tokens)
    {
        var third = (string)Config["model_type"]! == "qwen3";
        var bias = third ? Is("attention_bias") : true;
        var rotary = Rotary(tokens.Length);
        var x = Embed(tokens);
        for (var layer = 0; layer < Layers; layer++)
        {
            var p = $"model.layers.{layer}.";
            var a = RmsNorm(x, p + "input_layernorm");
            var q = Linear(a, p + "self_attn.q_proj", bias);
            var k = Linear(a, p + "self_attn.k_proj", bias);
            var v = Linear(a, p + "self_attn.v_proj", bias);
            if (third) (q, k) = (HeadNorm(q, p + "self_attn.q_norm"), HeadNorm(k, p + "self_attn.k_norm"));
            int? window = Is("use_sliding_window") && layer >= Whole("max_window_layers") ? Whole("sliding_window") : null;
            var attended = Attend(rotary.Apply(q, HeadDimension), rotary.Apply(k, HeadDimension), v, window);
            x = Add(x, Linear(attended, p + "self_attn.o_proj", third && bias));

            var m = RmsNorm(x, p + "post_attention_layernorm");
            x = Add(x, Linear(Times(Map(Linear(m, p + "mlp.gate_proj"), Plain.Silu), Linear(m, p + "mlp.up_proj")), p + "mlp.down_proj"));
        }
        return Head(RmsNorm(x, "model.norm"), Is("tie_word_embeddings"));
    }
}
