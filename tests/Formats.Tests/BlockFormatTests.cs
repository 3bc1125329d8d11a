using OpenEuroLLM.Core;
using OpenEuroLLM.Formats.Quantization;

namespace OpenEuroLLM.Formats.Tests;

public sealed class BlockFormatTests
{
    public static TheoryData<string> Names => [.. BlockFormat.All.Select(format => format.Name)];

    /// <summary>Root mean square of the error on normal numbers, as a share of theirs, that an encoder must stay below.</summary>
    public static TheoryData<string, double> Bounds => new()
    {
        { "F32", 1e-12 }, { "F16", 2.2e-4 }, { "BF16", 1.7e-3 }, { "Q8_0", 5.5e-3 }, { "Q4_0", 0.088 }, { "Q4_K", 0.072 }, { "Q6_K", 0.017 },
        { "Q4_1", 0.080 }, { "Q5_0", 0.044 }, { "Q5_1", 0.039 }, { "Q5_K", 0.036 }, { "Q3_K", 0.16 }, { "Q2_K", 0.28 },
    };

    [Theory]
    [InlineData("Q8_0", "083081899199A1A9B1B9C0C8D0D8E0E8F0F8000810182028303840474F575F676F77")]
    [InlineData("Q4_0", "0040809191A2A2B3B3C4C4D5D5E6E6F7F7F8")]
    [InlineData("Q4_1", "224000CC80809191A2A2B3B3C4C4D5D5E6E6F7F7")]
    [InlineData("Q5_0", "003C0000FFFF00112233445566778899AABBCCDDEEFF")]
    [InlineData("Q5_1", "003C00CC0000FFFF00112233445566778899AABBCCDDEEFF")]
    public void Encodes_the_golden_block(string name, string expected)
    {
        var format = BlockFormat.Find(name)!;
        float[] values = [.. Enumerable.Range(-16, 32).Select(value => (float)value)];
        Assert.Equal(expected, Convert.ToHexString(Encoded(format, values)));
    }

    /// <summary>Hashes of what llama.cpp's own <c>quantize_row_*_ref</c> (ggml of node-llama-cpp 3.22.1) made of these numbers.</summary>
    [Theory]
    [InlineData("Q8_0", "a6d2c92cab2d3b54")]
    [InlineData("Q4_0", "844fbe66c7ab583c")]
    [InlineData("Q4_1", "c866cfb1a954812f")]
    [InlineData("Q5_0", "b3bcbd8edbde5cc0")]
    [InlineData("Q5_1", "9be51db651c069ea")]
    public void The_simple_encoders_write_the_bytes_of_the_reference(string name, string sha256)
    {
        var state = 12345u;
        float[] values = [.. Enumerable.Range(0, 8192).Select(i => (((int)(Next(ref state) >> 7) - (1 << 23)) / 8388608f) * (1 + i / 32 % 5))];
        Assert.Equal(sha256, Hash(Encoded(BlockFormat.Find(name)!, values)));
    }

    /// <summary>Hashes of what llama.cpp's own <c>dequantize_row_*</c> made of these bytes, scales being of moderate size and any sign.</summary>
    [Theory]
    [InlineData("Q8_0", "302804f6a56c964e", 0)]
    [InlineData("Q4_0", "9e3388bbb959b1e0", 0)]
    [InlineData("Q4_1", "a06a318432760de1", 0, 2)]
    [InlineData("Q5_0", "ca72b23e6b8f50aa", 0)]
    [InlineData("Q5_1", "49579f3ddcc85911", 0, 2)]
    [InlineData("Q4_K", "c322a38a22641319", 0, 2)]
    [InlineData("Q5_K", "51fbc2607f29780f", 0, 2)]
    [InlineData("Q6_K", "7589fa0dcb82909f", 208)]
    [InlineData("Q3_K", "cc725116bce9d47e", 108)]
    [InlineData("Q2_K", "3a2281ee5b46b1e4", 80, 82)]
    public void Any_bits_decode_to_the_bits_of_the_reference(string name, string sha256, params int[] scales)
    {
        var format = BlockFormat.Find(name)!;
        var state = 999u;
        byte[] blocks = [.. Enumerable.Range(0, 64 * format.BlockBytes).Select(_ => (byte)(Next(ref state) >> 16))];
        for (int block = 0; block < blocks.Length; block += format.BlockBytes)
            foreach (int place in scales) blocks[block + place + 1] = (byte)((blocks[block + place + 1] & 0x83) | 0x20);
        Assert.Equal(sha256, Hash(System.Runtime.InteropServices.MemoryMarshal.AsBytes(Decoded(format, blocks).AsSpan())));
    }

