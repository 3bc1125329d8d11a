using System.Runtime.Intrinsics;
using OpenEuroLLM.Core;
using OpenEuroLLM.Tensors.Kernels;
using static OpenEuroLLM.Tensors.Tests.Agreement;

namespace OpenEuroLLM.Tensors.Tests;

/// <summary>The pieces of attention, one by one: equal bits in 512-bit and 256-bit form.</summary>
public sealed unsafe class AttentionKernelsTests
{
    [Fact]
    public void The_wide_exponential_has_the_bits_of_the_narrow_one()
    {
        var values = new List<float> { 0, -0f, float.NegativeInfinity, float.NaN, -87.33654f, -87.33655f, -87.3365f, -103, 88, -1e30f };
        for (var i = 0; i < 20_000; i++) values.Add(-i * 0.00523f);
        foreach (var value in values)
        {
            var (wide, narrow) = (WideLanes.Exp(Vector512.Create(value)).GetElement(3), Lanes.Exp(value));
            if (!float.IsNaN(value)) Assert.Equal(BitConverter.SingleToInt32Bits(narrow), BitConverter.SingleToInt32Bits(wide));
            else Assert.True(float.IsNaN(wide));
        }
    }

    [Fact]
    public void The_logarithm_of_a_sum_has_the_bits_of_the_scalar_one()
    {
        var sums = Enumerable.Range(0, 4000).Select(i => 1 + i * 0.377f * i).Append(1f).Append(float.BitIncrement(1)).ToArray();
        for (var i = 0; i + 8 <= sums.Length; i += 8)
        {
            var maxima = new float[8];
            fixed (float* m = maxima, s = sums) AttentionSoftmax.Finish(m, s + i);
            Assert.Equal(sums.AsSpan(i, 8).ToArray().Select(sum => (float)Numerics.Log(sum)), maxima);
        }
    }

    [Fact]
    public void Softmax_and_slopes_have_equal_bits_in_both_widths_whatever_is_visible()
    {
        for (var first = 0; first <= 64; first += 3)
        {
            for (var end = 0; end <= 64; end++)
            {
                var keys = new VisibleKeys(first, end);
                var (a, b) = (Normal(64, 1, 3), Normal(64, 1, 3));
                var (da, db) = (Normal(64, 2), Normal(64, 2));
                fixed (float* x = a, y = b, dx = da, dy = db)
                {
                    var largest = AttentionSoftmax.Largest(x, keys, wide: true);
                    Assert.Equal(keys.None ? float.NegativeInfinity : a[first..end].Max(), largest);
                    Assert.Equal(largest, AttentionSoftmax.Largest(y, keys, wide: false));
                    if (keys.None) largest = 0;
                    AttentionSoftmax.Slopes(x, dx, keys, 0.3f, largest, 0.1f, wide: true);
                    AttentionSoftmax.Slopes(y, dy, keys, 0.3f, largest, 0.1f, wide: false);
                    Assert.Equal(Bits(b), Bits(a));
                    Assert.Equal(Bits(db), Bits(da));
                    Normal(64, 1, 3).CopyTo(a, 0);
                    Normal(64, 1, 3).CopyTo(b, 0);
                    var sum = AttentionSoftmax.Weigh(x, keys, 0.3f, largest * 0.3f, wide: true);
                    Assert.Equal(AttentionSoftmax.Weigh(y, keys, 0.3f, largest * 0.3f, wide: false), sum);
                    Assert.Equal(Bits(b), Bits(a));
                    for (var j = 0; j < 64; j++)
                        if (j < first || j >= end) Assert.Equal(0, Bits(a)[j] | Bits(da)[j] & 0x7FFFFFFF);
                }
            }
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Tiles_are_chains_over_k_from_zero_from_the_output_or_from_the_scaled_output(bool wide)
    {
        foreach (var rows in new[] { 1, 2, 3, 4, 5, 8 })
        {
            foreach (var panels in new[] { 1, 2, 3, 4, 5 })
            {
                foreach (var depth in new[] { 0, 1, 15, 16, 17, 64 })
                {
                    Check<Weights>(rows, panels, depth, wide);
                    Check<WeightsTransposed>(rows, panels, depth, wide);
                    Check<FewWeights>(rows, panels, depth, wide);
                    Check<RowPanels>(rows, panels, depth, wide);
                    Check<FewRowPanels>(rows, panels, 2 * depth + 1, wide);
                }
            }
        }
    }

    private static void Check<TLeft>(int rows, int panels, int depth, bool wide) where TLeft : struct, IAttentionLeft
    {
        var a = Normal(16 * 1024, 1);
        var b = Normal(panels * 130 * 16, 2);
        var start = Normal(panels * 8 * 16, 3);
        var factors = Normal(8, 4);
        var widest = depth > 64 ? 130 : 64;
        foreach (var mode in new[] { 0, 1, 2 })
        {
            var c = (float[])start.Clone();
            fixed (float* pa = a, pb = b, pc = c, pf = factors)
                AttentionTile.Multiply<TLeft>(rows, panels, depth, pa, pb, widest * 16, pc, 16, 8 * 16, mode > 0, mode == 2 ? pf : null, wide, pb);
            for (var r = 0; r < rows; r++)
            {
                for (var column = 0; column < panels * 16; column++)
                {
                    var place = column / 16 * 128 + r * 16 + column % 16;
                    var chain = mode switch { 0 => 0, 1 => start[place], _ => start[place] * factors[r] };
                    for (var k = 0; k < depth; k++)
                        chain = float.FusedMultiplyAdd(a[k / TLeft.Width * TLeft.Panel + k % TLeft.Width * TLeft.Step + r * TLeft.Row], b[column / 16 * widest * 16 + k * 16 + column % 16], chain);
                    Assert.Equal(BitConverter.SingleToInt32Bits(chain), BitConverter.SingleToInt32Bits(c[place]));
                }
            }
        }
    }
}
