using System.Globalization;
using System.Runtime.InteropServices;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Formats.Quantization;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models;

/// <summary>Rotary settings in the metadata of GGUF; Llama 3's scaling is a tensor of divisors there, LongRoPE's lists are two.</summary>
internal static class GgufRotary
{
    /// <summary>Divisors of the rotary frequencies, as Llama 3's scaling gives them.</summary>
    public const string DivisorsName = "rope_freqs.weight";

    private const string ShortName = "rope_factors_short.weight", LongName = "rope_factors_long.weight";

    private const string AttentionFactor = "rope.scaling.attn_factor", Original = "rope.scaling.original_context_length", Factor = "rope.scaling.factor";

    /// <summary>Tensors that are no weights and belong to the settings.</summary>
    public static IReadOnlyList<string> TensorsOf(RotarySettings rotary) => rotary.Scaling == RotaryScaling.LongRope ? [DivisorsName, ShortName, LongName] : [DivisorsName];

    /// <summary>Reads the settings.</summary>
    /// <param name="metadata">The metadata.</param>
    /// <param name="dimension">Numbers of a head.</param>
    /// <param name="contextLength">The context length, which decides between LongRoPE's lists.</param>
    /// <param name="turnsPart">Whether the family may turn a part of a head only, and may have LongRoPE.</param>
    public static RotarySettings Read(GgufMetadata metadata, int dimension, int contextLength = 0, bool turnsPart = false)
    {
        var file = metadata.File;
        var turned = metadata.Integer("rope.dimension_count", 1, 1 << 20, dimension);
        if (turned != dimension && !(turnsPart && turned < dimension))
            throw metadata.Refused("rope.dimension_count", turned.ToString(CultureInfo.InvariantCulture), $"the length of a key, {dimension},");
        var rotary = new RotarySettings(metadata.Number("rope.freq_base", 10_000), turned == dimension ? null : turned);
        if (turnsPart && Divisors(metadata, turned) is { } lists) return LongRope(rotary, metadata, lists, contextLength);
        var type = metadata.Text("rope.scaling.type") ?? (metadata.OptionalNumber("rope.scale_linear") is null ? "none" : "linear");
        rotary = type switch
        {
            "none" => rotary,
            "linear" => rotary with { Scaling = RotaryScaling.Linear, Factor = metadata.Number(Factor, metadata.Number("rope.scale_linear", 1)) },
            "yarn" => Yarn(rotary, metadata, contextLength),
            _ => throw new UserErrorException($"{file.Path}: {metadata.Key("rope.scaling.type")} is {GgufFile.Shown(type)}; this version reads none, linear and yarn, Llama 3's as tensor '{DivisorsName}' and LongRoPE of Phi as '{LongName}'."),
        };
        if (file.Find(DivisorsName) is null) return rotary;
        var divisors = Vector(file, DivisorsName, turned / 2);
        return rotary.Scaling == RotaryScaling.None ? Recognize(rotary, divisors) : rotary with { Divisors = divisors };
    }

    /// <summary>Both lists of LongRoPE, or null where the file has none.</summary>
    /// <param name="metadata">The metadata.</param>
    /// <param name="turned">Numbers of a head that turn.</param>
    public static LongRopeDivisors? Divisors(GgufMetadata metadata, int turned) => metadata.File.Find(LongName) is null && metadata.File.Find(ShortName) is null
        ? null : new LongRopeDivisors(Vector(metadata.File, ShortName, turned / 2), Vector(metadata.File, LongName, turned / 2));

    /// <summary>Adds the settings.</summary>
    /// <param name="rotary">Settings.</param>
    /// <param name="dimension">Numbers of a head.</param>
    /// <param name="description">Receives them.</param>
    /// <param name="lists">Both lists of LongRoPE.</param>
    /// <exception cref="UserErrorException">GGUF cannot say them.</exception>
    public static void Describe(RotarySettings rotary, int dimension, GgufDescription description, LongRopeDivisors? lists = null)
    {
        description.Add("rope.dimension_count", (uint)(rotary.Dimensions ?? dimension));
        description.Add("rope.freq_base", (float)rotary.Theta);
        if (rotary.Scaling == RotaryScaling.Linear)
        {
            description.Add("rope.scaling.type", "linear");
            description.Add(Factor, (float)rotary.Factor);
        }
        if (rotary.Scaling == RotaryScaling.Yarn) DescribeYarn(rotary, description);
        if (rotary.Scaling == RotaryScaling.LongRope && lists is not null)
        {
            description.Add("rope.scaling.type", "longrope");
            description.Add(Original, (uint)rotary.OriginalContextLength);
            description.Add(AttentionFactor, (float)(rotary.AttentionFactor ?? RotaryJson.LongRopeAttentionFactor(rotary.Factor, rotary.OriginalContextLength)));
            description.Tensors.Add(new(LongName, lists.Long.ToArray()));
            description.Tensors.Add(new(ShortName, lists.Short.ToArray()));
            return;
        }
        var divisors = rotary.Scaling == RotaryScaling.Llama3 ? Divisors(rotary, dimension) : rotary.Divisors.ToArray();
        if (divisors.Length > 0) description.Tensors.Add(new(DivisorsName, divisors));
    }