    /// <summary>The searching encoders sum in one order whatever the registers: run with <c>DOTNET_EnableAVX512=0</c> or without any intrinsics,
    /// these are the same.</summary>
    [Theory]
    [InlineData("Q4_K", "49d405e337b6394b")]
    [InlineData("Q6_K", "d8f593ea4d3e3824")]
    [InlineData("Q5_K", "4ed6f3cefb76c056")]
    [InlineData("Q3_K", "56cc9ec784ed2d12")]
    [InlineData("Q2_K", "90990a18259aceed")]
    public void The_search_gives_the_same_bits_on_every_machine(string name, string sha256) =>
        Assert.Equal(sha256, Hash(Encoded(BlockFormat.Find(name)!, Normal(1 << 13, 0.02f))));

    [Fact]
    public void Halves_are_rounded_away_from_zero()
    {
        // With 127 in the block the scale is 1, so each number is its own multiple.
        var values = new float[32];
        (values[0], values[1], values[2], values[3], values[4], values[5]) = (127, 0.5f, -0.5f, 1.5f, -2.5f, 0.49999997f);
        Assert.Equal([127, 1, -1, 2, -3, 0], Encoded(BlockFormat.Q8_0, values)[2..8].Select(value => (int)(sbyte)value));
    }

    [Fact]
    public void Decodes_the_bits_of_q4_K_where_they_lie()
    {
        // d = 2, dmin = 0.5; scales 1..8 · 7 and minima 63 − 8j, so that all high bits are used.
        var block = new byte[144];
        (block[1], block[3]) = (0x40, 0x38);
        int[] scales = [.. Enumerable.Range(1, 8).Select(j => 7 * j)], minima = [.. Enumerable.Range(0, 8).Select(j => 63 - 8 * j)];
        for (int j = 0; j < 4; j++)
        {
            block[4 + j] = (byte)(scales[j] | (scales[j + 4] >> 4 << 6));
            block[8 + j] = (byte)(minima[j] | (minima[j + 4] >> 4 << 6));
            block[12 + j] = (byte)((scales[j + 4] & 15) | ((minima[j + 4] & 15) << 4));
        }
        for (int i = 0; i < 128; i++)
            block[16 + i] = (byte)(i * 37);
        float[] values = Decoded(BlockFormat.Q4_K, block);
        for (int i = 0; i < 256; i++)
        {
            int group = i / 32, packed = block[16 + group / 2 * 32 + i % 32];
            int level = group % 2 == 0 ? packed & 15 : packed >> 4;
            Assert.Equal(2f * scales[group] * level - 0.5f * minima[group], values[i]);
        }
    }

    [Fact]
    public void Decodes_the_bits_of_q6_K_where_they_lie()
    {
        var block = new byte[210];
        for (int i = 0; i < 192; i++)
            block[i] = (byte)(i * 91 + 5);
        for (int i = 0; i < 16; i++)
            block[192 + i] = (byte)(sbyte)(9 * i - 70);
        (block[208], block[209]) = (0x00, 0x34); // 0.25
        float[] values = Decoded(BlockFormat.Q6_K, block);
        for (int half = 0; half < 2; half++)
        {
            for (int l = 0; l < 32; l++)
            {
                int low = block[64 * half + l], high = block[64 * half + 32 + l], top = block[128 + 32 * half + l];
                int[] levels = [(low & 15) | ((top & 3) << 4), (high & 15) | ((top >> 2 & 3) << 4), (low >> 4) | ((top >> 4 & 3) << 4), (high >> 4) | (top >> 6 << 4)];
                for (int part = 0; part < 4; part++)
                    Assert.Equal(0.25f * (sbyte)block[192 + 8 * half + l / 16 + 2 * part] * (levels[part] - 32), values[128 * half + 32 * part + l]);
            }
        }
    }

    [Fact]
    public void Decodes_the_bits_of_q5_K_where_they_lie()
    {
        // d = 2, dmin = 0.5; only the first group has a scale, the second a minimum, so that the multiples' bits are those of q4_K.
        var block = new byte[176];
        (block[1], block[3], block[4], block[5], block[9]) = (0x40, 0x38, 3, 5, 7);
        for (int i = 16; i < 176; i++)
            block[i] = (byte)(i * 37);
        float[] values = Decoded(BlockFormat.Q5_K, block);
        for (int i = 0; i < 32; i++)
        {
            Assert.Equal(2f * 3 * ((block[48 + i] & 15) + 16 * (block[16 + i] & 1)), values[i]);
            Assert.Equal(2f * 5 * ((block[48 + i] >> 4) + 16 * (block[16 + i] >> 1 & 1)) - 0.5f * 7, values[32 + i]);
        }
    }

