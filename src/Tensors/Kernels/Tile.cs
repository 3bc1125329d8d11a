using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace OpenEuroLLM.Tensors.Kernels;

/// <summary>How the left operand of a product lies in memory.</summary>
internal interface ILeftLayout
{
    /// <summary>True when row r, position k lies at k·stride + r (the operand is stored transposed).</summary>
    static abstract bool Transposed { get; }
}

/// <summary>Row r, position k lies at r·stride + k.</summary>
internal readonly struct RowMajor : ILeftLayout
{
    public static bool Transposed => false;
}

/// <summary>Row r, position k lies at k·stride + r.</summary>
internal readonly struct ColumnMajor : ILeftLayout
{
    public static bool Transposed => true;
}

/// <summary>The inner loops of every product: 6 rows by 16 or 32 columns of outputs held in registers.</summary>
/// <remarks>The law (docs/architecture.md): each output is one chain of fused multiply-adds over k in ascending order, from +0 or from
/// the value already there. Outputs lie in the lanes and never meet, so tile shape and register width cannot change a bit.</remarks>
internal static unsafe class Tile
{
    public const int Rows = 6;

    /// <summary>Columns of one packed panel of the right operand.</summary>
    public const int Columns = 16;

    /// <summary>Whether 512-bit registers are used. <c>Vector512.IsHardwareAccelerated</c> is false on servers that clock down, so the
    /// instruction set itself is asked.</summary>
    public static readonly bool Wide = Avx512F.IsSupported;

    /// <summary>6 × 16 outputs. <paramref name="b"/> is one panel: (<paramref name="depth"/>, 16), packed.</summary>
    /// <param name="depth">Number of steps over k.</param>
    /// <param name="a">Left operand, at its first of 6 rows.</param>
    /// <param name="stride">Numbers between rows of the left operand (between positions, when it is stored transposed).</param>
    /// <param name="c">Outputs, <paramref name="cStride"/> numbers between rows.</param>
    /// <param name="resume">Whether chains go on from the values in <paramref name="c"/>; otherwise they begin at +0.</param>
    public static void Multiply256<TLeft>(int depth, float* a, long stride, float* b, float* c, long cStride, bool resume) where TLeft : ILeftLayout
    {
        Vector256<float> c00, c01, c10, c11, c20, c21, c30, c31, c40, c41, c50, c51;
        if (resume)
        {
            c00 = Vector256.Load(c); c01 = Vector256.Load(c + 8);
            c10 = Vector256.Load(c + cStride); c11 = Vector256.Load(c + cStride + 8);
            c20 = Vector256.Load(c + 2 * cStride); c21 = Vector256.Load(c + 2 * cStride + 8);
            c30 = Vector256.Load(c + 3 * cStride); c31 = Vector256.Load(c + 3 * cStride + 8);
            c40 = Vector256.Load(c + 4 * cStride); c41 = Vector256.Load(c + 4 * cStride + 8);
            c50 = Vector256.Load(c + 5 * cStride); c51 = Vector256.Load(c + 5 * cStride + 8);
        }
        else
        {
            c00 = c01 = c10 = c11 = c20 = c21 = c30 = c31 = c40 = c41 = c50 = c51 = Vector256<float>.Zero;
        }
        var step = TLeft.Transposed ? stride : 1;
        var row = TLeft.Transposed ? 1 : stride;
        var a3 = a + 3 * row;
        for (var k = depth; k > 0; k--)
        {
            var b0 = Vector256.Load(b);
            var b1 = Vector256.Load(b + 8);
            var x = Vector256.Create(*a);
            c00 = Vector256.FusedMultiplyAdd(x, b0, c00);
            c01 = Vector256.FusedMultiplyAdd(x, b1, c01);
            x = Vector256.Create(a[row]);
            c10 = Vector256.FusedMultiplyAdd(x, b0, c10);
            c11 = Vector256.FusedMultiplyAdd(x, b1, c11);
            x = Vector256.Create(a[2 * row]);
            c20 = Vector256.FusedMultiplyAdd(x, b0, c20);
            c21 = Vector256.FusedMultiplyAdd(x, b1, c21);
            x = Vector256.Create(*a3);
            c30 = Vector256.FusedMultiplyAdd(x, b0, c30);
            c31 = Vector256.FusedMultiplyAdd(x, b1, c31);
            x = Vector256.Create(a3[row]);
            c40 = Vector256.FusedMultiplyAdd(x, b0, c40);
            c41 = Vector256.FusedMultiplyAdd(x, b1, c41);
            x = Vector256.Create(a3[2 * row]);
            c50 = Vector256.FusedMultiplyAdd(x, b0, c50);
            c51 = Vector256.FusedMultiplyAdd(x, b1, c51);
            a += step;
            a3 += step;
            b += Columns;
        }
        c00.Store(c); c01.Store(c + 8);
        c10.Store(c + cStride); c11.Store(c + cStride + 8);
        c20.Store(c + 2 * cStride); c21.Store(c + 2 * cStride + 8);
        c30.Store(c + 3 * cStride); c31.Store(c + 3 * cStride + 8);
        c40.Store(c + 4 * cStride); c41.Store(c + 4 * cStride + 8);
        c50.Store(c + 5 * cStride); c51.Store(c + 5 * cStride + 8);
    }

