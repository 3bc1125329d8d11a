namespace OpenEuroLLM.Tensors;

/// <summary>A part of a model that can be computed once more from its input, such as a layer.</summary>
public interface ISegment
{
    /// <summary>Computes the part.</summary>
    /// <param name="x">Its only input; same input, same result, and no effect but cached keys and values.</param>
    /// <param name="layout">The rows' sequences.</param>
    /// <param name="index">Which part, such as the number of the layer.</param>
    Tensor Forward(Tensor x, SequenceLayout layout, int index);
}

/// <summary>Segments: their inner results live only as long as the segment is computed.</summary>
public sealed unsafe partial class Engine
{
    /// <summary>Whether a recorded segment keeps its input alone and computes the rest again on the way back: about one segment's results
    /// in memory instead of all, for about a third more arithmetic. Results and gradients are the same bits.</summary>
    public bool Recompute { get; set; }

    private int floor; // tensors before this one are needed to compute a segment again

    /// <summary>Carries a segment out. Of its tensors only the result is valid afterwards.</summary>
    /// <param name="segment">The part of the model.</param>
    /// <param name="x">Its input; given up unless operations are recorded.</param>
    /// <param name="layout">Must stay as it is until <see cref="Backward"/>.</param>
    /// <param name="index">Passed on.</param>
    public Tensor Segment(ISegment segment, Tensor x, SequenceLayout layout, int index)
    {
        if (Recording && !Recompute) return segment.Forward(x, layout, index);
        if (Recording && layout.IsCached) throw new InvalidOperationException("gradients need whole sequences, not cached ones");
        var (recording, mark, before) = (Recording, slotCount, floor);
        if (recording) floor = mark;
        Recording = false;
        Tensor y;
        try
        {
            y = Keep(segment.Forward(x, layout, index), mark);
        }
        finally
        {
            Recording = recording;
            floor = before;
        }
        if (!recording)
        {
            if (x.Slot >= floor && x.Slot != y.Slot) Release(x.Slot);
        }
        else if (y.Slot >= mark)
        {
            ref var entry = ref tape.Add(Operation.Segment);
            (entry.A, entry.Output, entry.Rows) = (x.Slot, y.Slot, x.Rows);
            (entry.Segment, entry.Layout, entry.Extra) = (segment, layout, index);
        }
        return y;
    }

    private void BackSegment(in TapeEntry entry)
    {
        // The values of the output are not needed, and come again.
        ref var output = ref slots[entry.Output];
        var dy = output.Gradient;
        var first = tape.Count;
        if (!output.Kept)
        {
            arena.Give(output.Data, output.Count);
            output.Data = null;
            output.Gradient = null;
        }
        Recording = true;
        Tensor y;
        try
        {
            y = entry.Segment!.Forward(new Tensor(this, entry.A, new Shape(entry.Rows, (int)(slots[entry.A].Count / entry.Rows))), entry.Layout!, entry.Extra);
        }
        finally
        {
            Recording = false;
        }
        if (slots[entry.Output].Kept) Spread(y.Slot, dy);
        else Hand(y.Slot, ref dy, slots[y.Slot].Count);
        BackTo(first);
    }

    /// <summary>Gives back all tensors made since there were <paramref name="mark"/>, except one, which takes the first place.</summary>
    private Tensor Keep(Tensor result, int mark)
    {
        if (result.Slot < mark)
        {
            ReleaseFrom(mark);
            return result;
        }
        var kept = slots[result.Slot];
        slots[result.Slot] = default;
        ReleaseFrom(mark);
        slots[mark] = kept;
        slotCount = mark + 1;
        return new Tensor(this, mark, result.Shape);
    }
}
