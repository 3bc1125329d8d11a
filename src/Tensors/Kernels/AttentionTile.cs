using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace OpenEuroLLM.Tensors.Kernels;

/// <summary>How the left operand of a product inside attention lies in scratch memory: all distances are constants.</summary>
internal interface IAttentionLeft
{
    /// <summary>Numbers between rows.</summary>
    static abstract int Row { get; }

    /// <summary>Numbers between steps over k.</summary>
    static abstract int Step { get; }

    /// <summary>Steps until the next panel begins.</summary>
    static abstract int Width { get; }

    /// <summary>Numbers between panels.</summary>
    static abstract int Panel { get; }
}

/// <summary>64 rows of queries or of the output's gradient, as panels (64, 16).</summary>
internal readonly struct RowPanels : IAttentionLeft
{
    public static int Row => Tile.Columns;

    public static int Step => 1;

    public static int Width => Tile.Columns;

    public static int Panel => Attention.BlockKeys * Tile.Columns;
}

/// <summary>Scores, weights or slopes: (64 rows, 64 keys).</summary>
internal readonly struct Weights : IAttentionLeft
{
    public static int Row => Attention.BlockKeys;

    public static int Step => 1;

    public static int Width => Attention.BlockKeys;

    public static int Panel => 0;
}

/// <summary>The same, read as (64 keys, 64 rows).</summary>
internal readonly struct WeightsTransposed : IAttentionLeft
{
    public static int Row => 1;

    public static int Step => Attention.BlockKeys;

    public static int Width => Attention.BlockKeys;

    public static int Panel => 0;
}

/// <summary>The products inside attention: a strip of up to 8 rows by panels of 16 columns, all of it in scratch memory.</summary>
/// <remarks>The law of <see cref="Tile"/> holds: one chain of fused multiply-adds over k in ascending order for each output. Strips have
/// room for 8 rows (4, where there are no more): places of rows that do not exist are computed from whatever lies there and belong to nobody.</remarks>
internal static unsafe class AttentionTile
{
    /// <summary>Rows of a strip.</summary>
    public const int Rows = 8;

    private const int Columns = Tile.Columns;

    /// <summary>Rows of a strip by columns of the right operand.</summary>
    /// <param name="rows">1 to 8; there must be room for 4, or 8.</param>
    /// <param name="panels">Panels of 16 columns.</param>
    /// <param name="depth">Steps over k.</param>
    /// <param name="a">First row of the strip and first step.</param>
    /// <param name="b">Panels (depth, 16), <paramref name="bPanel"/> numbers apart.</param>
    /// <param name="c">Outputs, <paramref name="cRow"/> numbers between rows and <paramref name="cPanel"/> between panels.</param>
    /// <param name="resume">Chains go on from the values in <paramref name="c"/>; otherwise they begin at +0.</param>
    /// <param name="factors">Null, or each row is first multiplied by its factor.</param>
    public static void Multiply<TLeft>(int rows, int panels, int depth, float* a, float* b, long bPanel, float* c, long cRow, long cPanel,
        bool resume, float* factors, bool wide) where TLeft : struct, IAttentionLeft
    {
        if (!wide)
        {
            for (var panel = 0; panel < panels; panel++, b += bPanel, c += cPanel)
            {
                Narrow4<TLeft>(depth, a, b, c, cRow, resume, factors);
                if (rows > 4) Narrow4<TLeft>(depth, a + 4 * TLeft.Row, b, c + 4 * cRow, cRow, resume, factors == null ? null : factors + 4);
            }
            return;
        }
        for (; panels >= 2; panels -= 2, b += 2 * bPanel, c += 2 * cPanel)
        {
            if (rows > 4) Wide8<TLeft>(depth, a, b, b + bPanel, c, c + cPanel, cRow, resume, factors);
            else Wide4<TLeft>(depth, a, b, b + bPanel, c, c + cPanel, cRow, resume, factors);
        }
        if (panels == 0) return;
        Wide4<TLeft>(depth, a, b, c, cRow, resume, factors);
        if (rows > 4) Wide4<TLeft>(depth, a + 4 * TLeft.Row, b, c + 4 * cRow, cRow, resume, factors == null ? null : factors + 4);
    }

