namespace OpenEuroLLM.Tensors.Kernels;

/// <summary>Right operand of a product.</summary>
/// <param name="Data">First number.</param>
/// <param name="Stride">Numbers between rows of the storage.</param>
/// <param name="Transposed">Stored as (n, k) instead of (k, n): a linear layer's weight in the forward direction.</param>
/// <param name="Packed">Stored as panels already: panel p of 16 columns at p·<paramref name="Stride"/>, (k, 16) each.</param>
/// <param name="Half">The packed numbers have 16 bits: bf16, or f16.</param>
/// <param name="Float16">The 16 bits are f16.</param>
internal readonly unsafe record struct RightOperand(nint Data, long Stride, bool Transposed, bool Packed = false, bool Half = false, bool Float16 = false);

/// <summary>Single-precision matrix products C = A·B or C += A·B on the thread team.</summary>
/// <remarks>Blocks over k keep a panel of B in the first-level cache; blocks of rows of A stay in the second level while all panels
/// pass. Blocking reloads the outputs, so the chain over k is the same whatever the sizes (see <see cref="Tile"/>).</remarks>
internal static unsafe class Product
{
    private const int DepthBlock = 256;
    private const int ColumnBlock = 3072;
    private const int PackedBlocks = 3;
    private const int RowBlock = 144;

    /// <summary>Left operands whose rows lie a multiple of this apart are copied: equal low address bits would share cache sets.</summary>
    private const int CrowdedStride = 1024;

    /// <summary>Up to this many rows a packed panel is used too rarely to be worth sharing.</summary>
    private const int FewRows = 24;

    /// <summary>Panels that an item of few rows packs and multiplies at a time: a multiple of 2 and 3, for every form of tile.</summary>
    private const int FewPanels = 12;

    /// <summary>Below this many columns those of an unfinished panel are worth a product of their own.</summary>
    private const int NarrowColumns = 512;

    /// <summary>Rows or columns of an item of a thin product: whole tiles of 48.</summary>
    private const int ThinItem = 192;

    /// <summary>Numbers of scratch memory that <see cref="Multiply"/> needs for the packed block of B.</summary>
    public const long SharedScratch = (long)DepthBlock * ColumnBlock;

