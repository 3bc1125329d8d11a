using System.Text.Json.Nodes;

namespace OpenEuroLLM.Models.Tests.References;

/// <summary>A tiny model for every family and for each setting that changes its arithmetic. Settings are in the published form, old and new;
/// numbers such as windows, caps and lengths are small enough to matter within <see cref="TinyModel.Tokens"/>.</summary>
internal static class TinyModels
{
    private const string Llama3Scaling = """{"rope_type":"llama3","factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,"original_max_position_embeddings":64""";
    private const string LongFactors = "[1.0,1.12,1.25,1.4,1.6,1.9,2.3,2.9,3.8,5.1,7.0,9.5]";
    private const string ShortFactors = "[1.0,1.0,1.01,1.02,1.02,1.03,1.05,1.07,1.1,1.12,1.2,1.3]";

    public static IReadOnlyList<TinyModel> All { get; } =
    [
        Decoder("llama", "LlamaForCausalLM", "llama", 2, 64, 96, 4, 2, """ "rope_theta":10000.0,"rope_scaling":null,"attention_bias":false,"mlp_bias":false,"hidden_act":"silu" """),
        Decoder("llama-3-tied", "LlamaForCausalLM", "llama", 2, 64, 96, 4, 2, $$""" "head_dim":32,"tie_word_embeddings":true,"max_position_embeddings":512,"rope_parameters":{{Llama3Scaling}},"rope_theta":10000.0},"hidden_act":"silu" """),
        Decoder("llama-linear", "LlamaForCausalLM", "llama", 2, 64, 96, 4, 4, """ "rope_theta":10000.0,"rope_scaling":{"type":"linear","factor":4.0},"hidden_act":"silu" """),
        Decoder("llama-biases", "LlamaForCausalLM", "llama", 2, 64, 96, 4, 2, """ "rope_theta":10000.0,"attention_bias":true,"mlp_bias":true,"hidden_act":"silu" """),
        Decoder("llama-wide", "LlamaForCausalLM", "llama", 2, 256, 512, 4, 2, """ "rope_theta":10000.0,"hidden_act":"silu" """),
        Decoder("mistral-window", "MistralForCausalLM", "mistral", 2, 64, 96, 4, 1, """ "rope_theta":10000.0,"sliding_window":8,"hidden_act":"silu" """),
        Decoder("mistral-nemo", "MistralForCausalLM", "mistral", 2, 64, 96, 4, 2, """ "rope_theta":1000000.0,"sliding_window":null,"head_dim":32,"hidden_act":"silu" """),
        Decoder("smollm3", "SmolLM3ForCausalLM", "smollm3", 4, 64, 96, 4, 2, """ "rope_theta":5000000.0,"rope_scaling":null,"no_rope_layers":[1,0,1,0],"no_rope_layer_interval":2,"use_sliding_window":false,"sliding_window":null,"tie_word_embeddings":true,"hidden_act":"silu" """),
        Decoder("qwen2", "Qwen2ForCausalLM", "qwen2", 2, 64, 96, 4, 2, """ "rope_theta":1000000.0,"use_sliding_window":false,"sliding_window":32768,"max_window_layers":1,"tie_word_embeddings":true,"hidden_act":"silu" """),
        Decoder("qwen2-yarn", "Qwen2ForCausalLM", "qwen2", 2, 64, 96, 2, 1, """ "rope_theta":10000.0,"rope_scaling":{"type":"yarn","factor":4.0,"original_max_position_embeddings":32},"max_position_embeddings":128,"use_sliding_window":false,"hidden_act":"silu" """),
        Decoder("qwen3", "Qwen3ForCausalLM", "qwen3", 2, 64, 96, 4, 2, """ "rope_theta":1000000.0,"rope_scaling":null,"head_dim":32,"attention_bias":false,"use_sliding_window":false,"sliding_window":null,"max_window_layers":2,"tie_word_embeddings":true,"hidden_act":"silu" """),
        Decoder("qwen3-wide", "Qwen3ForCausalLM", "qwen3", 2, 256, 512, 4, 2, """ "rope_theta":1000000.0,"head_dim":64,"attention_bias":false,"use_sliding_window":false,"tie_word_embeddings":false,"hidden_act":"silu" """),
        Decoder("gemma2", "Gemma2ForCausalLM", "gemma2", 4, 64, 96, 4, 2, $$""" "rope_theta":10000.0,"head_dim":32,"query_pre_attn_scalar":24,"attn_logit_softcapping":3.0,"final_logit_softcapping":5.0,"sliding_window":8,{{Gelu}} """),
        Decoder("gemma3-text", "Gemma3ForCausalLM", "gemma3_text", 3, 64, 96, 4, 1, $$""" "rope_theta":1000000.0,"rope_local_base_freq":10000.0,"rope_scaling":{"rope_type":"linear","factor":8.0},"head_dim":32,"query_pre_attn_scalar":24,"attn_logit_softcapping":null,"final_logit_softcapping":null,"sliding_window":8,"sliding_window_pattern":3,{{Gelu}} """),
        Multimodal("gemma3", 6, """ "head_dim":32,"rope_scaling":{"rope_type":"linear","factor":8.0},"sliding_window":8 """, name => "language_model." + name),
        Multimodal("gemma3-renamed", 3, $$""" {{LayerRotations}},"head_dim":32,"query_pre_attn_scalar":32,"sliding_window":8,"_sliding_window_pattern":2,"layer_types":["sliding_attention","full_attention","sliding_attention"],{{Gelu}} """, name => name.Replace("model.", "model.language_model.", StringComparison.Ordinal)),
        Decoder("olmo2", "Olmo2ForCausalLM", "olmo2", 2, 64, 96, 4, 4, """ "rope_theta":500000,"rope_scaling":null,"attention_bias":false,"hidden_act":"silu" """),
        Decoder("olmo2-grouped", "Olmo2ForCausalLM", "olmo2", 2, 64, 96, 4, 2, """ "rope_theta":500000,"rope_scaling":null,"attention_bias":false,"hidden_act":"silu" """),
        Decoder("olmo3", "Olmo3ForCausalLM", "olmo3", 4, 64, 96, 2, 2, """ "rope_theta":10000,"rope_scaling":{"rope_type":"yarn","factor":4.0,"original_max_position_embeddings":32,"attention_factor":1.1386294361119891,"beta_fast":32,"beta_slow":1},"max_position_embeddings":128,"sliding_window":8,"layer_types":["sliding_attention","full_attention","sliding_attention","full_attention"],"attention_bias":false,"hidden_act":"silu" """),
        Decoder("apertus", "ApertusForCausalLM", "apertus", 2, 64, 96, 4, 2, $$""" "rope_theta":10000,"rope_scaling":{{Llama3Scaling}},"type":"llama3"},"max_position_embeddings":512,"qk_norm":true,"post_norm":false,"mlp_bias":false,"attention_bias":false,"hidden_act":"xielu" """),
        Decoder("phi3", "Phi3ForCausalLM", "phi3", 2, 64, 96, 4, 4, """ "rope_theta":10000.0,"rope_scaling":null,"original_max_position_embeddings":64,"sliding_window":8,"attention_bias":false,"hidden_act":"silu" """),
        Decoder("phi3.5-short", "Phi3ForCausalLM", "phi3", 2, 96, 96, 4, 4, $$""" "rope_theta":10000.0,"rope_scaling":{"type":"su","long_factor":{{LongFactors}},"short_factor":{{ShortFactors}}},"original_max_position_embeddings":64,"sliding_window":262144,"attention_bias":false,"hidden_act":"silu" """),
        Decoder("phi4", "Phi3ForCausalLM", "phi3", 2, 64, 96, 4, 2, """ "rope_theta":250000,"rope_scaling":null,"original_max_position_embeddings":64,"sliding_window":null,"attention_bias":false,"hidden_act":"silu" """),
        Decoder("phi4-mini", "Phi3ForCausalLM", "phi3", 2, 128, 96, 4, 2, $$""" "rope_theta":10000.0,"partial_rotary_factor":0.75,"rope_scaling":{"type":"longrope","long_factor":{{LongFactors}},"short_factor":{{ShortFactors}}},"original_max_position_embeddings":16,"sliding_window":262144,"tie_word_embeddings":true,"attention_bias":false,"hidden_act":"silu" """),
        Decoder("pharia", "PhariaForCausalLM", "pharia-v1", 2, 64, 128, 4, 2, """ "rope_theta":1000000,"rope_scaling":null,"attention_bias":true,"mlp_bias":true,"hidden_act":"gelu" """),
        Gpt2("gpt2", name => name),
        Gpt2("gpt2-bare", name => name["transformer.".Length..]),
    ];

