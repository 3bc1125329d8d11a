using OpenEuroLLM.Core;
using OpenEuroLLM.Tensors.Kernels;
using OpenEuroLLM.Tensors.Kernels.Reference;
using static OpenEuroLLM.Tensors.Tests.Agreement;

namespace OpenEuroLLM.Tensors.Tests;

public sealed unsafe class RotaryTests
{
    public static TheoryData<int, RotarySettings> Settings()
    {
        var data = new TheoryData<int, RotarySettings>();
        foreach (var pairing in new[] { RotaryPairing.Half, RotaryPairing.Interleaved })
        {
            foreach (var dimension in new[] { 2, 8, 30, 64, 80 }) data.Add(dimension, new RotarySettings(500_000, Pairing: pairing));
            data.Add(64, new RotarySettings(10_000, Dimensions: 22, Pairing: pairing));
            data.Add(16, new RotarySettings(10_000, Dimensions: 4, Pairing: pairing));
            data.Add(64, new RotarySettings(10_000, Pairing: pairing, Scaling: RotaryScaling.Linear, Factor: 4));
            data.Add(64, new RotarySettings(500_000, Pairing: pairing, Scaling: RotaryScaling.Llama3, Factor: 8, OriginalContextLength: 1024));
            foreach (var truncate in new[] { true, false })
                data.Add(64, new RotarySettings(10_000, Pairing: pairing, Scaling: RotaryScaling.Yarn, Factor: 4, OriginalContextLength: 1024, Truncate: truncate));
            data.Add(48, new RotarySettings(1_000_000, Dimensions: 32, Pairing: pairing, Scaling: RotaryScaling.Yarn, Factor: 16, OriginalContextLength: 512, AttentionFactor: 1, BetaFast: 16, BetaSlow: 2));
            data.Add(8, new RotarySettings(10_000, Dimensions: 6, Pairing: pairing, Scaling: RotaryScaling.LongRope, Factor: 32, OriginalContextLength: 4096, Divisors: new float[] { 1, 2.5f, 8 }));
            data.Add(6, new RotarySettings(10_000, Pairing: pairing, Divisors: new float[] { 1, 2.5f, 8 }));
        }
        return data;
    }

    [Theory, MemberData(nameof(Settings))]
    public void Turning_agrees_with_its_definition_in_every_form_and_turns_back(int dimension, RotarySettings settings)
    {
        int[] positions = [0, 1, 2, 63, 64, 4095];
        using var tables = new RotaryTables();
        var table = tables.Require(settings, dimension, 4096);
        foreach (var position in positions)
        {
            var row = Normal(dimension, (ulong)position);
            var before = Double(row);
            var narrow = (float[])row.Clone();
            Turn(row, back: false, wide: true);
            Turn(narrow, back: false, wide: false);
            Assert.Equal(Bits(narrow), Bits(row));
            Within(2e-6, RotaryDefinition.Apply(before, 1, dimension, [position], settings, back: false), row, "turned");
            var after = Double(row);
            Turn(row, back: true, wide: true);
            Turn(narrow, back: true, wide: false);
            Assert.Equal(Bits(narrow), Bits(row));
            // The attention factor is not undone: the way back multiplies a gradient by it too.
            Within(2e-6, RotaryDefinition.Apply(after, 1, dimension, [position], settings, back: true), row, "turned back");
            if (settings.TurnedFactor == 1) Within(4e-6, before, row, "turned there and back");
            void Turn(float[] x, bool back, bool wide)
            {
                fixed (float* data = x)
                    Rotary.Turn(data, settings.Dimensions ?? dimension, settings.Pairing == RotaryPairing.Interleaved, table + (long)position * Rotary.TableWidth(settings, dimension), back, wide);
            }
        }
    }

    [Fact]
    public void Llama_3_scaling_keeps_short_waves_divides_long_ones_and_blends_between()
    {
        // Llama 3.1 8B: head dimension 128, base 500,000, factor 8, 1 and 4, original context 8,192.
        var plain = new RotarySettings(500_000);
        var scaled = plain with { Scaling = RotaryScaling.Llama3, Factor = 8, LowFrequencyFactor = 1, HighFrequencyFactor = 4, OriginalContextLength = 8192 };
        double Ratio(int pair) => Rotary.Frequency(plain, 128, pair) / Rotary.Frequency(scaled, 128, pair);
        Assert.Equal(1, Ratio(0));
        Assert.Equal(1, Ratio(28)); // wave of 1,954 tokens, below 8192 / 4
        Assert.InRange(Ratio(30), 1.0001, 7.999);
        Assert.InRange(Ratio(34), 1.0001, 7.999); // wave of 6,692 tokens, below 8192
        Assert.Equal(8, Ratio(35), 12);           // 8,216
        Assert.Equal(8, Ratio(63), 12);
    }