    /// <summary>Asks for memory that will be read soon.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch(float* first, long count)
    {
        if (!Sse.IsSupported) return;
        for (var i = 0L; i < count; i += Columns) Sse.Prefetch0(first + i);
    }

    /// <summary>8 rows × 32 columns in 16 registers.</summary>
    private static void Wide8<TLeft>(int depth, float* a, float* b, float* second, float* c, float* d, long cRow, bool resume, float* factors) where TLeft : struct, IAttentionLeft
    {
        Vector512<float> c00, c01, c10, c11, c20, c21, c30, c31, c40, c41, c50, c51, c60, c61, c70, c71;
        if (resume)
        {
            c00 = Vector512.Load(c); c01 = Vector512.Load(d);
            c10 = Vector512.Load(c + cRow); c11 = Vector512.Load(d + cRow);
            c20 = Vector512.Load(c + 2 * cRow); c21 = Vector512.Load(d + 2 * cRow);
            c30 = Vector512.Load(c + 3 * cRow); c31 = Vector512.Load(d + 3 * cRow);
            c40 = Vector512.Load(c + 4 * cRow); c41 = Vector512.Load(d + 4 * cRow);
            c50 = Vector512.Load(c + 5 * cRow); c51 = Vector512.Load(d + 5 * cRow);
            c60 = Vector512.Load(c + 6 * cRow); c61 = Vector512.Load(d + 6 * cRow);
            c70 = Vector512.Load(c + 7 * cRow); c71 = Vector512.Load(d + 7 * cRow);
            if (factors != null)
            {
                c00 *= Vector512.Create(factors[0]); c01 *= Vector512.Create(factors[0]);
                c10 *= Vector512.Create(factors[1]); c11 *= Vector512.Create(factors[1]);
                c20 *= Vector512.Create(factors[2]); c21 *= Vector512.Create(factors[2]);
                c30 *= Vector512.Create(factors[3]); c31 *= Vector512.Create(factors[3]);
                c40 *= Vector512.Create(factors[4]); c41 *= Vector512.Create(factors[4]);
                c50 *= Vector512.Create(factors[5]); c51 *= Vector512.Create(factors[5]);
                c60 *= Vector512.Create(factors[6]); c61 *= Vector512.Create(factors[6]);
                c70 *= Vector512.Create(factors[7]); c71 *= Vector512.Create(factors[7]);
            }
        }
        else
        {
            c00 = c01 = c10 = c11 = c20 = c21 = c30 = c31 = c40 = c41 = c50 = c51 = c60 = c61 = c70 = c71 = Vector512<float>.Zero;
        }
        for (; depth > 0; depth -= TLeft.Width, a += TLeft.Panel)
        {
            var x = a;
            for (var k = Math.Min(depth, TLeft.Width); k > 0; k--)
            {
                var b0 = Vector512.Load(b);
                var b1 = Vector512.Load(second);
                var left = Vector512.Create(*x);
                c00 = Vector512.FusedMultiplyAdd(left, b0, c00);
                c01 = Vector512.FusedMultiplyAdd(left, b1, c01);
                left = Vector512.Create(x[TLeft.Row]);
                c10 = Vector512.FusedMultiplyAdd(left, b0, c10);
                c11 = Vector512.FusedMultiplyAdd(left, b1, c11);
                left = Vector512.Create(x[2 * TLeft.Row]);
                c20 = Vector512.FusedMultiplyAdd(left, b0, c20);
                c21 = Vector512.FusedMultiplyAdd(left, b1, c21);
                left = Vector512.Create(x[3 * TLeft.Row]);
                c30 = Vector512.FusedMultiplyAdd(left, b0, c30);
                c31 = Vector512.FusedMultiplyAdd(left, b1, c31);
                left = Vector512.Create(x[4 * TLeft.Row]);
                c40 = Vector512.FusedMultiplyAdd(left, b0, c40);
                c41 = Vector512.FusedMultiplyAdd(left, b1, c41);
                left = Vector512.Create(x[5 * TLeft.Row]);
                c50 = Vector512.FusedMultiplyAdd(left, b0, c50);
                c51 = Vector512.FusedMultiplyAdd(left, b1, c51);
                left = Vector512.Create(x[6 * TLeft.Row]);
                c60 = Vector512.FusedMultiplyAdd(left, b0, c60);
                c61 = Vector512.FusedMultiplyAdd(left, b1, c61);
                left = Vector512.Create(x[7 * TLeft.Row]);
                c70 = Vector512.FusedMultiplyAdd(left, b0, c70);
                c71 = Vector512.FusedMultiplyAdd(left, b1, c71);
                x += TLeft.Step;
                b += Columns;
                second += Columns;
            }
        }
        c00.Store(c); c01.Store(d);
        c10.Store(c + cRow); c11.Store(d + cRow);
        c20.Store(c + 2 * cRow); c21.Store(d + 2 * cRow);
        c30.Store(c + 3 * cRow); c31.Store(d + 3 * cRow);
        c40.Store(c + 4 * cRow); c41.Store(d + 4 * cRow);
        c50.Store(c + 5 * cRow); c51.Store(d + 5 * cRow);
        c60.Store(c + 6 * cRow); c61.Store(d + 6 * cRow);
        c70.Store(c + 7 * cRow); c71.Store(d + 7 * cRow);
    }