    [Fact]
    public void Decodes_the_bits_of_q3_K_where_they_lie()
    {
        var block = new byte[110];
        for (int i = 0; i < 96; i++)
            block[i] = (byte)(i * 91 + 5);
        int[] scales = [.. Enumerable.Range(0, 16).Select(j => j * 37 % 64)];
        for (int j = 0; j < 4; j++)
        {
            for (int k = 0; k < 2; k++)
                block[96 + 4 * k + j] = (byte)((scales[4 * k + j] & 15) | ((scales[8 + 4 * k + j] & 15) << 4));
            block[104 + j] = (byte)((scales[j] >> 4) | (scales[4 + j] >> 4 << 2) | (scales[8 + j] >> 4 << 4) | (scales[12 + j] >> 4 << 6));
        }
        (block[108], block[109]) = (0x00, 0x34); // 0.25
        float[] values = Decoded(BlockFormat.Q3_K, block);
        for (int half = 0; half < 2; half++)
            for (int part = 0; part < 4; part++)
                for (int l = 0; l < 32; l++)
                {
                    int level = ((block[32 + 32 * half + l] >> (2 * part)) & 3) - ((block[l] & (1 << (4 * half + part))) == 0 ? 4 : 0);
                    Assert.Equal(0.25f * (scales[8 * half + 2 * part + l / 16] - 32) * level, values[128 * half + 32 * part + l]);
                }
    }

    [Fact]
    public void Decodes_the_bits_of_q2_K_where_they_lie()
    {
        var block = new byte[84];
        for (int i = 0; i < 80; i++)
            block[i] = (byte)(i * 91 + 5);
        (block[81], block[83]) = (0x40, 0x38); // 2 and 0.5
        float[] values = Decoded(BlockFormat.Q2_K, block);
        for (int half = 0; half < 2; half++)
            for (int part = 0; part < 4; part++)
                for (int l = 0; l < 32; l++)
                {
                    int multiples = block[8 * half + 2 * part + l / 16];
                    Assert.Equal(2f * (multiples & 15) * ((block[16 + 32 * half + l] >> (2 * part)) & 3) - 0.5f * (multiples >> 4), values[128 * half + 32 * part + l]);
                }
    }

    [Theory, MemberData(nameof(Bounds))]
    public void The_error_on_normal_numbers_stays_below_the_bound(string name, double bound)
    {
        var format = BlockFormat.Find(name)!;
        float[] values = Normal(1 << 16, 0.03f);
        float[] again = Decoded(format, Encoded(format, values));
        double error = values.Zip(again, (x, y) => ((double)x - y) * ((double)x - y)).Sum(), all = values.Sum(x => (double)x * x);
        Assert.InRange(Math.Sqrt(error / all), 0, bound);
    }

    [Theory, MemberData(nameof(Names))]
    public void No_number_is_further_off_than_the_steps_of_its_block_allow(string name)
    {
        var format = BlockFormat.Find(name)!;
        // Blocks of very different size, sign and shape: normal, one-sided, one large number, constant, zero.
        for (int block = 0; block < 400; block++)
        {
            var random = new CounterRandom(7, (ulong)block);
            float size = (float)Numerics.Pow(10, random.UniformAt(1000) * 6 - 3);
            float[] values = [.. Enumerable.Range(0, 256).Select(i => size * (block % 5) switch
            {
                0 => random.NormalAt((ulong)i),
                1 => Math.Abs(random.NormalAt((ulong)i)),
                2 => i == 77 ? -30 : random.NormalAt((ulong)i),
                3 => 1.25f,
                _ => 0,
            })];
            float[] again = Decoded(format, Encoded(format, values));
            float most = values.Max(Math.Abs);
            // The scale of a block is itself rounded, to half precision.
            double share = name switch
            {
                "F32" => 0,
                "F16" => 1 / 2048.0,
                "BF16" => 1 / 256.0,
                "Q8_0" => 0.57 / 127,
                "Q4_0" => 1.01 / 8,
                "Q5_0" => 1.01 / 16,
                // The range may be twice the largest number.
                "Q4_1" => 1.01 / 15,
                "Q5_1" => 1.01 / 31,
                "Q4_K" => 0.25,
                "Q5_K" => 0.13,
                "Q3_K" => 0.4,
                "Q2_K" => 0.75,
                _ => 0.05
            };
            double smallest = format.IsQuantized || name == "F16" ? 1e-7 : 0; // where scales become subnormal in half precision
            for (int i = 0; i < values.Length; i++)
                Assert.InRange(Math.Abs((double)values[i] - again[i]), 0, most * share + 32 * smallest);
            if (block % 5 == 4)
                Assert.All(again, value => Assert.Equal(0, value));
        }
    }

