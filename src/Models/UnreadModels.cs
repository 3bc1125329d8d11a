using System.Text.Json.Nodes;
using OpenEuroLLM.Formats;

namespace OpenEuroLLM.Models;

/// <summary>Says of a model of an unknown family which part of it this version lacks, as its own settings show it.</summary>
internal static class UnreadModels
{
    private const string Experts = ", a mixture of experts", Latent = ", with latent attention", States = ", with state-space layers", Encoder = ", an encoder";

    private static readonly (string Key, string Part)[] Settings =
    [
        ("num_local_experts", Experts), ("num_experts", Experts), ("n_routed_experts", Experts), ("moe_num_experts", Experts),
        ("kv_lora_rank", Latent),
        ("state_size", States), ("mamba_d_state", States), ("ssm_state_size", States), ("mamba_num_heads", States), ("linear_num_key_heads", States),
    ];

    private static readonly (string Key, string Part)[] GgufSettings =
    [
        ("expert_count", Experts), ("attention.kv_lora_rank", Latent), ("ssm.state_size", States), ("pooling_type", Encoder),
    ];

    /// <summary>What stands in a message after the model's type; empty where nothing shows.</summary>
    public static string Reason(JsonObject json)
    {
        var text = ConfigJson.Find(json, "text_config") as JsonObject ?? json;
        var isMasked = ConfigJson.Find(json, "architectures") is JsonArray classes && classes.Any(name => name?.ToString().EndsWith("ForMaskedLM", StringComparison.Ordinal) == true);
        if (isMasked || ConfigJson.Find(json, "is_encoder_decoder")?.ToJsonString() == "true") return Encoder;
        return string.Concat(Settings.Where(setting => IsAboveZero(ConfigJson.Find(text, setting.Key))).Select(setting => setting.Part).Distinct());
    }

    /// <inheritdoc cref="Reason(JsonObject)"/>
    public static string Reason(GgufFile file, string architecture) =>
        string.Concat(GgufSettings.Where(setting => file.Value($"{architecture}.{setting.Key}")?.Integer > 0).Select(setting => setting.Part).Distinct());

    private static bool IsAboveZero(JsonNode? value) => value is JsonValue number && number.TryGetValue(out long count) && count > 0;
}
