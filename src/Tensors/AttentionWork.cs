using OpenEuroLLM.Tensors.Kernels;

namespace OpenEuroLLM.Tensors;

/// <summary>Divides attention among the threads of the team.</summary>
/// <remarks>Forward, an item is some rows of a sequence and one key/value head; as many rows as leave every thread something to do, since their
/// keys are then packed once. Back, it is a block of 64 keys and one key/value head. A layout is copied into native memory first, so that items
/// carry no managed references and a call allocates nothing once the buffers are there.</remarks>
internal sealed unsafe class AttentionWork(ThreadTeam team, bool wide) : IDisposable
{
    /// <summary>Items for each thread, at least, where rows allow it: their costs differ.</summary>
    private const int ItemsPerThread = 4;

    private NativeList<AttentionSequence> sequences;
    private NativeList<int> pages;
    private NativeList<int> progress;
    private NativeList<Part> parts;
    private NativeList<float> scratch;

    public void Forward(SequenceLayout layout, AttentionCall call)
    {
        call = call with { Wide = wide };
        Describe(layout, call);
        var rows = Attention.MostRows(call);
        while (rows > Attention.LeastRows(call) && Count(layout, rows) * call.KeyValueHeads < ItemsPerThread * team.Threads) rows = Math.Max(Attention.LeastRows(call), rows / 2);
        var work = new ForwardWork(call, (nint)sequences.Data, 0, 0, 0, PreparesKeys: false);
        // Where one item has all rows of a sequence and head, it prepares their keys itself; otherwise that must be done before.
        var alone = Count(layout, rows) == layout.Count;
        if (!alone && (layout.IsCached || call.Table != 0))
        {
            Divide(layout, Attention.BlockKeys);
            team.Run(new PrepareWork(call, (nint)sequences.Data, (nint)parts.Data), parts.Count * call.KeyValueHeads);
        }
        Divide(layout, rows);
        var stride = Scratch(Attention.Scratch(call, rows));
        work = work with { Parts = (nint)parts.Data, ScratchBase = (nint)scratch.Data, ScratchStride = stride, PreparesKeys = alone };
        team.Run(work, parts.Count * call.KeyValueHeads);
    }

    public void Backward(SequenceLayout layout, AttentionCall call, in AttentionGradients gradients)
    {
        call = call with { Wide = wide };
        Describe(layout, call);
        NoteProgress(layout, call);
        team.Run(new OffsetWork(call, gradients, layout.Rows), (layout.Rows + Attention.BlockKeys - 1) / Attention.BlockKeys);
        DivideKeys(layout);
        var stride = Scratch(AttentionGradient.Scratch(call));
        team.Run(new BackwardWork(call, gradients, (nint)sequences.Data, (nint)parts.Data, (nint)scratch.Data, stride), parts.Count * call.KeyValueHeads);
    }

    /// <summary>Bytes held from call to call.</summary>
    public long Bytes => sequences.Bytes + pages.Bytes + progress.Bytes + parts.Bytes + scratch.Bytes;

    public void Dispose()
    {
        sequences.Free();
        pages.Free();
        progress.Free();
        parts.Free();
        scratch.Free();
    }

    private void Describe(SequenceLayout layout, in AttentionCall call)
    {
        var pageCount = 0;
        foreach (var entry in layout.Entries) pageCount += entry.Cached?.Pages.Length ?? 0;
        pages.Clear();
        pages.Require(pageCount);
        sequences.Clear();
        sequences.Require(layout.Count);
        foreach (var entry in layout.Entries)
        {
            var sequence = new AttentionSequence { FirstRow = entry.FirstRow, RowCount = entry.RowCount, FirstPosition = entry.FirstPosition };
            if (entry.Cached is { } cached)
            {
                var cache = cached.Cache;
                if (cache.KeyValueHeads != call.KeyValueHeads || cache.HeadDimension != call.HeadDimension || (uint)call.Layer >= (uint)cache.Layers)
                    throw new ArgumentException(FormattableString.Invariant($"attention: layer {call.Layer} with {call.KeyValueHeads} key/value heads of {call.HeadDimension} does not fit a cache of {cache.Layers} layers with {cache.KeyValueHeads} of {cache.HeadDimension}"));
                if (Math.Max(0, entry.FirstPosition - call.Window + 1) < cached.Forgotten)
                    throw new InvalidOperationException(FormattableString.Invariant($"attention: the row at position {entry.FirstPosition} sees keys before {cached.Forgotten}, which were forgotten"));
                sequence.Pages = pages.Data + pages.Count;
                sequence.Cache = cache.Keys(0, call.Layer, 0);
                (sequence.PageNumbers, sequence.HeadNumbers) = (cache.PageNumbers, cache.HeadNumbers);
                foreach (var page in cached.Pages) pages.Add(page);
            }
            sequences.Add(sequence);
        }
    }

