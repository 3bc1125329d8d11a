using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace OpenEuroLLM.Tensors.Kernels;

/// <summary>How the left operand of a product lies in memory: distances between its rows, between positions along k, and between
/// strips of 6 rows.</summary>
internal interface ILeftLayout
{
    static abstract long Row(long stride);

    static abstract long Step(long stride);

    static abstract long Strip(long stride, int depth);
}

/// <summary>Row r, position k lies at r·stride + k.</summary>
internal readonly struct RowMajor : ILeftLayout
{
    public static long Row(long stride) => stride;

    public static long Step(long stride) => 1;

    public static long Strip(long stride, int depth) => Tile.Rows * stride;
}

/// <summary>Row r, position k lies at k·stride + r: the operand is stored transposed.</summary>
internal readonly struct ColumnMajor : ILeftLayout
{
    public static long Row(long stride) => 1;

    public static long Step(long stride) => stride;

    public static long Strip(long stride, int depth) => Tile.Rows;
}

/// <summary>Strips of 6 rows, each as (k, 6): the form into which a transposed operand is copied.</summary>
internal readonly struct Strips : ILeftLayout
{
    public static long Row(long stride) => 1;

    public static long Step(long stride) => Tile.Rows;

    public static long Strip(long stride, int depth) => (long)Tile.Rows * depth;
}

/// <summary>The inner loops of every product: up to 6 rows by 16 or 32 columns of outputs held in registers, or 2 rows by 48.</summary>
/// <remarks>The law (docs/architecture.md): each output is one chain of fused multiply-adds over k in ascending order, from +0 or from
/// the value already there. Outputs lie in the lanes and never meet, so tile shape and register width cannot change a bit.
/// A tile with fewer rows or panels than it has room for computes its last one several times: equal chains, stored over each other.</remarks>
internal static unsafe class Tile
{
    public const int Rows = 6;

    /// <summary>Columns of one packed panel of the right operand.</summary>
    public const int Columns = 16;

    /// <summary>Up to this many rows beyond the last full strip, tiles of 2 rows are faster than one of 6.</summary>
    private const int FewRows = 4;

    /// <summary>Whether 512-bit registers are used. <c>Vector512.IsHardwareAccelerated</c> is false on servers that clock down, so the
    /// instruction set itself is asked.</summary>
    public static readonly bool Wide = Avx512F.IsSupported;

    /// <summary>Any number of rows by any number of columns against packed panels, on the calling thread.</summary>
    /// <param name="rows">Rows of the left operand and of the output.</param>
    /// <param name="columns">Columns of the output; the panels beyond are filled up to a multiple of 16.</param>
    /// <param name="depth">Steps over k.</param>
    /// <param name="a">Left operand.</param>
    /// <param name="stride">Numbers between rows of the left operand (between positions, when it is stored transposed).</param>
    /// <param name="panels">Right operand, packed: panel p at p·<paramref name="panelStride"/>, each (depth, 16).</param>
    /// <param name="c">Outputs, <paramref name="cStride"/> numbers between rows.</param>
    /// <param name="resume">Whether chains go on from the values in <paramref name="c"/>; otherwise they begin at +0.</param>
    /// <param name="wide">Use 512-bit registers; settable so that both forms can be compared on any machine.</param>
    public static void Multiply<TLeft>(int rows, int columns, int depth, float* a, long stride, float* panels, long panelStride,
        float* c, long cStride, bool resume, bool wide) where TLeft : ILeftLayout
    {
        var strip = TLeft.Strip(stride, depth);
        var inStrips = rows % Rows > FewRows ? rows : rows / Rows * Rows;
        var inPanels = columns / Columns * Columns;
        // Each strip asks for its share of the next panel, a line being one position over k.
        var share = (long)Columns * ((depth + inStrips - 1) / Math.Max(1, inStrips));
        for (var column = 0; column < inPanels;)
        {
            var b = panels + column / Columns * panelStride;
            var two = wide && inPanels - column >= 2 * Columns;
            var next = b + (two ? 2 : 1) * panelStride;
            for (var row = 0; row < inStrips; row += Rows)
            {
                var left = a + row / Rows * strip;
                var output = c + row * cStride + column;
                var count = Math.Min(Rows, inStrips - row);
                var last = row + Rows >= inStrips;
                Prefetch(last ? c + column + (next - b) / panelStride * Columns : output + Rows * cStride, cStride, Math.Min(Rows, last ? inStrips : inStrips - row - Rows));
                Prefetch(next + row * share, Columns, share * Rows / Columns);
                if (two) Multiply512<TLeft>(count, depth, left, stride, b, b + panelStride, output, cStride, resume);
                else Multiply256<TLeft>(count, depth, left, stride, b, output, cStride, resume);
            }
            column += two ? 2 * Columns : Columns;
        }
        for (var row = inStrips; row < rows; row += 2)
        {
            var left = a + row / Rows * strip + row % Rows * TLeft.Row(stride);
            for (var column = 0; column < inPanels; column += 3 * Columns)
                MultiplyFew<TLeft>(Math.Min(2, rows - row), Math.Min(3, (inPanels - column) / Columns), depth, left, stride,
                    panels + column / Columns * panelStride, panelStride, c + row * cStride + column, cStride, resume);
        }
        if (inPanels == columns) return;
        for (var row = 0; row < rows; row += Rows)
            Edge<TLeft>(Math.Min(Rows, rows - row), columns - inPanels, depth, a + row / Rows * strip, stride,
                panels + inPanels / Columns * panelStride, c + row * cStride + inPanels, cStride, resume);
    }

