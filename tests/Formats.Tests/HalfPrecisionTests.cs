namespace OpenEuroLLM.Formats.Tests;

public sealed class HalfPrecisionTests
{
    [Theory]
    [InlineData(0x3F800000u, 0x3F80)]   // 1
    [InlineData(0x3F808000u, 0x3F80)]   // exactly between: to even
    [InlineData(0x3F818000u, 0x3F82)]   // exactly between: to even, upwards
    [InlineData(0x3F808001u, 0x3F81)]   // just above the middle
    [InlineData(0x7F7FFFFFu, 0x7F80)]   // the largest float rounds to infinity
    [InlineData(0xFF800000u, 0xFF80)]   // -infinity
    [InlineData(0x00000001u, 0x0000)]   // the smallest subnormal
    [InlineData(0x80000000u, 0x8000)]   // -0
    public void Rounds_to_bfloat16_nearest_even(uint bits, int expected) =>
        Assert.Equal(expected, HalfPrecision.ToBFloat16(BitConverter.UInt32BitsToSingle(bits)));

    [Theory]
    [InlineData(0x7F800001u)]
    [InlineData(0x7FFFFFFFu)]
    [InlineData(0xFF800001u)]
    [InlineData(0xFFFFFFFFu)]
    [InlineData(0x7FC00000u)]
    public void A_NaN_stays_a_NaN(uint bits)
    {
        float value = BitConverter.UInt32BitsToSingle(bits);
        Assert.True(float.IsNaN(HalfPrecision.FromBFloat16(HalfPrecision.ToBFloat16(value))));
        Assert.True(float.IsNaN(HalfPrecision.FromFloat16(HalfPrecision.ToFloat16(value))));
        ushort[] row = new ushort[67];
        HalfPrecision.ToBFloat16(Enumerable.Repeat(value, 67).ToArray(), row);
        Assert.All(row, half => Assert.True(float.IsNaN(HalfPrecision.FromBFloat16(half))));
    }

    [Fact]
    public void Every_bfloat16_and_float16_survives_the_way_to_float32_and_back()
    {
        ushort[] all = [.. Enumerable.Range(0, 65536).Select(bits => (ushort)bits)];
        float[] wide = new float[all.Length];
        ushort[] back = new ushort[all.Length];
        HalfPrecision.FromBFloat16(all, wide);
        HalfPrecision.ToBFloat16(wide, back);
        for (int i = 0; i < all.Length; i++)
            if (!float.IsNaN(wide[i]))
                Assert.Equal(all[i], back[i]);
        HalfPrecision.FromFloat16(all, wide);
        HalfPrecision.ToFloat16(wide, back);
        for (int i = 0; i < all.Length; i++)
            if (!float.IsNaN(wide[i]))
                Assert.Equal(all[i], back[i]);
    }

    [Fact]
    public void Rows_give_the_bits_of_single_values()
    {
        ushort[] all = [.. Enumerable.Range(0, 65536).Select(bits => (ushort)bits)];
        float[] wide = new float[all.Length];
        HalfPrecision.FromFloat16(all, wide);
        for (int i = 0; i < all.Length; i++)
        {
            float expected = (float)BitConverter.UInt16BitsToHalf(all[i]);
            Assert.True(expected.Equals(wide[i]) && float.IsNegative(expected) == float.IsNegative(wide[i]), $"float16 {all[i]:X4} became {wide[i]:R}");
        }
        // Values around every rounding border, at lengths around every register width.
        foreach (int length in (int[])[0, 1, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 1000])
        {
            float[] values = [.. Enumerable.Range(0, length).Select(i => BitConverter.UInt32BitsToSingle((uint)i * 2654435761u))];
            ushort[] row = new ushort[length];
            HalfPrecision.ToBFloat16(values, row);
            Assert.Equal(values.Select(HalfPrecision.ToBFloat16), row);
        }
    }

    [Fact]
    public void Subnormal_float16_values_are_kept()
    {
        Assert.Equal(5.9604645e-8f, HalfPrecision.FromFloat16(1));
        Assert.Equal(1, HalfPrecision.ToFloat16(5.9604645e-8f));
        float[] wide = new float[64];
        HalfPrecision.FromFloat16(Enumerable.Repeat((ushort)0x83FF, 64).ToArray(), wide);
        Assert.All(wide, value => Assert.Equal(-6.097555e-5f, value));
    }

    [Fact]
    public void Different_lengths_are_refused() =>
        Assert.Throws<ArgumentException>(() => HalfPrecision.FromBFloat16(new ushort[3], new float[2]));
}
