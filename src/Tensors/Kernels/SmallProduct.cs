using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace OpenEuroLLM.Tensors.Kernels;

/// <summary>A number known when code is compiled: branches over it vanish.</summary>
internal interface INumber
{
    static abstract int Value { get; }
}

/// <summary>Products too small or too thin to be worth packing: the right operand is read where it lies, with 512-bit registers and masks.</summary>
/// <remarks>The chains are those of <see cref="Tile"/>, so which of the two computes a product changes no bit.</remarks>
internal static unsafe class SmallProduct
{
    /// <summary>Multiply-adds up to which a product is small: some microseconds of one thread.</summary>
    private const long SmallWork = 160 * 1024;

    /// <summary>Rows of a tile.</summary>
    private const int Rows = 8;

    /// <summary>Columns of a tile: three registers, of which the last may be partly used.</summary>
    private const int TileColumns = 3 * Tile.Columns;

    /// <summary>Positions over k and columns that are packed at a time where the right operand is stored transposed.</summary>
    private const int PackedDepth = 256, PackedColumns = 4 * TileColumns;

    /// <summary>Numbers of scratch memory that <see cref="Multiply"/> needs.</summary>
    public const long Scratch = (long)PackedDepth * PackedColumns;

    /// <summary>Up to this many outputs side by side fill so little of a packed tile that reading in place wins at any length.</summary>
    private const int Thin = 8;

    /// <summary>Up to this many columns beyond the last group of 16 are computed with rows in the lanes where the left operand allows it.</summary>
    private const int SwappedColumns = 2;

    /// <summary>Whether a product is so small that no team is asked.</summary>
    public static bool IsSmall(int rows, int columns, int depth, in RightOperand b) =>
        Avx512F.VL.IsSupported && !b.Packed && (long)rows * columns * depth <= SmallWork;

    /// <summary>Whether a product of any size is too thin for packed tiles.</summary>
    public static bool IsThin(int rows, int columns, in RightOperand b) =>
        Avx512F.VL.IsSupported && !b.Packed && (columns <= Thin || (rows <= Thin && !b.Transposed));

    /// <summary>Computes C = A·B or C += A·B on the calling thread; parameters as in <see cref="Product.Multiply"/>.</summary>
    public static void Multiply(int rows, int columns, int depth, float* a, long aStride, bool aTransposed, in RightOperand b,
        float* c, long cStride, bool resume, float* scratch)
    {
        var right = (float*)b.Data;
        var tail = columns % Tile.Columns;
        if (aTransposed && tail is > 0 and <= SwappedColumns && rows >= Tile.Columns)
        {
            columns -= tail;
            Swapped(rows, tail, depth, a, aStride, right + (b.Transposed ? columns * b.Stride : columns), b.Stride, b.Transposed, c + columns, cStride, resume);
            if (columns == 0) return;
        }
        if (!b.Transposed)
        {
            Direct(rows, columns, depth, a, aStride, aTransposed, right, b.Stride, Tile.Columns, c, cStride, resume);
            return;
        }
        for (var column = 0; column < columns; column += PackedColumns)
        {
            var width = Math.Min(PackedColumns, columns - column);
            for (var k = 0; k < depth; k += PackedDepth)
            {
                var steps = Math.Min(PackedDepth, depth - k);
                PackTransposed(right + column * b.Stride + k, b.Stride, width, steps, scratch);
                Direct(rows, width, steps, a + (aTransposed ? k * aStride : k), aStride, aTransposed, scratch, Tile.Columns, (long)Tile.Columns * steps,
                    c + column, cStride, resume || k > 0);
            }
        }
    }

