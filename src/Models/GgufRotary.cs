using System.Globalization;
using System.Runtime.InteropServices;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Formats.Quantization;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models;

/// <summary>Rotary settings in the metadata of GGUF; Llama 3's scaling is a tensor of divisors there.</summary>
internal static class GgufRotary
{
    /// <summary>Divisors of the rotary frequencies, as Llama 3's scaling gives them.</summary>
    public const string DivisorsName = "rope_freqs.weight";

    /// <summary>Reads the settings.</summary>
    /// <param name="metadata">The metadata.</param>
    /// <param name="dimension">Numbers of a head.</param>
    public static RotarySettings Read(GgufMetadata metadata, int dimension)
    {
        var file = metadata.File;
        if (metadata.Integer("rope.dimension_count", 1, 1 << 20, dimension) is var turned && turned != dimension)
            throw metadata.Refused("rope.dimension_count", turned.ToString(CultureInfo.InvariantCulture), $"the length of a key, {dimension},");
        var rotary = new RotarySettings(metadata.Number("rope.freq_base", 10_000));
        var type = metadata.Text("rope.scaling.type") ?? (metadata.OptionalNumber("rope.scale_linear") is null ? "none" : "linear");
        rotary = type switch
        {
            "none" => rotary,
            "linear" => rotary with { Scaling = RotaryScaling.Linear, Factor = metadata.Number("rope.scaling.factor", metadata.Number("rope.scale_linear", 1)) },
            _ => throw new UserErrorException($"{file.Path}: {metadata.Key("rope.scaling.type")} is {GgufFile.Shown(type)}; this version reads none and linear, and Llama 3's as tensor '{DivisorsName}'."),
        };
        if (file.Find(DivisorsName) is not { } tensor) return rotary;
        if (tensor.Type.Format != BlockFormat.F32 || !tensor.Shape.SequenceEqual([dimension / 2]))
            throw new UserErrorException($"{file.Path}: tensor '{tensor.Name}' is {tensor.ShapeText} of {tensor.Type.Name}; expected [{dimension / 2}] of F32.");
        var divisors = new float[dimension / 2];
        file.Read(tensor.Name, 0, MemoryMarshal.AsBytes(divisors.AsSpan()));
        return rotary.Scaling == RotaryScaling.None ? Recognize(rotary, divisors) : rotary with { Divisors = divisors };
    }

    /// <summary>Adds the settings.</summary>
    public static void Describe(RotarySettings rotary, int dimension, GgufDescription description)
    {
        description.Add("rope.dimension_count", (uint)dimension);
        description.Add("rope.freq_base", (float)rotary.Theta);
        if (rotary.Scaling == RotaryScaling.Linear)
        {
            description.Add("rope.scaling.type", "linear");
            description.Add("rope.scaling.factor", (float)rotary.Factor);
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

    /// <summary>Divisors that Llama 3's scaling gives for the published settings (only the factor differs between releases) are that scaling.</summary>
    private static RotarySettings Recognize(RotarySettings rotary, float[] divisors)
    {
        var factor = double.Parse(divisors.Max().ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        var scaled = rotary with { Scaling = RotaryScaling.Llama3, Factor = factor, LowFrequencyFactor = 1, HighFrequencyFactor = 4, OriginalContextLength = 8192 };
        return factor > 1 && Divisors(scaled, 2 * divisors.Length).Zip(divisors).All(pair => Math.Abs(pair.First - pair.Second) <= 1e-5 * pair.First)
            ? scaled : rotary with { Divisors = divisors };
    }
}