    /// <summary>4 rows × 32 columns.</summary>
    private static void Wide4<TLeft>(int depth, float* a, float* b, float* second, float* c, float* d, long cRow, bool resume, float* factors) where TLeft : struct, IAttentionLeft
    {
        Vector512<float> c00, c01, c10, c11, c20, c21, c30, c31;
        if (resume)
        {
            c00 = Vector512.Load(c); c01 = Vector512.Load(d);
            c10 = Vector512.Load(c + cRow); c11 = Vector512.Load(d + cRow);
            c20 = Vector512.Load(c + 2 * cRow); c21 = Vector512.Load(d + 2 * cRow);
            c30 = Vector512.Load(c + 3 * cRow); c31 = Vector512.Load(d + 3 * cRow);
            if (factors != null)
            {
                c00 *= Vector512.Create(factors[0]); c01 *= Vector512.Create(factors[0]);
                c10 *= Vector512.Create(factors[1]); c11 *= Vector512.Create(factors[1]);
                c20 *= Vector512.Create(factors[2]); c21 *= Vector512.Create(factors[2]);
                c30 *= Vector512.Create(factors[3]); c31 *= Vector512.Create(factors[3]);
            }
        }
        else
        {
            c00 = c01 = c10 = c11 = c20 = c21 = c30 = c31 = Vector512<float>.Zero;
        }
        for (; depth > 0; depth -= TLeft.Width, a += TLeft.Panel)
        {
            var x = a;
            for (var k = Math.Min(depth, TLeft.Width); k > 0; k--)
            {
                var b0 = Vector512.Load(b);
                var b1 = Vector512.Load(second);
                var left = Vector512.Create(*x);
                c00 = Vector512.FusedMultiplyAdd(left, b0, c00);
                c01 = Vector512.FusedMultiplyAdd(left, b1, c01);
                left = Vector512.Create(x[TLeft.Row]);
                c10 = Vector512.FusedMultiplyAdd(left, b0, c10);
                c11 = Vector512.FusedMultiplyAdd(left, b1, c11);
                left = Vector512.Create(x[2 * TLeft.Row]);
                c20 = Vector512.FusedMultiplyAdd(left, b0, c20);
                c21 = Vector512.FusedMultiplyAdd(left, b1, c21);
                left = Vector512.Create(x[3 * TLeft.Row]);
                c30 = Vector512.FusedMultiplyAdd(left, b0, c30);
                c31 = Vector512.FusedMultiplyAdd(left, b1, c31);
                x += TLeft.Step;
                b += Columns;
                second += Columns;
            }
        }
        c00.Store(c); c01.Store(d);
        c10.Store(c + cRow); c11.Store(d + cRow);
        c20.Store(c + 2 * cRow); c21.Store(d + 2 * cRow);
        c30.Store(c + 3 * cRow); c31.Store(d + 3 * cRow);
    }

