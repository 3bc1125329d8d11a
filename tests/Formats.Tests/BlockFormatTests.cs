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
    };

    [Theory]
    [InlineData("Q8_0", "083081899199A1A9B1B9C0C8D0D8E0E8F0F8000810182028303840474F575F676F77")]
    [InlineData("Q4_0", "0040809191A2A2B3B3C4C4D5D5E6E6F7F7F8")]
    public void Encodes_the_golden_block(string name, string expected)
    {
        var format = BlockFormat.Find(name)!;
        float[] values = [.. Enumerable.Range(-16, 32).Select(value => (float)value)];
        Assert.Equal(expected, Convert.ToHexString(Encoded(format, values)));
    }

    /// <summary>The searching encoders sum in one order whatever the registers: run with <c>DOTNET_EnableAVX512=0</c> or without any intrinsics,
    /// these are the same.</summary>
    [Theory, InlineData("Q4_K", "49d405e337b6394b"), InlineData("Q6_K", "d8f593ea4d3e3824")]
    public void The_search_gives_the_same_bits_on_every_machine(string name, string sha256) =>
        Assert.Equal(sha256, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoded(BlockFormat.Find(name)!, Normal(1 << 13, 0.02f))))[..16]);

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
            double share = name switch { "F32" => 0, "F16" => 1 / 2048.0, "BF16" => 1 / 256.0, "Q8_0" => 0.57 / 127, "Q4_0" => 1.01 / 8, "Q4_K" => 0.25, _ => 0.05 };
            double smallest = format.IsQuantized || name == "F16" ? 1e-7 : 0; // where scales become subnormal in half precision
            for (int i = 0; i < values.Length; i++)
                Assert.InRange(Math.Abs((double)values[i] - again[i]), 0, most * share + 32 * smallest);
            if (block % 5 == 4)
                Assert.All(again, value => Assert.Equal(0, value));
        }
    }

    [Theory, InlineData("F32"), InlineData("F16"), InlineData("BF16"), InlineData("Q8_0"), InlineData("Q4_0")]
    public void What_was_decoded_encodes_to_the_same_numbers(string name)
    {
        var format = BlockFormat.Find(name)!;
        float[] once = Decoded(format, Encoded(format, Normal(1 << 14, 1)));
        Assert.Equal(once, Decoded(format, Encoded(format, once)));
    }

    /// <summary>The encoders that search may find another way to write the same numbers, nearly: the second error is far below the first.</summary>
    [Theory, InlineData("Q4_K", 0.002), InlineData("Q6_K", 0.001)]
    public void What_was_decoded_encodes_to_nearly_the_same_numbers(string name, double bound)
    {
        var format = BlockFormat.Find(name)!;
        float[] once = Decoded(format, Encoded(format, Normal(1 << 14, 1)));
        float[] twice = Decoded(format, Encoded(format, once));
        Assert.InRange(Math.Sqrt(once.Zip(twice, (x, y) => ((double)x - y) * ((double)x - y)).Average()), 0, bound);
    }

    [Theory, InlineData("Q4_K"), InlineData("Q6_K")]
    public void The_search_is_better_than_the_plain_choice_of_scales(string name)
    {
        var format = BlockFormat.Find(name)!;
        float[] values = Normal(1 << 14, 1);
        double searched = 0, plain = 0;
        float[] again = Decoded(format, Encoded(format, values));
        int group = name == "Q4_K" ? 32 : 16;
        for (int start = 0; start < values.Length; start += group)
        {
            // The plain choice has even unrounded scales to itself: the range of the group, divided evenly.
            float[] part = values[start..(start + group)];
            float least = name == "Q4_K" ? Math.Min(0, part.Min()) : 0;
            float step = name == "Q4_K" ? (part.Max() - least) / 15 : part.Max(Math.Abs) / 31;
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