    /// <summary>6 × 32 outputs of two neighbouring panels; the rest as <see cref="Multiply256"/>.</summary>
    public static void Multiply512<TLeft>(int depth, float* a, long stride, float* b, float* second, float* c, long cStride, bool resume) where TLeft : ILeftLayout
    {
        Vector512<float> c00, c01, c10, c11, c20, c21, c30, c31, c40, c41, c50, c51;
        if (resume)
        {
            c00 = Vector512.Load(c); c01 = Vector512.Load(c + 16);
            c10 = Vector512.Load(c + cStride); c11 = Vector512.Load(c + cStride + 16);
            c20 = Vector512.Load(c + 2 * cStride); c21 = Vector512.Load(c + 2 * cStride + 16);
            c30 = Vector512.Load(c + 3 * cStride); c31 = Vector512.Load(c + 3 * cStride + 16);
            c40 = Vector512.Load(c + 4 * cStride); c41 = Vector512.Load(c + 4 * cStride + 16);
            c50 = Vector512.Load(c + 5 * cStride); c51 = Vector512.Load(c + 5 * cStride + 16);
        }
        else
        {
            c00 = c01 = c10 = c11 = c20 = c21 = c30 = c31 = c40 = c41 = c50 = c51 = Vector512<float>.Zero;
        }
        var step = TLeft.Transposed ? stride : 1;
        var row = TLeft.Transposed ? 1 : stride;
        var a3 = a + 3 * row;
        for (var k = depth; k > 0; k--)
        {
            var b0 = Vector512.Load(b);
            var b1 = Vector512.Load(second);
            var x = Vector512.Create(*a);
            c00 = Vector512.FusedMultiplyAdd(x, b0, c00);
            c01 = Vector512.FusedMultiplyAdd(x, b1, c01);
            x = Vector512.Create(a[row]);
            c10 = Vector512.FusedMultiplyAdd(x, b0, c10);
            c11 = Vector512.FusedMultiplyAdd(x, b1, c11);
            x = Vector512.Create(a[2 * row]);
            c20 = Vector512.FusedMultiplyAdd(x, b0, c20);
            c21 = Vector512.FusedMultiplyAdd(x, b1, c21);
            x = Vector512.Create(*a3);
            c30 = Vector512.FusedMultiplyAdd(x, b0, c30);
            c31 = Vector512.FusedMultiplyAdd(x, b1, c31);
            x = Vector512.Create(a3[row]);
            c40 = Vector512.FusedMultiplyAdd(x, b0, c40);
            c41 = Vector512.FusedMultiplyAdd(x, b1, c41);
            x = Vector512.Create(a3[2 * row]);
            c50 = Vector512.FusedMultiplyAdd(x, b0, c50);
            c51 = Vector512.FusedMultiplyAdd(x, b1, c51);
            a += step;
            a3 += step;
            b += Columns;
            second += Columns;
        }
        c00.Store(c); c01.Store(c + 16);
        c10.Store(c + cStride); c11.Store(c + cStride + 16);
        c20.Store(c + 2 * cStride); c21.Store(c + 2 * cStride + 16);
        c30.Store(c + 3 * cStride); c31.Store(c + 3 * cStride + 16);
        c40.Store(c + 4 * cStride); c41.Store(c + 4 * cStride + 16);
        c50.Store(c + 5 * cStride); c51.Store(c + 5 * cStride + 16);
    }

