using System.Text.Json.Nodes;

namespace OpenEuroLLM.Models.Tests.References;

/// <summary>Phi-3 to Phi-4-mini. Sources: Abdin et al., "Phi-3 technical report", 2024; "Phi-4 technical report", 2024; "Phi-4-mini technical
/// report", 2025 (a part of each head is turned); the published configuration files. Queries, keys and values lie in one matrix, gate and up in
/// another.</summary>
internal sealed class PhiReference(JsonObject config, Func<string, (int[] Shape, float[] Values)> weights) : ReferenceModel(config, weights)
{
    protected override double[][] Forward(int[] tokens)
    {
        var rotary = Rotary(tokens.Length);
        var (queries, shared) = (Heads * HeadDimension, KeyValueHeads * HeadDimension);
        int? window = Has("sliding_window") ? Whole("sliding_window") : null;
        var x = Embed(tokens);
        for (var layer = 0; layer < Layers; layer++)
        {
            var p = $"model.layers.{layer}.";
            var fused = Linear(RmsNorm(x, p + "input_layernorm"), p + "self_attn.qkv_proj");
            var q = Columns(fused, 0, queries);
            var k = Columns(fused, queries, shared);
            var v = Columns(fused, queries + shared, shared);
            x = Add(x, Linear(Attend(rotary.Apply(q, HeadDimension), rotary.Apply(k, HeadDimension), v, window), p + "self_attn.o_proj"));

            var both = Linear(RmsNorm(x, p + "post_attention_layernorm"), p + "mlp.gate_up_proj");
            var hidden = Whole("intermediate_size");
            x = Add(x, Linear(Times(Map(Columns(both, 0, hidden), Plain.Silu), Columns(both, hidden, hidden)), p + "mlp.down_proj"));
        }
        return Head(RmsNorm(x, "model.norm"), Is("tie_word_embeddings"));
    }

    private static double[][] Columns(double[][] x, int first, int count) => [.. x.Select(row => row[first..(first + count)])];
}