    [Fact]
    public void Yarn_keeps_what_turns_often_divides_what_turns_seldom_and_grows_turned_numbers()
    {
        // Qwen 2.5 with its published "factor": 4.0, "original_max_position_embeddings": 32768: head dimension 128, base 1,000,000.
        var plain = new RotarySettings(1_000_000);
        var scaled = plain with { Scaling = RotaryScaling.Yarn, Factor = 4, OriginalContextLength = 32_768 };
        double Ratio(int pair) => Rotary.Frequency(plain, 128, pair) / Rotary.Frequency(scaled, 128, pair);
        // 32 turns within 32,768 tokens are made by pair 23.6, one by pair 39.7: the blend begins at 23 and ends at 40.
        Assert.Equal(1, Ratio(0), 12);
        Assert.Equal(1, Ratio(23), 12);
        Assert.InRange(Ratio(24), 1.01, 1.1);
        Assert.InRange(Ratio(39), 3, 3.99);
        Assert.Equal(4, Ratio(40), 12);
        Assert.Equal(4, Ratio(63), 12);
        var exact = scaled with { Truncate = false };
        Assert.Equal(Rotary.Frequency(plain, 128, 23), Rotary.Frequency(exact, 128, 23), 15);
        Assert.Equal(Rotary.Frequency(plain, 128, 40) / 4, Rotary.Frequency(exact, 128, 40), 15);
        Assert.NotEqual(Rotary.Frequency(scaled, 128, 24), Rotary.Frequency(exact, 128, 24));
        Assert.Equal(0.1 * Numerics.Log(4) + 1, scaled.TurnedFactor, 15);
        Assert.Equal(1, plain.TurnedFactor);
    }

    [Fact]
    public void Attention_factors_are_the_published_ones()
    {
        Assert.Equal(1.36888794541139363, RotarySettings.YarnAttentionFactor(40), 14);
        Assert.Equal(1, RotarySettings.YarnAttentionFactor(1));
        Assert.Equal(1, RotarySettings.YarnAttentionFactor(40, 1, 1), 14); // mscale and mscale_all_dim alike
        Assert.Equal((0.0707 * Numerics.Log(40) + 1) / (0.1 * Numerics.Log(40) + 1), RotarySettings.YarnAttentionFactor(40, 0.707, 1), 14);
        Assert.Equal(1.36888794541139363, RotarySettings.YarnAttentionFactor(40, 0.707, 0), 14); // one alone does not count
        // Phi-3-mini-128k: from 4,096 tokens to 131,072.
        var phi = new RotarySettings(10_000, Scaling: RotaryScaling.LongRope, Factor: 32, OriginalContextLength: 4096, Divisors: new float[48]);
        Assert.Equal(1.1902380714238083, phi.TurnedFactor, 14);
        Assert.Equal(1, (phi with { Factor = 1 }).TurnedFactor);
        Assert.Equal(1.25, (phi with { AttentionFactor = 1.25 }).TurnedFactor);
    }

    [Fact]
    public void Tables_of_alternating_settings_are_kept_and_grow_with_the_positions()
    {
        using var tables = new RotaryTables();
        var settings = Enumerable.Range(1, 8).Select(i => new RotarySettings(1000 * i)).ToArray();
        var places = settings.Select(one => (nint)tables.Require(one, 8, 100)).ToArray();
        Assert.Equal(places, settings.Select(one => (nint)tables.Require(one, 8, 256)));
        var first = new ReadOnlySpan<float>(tables.Require(settings[0], 8, 100), 100 * 8).ToArray();
        Assert.Equal(first, new ReadOnlySpan<float>(tables.Require(settings[0], 8, 1000), 100 * 8).ToArray());
        tables.Require(new RotarySettings(99_000), 8, 1); // the ninth takes the place of the oldest
        Assert.Equal(first, new ReadOnlySpan<float>(tables.Require(settings[0], 8, 100), 100 * 8).ToArray());
    }

    [Fact]
    public void Settings_without_meaning_are_refused_with_what_was_found()
    {
        void Refused(RotarySettings settings, string part) => Assert.Contains(part, Assert.Throws<ArgumentException>(() => settings.Check(8)).Message, StringComparison.Ordinal);
        Refused(new RotarySettings(1), "base is 1");
        Refused(default, "base is 0");
        Refused(new RotarySettings(10_000, Dimensions: 3), "3 numbers");
        Refused(new RotarySettings(10_000, Dimensions: 10), "10 numbers");
        Refused(new RotarySettings(10_000, Scaling: RotaryScaling.Linear, Factor: 0.5), "factor of the scaling is 0.5");
        Refused(new RotarySettings(10_000, Scaling: RotaryScaling.Llama3, Factor: 8, LowFrequencyFactor: 4, HighFrequencyFactor: 4), "4 and 4");
        Refused(new RotarySettings(10_000, Scaling: RotaryScaling.Llama3, Factor: 8, OriginalContextLength: 0), "0 tokens");
        Refused(new RotarySettings(10_000, Scaling: RotaryScaling.Yarn, Factor: 0.5), "factor of the scaling is 0.5");
        Refused(new RotarySettings(10_000, Scaling: RotaryScaling.Yarn, Factor: 2, BetaFast: 1), "1 and 1");
        Refused(new RotarySettings(10_000, Scaling: RotaryScaling.Yarn, Factor: 2, OriginalContextLength: 0), "0 tokens");
        Refused(new RotarySettings(10_000, Scaling: RotaryScaling.LongRope, Factor: 2), "no divisors");
        Refused(new RotarySettings(10_000, Scaling: RotaryScaling.LongRope, Factor: 2, OriginalContextLength: 1, Divisors: new float[] { 1, 1, 1, 1 }), "1 tokens");
        Refused(new RotarySettings(10_000, AttentionFactor: 0), "attention factor is 0");
        Refused(new RotarySettings(10_000, Divisors: new float[] { 1, 2 }), "expected 4");
        Refused(new RotarySettings(10_000, Divisors: new float[] { 1, 2, 0, 1 }), "divisor is 0");
        new RotarySettings().Check(8);
    }
}
