using System.Runtime.Intrinsics;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tensors.Kernels;

/// <summary>Sizes and operands of one attention call.</summary>
/// <param name="Queries">(rows, heads · head dimension).</param>
/// <param name="Keys">(rows, key/value heads · head dimension); unused when the sequences are cached.</param>
/// <param name="Values">As <paramref name="Keys"/>.</param>
/// <param name="Output">(rows, heads · head dimension).</param>
/// <param name="Statistics">(rows, heads): logarithm of each row's sum of exponentials, which the backward pass needs.</param>
internal readonly record struct AttentionCall(nint Queries, nint Keys, nint Values, nint Output, nint Statistics,
    int Heads, int KeyValueHeads, int HeadDimension, int Layer, bool Wide);

/// <summary>Causal attention for grouped queries, block by block over the keys with a running softmax: memory is linear in length.</summary>
/// <remarks>Key blocks are 64 tokens, aligned to the position in the sequence, and taken in ascending order: a row's result depends on
/// nothing but its own keys, however rows are split into calls. Masked keys weigh exactly +0. Source: arXiv:2205.14135.</remarks>
internal static unsafe class Attention
{
    /// <summary>Keys of a block and tokens of a cache page.</summary>
    public const int BlockKeys = 64;

    private const int BlockQueries = 64;

    /// <summary>Numbers of scratch memory a thread needs for heads of the given size.</summary>
    public static long ThreadScratch(int headDimension) => 2 * BlockQueries * BlockKeys + 6L * BlockKeys * Padded(headDimension) + Lanes.Width;

    private static int Padded(int headDimension) => (headDimension + Tile.Columns - 1) / Tile.Columns * Tile.Columns;

    /// <summary>Copies keys and values of new rows into the pages of their sequences.</summary>
    public static void Append(SequenceLayout layout, in AttentionCall call)
    {
        var dimension = call.HeadDimension;
        var stride = (long)call.KeyValueHeads * dimension;
        foreach (var entry in layout.Entries)
        {
            var cache = entry.Cached!.Cache;
            for (var r = 0; r < entry.RowCount; r++)
            {
                var position = entry.FirstPosition + r;
                var page = entry.Cached.Pages[position / BlockKeys];
                var slot = position % BlockKeys;
                for (var head = 0; head < call.KeyValueHeads; head++)
                {
                    var key = (float*)call.Keys + (entry.FirstRow + r) * stride + head * dimension;
                    var value = (float*)call.Values + (entry.FirstRow + r) * stride + head * dimension;
                    var keys = cache.Keys(page, call.Layer, head) + slot / Tile.Columns * dimension * Tile.Columns + slot % Tile.Columns;
                    var values = cache.Values(page, call.Layer, head) + slot * Tile.Columns;
                    for (var d = 0; d < dimension; d++)
                    {
                        keys[d * Tile.Columns] = key[d];
                        values[(long)(d / Tile.Columns) * BlockKeys * Tile.Columns + d % Tile.Columns] = value[d];
                    }
                }
            }
        }
    }

