namespace OpenEuroLLM.Tensors.Kernels;

/// <summary>Right operand of a product.</summary>
/// <param name="Data">First number.</param>
/// <param name="Stride">Numbers between rows of the storage.</param>
/// <param name="Transposed">Stored as (n, k) instead of (k, n): a linear layer's weight in the forward direction.</param>
/// <param name="Packed">Stored as panels already: panel p of 16 columns at p·<paramref name="Stride"/>, (k, 16) each.</param>
/// <param name="Half">The packed numbers are bf16.</param>
internal readonly unsafe record struct RightOperand(nint Data, long Stride, bool Transposed, bool Packed = false, bool Half = false);

/// <summary>Single-precision matrix products C = A·B or C += A·B on the thread team.</summary>
/// <remarks>Blocks of 256 over k keep a panel of B in the first-level cache; blocks of rows of A stay in the second level while all panels
/// pass. Blocking reloads the outputs, so the chain over k is the same whatever the sizes (see <see cref="Tile"/>).</remarks>
internal static unsafe class Product
{
    private const int DepthBlock = 256;
    private const int ColumnBlock = 3072;
    private const int RowBlock = 96;

    /// <summary>Left operands with rows further apart than this are copied: equal low address bits would share cache sets.</summary>
    private const int CopyStride = 640;

    /// <summary>Numbers of scratch memory that <see cref="Multiply"/> needs for the packed block of B.</summary>
    public const long SharedScratch = (long)DepthBlock * ColumnBlock;

    /// <summary>Numbers of scratch memory that each thread needs for its block of A.</summary>
    public const long ThreadScratch = (long)DepthBlock * (RowBlock + Tile.Rows);

    /// <summary>Computes the product.</summary>
    /// <param name="rows">m: rows of A and C.</param>
    /// <param name="columns">n: columns of B and C.</param>
    /// <param name="depth">k.</param>
    /// <param name="aTransposed">A is stored as (k, m), <paramref name="aStride"/> numbers between its rows.</param>
    /// <param name="resume">C += A·B: the chains go on from what C holds.</param>
    public static void Multiply(ThreadTeam team, Scratch scratch, int rows, int columns, int depth,
        float* a, long aStride, bool aTransposed, RightOperand b, float* c, long cStride, bool resume, bool wide)
    {
        if (rows == 0 || columns == 0) return;
        if (depth == 0)
        {
            if (!resume)
                for (var r = 0; r < rows; r++) new Span<float>(c + r * cStride, columns).Clear();
            return;
        }
        for (var column = 0; column < columns; column += ColumnBlock)
        {
            var width = Math.Min(ColumnBlock, columns - column);
            var panels = (width + Tile.Columns - 1) / Tile.Columns;
            for (var k = 0; k < depth; k += DepthBlock)
            {
                var steps = Math.Min(DepthBlock, depth - k);
                float* packed;
                long panelStride;
                if (b.Packed && !b.Half)
                {
                    packed = (float*)b.Data + (column / Tile.Columns * b.Stride) + (long)k * Tile.Columns;
                    panelStride = b.Stride;
                }
                else
                {
                    packed = scratch.Shared;
                    panelStride = (long)steps * Tile.Columns;
                    var perItem = Math.Max(1, panels / (4 * team.Threads));
                    team.Run(new PackPanels(b, column, width, k, steps, packed, perItem), (panels + perItem - 1) / perItem);
                }
                var more = resume || k > 0;
                // Enough items for balance, each large enough to use a packed panel several times.
                var blockRows = Math.Min(RowBlock, Math.Max(Tile.Rows, (rows / (3 * team.Threads) + Tile.Rows - 1) / Tile.Rows * Tile.Rows));
                if (rows > blockRows || panels < 8)
                {
                    team.Run(new MultiplyRows(scratch, rows, width, steps, aTransposed ? a + k * aStride : a + k, aStride, aTransposed,
                        packed, panelStride, c + column, cStride, more, wide, blockRows), (rows + blockRows - 1) / blockRows);
                }
                else
                {
                    var perItem = Math.Max(2, (panels / (4 * team.Threads) + 1) & ~1);
                    team.Run(new MultiplyColumns(rows, width, steps, aTransposed ? a + k * aStride : a + k, aStride, aTransposed,
                        packed, panelStride, c + column, cStride, more, wide, perItem), (panels + perItem - 1) / perItem);
                }
            }
        }
    }