    /// <summary>What Llama 3's scaling divides each frequency by: 1 for short waves, the factor for long ones, a blend between.</summary>
    internal static float[] Divisors(RotarySettings rotary, int dimension)
    {
        var divisors = new float[dimension / 2];
        for (var i = 0; i < divisors.Length; i++)
        {
            var wave = 2 * Math.PI / Numerics.Pow(rotary.Theta, -2.0 * i / dimension);
            var turns = rotary.OriginalContextLength / wave;
            var kept = Math.Clamp((turns - rotary.LowFrequencyFactor) / (rotary.HighFrequencyFactor - rotary.LowFrequencyFactor), 0, 1);
            divisors[i] = (float)(1 / ((1 - kept) / rotary.Factor + kept));
        }
        return divisors;
    }

    private static RotarySettings Yarn(RotarySettings rotary, GgufMetadata metadata, int contextLength)
    {
        var factor = metadata.Number(Factor);
        var published = RotarySettings.YarnAttentionFactor(factor);
        foreach (var key in new[] { "rope.scaling.yarn_ext_factor", "rope.scaling.yarn_attn_factor" })
            if (metadata.OptionalNumber(key) is { } other && other != 1) throw metadata.Refused(key, FormattableString.Invariant($"{other}"), "1");
        // The value comes on top of YaRN's own factor; but files of OLMo 3 hold YaRN's own, and nobody published its square.
        var given = RotaryJson.AttentionFactor(metadata.OptionalNumber(AttentionFactor), published);
        return rotary with
        {
            Scaling = RotaryScaling.Yarn,
            Factor = factor,
            OriginalContextLength = metadata.Integer(Original, 1, 1 << 24, contextLength),
            AttentionFactor = given is { } above ? Rounded(above * published) : null,
            BetaFast = metadata.Number("rope.scaling.yarn_beta_fast", 32),
            BetaSlow = metadata.Number("rope.scaling.yarn_beta_slow", 1),
        };
    }

    /// <summary>The number of six digits that single precision made it from, where there is one.</summary>
    private static double Rounded(double value) =>
        double.Parse(value.ToString("G6", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) is var rounded && Math.Abs(rounded - value) <= 2e-7 * value ? rounded : value;

    private static void DescribeYarn(RotarySettings rotary, GgufDescription description)
    {
        if (!rotary.Truncate)
            throw new UserErrorException("The model's YaRN has its bounds between whole pairs (truncate is false), which GGUF cannot say; keep the model as a folder.");
        description.Add("rope.scaling.type", "yarn");
        description.Add(Factor, (float)rotary.Factor);
        description.Add(Original, (uint)rotary.OriginalContextLength);
        if (rotary.AttentionFactor is { } attention) description.Add(AttentionFactor, (float)(attention / RotarySettings.YarnAttentionFactor(rotary.Factor)));
        if (rotary.BetaFast != 32) description.Add("rope.scaling.yarn_beta_fast", (float)rotary.BetaFast);
        if (rotary.BetaSlow != 1) description.Add("rope.scaling.yarn_beta_slow", (float)rotary.BetaSlow);
    }

    private static RotarySettings LongRope(RotarySettings rotary, GgufMetadata metadata, LongRopeDivisors lists, int contextLength)
    {
        var original = metadata.Integer(Original, 2, 1 << 24);
        var factor = RotaryJson.LongRopeFactor(contextLength, original);
        return rotary with
        {
            Scaling = RotaryScaling.LongRope,
            Factor = factor,
            OriginalContextLength = original,
            AttentionFactor = RotaryJson.AttentionFactor(metadata.OptionalNumber(AttentionFactor), RotaryJson.LongRopeAttentionFactor(factor, original)),
            Divisors = lists.For(contextLength, original),
        };
    }

    private static float[] Vector(GgufFile file, string name, int length)
    {
        var tensor = file.Tensor(name);
        if (tensor.Type.Format != BlockFormat.F32 || !tensor.Shape.SequenceEqual([length]))
            throw new UserErrorException($"{file.Path}: tensor '{tensor.Name}' is {tensor.ShapeText} of {tensor.Type.Name}; expected [{length}] of F32.");
        var values = new float[length];
        file.Read(tensor.Name, 0, MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    /// <summary>Divisors that Llama 3's scaling gives with the published bounds (releases differ in the factor and the original context only) are that scaling.</summary>
    private static RotarySettings Recognize(RotarySettings rotary, float[] divisors)
    {
        if (divisors.Length == 0) return rotary;
        var factor = double.Parse(divisors.Max().ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        var scaled = rotary with { Scaling = RotaryScaling.Llama3, Factor = factor, LowFrequencyFactor = 1, HighFrequencyFactor = 4 };
        scaled = scaled with { OriginalContextLength = OriginalContext(scaled, divisors) ?? 8192 };
        return factor > 1 && Divisors(scaled, 2 * divisors.Length).Zip(divisors).All(pair => Math.Abs(pair.First - pair.Second) <= 1e-5 * pair.First)
            ? scaled : rotary with { Divisors = divisors };
    }

    /// <summary>The original context that follows from the first divisor between 1 and the factor: its share of the blend says how often its wave turned there.</summary>
    private static int? OriginalContext(RotarySettings scaled, float[] divisors)
    {
        var index = Array.FindIndex(divisors, divisor => divisor > 1 && divisor < (float)scaled.Factor);
        if (index < 0) return null;
        var kept = (1 / (double)divisors[index] - 1 / scaled.Factor) / (1 - 1 / scaled.Factor);
        var turns = scaled.LowFrequencyFactor + kept * (scaled.HighFrequencyFactor - scaled.LowFrequencyFactor);
        var original = Math.Round(turns * 2 * Math.PI / Numerics.Pow(scaled.Theta, -1.0 * index / divisors.Length));
        return original is >= 1 and <= 1 << 24 ? (int)original : null;
    }
}
