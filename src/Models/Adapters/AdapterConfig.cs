using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;

namespace OpenEuroLLM.Models.Adapters;

/// <summary>Settings of a low-rank adapter (LoRA): a weight W becomes W + scale · B · A, with A of (rank, inputs) and B of (outputs, rank). Source: arXiv:2106.09685.</summary>
/// <param name="Rank">Rows of A, and columns of B.</param>
/// <param name="Alpha">Numerator of the scale.</param>
/// <param name="TargetModules">Last parts of the names of the matrices that are adapted, such as <c>q_proj</c>; null where the file has a pattern instead.</param>
/// <param name="BaseModel">The model it was trained on, as its maker names it; null when the file does not say.</param>
/// <param name="IsRankStabilized">The scale is alpha / √rank (arXiv:2312.03732) instead of alpha / rank.</param>
public sealed record AdapterConfig(int Rank, double Alpha, IReadOnlyList<string>? TargetModules, string? BaseModel = null, bool IsRankStabilized = false)
{
    internal const string FileName = "adapter_config.json";
    private const int LargestRank = 4096;

    // Ways of beginning that change the base model's own weights too, which an adapter folder does not hold.
    private static readonly string[] ChangedBase = ["pissa", "olora", "corda", "loftq"];

    /// <summary>What B · A is multiplied by.</summary>
    public double Scale => IsRankStabilized ? Alpha / Math.Sqrt(Rank) : Alpha / Rank;

    /// <summary>Reads <c>adapter_config.json</c>.</summary>
    /// <exception cref="UserErrorException">It is no LoRA adapter, or one that asks for what is not done here.</exception>
    public static AdapterConfig Parse(JsonObject json, string where)
    {
        var settings = new ConfigJson(json, where, "LoRA");
        if (settings.Text("peft_type") is var kind && kind != "LORA")
            throw new UserErrorException($"{where}: peft_type is {(kind is null ? "missing" : $"'{GgufFile.Shown(kind)}'")}; this version reads LORA.");
        if (settings.Text("task_type") is { } task && task != "CAUSAL_LM") throw settings.Refused("task_type", $"'{GgufFile.Shown(task)}'", "CAUSAL_LM");
        if (settings.Text("bias") is { } bias && bias != "none") throw settings.Refused("bias", $"'{GgufFile.Shown(bias)}'", "none");
        foreach (var flag in new[] { "use_dora", "lora_bias", "use_qalora" })
            if (settings.Flag(flag, absent: false)) throw settings.Refused(flag, "true", "false");
        foreach (var key in new[] { "modules_to_save", "rank_pattern", "alpha_pattern", "target_parameters", "trainable_token_indices", "layer_replication", "megatron_config", "alora_invocation_tokens" })
            if (settings.Find(key) is JsonObject { Count: > 0 } or JsonArray { Count: > 0 } or JsonValue) throw settings.Refused(key, "given", "nothing there");
        if (settings.Find("init_lora_weights") is JsonValue value && value.TryGetValue(out string? begin) && ChangedBase.Any(way => begin.StartsWith(way, StringComparison.OrdinalIgnoreCase)))
            throw settings.Refused("init_lora_weights", $"'{GgufFile.Shown(begin)}', which changes the base model's own weights", "a base that stays as it is");
        return new AdapterConfig(settings.Integer("r", 1, LargestRank), settings.Number("lora_alpha"), Targets(settings), settings.Text("base_model_name_or_path"), settings.Flag("use_rslora", absent: false));
    }

    /// <summary><c>adapter_config.json</c> as other programs read it.</summary>
    public JsonObject ToJson() => new()
    {
        ["base_model_name_or_path"] = BaseModel,
        ["bias"] = "none",
        ["fan_in_fan_out"] = false,
        ["inference_mode"] = true,
        ["lora_alpha"] = Alpha == Math.Floor(Alpha) && Alpha < int.MaxValue ? (int)Alpha : Alpha,
        ["lora_dropout"] = 0.0,
        ["modules_to_save"] = null,
        ["peft_type"] = "LORA",
        ["r"] = Rank,
        ["target_modules"] = TargetModules is null ? null : new JsonArray([.. TargetModules.Select(name => (JsonNode)name)]),
        ["task_type"] = "CAUSAL_LM",
        ["use_rslora"] = IsRankStabilized,
    };

    /// <summary>Whether the settings name a matrix among those that are adapted.</summary>
    /// <param name="module">Name of the matrix without <c>.weight</c>.</param>
    internal bool Targets(string module) => TargetModules is null || TargetModules.Any(name => module == name || module.EndsWith("." + name, StringComparison.Ordinal));

    private static List<string>? Targets(ConfigJson settings)
    {
        if (settings.Find("target_modules") is null or JsonValue) return null; // a pattern, or "all-linear": the tensors say which
        var names = new List<string>();
        foreach (var item in settings.List("target_modules")!)
            names.Add(item is JsonValue value && value.TryGetValue(out string? name) && name.Length > 0 ? name
                : throw new UserErrorException($"{settings.Where}: target_modules holds {item?.ToJsonString() ?? "null"}; expected names of matrices."));
        return names;
    }
}