    private readonly record struct PackPanels(RightOperand B, int Column, int Width, int K, int Steps, nint PackedAddress, int PerItem) : IWork
    {
        public PackPanels(RightOperand b, int column, int width, int k, int steps, float* packed, int perItem)
            : this(b, column, width, k, steps, (nint)packed, perItem) { }

        public void Execute(int item, int thread)
        {
            var panels = (Width + Tile.Columns - 1) / Tile.Columns;
            for (var panel = item * PerItem; panel < Math.Min(panels, (item + 1) * PerItem); panel++)
            {
                var column = Column + panel * Tile.Columns;
                var count = Math.Min(Tile.Columns, Width - panel * Tile.Columns);
                var target = (float*)PackedAddress + (long)panel * Steps * Tile.Columns;
                if (B.Packed) BrainFloat.Widen((ushort*)B.Data + column / Tile.Columns * B.Stride + (long)K * Tile.Columns, target, Steps * Tile.Columns);
                else if (B.Transposed) Packing.PanelTransposed((float*)B.Data + column * B.Stride + K, B.Stride, count, Steps, target);
                else Packing.Panel((float*)B.Data + K * B.Stride + column, B.Stride, count, Steps, target);
            }
        }
    }

    private readonly struct MultiplyRows(Scratch scratch, int rows, int columns, int depth, float* a, long aStride, bool aTransposed,
        float* packed, long panelStride, float* c, long cStride, bool resume, bool wide, int blockRows) : IWork
    {
        private readonly nint threadScratch = (nint)scratch.Threads;
        private readonly long threadStride = scratch.ThreadStride;
        private readonly nint a = (nint)a, packed = (nint)packed, c = (nint)c;

        public void Execute(int item, int thread)
        {
            var first = item * blockRows;
            var count = Math.Min(blockRows, rows - first);
            var output = (float*)c + first * cStride;
            if (aTransposed)
            {
                var left = (float*)a + first;
                var stride = aStride;
                if (columns > 2 * Tile.Columns)
                {
                    var copy = (float*)threadScratch + thread * threadStride;
                    for (var k = 0; k < depth; k++) new ReadOnlySpan<float>(left + k * aStride, count).CopyTo(new Span<float>(copy + (long)k * blockRows, count));
                    left = copy;
                    stride = blockRows;
                }
                Tile.Multiply<ColumnMajor>(count, columns, depth, left, stride, (float*)packed, panelStride, output, cStride, resume, wide);
            }
            else
            {
                var left = (float*)a + first * aStride;
                var stride = aStride;
                if (aStride > CopyStride && columns > 2 * Tile.Columns)
                {
                    var copy = (float*)threadScratch + thread * threadStride;
                    for (var r = 0; r < count; r++) new ReadOnlySpan<float>(left + r * aStride, depth).CopyTo(new Span<float>(copy + (long)r * depth, depth));
                    left = copy;
                    stride = depth;
                }
                Tile.Multiply<RowMajor>(count, columns, depth, left, stride, (float*)packed, panelStride, output, cStride, resume, wide);
            }
        }
    }

    private readonly struct MultiplyColumns(int rows, int columns, int depth, float* a, long aStride, bool aTransposed,
        float* packed, long panelStride, float* c, long cStride, bool resume, bool wide, int perItem) : IWork
    {
        private readonly nint a = (nint)a, packed = (nint)packed, c = (nint)c;

        public void Execute(int item, int thread)
        {
            var column = item * perItem * Tile.Columns;
            var width = Math.Min(perItem * Tile.Columns, columns - column);
            var right = (float*)packed + item * perItem * panelStride;
            if (aTransposed) Tile.Multiply<ColumnMajor>(rows, width, depth, (float*)a, aStride, right, panelStride, (float*)c + column, cStride, resume, wide);
            else Tile.Multiply<RowMajor>(rows, width, depth, (float*)a, aStride, right, panelStride, (float*)c + column, cStride, resume, wide);
        }
    }
}
