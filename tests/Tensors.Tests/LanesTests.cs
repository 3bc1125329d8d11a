using System.Runtime.Intrinsics;
using OpenEuroLLM.Core;
using OpenEuroLLM.Tensors.Kernels;

namespace OpenEuroLLM.Tensors.Tests;

public sealed unsafe class LanesTests
{
    [Fact]
    public void The_exponential_errs_by_less_than_1_1_units_in_the_last_place()
    {
        var worst = (Error: 0.0, At: 0f);
        for (var i = 0; i <= 400_000; i++)
        {
            var x = (float)(-87.3365 + i * (176.0592 / 400_000));
            var exact = Numerics.Exp(x);
            var unit = float.BitIncrement((float)exact) - (double)(float)exact;
            var error = Math.Abs(Lanes.Exp(x) - exact) / unit;
            if (error > worst.Error) worst = (error, x);
        }
        Assert.True(worst.Error < 1.1, FormattableString.Invariant($"{worst.Error} units at {worst.At}"));
    }

    [Fact]
    public void The_exponential_keeps_its_word_at_the_edges()
    {
        Assert.Equal(1, Lanes.Exp(0f));
        Assert.Equal(1, Lanes.Exp(-0f));
        Assert.Equal(1, Lanes.Exp(float.Epsilon));
        Assert.Equal(0, BitConverter.SingleToInt32Bits(Lanes.Exp(-87.4f)));
        Assert.Equal(0, BitConverter.SingleToInt32Bits(Lanes.Exp(-1e30f)));
        Assert.Equal(0, BitConverter.SingleToInt32Bits(Lanes.Exp(float.NegativeInfinity)));
        Assert.True(float.IsFinite(Lanes.Exp(88.72f)));
        Assert.Equal(float.PositiveInfinity, Lanes.Exp(88.73f));
        Assert.Equal(float.PositiveInfinity, Lanes.Exp(1e30f));
        Assert.Equal(float.PositiveInfinity, Lanes.Exp(float.PositiveInfinity));
        Assert.True(float.IsNaN(Lanes.Exp(float.NaN)));
    }

    [Fact]
    public void The_exponential_never_falls_where_its_argument_rises_by_a_step_that_shows()
    {
        var before = 0f;
        for (var x = -88f; x < 89f; x += 1 / 1024f)
        {
            var value = Lanes.Exp(x);
            Assert.True(value >= before, FormattableString.Invariant($"e^{x} = {value} after {before}"));
            before = value;
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(257)]
    public void A_sum_of_products_takes_element_i_to_lane_i_modulo_16_and_then_the_tree(int count)
    {
        var (a, b) = (Agreement.Normal(count, 1), Agreement.Normal(count, 2));
        var lanes = new float[16];
        for (var i = 0; i < count; i++) lanes[i % 16] = float.FusedMultiplyAdd(a[i], b[i], lanes[i % 16]);
        for (var half = 8; half > 0; half /= 2)
            for (var i = 0; i < half; i++) lanes[i] += lanes[i + half];
        fixed (float* left = a, right = b) Assert.Equal(BitConverter.SingleToInt32Bits(lanes[0]), BitConverter.SingleToInt32Bits(Lanes.Dot(left, right, count)));
    }

    [Fact]
    public void The_largest_lane_is_found_wherever_it_is()
    {
        for (var lane = 0; lane < 8; lane++) Assert.Equal(3, Lanes.Max(Vector256.Create(-1f).WithElement(lane, 3)));
    }

    [Theory]
    [InlineData(1f, 0x3F80)]
    [InlineData(1.00390625f, 0x3F80)] // half way: to even
    [InlineData(1.01171875f, 0x3F82)]
    [InlineData(1.00390637f, 0x3F81)]
    [InlineData(3.4e38f, 0x7F80)]
    [InlineData(float.NegativeInfinity, 0xFF80)]
    public void Bf16_rounds_to_nearest_and_half_to_even(float value, int expected) => Assert.Equal(expected, BrainFloat.Round(value));

    [Fact]
    public void Bf16_keeps_not_a_number_and_widens_exactly()
    {
        var half = new ushort[65_536];
        var wide = new float[half.Length];
        for (var i = 0; i < half.Length; i++) half[i] = (ushort)i;
        fixed (ushort* source = half)
        fixed (float* target = wide) BrainFloat.Widen(source, target, half.Length);
        for (var i = 0; i < half.Length; i++)
        {
            Assert.Equal(i << 16, BitConverter.SingleToInt32Bits(wide[i]));
            if (float.IsNaN(wide[i])) Assert.True((BrainFloat.Round(wide[i]) & 0x7FFF) > 0x7F80);
            else Assert.Equal(i, BrainFloat.Round(wide[i]));
        }
    }
}
