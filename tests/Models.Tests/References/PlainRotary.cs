using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Models.Tests.References;

/// <summary>Rotary positions (Su et al., "RoFormer", 2021) with the published ways to stretch them: linear (Chen et al., 2023), Llama 3.1
/// (Llama team, 2024), YaRN (Peng et al., 2023), LongRoPE (Ding et al., 2024).</summary>
internal sealed class PlainRotary
{
    private readonly double[] frequencies;
    private readonly double magnitude = 1;
    private readonly bool interleaved;

    /// <param name="theta">Base of the wavelengths.</param>
    /// <param name="width">How many numbers of each head are turned; the others stay.</param>
    /// <param name="scaling">Object with <c>rope_type</c> (or <c>type</c>), as published.</param>
    /// <param name="contextLength">Longest sequence of the model.</param>
    /// <param name="originalLength">Longest sequence before stretching.</param>
    /// <param name="sequenceLength">LongRoPE takes its long factors when this exceeds the original length.</param>
    /// <param name="interleaved">Pairs are neighbours; otherwise a number of the first half and one of the second.</param>
    public PlainRotary(double theta, int width, JsonObject? scaling, int contextLength, int? originalLength, int sequenceLength, bool interleaved)
    {
        this.interleaved = interleaved;
        frequencies = [.. Enumerable.Range(0, width / 2).Select(i => Numerics.Pow(theta, -2.0 * i / width))];
        double Setting(string key, double otherwise) => scaling![key] is { } value ? Plain.Number(value) : otherwise;
        switch ((string?)(scaling?["rope_type"] ?? scaling?["type"]) ?? "default")
        {
            case "default":
                break;
            case "linear":
                frequencies = [.. frequencies.Select(frequency => frequency / Setting("factor", 1))];
                break;
            case "llama3":
                frequencies = [.. frequencies.Select(Llama3)];
                break;
            case "yarn":
                frequencies = [.. frequencies.Select(Yarn)];
                magnitude = Setting("attention_factor", 0.1 * Numerics.Log(Setting("factor", 1)) + 1);
                break;
            case "longrope" or "su":
                var original = originalLength ?? contextLength;
                var factors = (JsonArray)scaling![sequenceLength > original ? "long_factor" : "short_factor"]!;
                frequencies = [.. frequencies.Select((frequency, i) => frequency / Plain.Number(factors[i]!))];
                var stretch = (double)contextLength / original;
                magnitude = Setting("attention_factor", stretch <= 1 ? 1 : Math.Sqrt(1 + Numerics.Log(stretch) / Numerics.Log(original)));
                break;
            case var other:
                throw new ArgumentException($"No rotary scaling {other}.");
        }

        double Llama3(double frequency)
        {
            var (factor, low, high, length) = (Setting("factor", 1), Setting("low_freq_factor", 1), Setting("high_freq_factor", 4), (double)originalLength!);
            var wavelength = 2 * Math.PI / frequency;
            if (wavelength < length / high) return frequency;
            if (wavelength > length / low) return frequency / factor;
            var smooth = (length / wavelength - low) / (high - low);
            return (1 - smooth) * frequency / factor + smooth * frequency;
        }

        double Yarn(double frequency, int i)
        {
            var length = (double)(originalLength ?? contextLength);
            double Dimension(double rotations) => width * Numerics.Log(length / (rotations * 2 * Math.PI)) / (2 * Numerics.Log(theta));
            var low = Math.Max(Math.Floor(Dimension(Setting("beta_fast", 32))), 0);
            var high = Math.Min(Math.Ceiling(Dimension(Setting("beta_slow", 1))), width - 1);
            if (low == high) high += 0.001;
            var ramp = Math.Clamp((i - low) / (high - low), 0, 1);
            return frequency / Setting("factor", 1) * ramp + frequency * (1 - ramp);
        }
    }

    /// <summary>Turns each head of each row by the row's position.</summary>
    public double[][] Apply(double[][] x, int headDimension) => [.. x.Select((row, position) => Apply(row, headDimension, position))];

    private double[] Apply(double[] x, int headDimension, int position)
    {
        var y = x.ToArray();
        for (var head = 0; head < x.Length; head += headDimension)
        {
            for (var i = 0; i < frequencies.Length; i++)
            {
                var (first, second) = interleaved ? (head + 2 * i, head + 2 * i + 1) : (head + i, head + i + frequencies.Length);
                var (cosine, sine) = (magnitude * Numerics.Cos(position * frequencies[i]), magnitude * Numerics.Sin(position * frequencies[i]));
                y[first] = x[first] * cosine - x[second] * sine;
                y[second] = x[second] * cosine + x[first] * sine;
            }
        }
        return y;
    }
}