    /// <summary>One or two columns by a left operand stored as (k, m): rows lie in the lanes, the product is that of the transposed operands.</summary>
    private static void Swapped(int rows, int columns, int depth, float* a, long aStride, float* b, long bStride, bool bTransposed,
        float* c, long cStride, bool resume)
    {
        var outputs = stackalloc float[SwappedColumns * PackedColumns];
        for (var row = 0; row < rows; row += PackedColumns, a += PackedColumns, c += PackedColumns * cStride)
        {
            var count = Math.Min(PackedColumns, rows - row);
            if (resume)
                for (var r = 0; r < count; r++)
                    for (var j = 0; j < columns; j++) outputs[j * PackedColumns + r] = c[r * cStride + j];
            Direct(columns, count, depth, b, bStride, !bTransposed, a, aStride, Tile.Columns, outputs, PackedColumns, resume);
            for (var r = 0; r < count; r++)
                for (var j = 0; j < columns; j++) c[r * cStride + j] = outputs[j * PackedColumns + r];
        }
    }

    private static void PackTransposed(float* source, long stride, int columns, int steps, float* target)
    {
        for (var done = 0; done < columns; done += Tile.Columns)
            Packing.PanelTransposed(source + done * stride, stride, Math.Min(Tile.Columns, columns - done), steps, target + (long)done * steps);
    }

    /// <summary>Right operand as (k, n): position k at k·<paramref name="bStep"/>, groups of 16 columns <paramref name="bPanel"/> apart.</summary>
    private static void Direct(int rows, int columns, int depth, float* a, long aStride, bool aTransposed, float* b, long bStep, long bPanel,
        float* c, long cStride, bool resume)
    {
        for (var column = 0; column < columns; column += TileColumns, b += 3 * bPanel, c += TileColumns)
        {
            var width = Math.Min(TileColumns, columns - column);
            if (aTransposed) Columns<ColumnMajor>(rows, width, depth, a, aStride, b, bStep, bPanel, c, cStride, resume);
            else Columns<RowMajor>(rows, width, depth, a, aStride, b, bStep, bPanel, c, cStride, resume);
        }
    }

    /// <summary>Up to 48 columns; the registers they need are settled here.</summary>
    private static void Columns<TLeft>(int rows, int columns, int depth, float* a, long aStride, float* b, long bStep, long bPanel,
        float* c, long cStride, bool resume) where TLeft : ILeftLayout
    {
        // Masked stores are slow on some machines: sixteen columns are a full register, and a mask is only for what is left.
        var full = columns / Tile.Columns;
        var tail = columns % Tile.Columns;
        switch (full, tail)
        {
            case (0, <= 8): Strip<TLeft, Zero, One>(rows, depth, a, aStride, b, bStep, bPanel, tail, c, cStride, resume); break;
            case (0, _): Strip<TLeft, Zero, Two>(rows, depth, a, aStride, b, bStep, bPanel, tail, c, cStride, resume); break;
            case (1, 0): Strip<TLeft, One, Zero>(rows, depth, a, aStride, b, bStep, bPanel, tail, c, cStride, resume); break;
            case (1, <= 8): Strip<TLeft, One, One>(rows, depth, a, aStride, b, bStep, bPanel, tail, c, cStride, resume); break;
            case (1, _): Strip<TLeft, One, Two>(rows, depth, a, aStride, b, bStep, bPanel, tail, c, cStride, resume); break;
            case (2, 0): Strip<TLeft, Two, Zero>(rows, depth, a, aStride, b, bStep, bPanel, tail, c, cStride, resume); break;
            case (2, <= 8): Strip<TLeft, Two, One>(rows, depth, a, aStride, b, bStep, bPanel, tail, c, cStride, resume); break;
            case (2, _): Strip<TLeft, Two, Two>(rows, depth, a, aStride, b, bStep, bPanel, tail, c, cStride, resume); break;
            default: Strip<TLeft, Three, Zero>(rows, depth, a, aStride, b, bStep, bPanel, tail, c, cStride, resume); break;
        }
    }