    /// <summary>Any number of rows by any number of columns against packed panels, on the calling thread.</summary>
    /// <param name="rows">Rows of the left operand and of the output.</param>
    /// <param name="columns">Columns of the output; the panels beyond are filled up to a multiple of 16.</param>
    /// <param name="depth">Steps over k.</param>
    /// <param name="panels">Right operand, packed: panel p at p·<paramref name="panelStride"/>, each (depth, 16).</param>
    /// <param name="wide">Use 512-bit registers; settable so that both forms can be compared on any machine.</param>
    public static void Multiply<TLeft>(int rows, int columns, int depth, float* a, long stride, float* panels, long panelStride,
        float* c, long cStride, bool resume, bool wide) where TLeft : ILeftLayout
    {
        var rowStep = TLeft.Transposed ? 1 : stride;
        for (var column = 0; column < columns;)
        {
            var b = panels + column / Columns * panelStride;
            var width = Math.Min(wide ? 2 * Columns : Columns, columns - column);
            if (width <= Columns) width = Math.Min(width, Columns);
            var full = width == (wide ? 2 * Columns : Columns);
            var row = 0;
            if (full)
            {
                for (; row + Rows <= rows; row += Rows)
                {
                    if (wide) Multiply512<TLeft>(depth, a + row * rowStep, stride, b, b + panelStride, c + row * cStride + column, cStride, resume);
                    else Multiply256<TLeft>(depth, a + row * rowStep, stride, b, c + row * cStride + column, cStride, resume);
                }
            }
            for (; row < rows; row += Rows)
                Edge<TLeft>(Math.Min(Rows, rows - row), width, depth, a + row * rowStep, stride, b, panelStride, c + row * cStride + column, cStride, resume);
            column += width;
        }
    }

    /// <summary>A tile that is not full: the same chains in a buffer of full size, of which only the outputs that exist are kept.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Edge<TLeft>(int rows, int columns, int depth, float* a, long stride, float* panels, long panelStride,
        float* c, long cStride, bool resume) where TLeft : ILeftLayout
    {
        var buffer = stackalloc float[Rows * Columns];
        for (var column = 0; column < columns; column += Columns, panels += panelStride)
        {
            var width = Math.Min(Columns, columns - column);
            if (resume)
            {
                for (var r = 0; r < rows; r++)
                    for (var j = 0; j < width; j++) buffer[r * Columns + j] = c[r * cStride + column + j];
            }
            switch (rows)
            {
                case 1: Rows1(depth, a, TLeft.Transposed ? stride : 1, panels, buffer, resume); break;
                case 6: Multiply256<TLeft>(depth, a, stride, panels, buffer, Columns, resume); break;
                default:
                    for (var r = 0; r < rows; r++)
                        Rows1(depth, a + r * (TLeft.Transposed ? 1 : stride), TLeft.Transposed ? stride : 1, panels, buffer + r * Columns, resume);
                    break;
            }
            for (var r = 0; r < rows; r++)
                for (var j = 0; j < width; j++) c[r * cStride + column + j] = buffer[r * Columns + j];
        }
    }

    private static void Rows1(int depth, float* a, long step, float* b, float* c, bool resume)
    {
        var c0 = resume ? Vector256.Load(c) : Vector256<float>.Zero;
        var c1 = resume ? Vector256.Load(c + 8) : Vector256<float>.Zero;
        for (var k = depth; k > 0; k--)
        {
            var x = Vector256.Create(*a);
            c0 = Vector256.FusedMultiplyAdd(x, Vector256.Load(b), c0);
            c1 = Vector256.FusedMultiplyAdd(x, Vector256.Load(b + 8), c1);
            a += step;
            b += Columns;
        }
        c0.Store(c);
        c1.Store(c + 8);
    }
}
