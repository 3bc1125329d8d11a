using System.Text.Json.Nodes;

namespace OpenEuroLLM.Models.Tests.References;

/// <summary>The weights that a family's published files hold for given settings.</summary>
internal static class TinyTensors
{
    /// <summary>Decoders with the names of Llama and what other families add to them.</summary>
    public static List<TinyTensor> Of(JsonObject config)
    {
        var type = (string)config["model_type"]!;
        int Size(string key) => (int)config[key]!;
        bool Is(string key) => config[key] is { } value && (bool)value;
        var (width, hidden, vocabulary) = (Size("hidden_size"), Size("intermediate_size"), Size("vocab_size"));
        var dimension = config["head_dim"] is { } given ? (int)given : width / Size("num_attention_heads");
        var (queries, shared) = (Size("num_attention_heads") * dimension, Size("num_key_value_heads") * dimension);
        var gemma = type.StartsWith("gemma", StringComparison.Ordinal);
        var attentionBias = Is("attention_bias");
        var tensors = new List<TinyTensor>();

        void Linear(string name, int rows, int columns, bool bias = false)
        {
            tensors.Add(new(name + ".weight", [rows, columns], 0, 1.3 / Math.Sqrt(columns)));
            if (bias) tensors.Add(new(name + ".bias", [rows], 0, 0.3));
        }

        void Norm(string name, int length)
        {
            tensors.Add(new(name + ".weight", [length], gemma ? 0 : 1, 0.25));
            if (type == "pharia-v1") tensors.Add(new(name + ".bias", [length], 0, 0.2));
        }

        tensors.Add(new("model.embed_tokens.weight", [vocabulary, width], 0, gemma ? 0.3 : 1));
        for (var layer = 0; layer < Size("num_hidden_layers"); layer++)
        {
            var p = $"model.layers.{layer}.";
            foreach (var norm in Norms(type)) Norm(p + norm, width);
            if (type == "phi3")
            {
                Linear(p + "self_attn.qkv_proj", queries + 2 * shared, width);
                Linear(p + "self_attn.o_proj", width, queries);
                Linear(p + "mlp.gate_up_proj", 2 * hidden, width);
                Linear(p + "mlp.down_proj", width, hidden);
                continue;
            }
            Linear(p + "self_attn.q_proj", queries, width, attentionBias || type == "qwen2");
            Linear(p + "self_attn.k_proj", shared, width, attentionBias || type == "qwen2");
            Linear(p + "self_attn.v_proj", shared, width, attentionBias || type == "qwen2");
            Linear(p + "self_attn.o_proj", width, queries, attentionBias);
            if (type is "qwen3" or "gemma3_text" or "apertus" or "olmo2" or "olmo3")
            {
                var whole = type is "olmo2" or "olmo3";
                Norm(p + "self_attn.q_norm", whole ? queries : dimension);
                Norm(p + "self_attn.k_norm", whole ? shared : dimension);
            }
            if (type is not ("apertus" or "pharia-v1")) Linear(p + "mlp.gate_proj", hidden, width, Is("mlp_bias"));
            Linear(p + "mlp.up_proj", hidden, width, Is("mlp_bias"));
            Linear(p + "mlp.down_proj", width, hidden, Is("mlp_bias"));
            if (type != "apertus") continue;
            tensors.Add(new(p + "mlp.act_fn.alpha_p", [1], 0.2, 0.3));
            tensors.Add(new(p + "mlp.act_fn.alpha_n", [1], -1, 0.3));
            tensors.Add(new(p + "mlp.act_fn.beta", [1], 0.5, 0));
            tensors.Add(new(p + "mlp.act_fn.eps", [1], -1e-6, 0));
        }
        Norm("model.norm", width);
        if (!Is("tie_word_embeddings")) Linear("lm_head", vocabulary, width);
        return tensors;
    }

    public static List<TinyTensor> OfGpt2(JsonObject config)
    {
        var (width, layers) = ((int)config["n_embd"]!, (int)config["n_layer"]!);
        var tensors = new List<TinyTensor>
        {
            new("transformer.wte.weight", [(int)config["vocab_size"]!, width], 0, 0.5),
            new("transformer.wpe.weight", [(int)config["n_positions"]!, width], 0, 0.3),
        };

        void Transposed(string name, int inputs, int outputs)
        {
            tensors.Add(new(name + ".weight", [inputs, outputs], 0, 1.3 / Math.Sqrt(inputs)));
            tensors.Add(new(name + ".bias", [outputs], 0, 0.3));
        }

        void Norm(string name)
        {
            tensors.Add(new(name + ".weight", [width], 1, 0.25));
            tensors.Add(new(name + ".bias", [width], 0, 0.2));
        }

        for (var layer = 0; layer < layers; layer++)
        {
            var p = $"transformer.h.{layer}.";
            Norm(p + "ln_1");
            Transposed(p + "attn.c_attn", width, 3 * width);
            Transposed(p + "attn.c_proj", width, width);
            Norm(p + "ln_2");
            Transposed(p + "mlp.c_fc", width, 4 * width);
            Transposed(p + "mlp.c_proj", 4 * width, width);
        }
        Norm("transformer.ln_f");
        return tensors;
    }

    private static string[] Norms(string type) => type switch
    {
        "gemma2" or "gemma3_text" => ["input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm"],
        "olmo2" or "olmo3" => ["post_attention_layernorm", "post_feedforward_layernorm"],
        "apertus" => ["attention_layernorm", "feedforward_layernorm"],
        _ => ["input_layernorm", "post_attention_layernorm"],
    };
}
