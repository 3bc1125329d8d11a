using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace OpenEuroLLM.Tensors.Kernels;

/// <summary>Lays a right operand out as panels of 16 columns, (depth, 16) each, the last one filled up with zeros, and a transposed left
/// operand as strips of 6 rows.</summary>
internal static unsafe class Packing
{
    private const int Columns = Tile.Columns;

    /// <summary>One panel of a right operand stored as (k, n): rows are copied in pieces of 16.</summary>
    public static void Panel(float* source, long stride, int columns, int depth, float* panel)
    {
        if (columns >= Columns)
        {
            for (var k = 0; k < depth; k++, source += stride, panel += Columns)
            {
                Vector256.Load(source).Store(panel);
                Vector256.Load(source + 8).Store(panel + 8);
            }
            return;
        }
        for (var k = 0; k < depth; k++, source += stride, panel += Columns) Lanes.Tail(source, columns, panel);
    }

    /// <summary>One panel of a right operand stored transposed, as (n, k): 16 rows of the storage become the 16 lanes.</summary>
    public static void PanelTransposed(float* source, long stride, int columns, int depth, float* panel)
    {
        if (columns < Columns)
        {
            for (var k = 0; k < depth; k++, panel += Columns)
            {
                for (var j = 0; j < columns; j++) panel[j] = source[j * stride + k];
                for (var j = columns; j < Columns; j++) panel[j] = 0;
            }
            return;
        }
        var done = 0;
        for (; done + 4 <= depth; done += 4)
        {
            var from = source + done;
            var to = panel + (long)done * Columns;
            // Rows j to j + 3 lie in the lower halves, j + 4 to j + 7 in the upper ones: a 4 by 4 transpose in each half puts 8 lanes side by side.
            for (var j = 0; j < Columns; j += 8, from += 8 * stride, to += 8)
                Transpose(Pair(from, 4 * stride), Pair(from + stride, 4 * stride), Pair(from + 2 * stride, 4 * stride), Pair(from + 3 * stride, 4 * stride), to);
        }
        for (; done < depth; done++)
            for (var j = 0; j < Columns; j++) panel[(long)done * Columns + j] = source[j * stride + done];
    }

    /// <summary>A left operand stored as (k, m): strips of 6 rows, (depth, 6) each; places of rows that do not exist are left as they are.</summary>
    public static void Strips(float* source, long stride, int rows, int depth, float* strips)
    {
        var whole = rows / Tile.Rows * Tile.Rows;
        for (var k = 0; k < depth; k++, source += stride, strips += Tile.Rows)
        {
            var to = strips;
            for (var row = 0; row < whole; row += Tile.Rows, to += (long)Tile.Rows * depth)
            {
                Vector128.Load(source + row).Store(to);
                Vector128.Load(source + row + 2).Store(to + 2);
            }
            for (var row = whole; row < rows; row++) to[row - whole] = source[row];
        }
    }

    private static Vector256<float> Pair(float* lower, long distance) => Vector256.Create(Vector128.Load(lower), Vector128.Load(lower + distance));

    private static void Transpose(Vector256<float> r0, Vector256<float> r1, Vector256<float> r2, Vector256<float> r3, float* to)
    {
        var a = Interleave(r0, r2, low: true); // r0[0] r2[0] r0[1] r2[1], in each half
        var b = Interleave(r0, r2, low: false);
        var c = Interleave(r1, r3, low: true);
        var d = Interleave(r1, r3, low: false);
        Interleave(a, c, low: true).Store(to);
        Interleave(a, c, low: false).Store(to + Columns);
        Interleave(b, d, low: true).Store(to + 2 * Columns);
        Interleave(b, d, low: false).Store(to + 3 * Columns);
    }

    private static Vector256<float> Interleave(Vector256<float> x, Vector256<float> y, bool low)
    {
        if (Avx.IsSupported) return low ? Avx.UnpackLow(x, y) : Avx.UnpackHigh(x, y);
        return Vector256.Create(Interleave(x.GetLower(), y.GetLower(), low), Interleave(x.GetUpper(), y.GetUpper(), low));
    }

    private static Vector128<float> Interleave(Vector128<float> x, Vector128<float> y, bool low) => low
        ? Vector128.Create(x.GetElement(0), y.GetElement(0), x.GetElement(1), y.GetElement(1))
        : Vector128.Create(x.GetElement(2), y.GetElement(2), x.GetElement(3), y.GetElement(3));
}