    private static void Strip<TLeft, TFull, THalves>(int rows, int depth, float* a, long aStride, float* b, long bStep, long bPanel, int tail,
        float* c, long cStride, bool resume) where TLeft : ILeftLayout where TFull : INumber where THalves : INumber
    {
        // Even blocks: a last one of few rows would wait for its own chains.
        for (var blocks = (rows + Rows - 1) / Rows; blocks > 0; blocks--)
        {
            var count = (rows + blocks - 1) / blocks;
            switch (count)
            {
                case 1: Block<TLeft, TFull, THalves, One>(depth, a, aStride, b, bStep, bPanel, tail, c, cStride, resume); break;
                case 2: Block<TLeft, TFull, THalves, Two>(depth, a, aStride, b, bStep, bPanel, tail, c, cStride, resume); break;
                case 3: Block<TLeft, TFull, THalves, Three>(depth, a, aStride, b, bStep, bPanel, tail, c, cStride, resume); break;
                case 4: Block<TLeft, TFull, THalves, Four>(depth, a, aStride, b, bStep, bPanel, tail, c, cStride, resume); break;
                case 5: Block<TLeft, TFull, THalves, Five>(depth, a, aStride, b, bStep, bPanel, tail, c, cStride, resume); break;
                case 6: Block<TLeft, TFull, THalves, Six>(depth, a, aStride, b, bStep, bPanel, tail, c, cStride, resume); break;
                case 7: Block<TLeft, TFull, THalves, Seven>(depth, a, aStride, b, bStep, bPanel, tail, c, cStride, resume); break;
                default: Block<TLeft, TFull, THalves, Eight>(depth, a, aStride, b, bStep, bPanel, tail, c, cStride, resume); break;
            }
            rows -= count;
            a += count * TLeft.Row(aStride);
            c += count * cStride;
        }
    }

