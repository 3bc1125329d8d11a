using System.Text.Json.Nodes;

namespace OpenEuroLLM.Models.Tests.References;

/// <summary>Gemma 2 and 3. Sources: Gemma team, "Gemma 2: improving open language models at a practical size", 2024 (norms before and after,
/// soft caps, alternating windows); "Gemma 3 technical report", 2025 (norms of queries and keys instead of caps, five local layers to a global
/// one, two bases of rotation); the published configuration files.</summary>
internal sealed class GemmaReference(JsonObject config, Func<string, (int[] Shape, float[] Values)> weights) : ReferenceModel(WithDefaults(config), weights)
{
    /// <summary>Published settings of Gemma 3's larger models name only what differs from the defaults of their software.</summary>
    private static JsonObject WithDefaults(JsonObject config)
    {
        var whole = (JsonObject)config.DeepClone();
        if ((string)config["model_type"]! != "gemma3_text") return whole;
        void Default(string key, double value) => whole[key] ??= value;
        Default("rms_norm_eps", 1e-6);
        Default("query_pre_attn_scalar", 256);
        whole["max_position_embeddings"] ??= 131072;
        if (whole["rope_parameters"] is not null) return whole;
        Default("rope_theta", 1e6);
        Default("rope_local_base_freq", 1e4);
        return whole;
    }

    protected override double[][] Forward(int[] tokens)
    {
        var third = (string)Config["model_type"]! == "gemma3_text";
        var scale = 1 / Math.Sqrt(Number("query_pre_attn_scalar"));
        var (globally, locally) = (Rotary(tokens.Length), LocalRotary(tokens.Length));
        var x = Map(Embed(tokens), value => value * Math.Sqrt(Width));
        for (var layer = 0; layer < Layers; layer++)
        {
            var p = $"model.layers.{layer}.";
            var local = IsLocal(layer, third);
            var rotary = local ? locally : globally;
            var a = Norm(x, p + "input_layernorm");
            var q = Linear(a, p + "self_attn.q_proj");
            var k = Linear(a, p + "self_attn.k_proj");
            var v = Linear(a, p + "self_attn.v_proj");
            if (third) (q, k) = (HeadNorm(q, p + "self_attn.q_norm", 1), HeadNorm(k, p + "self_attn.k_norm", 1));
            var attended = Attend(rotary.Apply(q, HeadDimension), rotary.Apply(k, HeadDimension), v, local ? Whole("sliding_window") : null, scale, Cap("attn_logit_softcapping"));
            x = Add(x, Norm(Linear(attended, p + "self_attn.o_proj"), p + "post_attention_layernorm"));

            var m = Norm(x, p + "pre_feedforward_layernorm");
            var gated = Times(Map(Linear(m, p + "mlp.gate_proj"), Plain.GeluTanh), Linear(m, p + "mlp.up_proj"));
            x = Add(x, Norm(Linear(gated, p + "mlp.down_proj"), p + "post_feedforward_layernorm"));
        }
        var logits = Head(Norm(x, "model.norm"), tied: true);
        return Cap("final_logit_softcapping") is { } cap ? Map(logits, value => Plain.SoftCap(value, cap)) : logits;
    }

    /// <summary>Gemma's gains are kept as what is added to one.</summary>
    private double[][] Norm(double[][] x, string name) => RmsNorm(x, name, gainOffset: 1);

    private double? Cap(string key) => Has(key) ? Number(key) : null;

    private bool IsLocal(int layer, bool third)
    {
        if (Config["layer_types"] is JsonArray types) return (string)types[layer]! == "sliding_attention";
        var period = third ? (int)(Config["sliding_window_pattern"] ?? Config["_sliding_window_pattern"] ?? 6) : 2;
        return (layer + 1) % period != 0;
    }

    /// <summary>Gemma 3 turns its local layers by a base of their own and does not stretch them.</summary>
    private PlainRotary LocalRotary(int sequenceLength) => Has("rope_local_base_freq")
        ? new(Number("rope_local_base_freq"), HeadDimension, null, Whole("max_position_embeddings"), null, sequenceLength, interleaved: false)
        : Rotary(sequenceLength, "sliding_attention");
}