    /// <summary>One sequence and one key/value head, forward.</summary>
    public static void Forward(in SequenceLayout.Entry entry, int head, in AttentionCall call, float* scratch)
    {
        var dimension = call.HeadDimension;
        var padded = Padded(dimension);
        var scores = scratch;
        var keyScratch = scores + BlockQueries * BlockKeys;
        var valueScratch = keyScratch + BlockKeys * padded;
        var group = call.Heads / call.KeyValueHeads;
        var queryStride = (long)call.Heads * dimension;
        var scale = (float)(1 / Math.Sqrt(dimension));
        var length = entry.FirstPosition + entry.RowCount;
        // Running maximum in the statistics, running sum in the first free place beside it (see Statistics: two numbers a row and head).
        var statistics = (float*)call.Statistics;
        for (var r = 0; r < entry.RowCount; r++)
        {
            for (var g = 0; g < group; g++)
            {
                var h = head * group + g;
                var state = statistics + 2 * ((entry.FirstRow + r) * (long)call.Heads + h);
                state[0] = float.NegativeInfinity;
                state[1] = 0;
                new Span<float>((float*)call.Output + (entry.FirstRow + r) * queryStride + h * dimension, dimension).Clear();
            }
        }
        for (var block = 0; block * BlockKeys < length; block++)
        {
            var first = block * BlockKeys;
            var keysInBlock = Math.Min(BlockKeys, length - first);
            Load(entry, head, block, keysInBlock, call, keyScratch, valueScratch, out var keys, out var values);
            // Rows before the block's first position see none of its keys.
            for (var row = Math.Max(0, first - entry.FirstPosition); row < entry.RowCount; row += BlockQueries)
            {
                var rows = Math.Min(BlockQueries, entry.RowCount - row);
                for (var g = 0; g < group; g++)
                {
                    var h = head * group + g;
                    var queries = (float*)call.Queries + (entry.FirstRow + row) * queryStride + h * dimension;
                    var output = (float*)call.Output + (entry.FirstRow + row) * queryStride + h * dimension;
                    Tile.Multiply<RowMajor>(rows, keysInBlock, dimension, queries, queryStride, keys, (long)dimension * Tile.Columns,
                        scores, BlockKeys, resume: false, call.Wide);
                    for (var r = 0; r < rows; r++)
                    {
                        var visible = Math.Min(keysInBlock, entry.FirstPosition + row + r - first + 1);
                        var state = statistics + 2 * ((entry.FirstRow + row + r) * (long)call.Heads + h);
                        SoftmaxStep(scores + r * BlockKeys, visible, keysInBlock, scale, state, output + r * queryStride, dimension);
                    }
                    Tile.Multiply<RowMajor>(rows, dimension, keysInBlock, scores, BlockKeys, values, (long)BlockKeys * Tile.Columns,
                        output, queryStride, resume: true, call.Wide);
                }
            }
        }
        for (var r = 0; r < entry.RowCount; r++)
        {
            for (var g = 0; g < group; g++)
            {
                var h = head * group + g;
                var state = statistics + 2 * ((entry.FirstRow + r) * (long)call.Heads + h);
                var output = (float*)call.Output + (entry.FirstRow + r) * queryStride + h * dimension;
                for (var d = 0; d < dimension; d++) output[d] /= state[1];
                state[0] += (float)Numerics.Log(state[1]);
            }
        }
    }