    private void NoteProgress(SequenceLayout layout, in AttentionCall call)
    {
        var count = 0;
        foreach (var entry in layout.Entries) count += Blocks(entry.RowCount, Attention.BlockKeys) * call.Heads;
        progress.Clear();
        progress.Require(count);
        for (var i = 0; i < sequences.Count; i++)
        {
            sequences.Data[i].Progress = progress.Data + progress.Count;
            var blocks = Blocks(sequences.Data[i].RowCount, Attention.BlockKeys);
            for (var head = 0; head < call.Heads; head++)
                for (var block = 0; block < blocks; block++) progress.Add(AttentionGradient.FirstBlock(block, call.Window));
        }
    }

    /// <summary>Parts of up to so many rows, the last ones of a sequence first: they see the most keys.</summary>
    private void Divide(SequenceLayout layout, int rows)
    {
        parts.Clear();
        parts.Require(Count(layout, rows));
        for (var i = 0; i < layout.Count; i++)
        {
            var count = layout.Entries[i].RowCount;
            for (var row = (Blocks(count, rows) - 1) * rows; row >= 0; row -= rows) parts.Add(new Part(i, row, Math.Min(rows, count - row)));
        }
    }

    /// <summary>Blocks of keys, the first ones of all sequences first: neighbours among the items then seldom wait for each other.</summary>
    private void DivideKeys(SequenceLayout layout)
    {
        parts.Clear();
        parts.Require(Count(layout, Attention.BlockKeys));
        for (var block = 0; ; block++)
        {
            var before = parts.Count;
            for (var i = 0; i < layout.Count; i++)
                if (block * Attention.BlockKeys < layout.Entries[i].RowCount) parts.Add(new Part(i, block, 1));
            if (parts.Count == before) return;
        }
    }

    private long Scratch(long perThread)
    {
        var stride = (perThread + 1023) / 1024 * 1024;
        scratch.Require(stride * team.Threads);
        return stride;
    }

    private static int Count(SequenceLayout layout, int rows)
    {
        var count = 0;
        foreach (var entry in layout.Entries) count += Blocks(entry.RowCount, rows);
        return count;
    }

    private static int Blocks(int count, int size) => (count + size - 1) / size;

    /// <summary>Rows (forward), or a block of keys (back), of a sequence.</summary>
    private readonly record struct Part(int Sequence, int First, int Count);

    private readonly record struct PrepareWork(AttentionCall Call, nint Sequences, nint Parts) : IWork
    {
        public void Execute(int item, int thread)
        {
            var part = ((Part*)Parts)[item / Call.KeyValueHeads];
            Attention.Prepare(((AttentionSequence*)Sequences)[part.Sequence], item % Call.KeyValueHeads, part.First, part.Count, Call);
        }
    }

    private readonly record struct ForwardWork(AttentionCall Call, nint Sequences, nint Parts, nint ScratchBase, long ScratchStride, bool PreparesKeys) : IWork
    {
        public void Execute(int item, int thread)
        {
            var part = ((Part*)Parts)[item / Call.KeyValueHeads];
            var head = item % Call.KeyValueHeads;
            ref readonly var sequence = ref ((AttentionSequence*)Sequences)[part.Sequence];
            if (PreparesKeys) Attention.Prepare(sequence, head, part.First, part.Count, Call);
            Attention.Forward(sequence, head, part.First, part.Count, Call, (float*)ScratchBase + thread * ScratchStride);
        }
    }

    private readonly record struct OffsetWork(AttentionCall Call, AttentionGradients Gradients, int Rows) : IWork
    {
        public void Execute(int item, int thread)
        {
            var row = item * Attention.BlockKeys;
            AttentionGradient.Offsets(row, Math.Min(Attention.BlockKeys, Rows - row), Call, Gradients);
        }
    }

    private readonly record struct BackwardWork(AttentionCall Call, AttentionGradients Gradients, nint Sequences, nint Parts, nint ScratchBase, long ScratchStride) : IWork
    {
        public void Execute(int item, int thread)
        {
            var part = ((Part*)Parts)[item / Call.KeyValueHeads];
            AttentionGradient.Backward(((AttentionSequence*)Sequences)[part.Sequence], part.First, item % Call.KeyValueHeads, Call, Gradients,
                (float*)ScratchBase + thread * ScratchStride);
        }
    }
}