    /// <summary>Numbers of scratch memory that each thread needs, for its block of A, its own panels of B or a small product.</summary>
    public static long ThreadScratch => Math.Max((long)DepthBlock * Math.Max(RowBlock, FewPanels * Tile.Columns), SmallProduct.Scratch);

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
        if (wide && SmallProduct.IsSmall(rows, columns, depth, b))
        {
            SmallProduct.Multiply(rows, columns, depth, a, aStride, aTransposed, b, c, cStride, resume, scratch.Threads);
            return;
        }
        var left = new LeftOperand((nint)a, aStride, aTransposed);
        if (wide && SmallProduct.IsThin(rows, columns, b))
        {
            RunThin(team, scratch, left, b, c, cStride, rows, columns, depth, resume);
            return;
        }
        var rest = columns % Tile.Columns;
        if (wide && !b.Packed && rest > 0 && columns < NarrowColumns && SmallProduct.IsThin(rows, rest, b))
        {
            columns -= rest;
            RunThin(team, scratch, left, b with { Data = (nint)((float*)b.Data + (b.Transposed ? columns * b.Stride : columns)) }, c + columns, cStride, rows, rest, depth, resume);
        }
        if (rows <= FewRows)
        {
            var panels = Panels(columns);
            var perItem = Math.Clamp(panels / (4 * team.Threads) / 6 * 6, 6, FewPanels);
            team.Run(new MultiplyFewRows(scratch, left, b, (nint)c, cStride, rows, columns, depth, resume, wide, perItem), (panels + perItem - 1) / perItem);
            return;
        }
        var depthBlocks = (depth + DepthBlock - 1) / DepthBlock;
        var depthBlock = ((depth + depthBlocks - 1) / depthBlocks + 7) / 8 * 8;
        // As many blocks over k as the scratch memory holds are packed at once: the fewer meetings of the team, the better.
        var columnBlock = ColumnBlock / Math.Min(depthBlocks, PackedBlocks);
        var inPlace = b.Packed && !b.Half;
        var packedDepth = inPlace ? depth : depthBlock * PackedBlocks;
        for (var column = 0; column < columns; column += columnBlock)
        {
            var width = Math.Min(columnBlock, columns - column);
            for (var k = 0; k < depth; k += packedDepth)
            {
                var steps = Math.Min(packedDepth, depth - k);
                if (!inPlace) PackBlocks(team, b, column, width, k, steps, depthBlock, scratch.Shared);
                MultiplyBlocks(team, scratch, left.From(k), b, column, k, (nint)(c + column), cStride, rows, width, steps, depthBlock, resume || k > 0, wide);
            }
        }
    }

    private static void RunThin(ThreadTeam team, Scratch scratch, in LeftOperand left, in RightOperand b, float* c, long cStride,
        int rows, int columns, int depth, bool resume)
    {
        var byRows = rows > columns;
        team.Run(new MultiplyThin(scratch, left, b, (nint)c, cStride, rows, columns, depth, resume, byRows), ((byRows ? rows : columns) + ThinItem - 1) / ThinItem);
    }

    private static void PackBlocks(ThreadTeam team, RightOperand b, int column, int width, int k, int steps, int depthBlock, float* packed)
    {
        var panels = Panels(width);
        var perItem = Math.Max(1, panels / (4 * team.Threads));
        var groups = (panels + perItem - 1) / perItem;
        team.Run(new PackPanels(b, column, width, k, steps, depthBlock, (nint)packed, perItem, groups), groups * ((steps + depthBlock - 1) / depthBlock));
    }

    private static void MultiplyBlocks(ThreadTeam team, Scratch scratch, LeftOperand left, RightOperand b, int column, int k, nint c, long cStride,
        int rows, int width, int steps, int depthBlock, bool resume, bool wide)
    {
        var panels = Panels(width);
        var pieces = RowPieces.Count(rows, team.Threads);
        // Too few rows to share: then the panels are shared too, each group wide enough that copying its block of A costs little.
        var groups = team.Threads == 1 ? 1 : Math.Clamp((4 * team.Threads + pieces - 1) / pieces, 1, (panels + 7) / 8);
        var groupPanels = ((panels + groups - 1) / groups + 1) & ~1;
        groups = (panels + groupPanels - 1) / groupPanels;
        var inPlace = b.Packed && !b.Half;
        var right = inPlace
            ? new PackedOperand((nint)((float*)b.Data + column / Tile.Columns * b.Stride + (long)k * Tile.Columns), b.Stride, Tile.Columns)
            : new PackedOperand((nint)scratch.Shared, 0, (long)panels * Tile.Columns);
        team.Run(new MultiplyBlock(scratch, left, right, c, cStride, rows, width, steps, depthBlock, resume, wide, team.Threads, groupPanels, groups), pieces * groups);
    }

    private static int Panels(int columns) => (columns + Tile.Columns - 1) / Tile.Columns;

    /// <summary>Packs columns of B, as panels (steps, 16), beginning at a column and a position over k.</summary>
    private static void Pack(RightOperand b, int column, int columns, int k, int steps, float* target)
    {
        for (var done = 0; done < columns; done += Tile.Columns, target += (long)steps * Tile.Columns)
        {
            var first = column + done;
            var count = Math.Min(Tile.Columns, columns - done);
            if (b.Packed && b.Float16) HalfFloat.Widen((ushort*)b.Data + first / Tile.Columns * b.Stride + (long)k * Tile.Columns, target, (long)steps * Tile.Columns);
            else if (b.Packed) BrainFloat.Widen((ushort*)b.Data + first / Tile.Columns * b.Stride + (long)k * Tile.Columns, target, (long)steps * Tile.Columns);
            else if (b.Transposed) Packing.PanelTransposed((float*)b.Data + first * b.Stride + k, b.Stride, count, steps, target);
            else Packing.Panel((float*)b.Data + k * b.Stride + first, b.Stride, count, steps, target);
        }
    }

    /// <summary>Left operand: row-major, or stored as (k, m).</summary>
    private readonly record struct LeftOperand(nint Data, long Stride, bool Transposed)
    {
        public LeftOperand From(int k) => this with { Data = (nint)((float*)Data + (Transposed ? k * Stride : k)) };
    }

    /// <summary>Packed panels: those of a block over k that begins at position k lie at k·<paramref name="Step"/>.</summary>
    /// <param name="Stride">Numbers between panels; 0: they follow each other closely.</param>
    private readonly record struct PackedOperand(nint Data, long Stride, long Step);

    private readonly record struct PackPanels(RightOperand B, int Column, int Width, int K, int Steps, int DepthBlock, nint Packed, int PerItem, int Groups) : IWork
    {
        public void Execute(int item, int thread)
        {
            var k = item / Groups * DepthBlock;
            var steps = Math.Min(DepthBlock, Steps - k);
            var first = item % Groups * PerItem * Tile.Columns;
            var target = (float*)Packed + (long)k * Panels(Width) * Tile.Columns + (long)first * steps;
            Pack(B, Column + first, Math.Min(PerItem * Tile.Columns, Width - first), K + k, steps, target);
        }
    }

    /// <summary>Some panels of B, over all of k: packed by the thread that uses them, and read once.</summary>
    private readonly struct MultiplyFewRows(Scratch scratch, LeftOperand left, RightOperand b, nint c, long cStride,
        int rows, int columns, int depth, bool resume, bool wide, int perItem) : IWork
    {
        private readonly nint threadScratch = (nint)scratch.Threads;
        private readonly long threadStride = scratch.ThreadStride;

        public void Execute(int item, int thread)
        {
            var column = item * perItem * Tile.Columns;
            var width = Math.Min(perItem * Tile.Columns, columns - column);
            var inPlace = b.Packed && !b.Half;
            var block = inPlace && rows <= 2 ? depth : DepthBlock;
            for (var k = 0; k < depth; k += block)
            {
                var steps = Math.Min(block, depth - k);
                var packed = (float*)threadScratch + thread * threadStride;
                if (inPlace) packed = (float*)b.Data + column / Tile.Columns * b.Stride + (long)k * Tile.Columns;
                else Pack(b, column, width, k, steps, packed);
                var panelStride = inPlace ? b.Stride : (long)steps * Tile.Columns;
                var a = left.From(k);
                if (a.Transposed) Tile.Multiply<ColumnMajor>(rows, width, steps, (float*)a.Data, a.Stride, packed, panelStride, (float*)c + column, cStride, resume || k > 0, wide);
                else Tile.Multiply<RowMajor>(rows, width, steps, (float*)a.Data, a.Stride, packed, panelStride, (float*)c + column, cStride, resume || k > 0, wide);
            }
        }
    }

    /// <summary>Some rows or some columns of a product with few of the other.</summary>
    private readonly struct MultiplyThin(Scratch scratch, LeftOperand left, RightOperand b, nint c, long cStride,
        int rows, int columns, int depth, bool resume, bool byRows) : IWork
    {
        private readonly nint threadScratch = (nint)scratch.Threads;
        private readonly long threadStride = scratch.ThreadStride;

        public void Execute(int item, int thread)
        {
            var first = item * ThinItem;
            var own = (float*)threadScratch + thread * threadStride;
            var a = (float*)left.Data;
            if (byRows)
                SmallProduct.Multiply(Math.Min(ThinItem, rows - first), columns, depth, a + (left.Transposed ? first : first * left.Stride), left.Stride, left.Transposed,
                    b, (float*)c + first * cStride, cStride, resume, own);
            else
                SmallProduct.Multiply(rows, Math.Min(ThinItem, columns - first), depth, a, left.Stride, left.Transposed,
                    b with { Data = (nint)((float*)b.Data + (b.Transposed ? first * b.Stride : first)) }, (float*)c + first, cStride, resume, own);
        }
    }

    /// <summary>Blocks of rows, whole strips, large at first and small at the end: panels are read seldom, and threads end together.</summary>
    private static class RowPieces
    {
        private const int Most = RowBlock / Tile.Rows;
        private const int Least = 4;

        public static int Count(int rows, int threads)
        {
            var count = 0;
            for (var left = Strips(rows); left > 0; count++) left -= Size(left, threads);
            return count;
        }

        public static (int First, int Count) At(int piece, int rows, int threads)
        {
            var strips = Strips(rows);
            var left = strips;
            for (; piece > 0; piece--) left -= Size(left, threads);
            var first = (strips - left) * Tile.Rows;
            return (first, Math.Min(Size(left, threads) * Tile.Rows, rows - first));
        }

        private static int Strips(int rows) => (rows + Tile.Rows - 1) / Tile.Rows;

        private static int Size(int left, int threads)
        {
            if (threads == 1)
            {
                var blocks = (left + Most - 1) / Most;
                return (left + blocks - 1) / blocks;
            }
            var size = Math.Clamp(left / (2 * threads), Least, Most);
            return left - size < Least ? Math.Min(left, Most) : size;
        }
    }

    /// <summary>A block of rows of A by a group of packed panels, one block over k after the other.</summary>
    private readonly struct MultiplyBlock(Scratch scratch, LeftOperand left, PackedOperand packed, nint c, long cStride,
        int rows, int columns, int depth, int depthBlock, bool resume, bool wide, int threads, int groupPanels, int groups) : IWork
    {
        private readonly nint threadScratch = (nint)scratch.Threads;
        private readonly long threadStride = scratch.ThreadStride;

        public void Execute(int item, int thread)
        {
            var (row, count) = RowPieces.At(item / groups, rows, threads);
            var panel = item % groups * groupPanels;
            var width = Math.Min(groupPanels * Tile.Columns, columns - panel * Tile.Columns);
            var output = (float*)c + row * cStride + panel * Tile.Columns;
            var copy = (float*)threadScratch + thread * threadStride;
            for (var k = 0; k < depth; k += depthBlock)
            {
                var steps = Math.Min(depthBlock, depth - k);
                var panelStride = packed.Stride == 0 ? (long)steps * Tile.Columns : packed.Stride;
                var right = (float*)packed.Data + k * packed.Step + panel * panelStride;
                var more = resume || k > 0;
                var a = (float*)left.From(k).Data;
                var stride = left.Stride;
                if (left.Transposed)
                {
                    Packing.Strips(a + row, stride, count, steps, copy);
                    Tile.Multiply<Strips>(count, width, steps, copy, 0, right, panelStride, output, cStride, more, wide);
                    continue;
                }
                a += row * stride;
                if (stride % CrowdedStride == 0)
                {
                    for (var r = 0; r < count; r++) new ReadOnlySpan<float>(a + r * stride, steps).CopyTo(new Span<float>(copy + (long)r * steps, steps));
                    a = copy;
                    stride = steps;
                }
                Tile.Multiply<RowMajor>(count, width, steps, a, stride, right, panelStride, output, cStride, more, wide);
            }
        }
    }
}