    /// <summary>One sequence and one key/value head, backward. Gradients of keys and values are written, those of queries too.</summary>
    /// <param name="outputGradient">(rows, heads · head dimension).</param>
    /// <param name="queryGradient">As the queries; the part of this head is overwritten.</param>
    /// <param name="keyGradient">As the keys; the part of this head is overwritten.</param>
    /// <param name="valueGradient">As the values; the part of this head is overwritten.</param>
    public static void Backward(in SequenceLayout.Entry entry, int head, in AttentionCall call,
        float* outputGradient, float* queryGradient, float* keyGradient, float* valueGradient, float* scratch)
    {
        var dimension = call.HeadDimension;
        var padded = Padded(dimension);
        var weights = scratch;
        var slopes = weights + BlockQueries * BlockKeys;
        var keyPanels = slopes + BlockQueries * BlockKeys;
        var valuePanels = keyPanels + BlockKeys * padded;
        var keyRows = valuePanels + BlockKeys * padded;
        var queryRows = keyRows + BlockKeys * padded;
        var gradientRows = queryRows + BlockKeys * padded;
        var group = call.Heads / call.KeyValueHeads;
        var queryStride = (long)call.Heads * dimension;
        var keyStride = (long)call.KeyValueHeads * dimension;
        var scale = (float)(1 / Math.Sqrt(dimension));
        var statistics = (float*)call.Statistics;
        for (var r = 0; r < entry.RowCount; r++)
        {
            for (var g = 0; g < group; g++)
            {
                var h = head * group + g;
                var place = (entry.FirstRow + r) * queryStride + h * dimension;
                // Σ dO·O of the row takes the place of its running sum, which is no longer needed.
                statistics[2 * ((entry.FirstRow + r) * (long)call.Heads + h) + 1] = Lanes.Dot(outputGradient + place, (float*)call.Output + place, dimension);
                new Span<float>(queryGradient + place, dimension).Clear();
            }
        }
        for (var first = 0; first < entry.RowCount; first += BlockKeys)
        {
            var keysInBlock = Math.Min(BlockKeys, entry.RowCount - first);
            var keyPlace = (entry.FirstRow + first) * keyStride + head * dimension;
            var key = (float*)call.Keys + keyPlace;
            var value = (float*)call.Values + keyPlace;
            PackTransposed(key, keyStride, keysInBlock, dimension, keyPanels);
            PackTransposed(value, keyStride, keysInBlock, dimension, valuePanels);
            PackRows(key, keyStride, keysInBlock, dimension, keyRows);
            for (var r = 0; r < keysInBlock; r++)
            {
                new Span<float>(keyGradient + keyPlace + r * keyStride, dimension).Clear();
                new Span<float>(valueGradient + keyPlace + r * keyStride, dimension).Clear();
            }
            for (var g = 0; g < group; g++)
            {
                var h = head * group + g;
                for (var row = first; row < entry.RowCount; row += BlockQueries)
                {
                    var rows = Math.Min(BlockQueries, entry.RowCount - row);
                    var place = (entry.FirstRow + row) * queryStride + h * dimension;
                    var queries = (float*)call.Queries + place;
                    var gradient = outputGradient + place;
                    Tile.Multiply<RowMajor>(rows, keysInBlock, dimension, queries, queryStride, keyPanels, (long)dimension * Tile.Columns,
                        weights, BlockKeys, resume: false, call.Wide);
                    Tile.Multiply<RowMajor>(rows, keysInBlock, dimension, gradient, queryStride, valuePanels, (long)dimension * Tile.Columns,
                        slopes, BlockKeys, resume: false, call.Wide);
                    for (var r = 0; r < rows; r++)
                    {
                        var state = statistics + 2 * ((entry.FirstRow + row + r) * (long)call.Heads + h);
                        SlopeStep(weights + r * BlockKeys, slopes + r * BlockKeys, Math.Min(keysInBlock, row + r - first + 1), keysInBlock, scale, state);
                    }
                    PackRows(gradient, queryStride, rows, dimension, gradientRows);
                    PackRows(queries, queryStride, rows, dimension, queryRows);
                    Tile.Multiply<ColumnMajor>(keysInBlock, dimension, rows, weights, BlockKeys, gradientRows, (long)rows * Tile.Columns,
                        valueGradient + keyPlace, keyStride, resume: true, call.Wide);
                    Tile.Multiply<ColumnMajor>(keysInBlock, dimension, rows, slopes, BlockKeys, queryRows, (long)rows * Tile.Columns,
                        keyGradient + keyPlace, keyStride, resume: true, call.Wide);
                    Tile.Multiply<RowMajor>(rows, dimension, keysInBlock, slopes, BlockKeys, keyRows, (long)keysInBlock * Tile.Columns,
                        queryGradient + place, queryStride, resume: true, call.Wide);
                }
            }
        }
    }

