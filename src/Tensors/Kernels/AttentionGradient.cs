namespace OpenEuroLLM.Tensors.Kernels;

/// <summary>Where the gradients of attention come from and go to.</summary>
/// <param name="Output">Gradient of the output.</param>
/// <param name="Queries">As the queries; overwritten.</param>
/// <param name="Keys">As the keys; overwritten.</param>
/// <param name="Values">As the values; overwritten.</param>
internal readonly record struct AttentionGradients(nint Output, nint Queries, nint Keys, nint Values);

/// <summary>The way back through <see cref="Attention"/>, one block of keys at a time: weights are computed again from the scores.</summary>
/// <remarks>Gradients of keys and values are chains over query heads, then rows, both ascending; those of queries over keys ascending. Blocks
/// of keys of one sequence may be under way at once: each waits, before it adds to a block of queries, until the one before it has.</remarks>
internal static unsafe class AttentionGradient
{
    private const int BlockKeys = Attention.BlockKeys;
    private const int Panel = BlockKeys * Tile.Columns;

    /// <summary>Numbers of scratch memory for one item.</summary>
    public static long Scratch(in AttentionCall call) => 2 * BlockKeys * BlockKeys + 8L * BlockKeys * call.Padded;

    /// <summary>The first block of keys that any row of a block of queries sees.</summary>
    public static int FirstBlock(int queryBlock, int window) => Math.Max(0, queryBlock * BlockKeys - window + 1) / BlockKeys;

    /// <summary>Σ dO·O of some rows, for all heads, into the second place of their statistics.</summary>
    public static void Offsets(int row, int rows, in AttentionCall call, in AttentionGradients gradients)
    {
        for (var i = (long)row * call.Heads; i < (long)(row + rows) * call.Heads; i++)
        {
            var place = i * call.HeadDimension;
            ((float*)call.Statistics)[2 * i + 1] = Lanes.Dot((float*)gradients.Output + place, (float*)call.Output + place, call.HeadDimension);
        }
    }

    /// <summary>One block of keys of a sequence and one key/value head.</summary>
    public static void Backward(in AttentionSequence sequence, int block, int head, in AttentionCall call, in AttentionGradients gradients, float* scratch)
    {
        var (dimension, padded) = (call.HeadDimension, call.Padded);
        var step = new Step(scratch, padded);
        var first = block * BlockKeys;
        var keys = Math.Min(BlockKeys, sequence.RowCount - first);
        var keyPlace = (sequence.FirstRow + first) * call.KeyStride + (long)head * dimension;
        Attention.PackTransposed((float*)call.Keys + keyPlace, call.KeyStride, keys, dimension, step.Keys);
        Attention.PackTransposed((float*)call.Values + keyPlace, call.KeyStride, keys, dimension, step.Values);
        Attention.PackRows((float*)call.Keys + keyPlace, call.KeyStride, keys, dimension, step.KeyRows);
        var queryBlocks = (sequence.RowCount + BlockKeys - 1) / BlockKeys;
        var lastBlock = (int)Math.Min(queryBlocks - 1, ((long)first + keys - 1 + call.Window - 1) / BlockKeys);
        for (var h = head * call.Group; h < (head + 1) * call.Group; h++)
        {
            for (var queryBlock = block; queryBlock <= lastBlock; queryBlock++)
            {
                var row = queryBlock * BlockKeys;
                var rows = Math.Min(BlockKeys, sequence.RowCount - row);
                var place = (sequence.FirstRow + row) * call.QueryStride + (long)h * dimension;
                Attention.PackRows((float*)call.Queries + place, call.QueryStride, rows, dimension, step.Queries);
                Attention.PackRows((float*)gradients.Output + place, call.QueryStride, rows, dimension, step.Gradients);
                if (queryBlock < lastBlock)
                {
                    var count = Math.Min(BlockKeys, sequence.RowCount - row - BlockKeys);
                    Attention.Prefetch((float*)call.Queries + place + BlockKeys * call.QueryStride, call.QueryStride, count, dimension);
                    Attention.Prefetch((float*)gradients.Output + place + BlockKeys * call.QueryStride, call.QueryStride, count, dimension);
                }
                Slopes(step, call, (float*)call.Statistics + 2 * ((sequence.FirstRow + row) * (long)call.Heads + h), row, rows, first, keys);
                AddToKeys(step, call, row, rows, first, keys, resume: h > head * call.Group || queryBlock > block);
                var progress = sequence.Progress + (long)h * queryBlocks + queryBlock;
                Await(progress, block);
                var queries = (float*)gradients.Queries + place;
                AddToQueries(step, call, queries, row, rows, first, keys, resume: block > FirstBlock(queryBlock, call.Window));
                if (block == queryBlock) TurnBack(queries, call.QueryStride, rows, row, call); // the last block that these rows see
                Volatile.Write(ref *progress, block + 1);
            }
        }
        Attention.UnpackRows(step.KeyGradients, keys, dimension, (float*)gradients.Keys + keyPlace, call.KeyStride);
        Attention.UnpackRows(step.ValueGradients, keys, dimension, (float*)gradients.Values + keyPlace, call.KeyStride);
        TurnBack((float*)gradients.Keys + keyPlace, call.KeyStride, keys, first, call);
    }

