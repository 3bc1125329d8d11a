using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace OpenEuroLLM.Tensors.Kernels;

/// <summary>Sizes and operands of one attention call.</summary>
/// <param name="Queries">(rows, heads · head dimension); turned in place.</param>
/// <param name="Keys">(rows, key/value heads · head dimension); turned in place.</param>
/// <param name="Values">As <paramref name="Keys"/>.</param>
/// <param name="Output">(rows, heads · head dimension).</param>
/// <param name="Statistics">(rows, heads, 2) or null: logarithm of each row's sum of exponentials, and a place for Σ dO·O; only the way back needs them.</param>
/// <param name="Window">Keys that a row sees, its own included; <see cref="Attention.NoWindow"/>: all.</param>
/// <param name="Scale">Factor of the scores.</param>
/// <param name="Table">Rotary table, or null: no turning.</param>
/// <param name="TableWidth">Numbers between positions of the table.</param>
/// <param name="Turned">Numbers of a head that turn.</param>
/// <param name="SoftCap">Scores are bent to lie within ± this before they are masked; null: not.</param>
internal readonly record struct AttentionCall(nint Queries, nint Keys, nint Values, nint Output, nint Statistics,
    int Heads, int KeyValueHeads, int HeadDimension, int Layer, int Window, float Scale, nint Table, int TableWidth, int Turned, bool Interleaved, float? SoftCap = null, bool Wide = false)
{
    /// <summary>Query heads of a key/value head.</summary>
    public int Group => Heads / KeyValueHeads;

    /// <summary>Head dimension, rounded up to whole panels.</summary>
    public int Padded => (HeadDimension + Tile.Columns - 1) / Tile.Columns * Tile.Columns;

    public long QueryStride => (long)Heads * HeadDimension;

    public long KeyStride => (long)KeyValueHeads * HeadDimension;
}

/// <summary>A sequence of a call, without managed references.</summary>
internal unsafe struct AttentionSequence
{
    public int FirstRow, RowCount, FirstPosition;

    /// <summary>Pages of a cached sequence; null: keys and values are those of the call.</summary>
    public int* Pages;

    /// <summary>This layer's part of page 0.</summary>
    public float* Cache;

    /// <summary>Numbers of a page, and of one head in it.</summary>
    public long PageNumbers, HeadNumbers;

    /// <summary>Where the progress of this sequence's query blocks is noted on the way back.</summary>
    public int* Progress;

    public readonly int Length => FirstPosition + RowCount;

    public readonly float* PageKeys(int page, int head) => Cache + Pages[page] * PageNumbers + head * HeadNumbers;
}

/// <summary>Attention for grouped queries, block by block over the keys with a running softmax: memory is linear in length.</summary>
/// <remarks>Key blocks are 64 tokens, aligned to the position in the sequence, and taken in ascending order: a row's result depends on
/// nothing but its own keys, however rows are split into calls and items. Masked keys weigh exactly +0, so it is open to a form how much of
/// what is masked it computes. The query heads of a group are rows of one product: "lanes" below, several to a row of the batch.
/// Source: arXiv:2205.14135.</remarks>
internal static unsafe class Attention
{
    /// <summary>Keys of a block and tokens of a cache page.</summary>
    public const int BlockKeys = 64;

    /// <summary>Largest head.</summary>
    public const int MaximumHeadDimension = 512;

    /// <summary>A window that hides nothing.</summary>
    public const int NoWindow = 1 << 30;

    /// <summary>Most lanes of an item; its queries and outputs stay in the second-level cache while the keys pass.</summary>
    private const int MostLanes = 256;

    /// <summary>Rows lie a stride apart, which the processor does not foresee: so many are asked for in advance.</summary>
    private const int RowsAhead = 8;

    private const int Panel = BlockKeys * Tile.Columns;

    /// <summary>Most rows of an item.</summary>
    public static int MostRows(in AttentionCall call) => Math.Max(1, Math.Min(MostLanes, 32 * 1024 / call.Padded) / call.Group);

    /// <summary>Rows of a full block of lanes: splitting further would leave parts of the strips empty.</summary>
    public static int LeastRows(in AttentionCall call) => Math.Max(1, BlockKeys / call.Group);

    /// <summary>Numbers of scratch memory for items of so many rows.</summary>
    public static long Scratch(in AttentionCall call, int rows)
    {
        long lanes = LaneBlocks(rows * call.Group) * BlockKeys;
        return 2 * lanes * call.Padded + 3 * lanes + 2 * BlockKeys + BlockKeys * BlockKeys + 2L * BlockKeys * call.Padded;
    }

