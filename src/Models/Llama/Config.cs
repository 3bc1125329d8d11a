using System.Text.Json;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models.Llama;

/// <summary>Shape of a Llama-type decoder.</summary>
/// <param name="Layers">Decoder layers.</param>
/// <param name="Width">Numbers of a token's state.</param>
/// <param name="Heads">Query heads.</param>
/// <param name="KeyValueHeads">Key/value heads; divides <paramref name="Heads"/>.</param>
/// <param name="HeadDimension">Numbers of one head; even.</param>
/// <param name="Hidden">Inner width of the feed-forward part.</param>
/// <param name="VocabularySize">Tokens known, special ones included.</param>
/// <param name="ContextLength">Longest sequence, in tokens.</param>
/// <param name="NormEpsilon">Added to the mean square in norms.</param>
/// <param name="Rotary">How positions turn queries and keys; by default with base 10,000 without scaling.</param>
/// <param name="TiedHead">The embedding serves as output head too.</param>
/// <param name="BeginOfTextId">Token before every text, if the model has one.</param>
/// <param name="EndIds">Tokens that end a generation.</param>
/// <param name="PaddingId">Token for filling up, if the model has one.</param>
public sealed record LlamaConfig(int Layers, int Width, int Heads, int KeyValueHeads, int HeadDimension, int Hidden, int VocabularySize, int ContextLength,
    double NormEpsilon = 1e-5, RotarySettings Rotary = default, bool TiedHead = true, int? BeginOfTextId = null, IReadOnlyList<int>? EndIds = null, int? PaddingId = null)
{
    /// <summary>Tokens that end a generation; never null.</summary>
    public IReadOnlyList<int> EndIds { get; init; } = EndIds ?? [];

    /// <summary>How positions turn queries and keys.</summary>
    public RotarySettings Rotary { get; init; } = Rotary.Theta == 0 ? new() : Rotary;

    /// <summary>Number of parameters.</summary>
    public long Parameters
    {
        get
        {
            var attention = (long)Width * HeadDimension * 2 * (Heads + KeyValueHeads);
            var layer = attention + 3L * Width * Hidden + 2L * Width;
            return layer * Layers + Width + (long)VocabularySize * Width * (TiedHead ? 1 : 2);
        }
    }

    /// <summary>Floating-point operations of one token forward and backward, 6N + 12LdT: 6 for each parameter that takes part in a product (gains of
    /// norms and an embedding that is not also the head do not), and those of attention over <paramref name="context"/> tokens, masked ones counted too.</summary>
    public double TrainingFlopsPerToken(int context)
    {
        var products = Parameters - (2L * Layers + 1) * Width - (TiedHead ? 0 : (long)VocabularySize * Width);
        return 6.0 * products + 12.0 * Layers * Heads * HeadDimension * context;
    }

    /// <summary>Reads <c>config.json</c> of a model folder.</summary>
    /// <exception cref="UserErrorException">Something is missing, out of range, or asks for what this family does not do here.</exception>
    public static LlamaConfig Parse(JsonObject json, string where)
    {
        RefuseUnlessDefault(json, where, "hidden_act", "silu");
        foreach (var flag in new[] { "attention_bias", "mlp_bias" })
            if (Get(json, flag) is JsonValue value && value.TryGetValue(out bool on) && on) throw Refused(where, flag, "true", "false");
        var width = Integer(json, where, "hidden_size", 2, 1 << 20);
        var heads = Integer(json, where, "num_attention_heads", 1, 1 << 14);
        var keyValueHeads = Integer(json, where, "num_key_value_heads", 1, heads, heads);
        var config = new LlamaConfig(
            Integer(json, where, "num_hidden_layers", 1, 4096), width, heads, keyValueHeads,
            Integer(json, where, "head_dim", 2, 512, Math.Max(2, width / heads)),
            Integer(json, where, "intermediate_size", 1, 1 << 22),
            Integer(json, where, "vocab_size", 1, 1 << 24),
            Integer(json, where, "max_position_embeddings", 1, 1 << 24, 2048),
            Number(json, where, "rms_norm_eps", 1e-6),
            RotaryJson.Parse(json, where),
            Get(json, "tie_word_embeddings") is JsonValue tied && tied.TryGetValue(out bool isTied) && isTied,
            Get(json, "bos_token_id") is JsonValue begin && begin.TryGetValue(out int id) ? id : null,
            Get(json, "eos_token_id") switch
            {
                JsonArray list => [.. list.Select(item => item!.GetValue<int>())],
                JsonValue one when one.TryGetValue(out int end) => [end],
                _ => [],
            },
            Get(json, "pad_token_id") is JsonValue padding && padding.TryGetValue(out int pad) ? pad : null);
        if (heads % keyValueHeads != 0)
            throw new UserErrorException($"{where}: num_attention_heads is {heads}; expected a multiple of num_key_value_heads, {keyValueHeads}.");
        if (config.HeadDimension % 2 != 0)
            throw new UserErrorException($"{where}: head_dim is {config.HeadDimension}; expected an even number.");
        RotaryJson.Check(config, where);
        return config;
    }

    /// <summary><c>config.json</c> as Hugging Face's libraries read it.</summary>
    /// <param name="type">Storage type of the weights: <c>float32</c>, <c>float16</c> or <c>bfloat16</c>.</param>
    public JsonObject ToJson(string type)
    {
        var json = Describe(type);
        RotaryJson.Write(Rotary, json);
        return json;
    }

    private JsonObject Describe(string type) => new()
    {
        ["architectures"] = new JsonArray("LlamaForCausalLM"),
        ["attention_bias"] = false,
        ["bos_token_id"] = BeginOfTextId,
        ["dtype"] = type,
        ["eos_token_id"] = new JsonArray([.. EndIds.Select(id => (JsonNode)id)]),
        ["head_dim"] = HeadDimension,
        ["hidden_act"] = "silu",
        ["hidden_size"] = Width,
        ["initializer_range"] = 0.02,
        ["intermediate_size"] = Hidden,
        ["max_position_embeddings"] = ContextLength,
        ["mlp_bias"] = false,
        ["model_type"] = "llama",
        ["num_attention_heads"] = Heads,
        ["num_hidden_layers"] = Layers,
        ["num_key_value_heads"] = KeyValueHeads,
        ["pad_token_id"] = PaddingId,
        ["rms_norm_eps"] = NormEpsilon,
        ["tie_word_embeddings"] = TiedHead,
        ["torch_dtype"] = type,
        ["vocab_size"] = VocabularySize,
    };

    internal static JsonNode? Get(JsonObject? json, string key) => json is not null && json.TryGetPropertyValue(key, out var value) ? value : null;

    private static void RefuseUnlessDefault(JsonObject json, string where, string key, string expected)
    {
        if (Get(json, key) is { } value && value.ToString() != expected) throw Refused(where, key, value.ToString(), expected);
    }

    internal static UserErrorException Refused(string where, string key, string found, string expected) =>
        new($"{where}: {key} is {found}; this version reads Llama models with {expected} only.");

    internal static int Integer(JsonObject json, string where, string key, int smallest, int largest, int? absent = null)
    {
        var value = Get(json, key);
        if (value is null && absent is { } given) return given;
        if (value is JsonValue number && number.GetValueKind() == JsonValueKind.Number && number.TryGetValue(out int found) && found >= smallest && found <= largest) return found;
        throw new UserErrorException($"{where}: {key} is {value?.ToJsonString() ?? "missing"}; expected a whole number from {smallest} to {largest}.");
    }

    internal static double Number(JsonObject? json, string where, string key, double absent)
    {
        var value = Get(json, key);
        if (value is null) return absent;
        if (value.GetValueKind() == JsonValueKind.Number
            && double.TryParse(value.ToJsonString(), System.Globalization.CultureInfo.InvariantCulture, out var found) && found > 0 && double.IsFinite(found)) return found;
        throw new UserErrorException($"{where}: {key} is {value.ToJsonString()}; expected a number above 0.");
    }
}