    /// <summary>Turns a row of scores into weights relative to the new maximum and brings what was gathered before to it.</summary>
    private static void SoftmaxStep(float* scores, int visible, int keysInBlock, float scale, float* state, float* output, int dimension)
    {
        var filled = (visible + Lanes.Width - 1) / Lanes.Width * Lanes.Width;
        for (var j = visible; j < filled; j++) scores[j] = float.NegativeInfinity;
        var largest = Vector256.Create(float.NegativeInfinity);
        var factor = Vector256.Create(scale);
        for (var j = 0; j < filled; j += 8)
        {
            var s = Vector256.Load(scores + j) * factor;
            s.Store(scores + j);
            largest = Vector256.Max(largest, s);
        }
        var before = state[0];
        var maximum = Math.Max(before, Lanes.Max(largest));
        var correction = Lanes.Exp(before - maximum);
        var shift = Vector256.Create(maximum);
        var low = Vector256<float>.Zero;
        var high = Vector256<float>.Zero;
        for (var j = 0; j < filled; j += Lanes.Width)
        {
            var a = Lanes.Exp(Vector256.Load(scores + j) - shift);
            var b = Lanes.Exp(Vector256.Load(scores + j + 8) - shift);
            a.Store(scores + j);
            b.Store(scores + j + 8);
            low += a;
            high += b;
        }
        for (var j = filled; j < keysInBlock; j++) scores[j] = 0;
        state[0] = maximum;
        state[1] = state[1] * correction + Lanes.Sum(low, high);
        var d = 0;
        for (; d + 8 <= dimension; d += 8) (Vector256.Load(output + d) * Vector256.Create(correction)).Store(output + d);
        for (; d < dimension; d++) output[d] *= correction;
    }

    /// <summary>Recomputes a row's weights from its scores and turns the products dO·V into gradients of the scores.</summary>
    private static void SlopeStep(float* weights, float* slopes, int visible, int keysInBlock, float scale, float* state)
    {
        var factor = Vector256.Create(scale);
        var logarithm = Vector256.Create(state[0]);
        var offset = Vector256.Create(state[1]);
        var filled = (visible + 7) / 8 * 8;
        for (var j = 0; j < filled; j += 8)
        {
            var w = Lanes.Exp(Vector256.Load(weights + j) * factor - logarithm);
            w.Store(weights + j);
            (w * (Vector256.Load(slopes + j) - offset) * factor).Store(slopes + j);
        }
        for (var j = visible; j < keysInBlock; j++)
        {
            weights[j] = 0;
            slopes[j] = 0;
        }
    }

    private static void Load(in SequenceLayout.Entry entry, int head, int block, int keysInBlock, in AttentionCall call,
        float* keyScratch, float* valueScratch, out float* keys, out float* values)
    {
        if (entry.Cached is { } cached)
        {
            keys = cached.Cache.Keys(cached.Pages[block], call.Layer, head);
            values = cached.Cache.Values(cached.Pages[block], call.Layer, head);
            return;
        }
        var stride = (long)call.KeyValueHeads * call.HeadDimension;
        var place = (entry.FirstRow + block * BlockKeys) * stride + head * call.HeadDimension;
        PackTransposed((float*)call.Keys + place, stride, keysInBlock, call.HeadDimension, keyScratch);
        var dimension = call.HeadDimension;
        for (var column = 0; column < dimension; column += Tile.Columns)
            Packing.Panel((float*)call.Values + place + column, stride, Math.Min(Tile.Columns, dimension - column), keysInBlock, valueScratch + (long)column * BlockKeys);
        keys = keyScratch;
        values = valueScratch;
    }

    /// <summary>Rows become lanes: panels (dimension, 16).</summary>
    private static void PackTransposed(float* source, long stride, int rows, int dimension, float* panels)
    {
        for (var row = 0; row < rows; row += Tile.Columns)
            Packing.PanelTransposed(source + row * stride, stride, Math.Min(Tile.Columns, rows - row), dimension, panels + (long)row * dimension);
    }

    /// <summary>Columns become lanes: panels (rows, 16).</summary>
    private static void PackRows(float* source, long stride, int rows, int dimension, float* panels)
    {
        for (var column = 0; column < dimension; column += Tile.Columns)
            Packing.Panel(source + column, stride, Math.Min(Tile.Columns, dimension - column), rows, panels + (long)column * rows);
    }
}