    /// <summary>4 rows × 16 columns.</summary>
    private static void Wide4<TLeft>(int depth, float* a, float* b, float* c, long cRow, bool resume, float* factors) where TLeft : struct, IAttentionLeft
    {
        Vector512<float> c00, c10, c20, c30;
        if (resume)
        {
            c00 = Vector512.Load(c);
            c10 = Vector512.Load(c + cRow);
            c20 = Vector512.Load(c + 2 * cRow);
            c30 = Vector512.Load(c + 3 * cRow);
            if (factors != null)
            {
                c00 *= Vector512.Create(factors[0]);
                c10 *= Vector512.Create(factors[1]);
                c20 *= Vector512.Create(factors[2]);
                c30 *= Vector512.Create(factors[3]);
            }
        }
        else
        {
            c00 = c10 = c20 = c30 = Vector512<float>.Zero;
        }
        for (; depth > 0; depth -= TLeft.Width, a += TLeft.Panel)
        {
            var x = a;
            for (var k = Math.Min(depth, TLeft.Width); k > 0; k--)
            {
                var b0 = Vector512.Load(b);
                var left = Vector512.Create(*x);
                c00 = Vector512.FusedMultiplyAdd(left, b0, c00);
                left = Vector512.Create(x[TLeft.Row]);
                c10 = Vector512.FusedMultiplyAdd(left, b0, c10);
                left = Vector512.Create(x[2 * TLeft.Row]);
                c20 = Vector512.FusedMultiplyAdd(left, b0, c20);
                left = Vector512.Create(x[3 * TLeft.Row]);
                c30 = Vector512.FusedMultiplyAdd(left, b0, c30);
                x += TLeft.Step;
                b += Columns;
            }
        }
        c00.Store(c);
        c10.Store(c + cRow);
        c20.Store(c + 2 * cRow);
        c30.Store(c + 3 * cRow);
    }

    /// <summary>4 rows × 16 columns in 256-bit registers.</summary>
    private static void Narrow4<TLeft>(int depth, float* a, float* b, float* c, long cRow, bool resume, float* factors) where TLeft : struct, IAttentionLeft
    {
        Vector256<float> c00, c01, c10, c11, c20, c21, c30, c31;
        if (resume)
        {
            c00 = Vector256.Load(c); c01 = Vector256.Load(c + 8);
            c10 = Vector256.Load(c + cRow); c11 = Vector256.Load(c + cRow + 8);
            c20 = Vector256.Load(c + 2 * cRow); c21 = Vector256.Load(c + 2 * cRow + 8);
            c30 = Vector256.Load(c + 3 * cRow); c31 = Vector256.Load(c + 3 * cRow + 8);
            if (factors != null)
            {
                c00 *= Vector256.Create(factors[0]); c01 *= Vector256.Create(factors[0]);
                c10 *= Vector256.Create(factors[1]); c11 *= Vector256.Create(factors[1]);
                c20 *= Vector256.Create(factors[2]); c21 *= Vector256.Create(factors[2]);
                c30 *= Vector256.Create(factors[3]); c31 *= Vector256.Create(factors[3]);
            }
        }
        else
        {
            c00 = c01 = c10 = c11 = c20 = c21 = c30 = c31 = Vector256<float>.Zero;
        }
        for (; depth > 0; depth -= TLeft.Width, a += TLeft.Panel)
        {
            var x = a;
            for (var k = Math.Min(depth, TLeft.Width); k > 0; k--)
            {
                var b0 = Vector256.Load(b);
                var b1 = Vector256.Load(b + 8);
                var left = Vector256.Create(*x);
                c00 = Vector256.FusedMultiplyAdd(left, b0, c00);
                c01 = Vector256.FusedMultiplyAdd(left, b1, c01);
                left = Vector256.Create(x[TLeft.Row]);
                c10 = Vector256.FusedMultiplyAdd(left, b0, c10);
                c11 = Vector256.FusedMultiplyAdd(left, b1, c11);
                left = Vector256.Create(x[2 * TLeft.Row]);
                c20 = Vector256.FusedMultiplyAdd(left, b0, c20);
                c21 = Vector256.FusedMultiplyAdd(left, b1, c21);
                left = Vector256.Create(x[3 * TLeft.Row]);
                c30 = Vector256.FusedMultiplyAdd(left, b0, c30);
                c31 = Vector256.FusedMultiplyAdd(left, b1, c31);
                x += TLeft.Step;
                b += Columns;
            }
        }
        c00.Store(c); c01.Store(c + 8);
        c10.Store(c + cRow); c11.Store(c + cRow + 8);
        c20.Store(c + 2 * cRow); c21.Store(c + 2 * cRow + 8);
        c30.Store(c + 3 * cRow); c31.Store(c + 3 * cRow + 8);
    }
}