    /// <summary>Weights of a block and the gradients of its scores.</summary>
    private static void Slopes(in Step step, in AttentionCall call, float* statistics, int row, int rows, int first, int keys)
    {
        var (dimension, wide) = (call.HeadDimension, call.Wide);
        var keyPanel = (long)dimension * Tile.Columns;
        for (var column = 0; column < keys; column += 2 * Tile.Columns)
        {
            for (var r = 0; r < rows; r += AttentionTile.Rows)
            {
                var count = Math.Min(AttentionTile.Rows, rows - r);
                var end = VisibleKeys.Of(row + r + count - 1, first, keys, call.Window).End;
                if (end <= column || VisibleKeys.Of(row + r, first, keys, call.Window).First >= column + 2 * Tile.Columns) continue;
                var panels = Math.Min(2, (end - column + Tile.Columns - 1) / Tile.Columns);
                var place = r * BlockKeys + column;
                AttentionTile.Multiply<RowPanels>(count, panels, dimension, step.Queries + r * Tile.Columns, step.Keys + column * dimension, keyPanel,
                    step.Weights + place, BlockKeys, Tile.Columns, resume: false, factors: null, wide);
                AttentionTile.Multiply<RowPanels>(count, panels, dimension, step.Gradients + r * Tile.Columns, step.Values + column * dimension, keyPanel,
                    step.Slopes + place, BlockKeys, Tile.Columns, resume: false, factors: null, wide);
            }
        }
        for (var r = 0; r < rows; r++, statistics += 2 * call.Heads)
        {
            var (weights, slopes, visible) = ((nint)(step.Weights + r * BlockKeys), (nint)(step.Slopes + r * BlockKeys), VisibleKeys.Of(row + r, first, keys, call.Window));
            if (call.SoftCap is { } cap) AttentionSoftmax.CappedSlopes((float*)weights, (float*)slopes, visible, new SoftCap(cap, call.Scale), statistics[0], statistics[1]);
            else AttentionSoftmax.Slopes((float*)weights, (float*)slopes, visible, call.Scale, statistics[0], statistics[1], wide);
        }
    }

    /// <summary>dV += weightsᵀ · dO, dK += slopesᵀ · Q.</summary>
    private static void AddToKeys(in Step step, in AttentionCall call, int row, int rows, int first, int keys, bool resume)
    {
        var panels = call.Padded / Tile.Columns;
        for (var key = 0; key < keys; key += AttentionTile.Rows)
        {
            var count = Math.Min(AttentionTile.Rows, keys - key);
            // Rows before the first of these keys do not see them, nor do those whose window begins behind the last.
            var from = Math.Max(0, first + key - row);
            var depth = (int)Math.Min(rows, (long)first + key + count - 1 + call.Window - row) - from;
            if (depth <= 0) continue;
            AttentionTile.Multiply<WeightsTransposed>(count, panels, depth, step.Weights + from * BlockKeys + key, step.Gradients + from * Tile.Columns, Panel,
                step.ValueGradients + key * Tile.Columns, Tile.Columns, Panel, resume, factors: null, call.Wide);
            AttentionTile.Multiply<WeightsTransposed>(count, panels, depth, step.Slopes + from * BlockKeys + key, step.Queries + from * Tile.Columns, Panel,
                step.KeyGradients + key * Tile.Columns, Tile.Columns, Panel, resume, factors: null, call.Wide);
        }
    }