    [Theory, InlineData("F32"), InlineData("F16"), InlineData("BF16"), InlineData("Q8_0"), InlineData("Q4_0"), InlineData("Q5_0")]
    public void What_was_decoded_encodes_to_the_same_numbers(string name)
    {
        var format = BlockFormat.Find(name)!;
        float[] once = Decoded(format, Encoded(format, Normal(1 << 14, 1)));
        Assert.Equal(once, Decoded(format, Encoded(format, once)));
    }

    /// <summary>The encoders that search may find another way to write the same numbers, nearly: the second error is far below the first.</summary>
    [Theory]
    [InlineData("Q4_K", 0.002)]
    [InlineData("Q6_K", 0.001)]
    [InlineData("Q4_1", 0.002)]
    [InlineData("Q5_1", 0.001)]
    [InlineData("Q5_K", 0.002)]
    [InlineData("Q3_K", 0.02)]
    [InlineData("Q2_K", 0.05)]
    public void What_was_decoded_encodes_to_nearly_the_same_numbers(string name, double bound)
    {
        var format = BlockFormat.Find(name)!;
        float[] once = Decoded(format, Encoded(format, Normal(1 << 14, 1)));
        float[] twice = Decoded(format, Encoded(format, once));
        Assert.InRange(Math.Sqrt(once.Zip(twice, (x, y) => ((double)x - y) * ((double)x - y)).Average()), 0, bound);
    }

    [Theory]
    [InlineData("Q4_K", 32, 15, true)]
    [InlineData("Q5_K", 32, 31, true)]
    [InlineData("Q2_K", 16, 3, true)]
    [InlineData("Q6_K", 16, 31, false)]
    [InlineData("Q3_K", 16, 3, false)]
    public void The_search_is_better_than_the_plain_choice_of_scales(string name, int group, int mostLevel, bool hasMinimum)
    {
        var format = BlockFormat.Find(name)!;
        float[] values = Normal(1 << 14, 1);
        double searched = 0, plain = 0;
        float[] again = Decoded(format, Encoded(format, values));
        for (int start = 0; start < values.Length; start += group)
        {
            // The plain choice has even unrounded scales to itself: the range of the group, divided evenly.
            float[] part = values[start..(start + group)];
            float least = hasMinimum ? Math.Min(0, part.Min()) : 0;
            float step = hasMinimum ? (part.Max() - least) / mostLevel : part.Max(Math.Abs) / mostLevel;
            for (int i = 0; i < group; i++)
            {
                double rounded = Math.Round((part[i] - least) / step, MidpointRounding.AwayFromZero) * step + least;
                plain += (part[i] - rounded) * (part[i] - rounded);
                searched += ((double)part[i] - again[start + i]) * ((double)part[i] - again[start + i]);
            }
        }
        Assert.True(searched < plain, $"{searched} is not below {plain}");
    }

    [Theory, MemberData(nameof(Names))]
    public void The_largest_magnitude_has_a_finite_form_and_lengths_are_checked(string name)
    {
        var format = BlockFormat.Find(name)!;
        float largest = (float)Math.Min(format.LargestMagnitude, float.MaxValue);
        while (largest > format.LargestMagnitude) largest = Below(largest);
        var values = new float[256];
        for (int i = 0; i < values.Length; i++) values[i] = i % 2 == 0 ? largest : -largest;
        Assert.All(Decoded(format, Encoded(format, values)), value => Assert.True(float.IsFinite(value)));
        Assert.Throws<ArgumentException>(() => format.Encode(values, new byte[format.RowBytes(256) - 1]));
        Assert.Throws<ArgumentException>(() => format.Decode(new byte[format.RowBytes(256)], new float[512]));
        if (format.IsQuantized)
            Assert.Throws<ArgumentException>(() => format.RowBytes(format.BlockElements + 1));
    }