    /// <summary>1 to 8 rows by full registers of 16 columns and, where needed, one more of which <paramref name="tail"/> columns exist.</summary>
    /// <typeparam name="TLeft">How the left operand lies.</typeparam>
    /// <typeparam name="TFull">Full registers, 0 to 3.</typeparam>
    /// <typeparam name="THalves">The register behind them: 0, none; 1, eight lanes; 2, sixteen.</typeparam>
    /// <typeparam name="TRows">Rows.</typeparam>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Block<TLeft, TFull, THalves, TRows>(int depth, float* a, long aStride, float* b, long bStep, long bPanel, int tail,
        float* c, long cStride, bool resume) where TLeft : ILeftLayout where TFull : INumber where THalves : INumber where TRows : INumber
    {
        var row = TLeft.Row(aStride);
        var step = TLeft.Step(aStride);
        var last = b + TFull.Value * bPanel;
        var wide = Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(tail)).AsSingle();
        var half = Vector256.LessThan(Vector256<int>.Indices, Vector256.Create(tail)).AsSingle();
        var beyond = TFull.Value * Tile.Columns;
        Vector512<float> x0, x1, x2, x3, x4, x5, x6, x7, y0, y1, y2, y3, y4, y5, y6, y7, z0, z1, z2, z3, z4, z5, z6, z7;
        Vector256<float> h0, h1, h2, h3, h4, h5, h6, h7;
        x0 = x1 = x2 = x3 = x4 = x5 = x6 = x7 = Vector512<float>.Zero;
        y0 = y1 = y2 = y3 = y4 = y5 = y6 = y7 = Vector512<float>.Zero;
        z0 = z1 = z2 = z3 = z4 = z5 = z6 = z7 = Vector512<float>.Zero;
        h0 = h1 = h2 = h3 = h4 = h5 = h6 = h7 = Vector256<float>.Zero;
        if (resume)
        {
            if (TFull.Value > 0) x0 = Vector512.Load(c);
            if (TFull.Value > 1) y0 = Vector512.Load(c + Tile.Columns);
            if (TFull.Value > 2) z0 = Vector512.Load(c + 2 * Tile.Columns);
            if (THalves.Value == 2) z0 = Avx512F.MaskLoad(c + beyond, wide, Vector512<float>.Zero);
            if (THalves.Value == 1) h0 = Avx512F.VL.MaskLoad(c + beyond, half, Vector256<float>.Zero);
            if (TRows.Value > 1)
            {
                if (TFull.Value > 0) x1 = Vector512.Load(c + cStride);
                if (TFull.Value > 1) y1 = Vector512.Load(c + cStride + Tile.Columns);
                if (TFull.Value > 2) z1 = Vector512.Load(c + cStride + 2 * Tile.Columns);
                if (THalves.Value == 2) z1 = Avx512F.MaskLoad(c + cStride + beyond, wide, Vector512<float>.Zero);
                if (THalves.Value == 1) h1 = Avx512F.VL.MaskLoad(c + cStride + beyond, half, Vector256<float>.Zero);
            }
            if (TRows.Value > 2)
            {
                if (TFull.Value > 0) x2 = Vector512.Load(c + 2 * cStride);
                if (TFull.Value > 1) y2 = Vector512.Load(c + 2 * cStride + Tile.Columns);
                if (TFull.Value > 2) z2 = Vector512.Load(c + 2 * cStride + 2 * Tile.Columns);
                if (THalves.Value == 2) z2 = Avx512F.MaskLoad(c + 2 * cStride + beyond, wide, Vector512<float>.Zero);
                if (THalves.Value == 1) h2 = Avx512F.VL.MaskLoad(c + 2 * cStride + beyond, half, Vector256<float>.Zero);
            }
            if (TRows.Value > 3)
            {
                if (TFull.Value > 0) x3 = Vector512.Load(c + 3 * cStride);
                if (TFull.Value > 1) y3 = Vector512.Load(c + 3 * cStride + Tile.Columns);
                if (TFull.Value > 2) z3 = Vector512.Load(c + 3 * cStride + 2 * Tile.Columns);
                if (THalves.Value == 2) z3 = Avx512F.MaskLoad(c + 3 * cStride + beyond, wide, Vector512<float>.Zero);
                if (THalves.Value == 1) h3 = Avx512F.VL.MaskLoad(c + 3 * cStride + beyond, half, Vector256<float>.Zero);
            }
            if (TRows.Value > 4)
            {
                if (TFull.Value > 0) x4 = Vector512.Load(c + 4 * cStride);
                if (TFull.Value > 1) y4 = Vector512.Load(c + 4 * cStride + Tile.Columns);
                if (TFull.Value > 2) z4 = Vector512.Load(c + 4 * cStride + 2 * Tile.Columns);
                if (THalves.Value == 2) z4 = Avx512F.MaskLoad(c + 4 * cStride + beyond, wide, Vector512<float>.Zero);
                if (THalves.Value == 1) h4 = Avx512F.VL.MaskLoad(c + 4 * cStride + beyond, half, Vector256<float>.Zero);
            }
            if (TRows.Value > 5)
            {
                if (TFull.Value > 0) x5 = Vector512.Load(c + 5 * cStride);
                if (TFull.Value > 1) y5 = Vector512.Load(c + 5 * cStride + Tile.Columns);
                if (TFull.Value > 2) z5 = Vector512.Load(c + 5 * cStride + 2 * Tile.Columns);
                if (THalves.Value == 2) z5 = Avx512F.MaskLoad(c + 5 * cStride + beyond, wide, Vector512<float>.Zero);
                if (THalves.Value == 1) h5 = Avx512F.VL.MaskLoad(c + 5 * cStride + beyond, half, Vector256<float>.Zero);
            }
            if (TRows.Value > 6)
            {
                if (TFull.Value > 0) x6 = Vector512.Load(c + 6 * cStride);
                if (TFull.Value > 1) y6 = Vector512.Load(c + 6 * cStride + Tile.Columns);
                if (TFull.Value > 2) z6 = Vector512.Load(c + 6 * cStride + 2 * Tile.Columns);
                if (THalves.Value == 2) z6 = Avx512F.MaskLoad(c + 6 * cStride + beyond, wide, Vector512<float>.Zero);
                if (THalves.Value == 1) h6 = Avx512F.VL.MaskLoad(c + 6 * cStride + beyond, half, Vector256<float>.Zero);
            }
            if (TRows.Value > 7)
            {
                if (TFull.Value > 0) x7 = Vector512.Load(c + 7 * cStride);
                if (TFull.Value > 1) y7 = Vector512.Load(c + 7 * cStride + Tile.Columns);
                if (TFull.Value > 2) z7 = Vector512.Load(c + 7 * cStride + 2 * Tile.Columns);
                if (THalves.Value == 2) z7 = Avx512F.MaskLoad(c + 7 * cStride + beyond, wide, Vector512<float>.Zero);
                if (THalves.Value == 1) h7 = Avx512F.VL.MaskLoad(c + 7 * cStride + beyond, half, Vector256<float>.Zero);
            }
        }
        for (; depth > 0; depth--)
        {
            var b0 = TFull.Value > 0 ? Vector512.Load(b) : default;
            var b1 = TFull.Value > 1 ? Vector512.Load(b + bPanel) : default;
            var b2 = TFull.Value > 2 ? Vector512.Load(b + 2 * bPanel) : THalves.Value == 2 ? Avx512F.MaskLoad(last, wide, Vector512<float>.Zero) : default;
            var b3 = THalves.Value == 1 ? Avx512F.VL.MaskLoad(last, half, Vector256<float>.Zero) : default;
            var factor = Vector512.Create(*a);
            if (TFull.Value > 0) x0 = Vector512.FusedMultiplyAdd(factor, b0, x0);
            if (TFull.Value > 1) y0 = Vector512.FusedMultiplyAdd(factor, b1, y0);
            if (TFull.Value > 2 || THalves.Value == 2) z0 = Vector512.FusedMultiplyAdd(factor, b2, z0);
            if (THalves.Value == 1) h0 = Vector256.FusedMultiplyAdd(TFull.Value > 0 ? factor.GetLower() : Vector256.Create(*a), b3, h0);
            if (TRows.Value > 1)
            {
                factor = Vector512.Create(a[row]);
                if (TFull.Value > 0) x1 = Vector512.FusedMultiplyAdd(factor, b0, x1);
                if (TFull.Value > 1) y1 = Vector512.FusedMultiplyAdd(factor, b1, y1);
                if (TFull.Value > 2 || THalves.Value == 2) z1 = Vector512.FusedMultiplyAdd(factor, b2, z1);
                if (THalves.Value == 1) h1 = Vector256.FusedMultiplyAdd(TFull.Value > 0 ? factor.GetLower() : Vector256.Create(a[row]), b3, h1);
            }
            if (TRows.Value > 2)
            {
                factor = Vector512.Create(a[2 * row]);
                if (TFull.Value > 0) x2 = Vector512.FusedMultiplyAdd(factor, b0, x2);
                if (TFull.Value > 1) y2 = Vector512.FusedMultiplyAdd(factor, b1, y2);
                if (TFull.Value > 2 || THalves.Value == 2) z2 = Vector512.FusedMultiplyAdd(factor, b2, z2);
                if (THalves.Value == 1) h2 = Vector256.FusedMultiplyAdd(TFull.Value > 0 ? factor.GetLower() : Vector256.Create(a[2 * row]), b3, h2);
            }
            if (TRows.Value > 3)
            {
                factor = Vector512.Create(a[3 * row]);
                if (TFull.Value > 0) x3 = Vector512.FusedMultiplyAdd(factor, b0, x3);
                if (TFull.Value > 1) y3 = Vector512.FusedMultiplyAdd(factor, b1, y3);
                if (TFull.Value > 2 || THalves.Value == 2) z3 = Vector512.FusedMultiplyAdd(factor, b2, z3);
                if (THalves.Value == 1) h3 = Vector256.FusedMultiplyAdd(TFull.Value > 0 ? factor.GetLower() : Vector256.Create(a[3 * row]), b3, h3);
            }
            if (TRows.Value > 4)
            {
                factor = Vector512.Create(a[4 * row]);
                if (TFull.Value > 0) x4 = Vector512.FusedMultiplyAdd(factor, b0, x4);
                if (TFull.Value > 1) y4 = Vector512.FusedMultiplyAdd(factor, b1, y4);
                if (TFull.Value > 2 || THalves.Value == 2) z4 = Vector512.FusedMultiplyAdd(factor, b2, z4);
                if (THalves.Value == 1) h4 = Vector256.FusedMultiplyAdd(TFull.Value > 0 ? factor.GetLower() : Vector256.Create(a[4 * row]), b3, h4);
            }
            if (TRows.Value > 5)
            {
                factor = Vector512.Create(a[5 * row]);
                if (TFull.Value > 0) x5 = Vector512.FusedMultiplyAdd(factor, b0, x5);
                if (TFull.Value > 1) y5 = Vector512.FusedMultiplyAdd(factor, b1, y5);
                if (TFull.Value > 2 || THalves.Value == 2) z5 = Vector512.FusedMultiplyAdd(factor, b2, z5);
                if (THalves.Value == 1) h5 = Vector256.FusedMultiplyAdd(TFull.Value > 0 ? factor.GetLower() : Vector256.Create(a[5 * row]), b3, h5);
            }
            if (TRows.Value > 6)
            {
                factor = Vector512.Create(a[6 * row]);
                if (TFull.Value > 0) x6 = Vector512.FusedMultiplyAdd(factor, b0, x6);
                if (TFull.Value > 1) y6 = Vector512.FusedMultiplyAdd(factor, b1, y6);
                if (TFull.Value > 2 || THalves.Value == 2) z6 = Vector512.FusedMultiplyAdd(factor, b2, z6);
                if (THalves.Value == 1) h6 = Vector256.FusedMultiplyAdd(TFull.Value > 0 ? factor.GetLower() : Vector256.Create(a[6 * row]), b3, h6);
            }
            if (TRows.Value > 7)
            {
                factor = Vector512.Create(a[7 * row]);
                if (TFull.Value > 0) x7 = Vector512.FusedMultiplyAdd(factor, b0, x7);
                if (TFull.Value > 1) y7 = Vector512.FusedMultiplyAdd(factor, b1, y7);
                if (TFull.Value > 2 || THalves.Value == 2) z7 = Vector512.FusedMultiplyAdd(factor, b2, z7);
                if (THalves.Value == 1) h7 = Vector256.FusedMultiplyAdd(TFull.Value > 0 ? factor.GetLower() : Vector256.Create(a[7 * row]), b3, h7);
            }
            a += step;
            b += bStep;
            last += bStep;
        }
        if (TFull.Value > 0) x0.Store(c);
        if (TFull.Value > 1) y0.Store(c + Tile.Columns);
        if (TFull.Value > 2) z0.Store(c + 2 * Tile.Columns);
        if (THalves.Value == 2) Avx512F.MaskStore(c + beyond, wide, z0);
        if (THalves.Value == 1) Avx512F.VL.MaskStore(c + beyond, half, h0);
        if (TRows.Value > 1)
        {
            if (TFull.Value > 0) x1.Store(c + cStride);
            if (TFull.Value > 1) y1.Store(c + cStride + Tile.Columns);
            if (TFull.Value > 2) z1.Store(c + cStride + 2 * Tile.Columns);
            if (THalves.Value == 2) Avx512F.MaskStore(c + cStride + beyond, wide, z1);
            if (THalves.Value == 1) Avx512F.VL.MaskStore(c + cStride + beyond, half, h1);
        }
        if (TRows.Value > 2)
        {
            if (TFull.Value > 0) x2.Store(c + 2 * cStride);
            if (TFull.Value > 1) y2.Store(c + 2 * cStride + Tile.Columns);
            if (TFull.Value > 2) z2.Store(c + 2 * cStride + 2 * Tile.Columns);
            if (THalves.Value == 2) Avx512F.MaskStore(c + 2 * cStride + beyond, wide, z2);
            if (THalves.Value == 1) Avx512F.VL.MaskStore(c + 2 * cStride + beyond, half, h2);
        }
        if (TRows.Value > 3)
        {
            if (TFull.Value > 0) x3.Store(c + 3 * cStride);
            if (TFull.Value > 1) y3.Store(c + 3 * cStride + Tile.Columns);
            if (TFull.Value > 2) z3.Store(c + 3 * cStride + 2 * Tile.Columns);
            if (THalves.Value == 2) Avx512F.MaskStore(c + 3 * cStride + beyond, wide, z3);
            if (THalves.Value == 1) Avx512F.VL.MaskStore(c + 3 * cStride + beyond, half, h3);
        }
        if (TRows.Value > 4)
        {
            if (TFull.Value > 0) x4.Store(c + 4 * cStride);
            if (TFull.Value > 1) y4.Store(c + 4 * cStride + Tile.Columns);
            if (TFull.Value > 2) z4.Store(c + 4 * cStride + 2 * Tile.Columns);
            if (THalves.Value == 2) Avx512F.MaskStore(c + 4 * cStride + beyond, wide, z4);
            if (THalves.Value == 1) Avx512F.VL.MaskStore(c + 4 * cStride + beyond, half, h4);
        }
        if (TRows.Value > 5)
        {
            if (TFull.Value > 0) x5.Store(c + 5 * cStride);
            if (TFull.Value > 1) y5.Store(c + 5 * cStride + Tile.Columns);
            if (TFull.Value > 2) z5.Store(c + 5 * cStride + 2 * Tile.Columns);
            if (THalves.Value == 2) Avx512F.MaskStore(c + 5 * cStride + beyond, wide, z5);
            if (THalves.Value == 1) Avx512F.VL.MaskStore(c + 5 * cStride + beyond, half, h5);
        }
        if (TRows.Value > 6)
        {
            if (TFull.Value > 0) x6.Store(c + 6 * cStride);
            if (TFull.Value > 1) y6.Store(c + 6 * cStride + Tile.Columns);
            if (TFull.Value > 2) z6.Store(c + 6 * cStride + 2 * Tile.Columns);
            if (THalves.Value == 2) Avx512F.MaskStore(c + 6 * cStride + beyond, wide, z6);
            if (THalves.Value == 1) Avx512F.VL.MaskStore(c + 6 * cStride + beyond, half, h6);
        }
        if (TRows.Value > 7)
        {
            if (TFull.Value > 0) x7.Store(c + 7 * cStride);
            if (TFull.Value > 1) y7.Store(c + 7 * cStride + Tile.Columns);
            if (TFull.Value > 2) z7.Store(c + 7 * cStride + 2 * Tile.Columns);
            if (THalves.Value == 2) Avx512F.MaskStore(c + 7 * cStride + beyond, wide, z7);
            if (THalves.Value == 1) Avx512F.VL.MaskStore(c + 7 * cStride + beyond, half, h7);
        }
    }

    private readonly struct Zero : INumber
    {
        public static int Value => 0;
    }

    private readonly struct One : INumber
    {
        public static int Value => 1;
    }

    private readonly struct Two : INumber
    {
        public static int Value => 2;
    }

    private readonly struct Three : INumber
    {
        public static int Value => 3;
    }

    private readonly struct Four : INumber
    {
        public static int Value => 4;
    }

    private readonly struct Five : INumber
    {
        public static int Value => 5;
    }

    private readonly struct Six : INumber
    {
        public static int Value => 6;
    }

    private readonly struct Seven : INumber
    {
        public static int Value => 7;
    }

    private readonly struct Eight : INumber
    {
        public static int Value => 8;
    }
}