    /// <summary>1 to 6 rows × 16 outputs against one panel.</summary>
    private static void Multiply256<TLeft>(int rows, int depth, float* a, long stride, float* b, float* c, long cStride, bool resume) where TLeft : ILeftLayout
    {
        var last = rows - 1;
        var row = TLeft.Row(stride);
        var step = TLeft.Step(stride);
        var (a1, a2, a3, a4, a5) = (Math.Min(1, last) * row, Math.Min(2, last) * row, Math.Min(3, last) * row, Math.Min(4, last) * row, last * row);
        var y1 = c + Math.Min(1, last) * cStride;
        var y2 = c + Math.Min(2, last) * cStride;
        var y3 = c + Math.Min(3, last) * cStride;
        var y4 = c + Math.Min(4, last) * cStride;
        var y5 = c + last * cStride;
        Vector256<float> c00, c01, c10, c11, c20, c21, c30, c31, c40, c41, c50, c51;
        if (resume)
        {
            c00 = Vector256.Load(c); c01 = Vector256.Load(c + 8);
            c10 = Vector256.Load(y1); c11 = Vector256.Load(y1 + 8);
            c20 = Vector256.Load(y2); c21 = Vector256.Load(y2 + 8);
            c30 = Vector256.Load(y3); c31 = Vector256.Load(y3 + 8);
            c40 = Vector256.Load(y4); c41 = Vector256.Load(y4 + 8);
            c50 = Vector256.Load(y5); c51 = Vector256.Load(y5 + 8);
        }
        else
        {
            c00 = c01 = c10 = c11 = c20 = c21 = c30 = c31 = c40 = c41 = c50 = c51 = Vector256<float>.Zero;
        }
        for (var k = depth; k > 0; k--)
        {
            var b0 = Vector256.Load(b);
            var b1 = Vector256.Load(b + 8);
            var x = Vector256.Create(*a);
            c00 = Vector256.FusedMultiplyAdd(x, b0, c00);
            c01 = Vector256.FusedMultiplyAdd(x, b1, c01);
            x = Vector256.Create(a[a1]);
            c10 = Vector256.FusedMultiplyAdd(x, b0, c10);
            c11 = Vector256.FusedMultiplyAdd(x, b1, c11);
            x = Vector256.Create(a[a2]);
            c20 = Vector256.FusedMultiplyAdd(x, b0, c20);
            c21 = Vector256.FusedMultiplyAdd(x, b1, c21);
            x = Vector256.Create(a[a3]);
            c30 = Vector256.FusedMultiplyAdd(x, b0, c30);
            c31 = Vector256.FusedMultiplyAdd(x, b1, c31);
            x = Vector256.Create(a[a4]);
            c40 = Vector256.FusedMultiplyAdd(x, b0, c40);
            c41 = Vector256.FusedMultiplyAdd(x, b1, c41);
            x = Vector256.Create(a[a5]);
            c50 = Vector256.FusedMultiplyAdd(x, b0, c50);
            c51 = Vector256.FusedMultiplyAdd(x, b1, c51);
            a += step;
            b += Columns;
        }
        c00.Store(c); c01.Store(c + 8);
        c10.Store(y1); c11.Store(y1 + 8);
        c20.Store(y2); c21.Store(y2 + 8);
        c30.Store(y3); c31.Store(y3 + 8);
        c40.Store(y4); c41.Store(y4 + 8);
        c50.Store(y5); c51.Store(y5 + 8);
    }