    /// <summary>Turns the keys of some rows, and writes keys and values of a cached sequence into its pages; one key/value head.</summary>
    public static void Prepare(in AttentionSequence sequence, int head, int row, int rows, in AttentionCall call)
    {
        var dimension = call.HeadDimension;
        for (var r = row; r < row + rows; r++)
        {
            var position = sequence.FirstPosition + r;
            var place = (sequence.FirstRow + r) * call.KeyStride + (long)head * dimension;
            var key = (float*)call.Keys + place;
            if (call.Table != 0) Rotary.Turn(key, call.Turned, call.Interleaved, (float*)call.Table + (long)position * call.TableWidth, back: false, call.Wide);
            if (sequence.Pages == null) continue;
            var value = (float*)call.Values + place;
            var page = sequence.PageKeys(position / BlockKeys, head);
            var slot = position % BlockKeys;
            var keys = page + slot / Tile.Columns * dimension * Tile.Columns + slot % Tile.Columns;
            var values = page + (long)BlockKeys * dimension + slot * Tile.Columns;
            for (var d = 0; d < dimension; d++) keys[(long)d * Tile.Columns] = key[d];
            for (var d = 0; d < dimension; d += Tile.Columns, values += Panel)
                new ReadOnlySpan<float>(value + d, Math.Min(Tile.Columns, dimension - d)).CopyTo(new Span<float>(values, Tile.Columns));
        }
    }

    /// <summary>Some rows of a sequence, for all query heads of one key/value head.</summary>
    public static void Forward(in AttentionSequence sequence, int head, int row, int rows, in AttentionCall call, float* scratch)
    {
        var (dimension, padded, group) = (call.HeadDimension, call.Padded, call.Group);
        var lanes = rows * group;
        var laneBlocks = LaneBlocks(lanes);
        var queries = scratch;
        var outputs = queries + laneBlocks * BlockKeys * padded;
        var maxima = outputs + laneBlocks * BlockKeys * padded;
        var sums = maxima + laneBlocks * BlockKeys;
        var step = new Step
        {
            Factors = sums + laneBlocks * BlockKeys,
            Largest = sums + laneBlocks * BlockKeys + BlockKeys,
            Scores = sums + laneBlocks * BlockKeys + 2 * BlockKeys,
        };
        var keyScratch = step.Scores + BlockKeys * BlockKeys;
        var valueScratch = keyScratch + BlockKeys * padded;
        var positions = (int*)(valueScratch + BlockKeys * padded);
        LoadQueries(sequence, head, row, rows, call, queries, positions);
        new Span<float>(outputs, laneBlocks * BlockKeys * padded).Clear();
        new Span<float>(maxima, laneBlocks * BlockKeys).Fill(float.NegativeInfinity);
        new Span<float>(sums, laneBlocks * BlockKeys).Clear();

        var (firstPosition, lastPosition) = (sequence.FirstPosition + row, sequence.FirstPosition + row + rows - 1);
        for (var block = Math.Max(0, firstPosition - call.Window + 1) / BlockKeys; block <= lastPosition / BlockKeys; block++)
        {
            var first = block * BlockKeys;
            var keysInBlock = Math.Min(BlockKeys, sequence.Length - first);
            Load(sequence, head, block, keysInBlock, call, keyScratch, valueScratch, out step.Keys, out step.Values);
            if (sequence.Pages != null && lanes <= AttentionTile.Rows)
                step.Next = block < lastPosition / BlockKeys ? sequence.PageKeys(block + 1, head) : step.Values + BlockKeys * padded;
            if (sequence.Pages == null && block < lastPosition / BlockKeys)
            {
                var next = (sequence.FirstRow + first + BlockKeys) * call.KeyStride + (long)head * dimension;
                var count = Math.Min(BlockKeys, sequence.Length - first - BlockKeys);
                Prefetch((float*)call.Keys + next, call.KeyStride, count, dimension);
                Prefetch((float*)call.Values + next, call.KeyStride, count, dimension);
            }
            // Rows before the block see none of its keys, nor do those whose window begins behind it.
            var firstLane = Math.Max(0, first - firstPosition) * group;
            var endLane = (int)Math.Min(lanes, ((long)first + keysInBlock + call.Window - 1 - firstPosition) * group);
            for (var lane = firstLane / BlockKeys * BlockKeys; lane < endLane; lane += BlockKeys)
            {
                step.Queries = queries + lane * padded;
                step.Outputs = outputs + lane * padded;
                step.Maxima = maxima + lane;
                step.Sums = sums + lane;
                step.Positions = positions + lane;
                // Whole strips, as far as there are lanes: those of them that see nothing here get weights of zero.
                var from = Math.Max(0, firstLane - lane) / AttentionTile.Rows * AttentionTile.Rows;
                var to = (Math.Min(BlockKeys, endLane - lane) + AttentionTile.Rows - 1) / AttentionTile.Rows * AttentionTile.Rows;
                Multiply(call, step, from, Math.Min(to, lanes - lane), first, keysInBlock);
            }
        }
        for (var lane = 0; lane < lanes; lane += 8)
            if (call.Statistics != 0) AttentionSoftmax.Finish(maxima + lane, sums + lane);
        for (var lane = 0; lane < lanes; lane++)
        {
            var place = (sequence.FirstRow + row + lane / group) * (long)call.Heads + head * group + lane % group;
            if (call.Statistics != 0) ((float*)call.Statistics)[2 * place] = maxima[lane];
            Divide(outputs + lane / BlockKeys * BlockKeys * padded + lane % BlockKeys * Tile.Columns, sums[lane], dimension, (float*)call.Output + place * dimension);
        }
    }

