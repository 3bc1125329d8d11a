using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models;

/// <summary>Rotary settings in <c>config.json</c>: newer writers nest them in <c>rope_parameters</c>, older ones have <c>rope_theta</c> and
/// <c>rope_scaling</c>. Both are read, and both are written.</summary>
internal static class RotaryJson
{
    private const string Newer = "rope_parameters", Older = "rope_scaling";

    /// <summary>Reads the settings.</summary>
    /// <param name="json">The object.</param>
    /// <param name="theta">The base where the file names none.</param>
    public static RotarySettings Parse(ConfigJson json, double theta = 10_000)
    {
        var (section, rope) = json.Section(Newer) is { } newer ? (Newer, newer) : (Older, json.Section(Older));
        var type = (rope?.Find("rope_type") ?? rope?.Find("type"))?.ToString() ?? "default";
        var turned = rope?.OptionalNumber("partial_rotary_factor") ?? 1;
        if (turned != 1) throw json.Refused($"{section}.partial_rotary_factor", FormattableString.Invariant($"{turned}"), "1");
        var settings = new RotarySettings(rope?.OptionalNumber("rope_theta") ?? json.Number("rope_theta", theta));
        return type switch
        {
            "default" => settings,
            "linear" => settings with { Scaling = RotaryScaling.Linear, Factor = Required("factor") },
            "llama3" => settings with
            {
                Scaling = RotaryScaling.Llama3,
                Factor = Required("factor"),
                LowFrequencyFactor = Required("low_freq_factor"),
                HighFrequencyFactor = Required("high_freq_factor"),
                OriginalContextLength = rope!.Integer("original_max_position_embeddings", 1, 1 << 24),
            },
            _ => throw json.Refused($"{section}.rope_type", type, "default, linear or llama3"),
        };

        double Required(string key) => rope!.OptionalNumber(key)
            ?? throw new UserErrorException($"{json.Where}: {section}.{key} is missing; {type} scaling needs it.");
    }

    public static void Write(RotarySettings settings, JsonObject json)
    {
        if (!settings.Divisors.IsEmpty)
            throw new UserErrorException("The model lists its own rotary frequencies (rope_freqs.weight), which config.json cannot say; it can be kept as GGUF only.");
        var rope = new JsonObject { ["rope_theta"] = settings.Theta, ["rope_type"] = "default" };
        if (settings.Scaling != RotaryScaling.None)
        {
            rope["factor"] = settings.Factor;
            rope["rope_type"] = settings.Scaling == RotaryScaling.Linear ? "linear" : "llama3";
        }
        if (settings.Scaling == RotaryScaling.Llama3)
        {
            rope["high_freq_factor"] = settings.HighFrequencyFactor;
            rope["low_freq_factor"] = settings.LowFrequencyFactor;
            rope["original_max_position_embeddings"] = settings.OriginalContextLength;
        }
        json[Newer] = rope;
        json["rope_theta"] = settings.Theta;
        if (settings.Scaling == RotaryScaling.None) return;
        var older = (JsonObject)rope.DeepClone();
        older.Remove("rope_theta");
        json[Older] = older;
    }
}