    /// <summary>1 to 6 rows × 32 outputs against two neighbouring panels.</summary>
    private static void Multiply512<TLeft>(int rows, int depth, float* a, long stride, float* b, float* second, float* c, long cStride, bool resume) where TLeft : ILeftLayout
    {
        var last = rows - 1;
        var row = TLeft.Row(stride);
        var step = TLeft.Step(stride);
        var (a1, a2, a3, a4, a5) = (Math.Min(1, last) * row, Math.Min(2, last) * row, Math.Min(3, last) * row, Math.Min(4, last) * row, last * row);
        var y1 = c + Math.Min(1, last) * cStride;
        var y2 = c + Math.Min(2, last) * cStride;
        var y3 = c + Math.Min(3, last) * cStride;
        var y4 = c + Math.Min(4, last) * cStride;
        var y5 = c + last * cStride;
        Vector512<float> c00, c01, c10, c11, c20, c21, c30, c31, c40, c41, c50, c51;
        if (resume)
        {
            c00 = Vector512.Load(c); c01 = Vector512.Load(c + 16);
            c10 = Vector512.Load(y1); c11 = Vector512.Load(y1 + 16);
            c20 = Vector512.Load(y2); c21 = Vector512.Load(y2 + 16);
            c30 = Vector512.Load(y3); c31 = Vector512.Load(y3 + 16);
            c40 = Vector512.Load(y4); c41 = Vector512.Load(y4 + 16);
            c50 = Vector512.Load(y5); c51 = Vector512.Load(y5 + 16);
        }
        else
        {
            c00 = c01 = c10 = c11 = c20 = c21 = c30 = c31 = c40 = c41 = c50 = c51 = Vector512<float>.Zero;
        }
        for (var k = depth; k > 0; k--)
        {
            var b0 = Vector512.Load(b);
            var b1 = Vector512.Load(second);
            var x = Vector512.Create(*a);
            c00 = Vector512.FusedMultiplyAdd(x, b0, c00);
            c01 = Vector512.FusedMultiplyAdd(x, b1, c01);
            x = Vector512.Create(a[a1]);
            c10 = Vector512.FusedMultiplyAdd(x, b0, c10);
            c11 = Vector512.FusedMultiplyAdd(x, b1, c11);
            x = Vector512.Create(a[a2]);
            c20 = Vector512.FusedMultiplyAdd(x, b0, c20);
            c21 = Vector512.FusedMultiplyAdd(x, b1, c21);
            x = Vector512.Create(a[a3]);
            c30 = Vector512.FusedMultiplyAdd(x, b0, c30);
            c31 = Vector512.FusedMultiplyAdd(x, b1, c31);
            x = Vector512.Create(a[a4]);
            c40 = Vector512.FusedMultiplyAdd(x, b0, c40);
            c41 = Vector512.FusedMultiplyAdd(x, b1, c41);
            x = Vector512.Create(a[a5]);
            c50 = Vector512.FusedMultiplyAdd(x, b0, c50);
            c51 = Vector512.FusedMultiplyAdd(x, b1, c51);
            a += step;
            b += Columns;
            second += Columns;
        }
        c00.Store(c); c01.Store(c + 16);
        c10.Store(y1); c11.Store(y1 + 16);
        c20.Store(y2); c21.Store(y2 + 16);
        c30.Store(y3); c31.Store(y3 + 16);
        c40.Store(y4); c41.Store(y4 + 16);
        c50.Store(y5); c51.Store(y5 + 16);
    }