    public static TinyModel Named(string name) => All.Single(model => model.Name == name);

    private const string LayerRotations = """ "rope_parameters":{"full_attention":{"rope_type":"linear","factor":8.0,"rope_theta":1000000.0},"sliding_attention":{"rope_type":"default","rope_theta":10000.0}} """;
    private const string Gelu = """ "hidden_act":"gelu_pytorch_tanh","hidden_activation":"gelu_pytorch_tanh","tie_word_embeddings":true """;

    /// <param name="name">Name of the tiny model.</param>
    /// <param name="architecture">As published.</param>
    /// <param name="type">As published.</param>
    /// <param name="layers">Layers.</param>
    /// <param name="width">Width.</param>
    /// <param name="hidden">Inner width.</param>
    /// <param name="heads">Heads.</param>
    /// <param name="shared">Heads of keys and values.</param>
    /// <param name="settings">The other settings; they replace the common ones.</param>
    private static TinyModel Decoder(string name, string architecture, string type, int layers, int width, int hidden, int heads, int shared, string settings)
    {
        var config = Common(architecture, type, layers, width, hidden, heads, shared, settings);
        return new TinyModel(name, config, TinyTensors.Of(config));
    }

    private static JsonObject Common(string architecture, string type, int layers, int width, int hidden, int heads, int shared, string settings)
    {
        var config = new JsonObject
        {
            ["architectures"] = new JsonArray(architecture),
            ["model_type"] = type,
            ["vocab_size"] = 96,
            ["hidden_size"] = width,
            ["intermediate_size"] = hidden,
            ["num_hidden_layers"] = layers,
            ["num_attention_heads"] = heads,
            ["num_key_value_heads"] = shared,
            ["max_position_embeddings"] = 64,
            ["rms_norm_eps"] = 1e-5,
            ["initializer_range"] = 0.02,
            ["attention_dropout"] = 0.0,
            ["tie_word_embeddings"] = false,
            ["use_cache"] = true,
            ["bos_token_id"] = 1,
            ["eos_token_id"] = 2,
            ["torch_dtype"] = "float32",
        };
        if (type == "pharia-v1") config.Remove("rms_norm_eps");
        foreach (var (key, value) in JsonNode.Parse("{" + settings + "}")!.AsObject()) config[key] = value?.DeepClone();
        return config;
    }