    /// <summary>Copies rows as panels (64, 16), the last one filled up with zeros.</summary>
    public static void PackRows(float* source, long stride, int rows, int dimension, float* panels)
    {
        for (var column = 0; column < dimension; column += Tile.Columns, panels += Panel)
            Packing.Panel(source + column, stride, Math.Min(Tile.Columns, dimension - column), rows, panels);
    }

    /// <summary>The way back from <see cref="PackRows"/>.</summary>
    public static void UnpackRows(float* panels, int rows, int dimension, float* target, long stride)
    {
        for (var column = 0; column < dimension; column += Tile.Columns, panels += Panel)
        {
            var count = Math.Min(Tile.Columns, dimension - column);
            for (var r = 0; r < rows; r++) new ReadOnlySpan<float>(panels + r * Tile.Columns, count).CopyTo(new Span<float>(target + r * stride + column, count));
        }
    }

    /// <summary>Asks for rows that will be read soon.</summary>
    public static void Prefetch(float* first, long stride, int rows, int dimension)
    {
        if (!Sse.IsSupported) return;
        for (var r = 0; r < rows; r++, first += stride)
            for (var d = 0; d < dimension; d += Tile.Columns) Sse.Prefetch0(first + d);
    }

    /// <summary>Rows become lanes: panels (dimension, 16).</summary>
    public static void PackTransposed(float* source, long stride, int rows, int dimension, float* panels)
    {
        for (var row = 0; row < rows; row += Tile.Columns)
            Packing.PanelTransposed(source + row * stride, stride, Math.Min(Tile.Columns, rows - row), dimension, panels + (long)row * dimension);
    }

    /// <summary>Some lanes against one block of keys: scores, running softmax, outputs.</summary>
    private static void Multiply(in AttentionCall call, in Step step, int from, int to, int first, int keysInBlock)
    {
        var (dimension, padded, wide) = (call.HeadDimension, call.Padded, call.Wide);
        var few = step.Next != null;
        if (few)
        {
            AttentionTile.Multiply<FewRowPanels>(to, (keysInBlock + Tile.Columns - 1) / Tile.Columns, dimension, step.Queries, step.Keys, (long)dimension * Tile.Columns,
                step.Scores, BlockKeys, Tile.Columns, resume: false, factors: null, wide, step.Values);
        }
        for (var column = 0; column < keysInBlock && !few; column += 2 * Tile.Columns)
        {
            for (var lane = from; lane < to; lane += AttentionTile.Rows)
            {
                var count = Math.Min(AttentionTile.Rows, to - lane);
                var end = step.Seen(lane + count - 1, first, keysInBlock, call.Window).End;
                if (end <= column) continue;
                if (step.Seen(lane, first, keysInBlock, call.Window).First >= column + 2 * Tile.Columns) continue;
                AttentionTile.Multiply<RowPanels>(count, Math.Min(2, (end - column + Tile.Columns - 1) / Tile.Columns), dimension,
                    step.Queries + lane * Tile.Columns, step.Keys + (long)column * dimension, (long)dimension * Tile.Columns,
                    step.Scores + lane * BlockKeys + column, BlockKeys, Tile.Columns, resume: false, factors: null, wide);
            }
        }
        var scale = call.SoftCap is null ? call.Scale : 1;
        if (call.SoftCap is { } cap)
        {
            for (var lane = from; lane < to; lane++)
                AttentionSoftmax.Cap(step.Scores + lane * BlockKeys, step.Seen(lane, first, keysInBlock, call.Window), new SoftCap(cap, call.Scale));
        }
        var whole = (to + AttentionTile.Rows - 1) / AttentionTile.Rows * AttentionTile.Rows;
        for (var lane = from; lane < whole; lane++)
            step.Largest[lane] = lane < to ? AttentionSoftmax.Largest(step.Scores + lane * BlockKeys, step.Seen(lane, first, keysInBlock, call.Window), wide) : float.NegativeInfinity;
        for (var lane = from; lane < whole; lane += AttentionTile.Rows) AttentionSoftmax.Rescale(step.Largest + lane, scale, step.Maxima + lane, step.Factors + lane);
        for (var lane = from; lane < to; lane++)
        {
            var sum = AttentionSoftmax.Weigh(step.Scores + lane * BlockKeys, step.Seen(lane, first, keysInBlock, call.Window), scale, step.Maxima[lane], wide);
            step.Sums[lane] = step.Sums[lane] * step.Factors[lane] + sum;
        }
        for (var lane = from; lane < to; lane += AttentionTile.Rows)
        {
            var count = Math.Min(AttentionTile.Rows, to - lane);
            var start = step.Seen(lane, first, keysInBlock, call.Window).First;
            var depth = step.Seen(lane + count - 1, first, keysInBlock, call.Window).End - start;
            if (depth <= 0) continue;
            if (few)
            {
                AttentionTile.Multiply<FewWeights>(count, padded / Tile.Columns, depth, step.Scores + start, step.Values + start * Tile.Columns, Panel,
                    step.Outputs, Tile.Columns, Panel, resume: true, step.Factors, wide, step.Next);
                continue;
            }
            AttentionTile.Multiply<Weights>(count, padded / Tile.Columns, depth, step.Scores + lane * BlockKeys + start, step.Values + start * Tile.Columns, Panel,
                step.Outputs + lane * Tile.Columns, Tile.Columns, Panel, resume: true, step.Factors + lane, wide);
        }
    }

