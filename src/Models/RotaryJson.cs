using System.Globalization;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models;

/// <summary>Rotary settings in <c>config.json</c>: newer writers nest them in <c>rope_parameters</c>, some once for each kind of layer; older ones have
/// <c>rope_theta</c>, <c>partial_rotary_factor</c> and <c>rope_scaling</c>. All are read, and both are written.</summary>
internal static class RotaryJson
{
    public const string FullAttention = "full_attention", SlidingAttention = "sliding_attention";

    private const string Newer = "rope_parameters", Older = "rope_scaling", Part = "partial_rotary_factor", Original = "original_max_position_embeddings",
        ShortList = "short_factor", LongList = "long_factor";

    /// <summary>Largest relative difference between a factor in a file and the one that was published with its scaling, for both to be the same.</summary>
    private const double FactorTolerance = 2e-7;

    /// <summary>Reads the settings.</summary>
    /// <param name="json">The object.</param>
    /// <param name="theta">The base where the file names none.</param>
    /// <param name="headDimension">Numbers of a head, of which a part may turn; null refuses a part.</param>
    /// <param name="contextLength">The context length, which is the original one where a file names no other.</param>
    /// <param name="layers">The kind of layer, where the file has a section for each.</param>
    /// <exception cref="UserErrorException">A setting is missing or out of range, or the scaling is unknown.</exception>
    public static RotarySettings Parse(ConfigJson json, double theta = 10_000, int? headDimension = null, int? contextLength = null, string layers = FullAttention)
    {
        var (section, rope) = Section(json, layers);
        var type = Kind(rope);
        var settings = new RotarySettings(rope?.OptionalNumber("rope_theta") ?? json.Number("rope_theta", theta), Turned(json, section, rope, headDimension));
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
                OriginalContextLength = rope!.Integer(Original, 1, 1 << 24),
            },
            "yarn" => Yarn(settings, json, rope!, contextLength),
            "longrope" when headDimension is not null => LongRope(settings, json, rope!, contextLength),
            _ => throw json.Refused($"{section}.rope_type", type, headDimension is null ? "default, linear, llama3 or yarn" : "default, linear, llama3, yarn or longrope"),
        };

        double Required(string key) => rope!.OptionalNumber(key)
            ?? throw new UserErrorException($"{json.Where}: {section}.{key} is missing; {type} scaling needs it.");
    }

    /// <summary>Whether the file has a section for each kind of layer.</summary>
    public static bool IsByLayers(ConfigJson json) => json.Section(Newer) is { } newer && (newer.Section(FullAttention) ?? newer.Section(SlidingAttention)) is not null;

    /// <summary>Both lists of LongRoPE; null where the scaling is another.</summary>
    /// <exception cref="UserErrorException">A list is missing, too long, or has other things than numbers above 0.</exception>
    public static LongRopeDivisors? Divisors(ConfigJson json)
    {
        var (section, rope) = Section(json, FullAttention);
        return Kind(rope) == "longrope" ? new LongRopeDivisors(List(ShortList), List(LongList)) : null;

        float[] List(string key)
        {
            var list = rope!.List(key) ?? throw new UserErrorException($"{json.Where}: {section}.{key} is missing; longrope scaling needs it.");
            if (list.Count > 256) throw new UserErrorException($"{json.Where}: {section}.{key} has {list.Count} entries; expected at most 256.");
            return [.. list.Select(item => float.TryParse(item?.ToJsonString(), CultureInfo.InvariantCulture, out var number) && number > 0 && float.IsFinite(number)
                ? number : throw new UserErrorException($"{json.Where}: {section}.{key} has an entry that is no number above 0."))];
        }
    }

    /// <summary>Writes the settings in both forms.</summary>
    /// <param name="settings">Settings.</param>
    /// <param name="json">Receives them.</param>
    /// <param name="headDimension">Numbers of a head; needed where a part of it turns.</param>
    /// <param name="lists">Both lists of LongRoPE.</param>
    public static void Write(RotarySettings settings, JsonObject json, int? headDimension = null, LongRopeDivisors? lists = null)
    {
        if (settings.Scaling != RotaryScaling.LongRope && !settings.Divisors.IsEmpty)
            throw new UserErrorException("The model lists its own rotary frequencies (rope_freqs.weight), which config.json cannot say; it can be kept as GGUF only.");
        var scaling = Scaling(settings, lists);
        json[Newer] = new JsonObject([new("rope_theta", settings.Theta), new("rope_type", "default"), .. scaling.Where(entry => entry.Key != "rope_type").Select(Copied)]);
        if (scaling.Count > 0) json[Newer]!["rope_type"] = scaling["rope_type"]!.DeepClone();
        json["rope_theta"] = settings.Theta;
        if (settings.Dimensions is { } turned)
        {
            var share = Share(turned, headDimension ?? throw new ArgumentNullException(nameof(headDimension)));
            (json[Part], json[Newer]![Part]) = (share, share);
        }
        if (scaling.Count == 0) return;
        json[Older] = scaling;
        if (settings.Scaling != RotaryScaling.LongRope) return;
        // Older readers of LongRoPE take a type and two lists and nothing else, and the original context from beside them.
        json[Newer]![Original] = settings.OriginalContextLength;
        json[Original] = settings.OriginalContextLength;
        scaling.Remove("rope_type");
        scaling["type"] = "longrope";

        static KeyValuePair<string, JsonNode?> Copied(KeyValuePair<string, JsonNode?> entry) => new(entry.Key, entry.Value?.DeepClone());
    }

    /// <summary>A factor in a file; null where it is the one that was published with the scaling.</summary>
    public static double? AttentionFactor(double? given, double published) => given is { } factor && Math.Abs(factor - published) > FactorTolerance * published ? given : null;

    /// <summary>LongRoPE's factor where a file has none: the context over the original one, at least 1.</summary>
    public static double LongRopeFactor(int contextLength, int original) => Math.Max(1, (double)contextLength / original);

    /// <summary>LongRoPE's attention factor as published.</summary>
    public static double LongRopeAttentionFactor(double factor, int original) => Numerics.Sqrt(1 + Numerics.Log(factor) / Numerics.Log(original));

    private static (string Name, ConfigJson? Rope) Section(ConfigJson json, string layers)
    {
        if (json.Section(Newer) is not { } newer) return (Older, json.Section(Older));
        return IsByLayers(json) ? ($"{Newer}.{layers}", newer.Section(layers)) : (Newer, newer);
    }

    private static string Kind(ConfigJson? rope) => (rope?.Find("rope_type") ?? rope?.Find("type"))?.ToString() switch
    {
        null => "default",
        "su" => "longrope", // its name in the first files
        var type => type,
    };

    /// <summary>How many numbers of a head turn; null: all.</summary>
    private static int? Turned(ConfigJson json, string section, ConfigJson? rope, int? headDimension)
    {
        var nested = rope?.OptionalNumber(Part);
        var share = nested ?? json.OptionalNumber(Part) ?? 1;
        if (share == 1) return null;
        var key = nested is null ? Part : $"{section}.{Part}";
        if (headDimension is not { } dimension) throw json.Refused(key, FormattableString.Invariant($"{share}"), "1");
        if (share > 1) throw new UserErrorException(FormattableString.Invariant($"{json.Where}: {key} is {share}; expected a number up to 1."));
        return (int)(dimension * share);
    }

    private static RotarySettings Yarn(RotarySettings settings, ConfigJson json, ConfigJson rope, int? contextLength)
    {
        var original = OriginalContext(json, rope, contextLength);
        var factor = rope.OptionalNumber("factor") ?? (contextLength is { } context ? (double)context / original : rope.Number("factor"));
        var published = RotarySettings.YarnAttentionFactor(factor);
        return settings with
        {
            Scaling = RotaryScaling.Yarn,
            Factor = factor,
            OriginalContextLength = original,
            AttentionFactor = AttentionFactor(rope.OptionalNumber("attention_factor")
                ?? RotarySettings.YarnAttentionFactor(factor, rope.OptionalNumber("mscale"), rope.OptionalNumber("mscale_all_dim")), published),
            BetaFast = rope.Number("beta_fast", 32),
            BetaSlow = rope.Number("beta_slow", 1),
            Truncate = rope.Flag("truncate", true),
        };
    }

    private static RotarySettings LongRope(RotarySettings settings, ConfigJson json, ConfigJson rope, int? contextLength)
    {
        var original = OriginalContext(json, rope, null, 2);
        var context = contextLength ?? original;
        var factor = LongRopeFactor(context, original);
        var given = rope.OptionalNumber("attention_factor") ?? (rope.OptionalNumber("factor") is { } other ? LongRopeAttentionFactor(Math.Max(1, other), original) : null);
        return settings with
        {
            Scaling = RotaryScaling.LongRope,
            Factor = factor,
            OriginalContextLength = original,
            // Single precision is what GGUF keeps of it, and what turned numbers are multiplied with in the published code.
            AttentionFactor = AttentionFactor(given, LongRopeAttentionFactor(factor, original)) is { } own ? GgufMetadata.Shortest((float)own) : null,
            Divisors = Divisors(json)!.For(context, original),
        };
    }

    private static int OriginalContext(ConfigJson json, ConfigJson rope, int? absent, int least = 1) =>
        rope.Find(Original) is not null ? rope.Integer(Original, least, 1 << 24) : json.Integer(Original, least, 1 << 24, absent);

    private static JsonObject Scaling(RotarySettings settings, LongRopeDivisors? lists)
    {
        var json = new JsonObject();
        if (settings.Scaling == RotaryScaling.None) return json;
        json["rope_type"] = settings.Scaling switch { RotaryScaling.Linear => "linear", RotaryScaling.Llama3 => "llama3", RotaryScaling.Yarn => "yarn", _ => "longrope" };
        if (settings.Scaling != RotaryScaling.LongRope) json["factor"] = settings.Factor;
        if (settings.Scaling is RotaryScaling.Llama3 or RotaryScaling.Yarn) json[Original] = settings.OriginalContextLength;
        if (settings.Scaling == RotaryScaling.Llama3)
        {
            json["high_freq_factor"] = settings.HighFrequencyFactor;
            json["low_freq_factor"] = settings.LowFrequencyFactor;
        }
        if (settings.Scaling == RotaryScaling.Yarn)
        {
            json["beta_fast"] = settings.BetaFast;
            json["beta_slow"] = settings.BetaSlow;
            if (!settings.Truncate) json["truncate"] = false;
        }
        if (settings.AttentionFactor is { } attention) json["attention_factor"] = attention;
        if (settings.Scaling == RotaryScaling.LongRope)
        {
            if (lists is null) throw new UserErrorException("The model has LongRoPE's divisors, which config.json can say of Phi models only; it can be kept as GGUF only.");
            json[LongList] = Numbers(lists.Long);
            json[ShortList] = Numbers(lists.Short);
        }
        return json;
    }

    /// <summary>Single precision in the fewest digits.</summary>
    private static JsonArray Numbers(ReadOnlyMemory<float> values) =>
        new([.. values.ToArray().Select(value => (JsonNode)double.Parse(value.ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture))]);

    /// <summary>The share that <see cref="Turned"/> reads back as the number, which it rounds down.</summary>
    private static double Share(int turned, int headDimension)
    {
        var share = (double)turned / headDimension;
        return (int)(headDimension * share) == turned ? share : Math.BitIncrement(share);
    }
}