    /// <summary>1 or 2 rows against 1 to 3 panels: as many chains at once as in a full tile, so that few rows wait for memory alone.</summary>
    private static void MultiplyFew<TLeft>(int rows, int count, int depth, float* a, long stride, float* panels, long panelStride,
        float* c, long cStride, bool resume) where TLeft : ILeftLayout
    {
        var row = (rows - 1) * TLeft.Row(stride);
        var step = TLeft.Step(stride);
        var last = count - 1;
        var middle = Math.Min(1, last);
        float* p0 = panels, p1 = panels + middle * panelStride, p2 = panels + last * panelStride;
        float* x0 = c, x1 = c + middle * Columns, x2 = c + last * Columns;
        var next = (rows - 1) * cStride;
        Vector256<float> c00, c01, c02, c03, c04, c05, c10, c11, c12, c13, c14, c15;
        if (resume)
        {
            c00 = Vector256.Load(x0); c01 = Vector256.Load(x0 + 8); c02 = Vector256.Load(x1); c03 = Vector256.Load(x1 + 8); c04 = Vector256.Load(x2); c05 = Vector256.Load(x2 + 8);
            c10 = Vector256.Load(x0 + next); c11 = Vector256.Load(x0 + next + 8); c12 = Vector256.Load(x1 + next);
            c13 = Vector256.Load(x1 + next + 8); c14 = Vector256.Load(x2 + next); c15 = Vector256.Load(x2 + next + 8);
        }
        else
        {
            c00 = c01 = c02 = c03 = c04 = c05 = c10 = c11 = c12 = c13 = c14 = c15 = Vector256<float>.Zero;
        }
        for (var k = 0L; k < (long)depth * Columns; k += Columns)
        {
            var (first, second) = (Vector256.Create(*a), Vector256.Create(a[row]));
            var b = Vector256.Load(p0 + k);
            c00 = Vector256.FusedMultiplyAdd(first, b, c00);
            c10 = Vector256.FusedMultiplyAdd(second, b, c10);
            b = Vector256.Load(p0 + k + 8);
            c01 = Vector256.FusedMultiplyAdd(first, b, c01);
            c11 = Vector256.FusedMultiplyAdd(second, b, c11);
            b = Vector256.Load(p1 + k);
            c02 = Vector256.FusedMultiplyAdd(first, b, c02);
            c12 = Vector256.FusedMultiplyAdd(second, b, c12);
            b = Vector256.Load(p1 + k + 8);
            c03 = Vector256.FusedMultiplyAdd(first, b, c03);
            c13 = Vector256.FusedMultiplyAdd(second, b, c13);
            b = Vector256.Load(p2 + k);
            c04 = Vector256.FusedMultiplyAdd(first, b, c04);
            c14 = Vector256.FusedMultiplyAdd(second, b, c14);
            b = Vector256.Load(p2 + k + 8);
            c05 = Vector256.FusedMultiplyAdd(first, b, c05);
            c15 = Vector256.FusedMultiplyAdd(second, b, c15);
            a += step;
        }
        c00.Store(x0); c01.Store(x0 + 8); c02.Store(x1); c03.Store(x1 + 8); c04.Store(x2); c05.Store(x2 + 8);
        c10.Store(x0 + next); c11.Store(x0 + next + 8); c12.Store(x1 + next); c13.Store(x1 + next + 8); c14.Store(x2 + next); c15.Store(x2 + next + 8);
    }

    /// <summary>A panel that is not full: the same chains in a buffer of full width, of which only the outputs that exist are kept.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Edge<TLeft>(int rows, int columns, int depth, float* a, long stride, float* panel, float* c, long cStride, bool resume) where TLeft : ILeftLayout
    {
        var buffer = stackalloc float[Rows * Columns];
        for (var r = 0; r < rows; r++) Lanes.Tail(c + r * cStride, columns, buffer + r * Columns);
        Multiply256<TLeft>(rows, depth, a, stride, panel, buffer, Columns, resume);
        for (var r = 0; r < rows; r++)
            for (var j = 0; j < columns; j++) c[r * cStride + j] = buffer[r * Columns + j];
    }

    /// <summary>Asks for memory that comes from far away while the tile before it is computed.</summary>
    private static void Prefetch(float* first, long stride, long lines)
    {
        if (!Sse.IsSupported) return;
        for (; lines > 0; lines--, first += stride) Sse.Prefetch0(first);
    }
}