    /// <summary>The text part within a model that also sees. Its settings are nested, and the older files leave out what is a default.</summary>
    private static TinyModel Multimodal(string name, int layers, string settings, Func<string, string> fileName)
    {
        var text = Common("Gemma3ForCausalLM", "gemma3_text", layers, 64, 96, 4, 2, settings);
        text["tie_word_embeddings"] = true;
        var tensors = TinyTensors.Of(text);
        if (name == "gemma3")
            foreach (var key in (string[])["max_position_embeddings", "rms_norm_eps", "tie_word_embeddings", "attention_dropout"]) text.Remove(key);
        text.Remove("architectures");
        var config = new JsonObject
        {
            ["architectures"] = new JsonArray("Gemma3ForConditionalGeneration"),
            ["model_type"] = "gemma3",
            ["mm_tokens_per_image"] = 4,
            ["text_config"] = text,
            ["vision_config"] = new JsonObject { ["model_type"] = "siglip_vision_model", ["hidden_size"] = 32 },
            ["eos_token_id"] = new JsonArray(1, 2),
        };
        var seen = name == "gemma3" ? "" : "model.";
        return new TinyModel(name, config, tensors)
        {
            FileName = fileName,
            Ignored =
            [
                new(seen + "vision_tower.vision_model.embeddings.patch_embedding.bias", [32], 0, 0),
                new(seen + "multi_modal_projector.mm_input_projection_weight", [32, 64], 0, 0),
            ],
        };
    }

    private static TinyModel Gpt2(string name, Func<string, string> fileName)
    {
        var config = JsonNode.Parse("""
            {"architectures":["GPT2LMHeadModel"],"model_type":"gpt2","activation_function":"gelu_new","attn_pdrop":0.1,"embd_pdrop":0.1,"resid_pdrop":0.1,
            "bos_token_id":96,"eos_token_id":96,"initializer_range":0.02,"layer_norm_epsilon":1e-05,"n_ctx":64,"n_positions":64,"n_embd":64,"n_head":4,"n_layer":2,"vocab_size":97}
            """)!.AsObject();
        return new TinyModel(name, config, TinyTensors.OfGpt2(config))
        {
            FileName = fileName,
            Ignored = [.. Enumerable.Range(0, 2).Select(layer => new TinyTensor(fileName($"transformer.h.{layer}.attn.bias"), [1, 1, 64, 64], 0, 0))],
        };
    }
}