    /// <summary>dQ += slopes · K.</summary>
    private static void AddToQueries(in Step step, in AttentionCall call, float* queries, int row, int rows, int first, int keys, bool resume)
    {
        var dimension = call.HeadDimension;
        // Strips of whole panels go straight to their place; others by way of scratch memory, which has room for what they compute too much.
        var direct = dimension == call.Padded && rows % AttentionTile.Rows == 0;
        var (target, targetRow, targetPanel) = direct ? ((nint)queries, call.QueryStride, (long)Tile.Columns) : ((nint)step.QueryGradients, Tile.Columns, Panel);
        if (!direct && resume) Attention.PackRows(queries, call.QueryStride, rows, dimension, step.QueryGradients);
        for (var r = 0; r < rows; r += AttentionTile.Rows)
        {
            var count = Math.Min(AttentionTile.Rows, rows - r);
            var from = VisibleKeys.Of(row + r, first, keys, call.Window).First;
            var depth = Math.Max(0, VisibleKeys.Of(row + r + count - 1, first, keys, call.Window).End - from);
            if (depth == 0 && resume) continue;
            AttentionTile.Multiply<Weights>(count, call.Padded / Tile.Columns, depth, step.Slopes + r * BlockKeys + from, step.KeyRows + from * Tile.Columns, Panel,
                (float*)target + r * targetRow, targetRow, targetPanel, resume, factors: null, call.Wide);
        }
        if (!direct) Attention.UnpackRows(step.QueryGradients, rows, dimension, queries, call.QueryStride);
    }

    private static void TurnBack(float* x, long stride, int rows, int position, in AttentionCall call)
    {
        if (call.Table == 0) return;
        for (var r = 0; r < rows; r++)
            Rotary.Turn(x + r * stride, call.Turned, call.Interleaved, (float*)call.Table + (long)(position + r) * call.TableWidth, back: true, call.Wide);
    }

    /// <summary>Waits until the block of keys before has added its part. It was handed out earlier, so another thread is at it.</summary>
    private static void Await(int* progress, int block)
    {
        for (var spins = 0; Volatile.Read(ref *progress) != block; spins++)
        {
            if (spins < 400) Thread.SpinWait(8);
            else Thread.Yield();
        }
    }

    private readonly ref struct Step(float* scratch, int padded)
    {
        public readonly float* Weights = scratch;
        public readonly float* Slopes = scratch + BlockKeys * BlockKeys;
        public readonly float* Keys = scratch + 2 * BlockKeys * BlockKeys;
        public readonly float* Values = scratch + 2 * BlockKeys * BlockKeys + BlockKeys * padded;
        public readonly float* KeyRows = scratch + 2 * BlockKeys * BlockKeys + 2 * BlockKeys * padded;
        public readonly float* Queries = scratch + 2 * BlockKeys * BlockKeys + 3 * BlockKeys * padded;
        public readonly float* Gradients = scratch + 2 * BlockKeys * BlockKeys + 4 * BlockKeys * padded;
        public readonly float* QueryGradients = scratch + 2 * BlockKeys * BlockKeys + 5 * BlockKeys * padded;
        public readonly float* KeyGradients = scratch + 2 * BlockKeys * BlockKeys + 6 * BlockKeys * padded;
        public readonly float* ValueGradients = scratch + 2 * BlockKeys * BlockKeys + 7 * BlockKeys * padded;
    }
}
