namespace OpenEuroLLM.Tensors;

/// <summary>How the memory of a step comes and goes: results of recorded operations live until the way back has passed them, gradients
/// until they were passed on.</summary>
public sealed unsafe partial class Engine
{
    private Engine(OutlineBackend outline)
    {
        Threads = outline.Threads;
        backend = outline;
        arena = new Arena(outline: true);
        rotaryTables = new RotaryTables(outline: true);
        IsOutline = true;
    }

    /// <summary>Whether the engine only counts: see <see cref="Outline"/>.</summary>
    public bool IsOutline { get; }

    /// <summary>Bytes of step memory that the system has had to provide so far: the most that any step needed.</summary>
    public long StepBytes => arena.TouchedBytes;

    /// <summary>Bytes of step memory in use.</summary>
    public long UsedBytes => arena.UsedBytes;

    /// <summary>Most bytes of step memory that were in use at one moment.</summary>
    public long PeakBytes => arena.PeakBytes;

    /// <summary>Bytes held from step to step: working memory of the kernels and rotary table.</summary>
    public long FixedBytes => backend.WorkingBytes + rotaryTables.Bytes;

    /// <summary>An engine that carries nothing out and takes no memory, but counts what the same operations would take on another: after
    /// a step, <see cref="StepBytes"/> is what it is there, and <see cref="FixedBytes"/> about what it is. Values of its tensors cannot be read.</summary>
    /// <param name="threads">Threads of the other engine.</param>
    public static Engine Outline(int threads = 1) => new(new OutlineBackend(threads));

    /// <summary>Goes back over the operations recorded from place <paramref name="first"/> of the tape on, and gives back what only they needed.</summary>
    private void BackTo(int first)
    {
        for (var i = tape.Count - 1; i >= first; i--)
        {
            var entry = tape[i]; // a copy: a segment records again while it goes back
            var mark = slotCount;
            Back(entry);
            ReleaseFrom(mark);
            Release(entry.Output);
            if (entry.Operation is Operation.RmsNorm or Operation.LayerNorm or Operation.Attend) Release(entry.Extra);
            tape.Truncate(i);
        }
    }

    /// <summary>The values of a tensor that the way back reads.</summary>
    private float* Needed(int slot) => slots[slot].Data != null ? slots[slot].Data : throw GivenBack();

    private static InvalidOperationException GivenBack() => new("the tensor's memory was given back or overwritten: by a residual sum, a bias, an activation's way back, "
        + "at the end of a segment, or when the way back had passed it");

    /// <summary>The gradient of a tensor that this operation alone has used, in the memory of its values, which are needed no more.</summary>
    private float* InPlace(int slot)
    {
        ref var entry = ref slots[slot];
        if (entry.Kept || entry.Gradient != null) return Fresh(slot);
        entry.Gradient = entry.Data;
        entry.Data = null;
        return entry.Gradient;
    }

    /// <summary>Adds a gradient to a tensor's own; it stays where it is.</summary>
    private void Spread(int slot, float* gradient)
    {
        var own = Gradient(slot, out var there);
        var count = slots[slot].Count;
        if (there) backend.Add(own, gradient, count, own);
        else if (!IsOutline) Buffer.MemoryCopy(gradient, own, count * sizeof(float), count * sizeof(float));
    }

    /// <summary>Adds a gradient to a tensor's own, or makes it its own; it is needed nowhere else.</summary>
    private void Hand(int slot, ref float* gradient, long count)
    {
        ref var entry = ref slots[slot];
        if (entry.Gradient == null) entry.Gradient = gradient;
        else
        {
            backend.Add(entry.Gradient, gradient, count, entry.Gradient);
            arena.Give(gradient, count);
        }
        gradient = null;
    }

    /// <summary>Passes the gradient of an operation's output on to a tensor as it is; it is needed no more.</summary>
    private void Pass(int slot, int output)
    {
        if (slots[output].Kept) Spread(slot, slots[output].Gradient);
        else Hand(slot, ref slots[output].Gradient, slots[output].Count);
    }

    private void Release(int slot)
    {
        ref var entry = ref slots[slot];
        if (entry.Kept) return;
        if (entry.Data != null) arena.Give(entry.Data, entry.Count);
        if (entry.Gradient != null) arena.Give(entry.Gradient, entry.Count);
        entry.Data = null;
        entry.Gradient = null;
    }

    /// <summary>Gives back all tensors made since there were <paramref name="mark"/>.</summary>
    private void ReleaseFrom(int mark)
    {
        for (var slot = mark; slot < slotCount; slot++) Release(slot);
        slotCount = mark;
    }
}