    private static void LoadQueries(in AttentionSequence sequence, int head, int row, int rows, in AttentionCall call, float* queries, int* positions)
    {
        var (dimension, group) = (call.HeadDimension, call.Group);
        var lane = 0;
        for (var r = row; r < row + rows; r++)
        {
            var position = sequence.FirstPosition + r;
            var query = (float*)call.Queries + (sequence.FirstRow + r) * call.QueryStride + (long)head * group * dimension;
            if (r + RowsAhead < row + rows) Prefetch(query + RowsAhead * call.QueryStride, 0, 1, group * dimension);
            for (var g = 0; g < group; g++, lane++, query += dimension)
            {
                positions[lane] = position;
                if (call.Table != 0) Rotary.Turn(query, call.Turned, call.Interleaved, (float*)call.Table + (long)position * call.TableWidth, back: false, call.Wide);
                PackRows(query, 0, 1, dimension, queries + lane / BlockKeys * BlockKeys * call.Padded + lane % BlockKeys * Tile.Columns);
            }
        }
    }

    private static void Load(in AttentionSequence sequence, int head, int block, int keysInBlock, in AttentionCall call,
        float* keyScratch, float* valueScratch, out float* keys, out float* values)
    {
        if (sequence.Pages != null)
        {
            keys = sequence.PageKeys(block, head);
            values = keys + (long)BlockKeys * call.HeadDimension;
            return;
        }
        var place = (sequence.FirstRow + block * BlockKeys) * call.KeyStride + (long)head * call.HeadDimension;
        PackTransposed((float*)call.Keys + place, call.KeyStride, keysInBlock, call.HeadDimension, keyScratch);
        PackRows((float*)call.Values + place, call.KeyStride, keysInBlock, call.HeadDimension, valueScratch);
        keys = keyScratch;
        values = valueScratch;
    }

    /// <summary>Weighted values of a lane, divided by the sum of its weights; −0 becomes +0, since masked keys may have been added or not.</summary>
    private static void Divide(float* panels, float sum, int dimension, float* output)
    {
        var divisor = Vector256.Create(sum);
        for (var d = 0; d < dimension; d += Tile.Columns, panels += Panel)
        {
            if (dimension - d >= Tile.Columns)
            {
                (Vector256.Load(panels) / divisor + Vector256<float>.Zero).Store(output + d);
                (Vector256.Load(panels + 8) / divisor + Vector256<float>.Zero).Store(output + d + 8);
                continue;
            }
            for (var i = 0; i < dimension - d; i++) output[d + i] = panels[i] / sum + 0f;
        }
    }

    private static int LaneBlocks(int lanes) => (lanes + BlockKeys - 1) / BlockKeys;

    /// <summary>A block of 64 lanes and what it works on.</summary>
    private ref struct Step
    {
        public float* Queries, Outputs, Maxima, Sums, Factors, Largest, Scores, Keys, Values;

        /// <summary>Decoding, when a single strip meets the pages of a cache: what it will read after this block. Otherwise null.</summary>
        public float* Next;

        public int* Positions;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly VisibleKeys Seen(int lane, int first, int keysInBlock, int window) => VisibleKeys.Of(Positions[lane], first, keysInBlock, window);
    }
}