    [Theory, MemberData(nameof(Names))]
    public void Any_bytes_decode(string name)
    {
        var format = BlockFormat.Find(name)!;
        var bytes = new byte[format.RowBytes(256 * 16)];
        for (int i = 0; i < bytes.Length; i++)
            bytes[i] = (byte)new CounterRandom(3, 0).At((ulong)i);
        Assert.Equal(256 * 16, Decoded(format, bytes).Length);
    }

    public static TheoryData<string> Weighted => ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K", "Q3_K", "Q2_K"];

    /// <summary>A tenth of the columns matter a hundred times as much as the others, as activations have it.</summary>
    [Theory, MemberData(nameof(Weighted))]
    public void Importance_lowers_the_weighted_error(string name)
    {
        var format = BlockFormat.Find(name)!;
        float[] values = Normal(1 << 15, 0.03f);
        float[] importance = [.. Enumerable.Range(0, 1024).Select(i => (i * 7 % 10 == 0 ? 100 : 1) * (0.5f + (float)new CounterRandom(5, 6).UniformAt((ulong)i)))];
        double Error(byte[] blocks) => values.Zip(Decoded(format, blocks)).Select((pair, i) => importance[i % 1024] * Square((double)pair.First - pair.Second)).Sum();
        var weighted = new byte[format.RowBytes(values.Length)];
        format.Encode(values, importance, weighted);
        double plain = Error(Encoded(format, values)), better = Error(weighted);
        TestContext.Current.TestOutputHelper?.WriteLine($"{name}: {Math.Sqrt(better / plain):F3} of the error without importance");
        Assert.InRange(better / plain, 0, 0.9);
    }

    [Theory, MemberData(nameof(Names))]
    public void Without_importance_the_bits_stay_and_with_none_or_equal_ones_numbers_stay_finite(string name)
    {
        var format = BlockFormat.Find(name)!;
        float[] values = Normal(2048, 1);
        var blocks = new byte[format.RowBytes(2048)];
        format.Encode(values, [], blocks);
        Assert.Equal(Encoded(format, values), blocks);
        foreach (float value in new[] { 0f, 1e-38f, 1f, float.MaxValue })
        {
            format.Encode(values, Enumerable.Repeat(value, 512).ToArray(), blocks);
            double error = values.Zip(Decoded(format, blocks), (x, y) => ((double)x - y) * ((double)x - y)).Average();
            Assert.InRange(error, 0, 0.1);
        }
        // Only one column of each row counts, and numbers at the ends of the range.
        float[] one = [.. Enumerable.Range(0, 512).Select(i => i == 300 ? float.MaxValue : 0)];
        foreach (float size in new[] { 0f, 1e-42f, 1e-9f, 60000f })
        {
            float[] scaled = [.. values.Select(value => Math.Clamp(value / 4, -1, 1) * size)];
            format.Encode(scaled, one, blocks);
            Assert.All(Decoded(format, blocks), value => Assert.InRange(value, -3 * size - 1e-4f, 3 * size + 1e-4f));
        }
    }

    [Fact]
    public void An_importance_that_does_not_fit_is_refused()
    {
        var blocks = new byte[BlockFormat.Q4_0.RowBytes(128)];
        foreach (float bad in new[] { -1, float.NaN, float.PositiveInfinity })
            Assert.Throws<ArgumentException>(() => BlockFormat.Q4_0.Encode(new float[128], [.. Enumerable.Repeat(bad, 64)], blocks));
        Assert.Throws<ArgumentException>(() => BlockFormat.Q4_0.Encode(new float[128], new float[96], blocks));
        Assert.Throws<ArgumentException>(() => BlockFormat.Q4_0.Encode(new float[128], new float[16], blocks));
    }

    private static double Square(double value) => value * value;

    private static uint Next(ref uint state) => state = (state * 1103515245 + 12345) & 0x7fffffff;

    private static string Hash(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes))[..16];

    private static float Below(float value) => BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(value) - 1);

    private static float[] Normal(int count, float deviation) => [.. Enumerable.Range(0, count).Select(i => deviation * new CounterRandom(11, 2).NormalAt((ulong)i))];

    private static byte[] Encoded(BlockFormat format, float[] values)
    {
        var blocks = new byte[format.RowBytes(values.Length)];
        format.Encode(values, blocks);
        return blocks;
    }

    private static float[] Decoded(BlockFormat format, byte[] blocks)
    {
        var values = new float[blocks.Length / format.BlockBytes * format.BlockElements];
        format.Decode(blocks, values);
        return values;
    }
}
