using OpenEuroLLM.Core;
using OpenEuroLLM.Tensors.Kernels;

namespace OpenEuroLLM.Tensors;

/// <summary>Carries out tensor operations at once and, while recording, remembers how to go back.</summary>
/// <remarks>One engine serves one caller at a time; it owns the thread team and the memory of the step. <see cref="Reset"/> ends a step:
/// all tensors become invalid and their memory is used again.</remarks>
public sealed unsafe partial class Engine : IDisposable
{
    private readonly IBackend backend;
    private readonly Arena arena;
    private readonly Tape tape = new();
    private readonly RotaryTables rotaryTables;
    private Slot[] slots = new Slot[256];
    private int slotCount;

    /// <summary>Creates an engine.</summary>
    /// <param name="threads">Threads of its team; null: one for each processor. Results do not depend on it.</param>
    public Engine(int? threads = null) : this(threads, wide: null) { }

    internal Engine(int? threads, bool? wide)
    {
        if (threads is < 1 or > 1024)
            throw new UserErrorException(FormattableString.Invariant($"threads is {threads}; expected 1 to 1024."));
        Threads = threads ?? Environment.ProcessorCount;
        backend = new CpuBackend(Threads, wide);
        arena = new Arena();
        rotaryTables = new RotaryTables();
    }

    /// <summary>Threads of the team.</summary>
    public int Threads { get; }

    /// <summary>Whether operations are recorded for <see cref="Backward"/>.</summary>
    public bool Recording { get; private set; }

    internal CpuBackend Backend => (CpuBackend)backend;

    /// <summary>Sees the inputs of all products with weights, <see cref="Logits"/> included, while nothing is recorded; null: nobody. A quantizer
    /// learns from them which inputs of a weight are large.</summary>
    public IProductObserver? Observer { get; set; }

    /// <summary>Ends the step: tensors become invalid, their memory is used again, recording stops.</summary>
    public void Reset()
    {
        arena.Reset();
        tape.Clear();
        slotCount = 0;
        floor = 0;
        Recording = false;
    }

    /// <summary>Begins to record operations for <see cref="Backward"/>.</summary>
    public void Record() => Recording = true;

    /// <summary>Rows of an embedding: (tokens, width).</summary>
    /// <exception cref="UserErrorException">A token is outside the vocabulary.</exception>
    public Tensor Embed(ReadOnlySpan<int> tokens, Weight weight)
    {
        foreach (var token in tokens)
        {
            if ((uint)token >= (uint)weight.Rows)
                throw new UserErrorException(FormattableString.Invariant($"token {token} is outside the model's vocabulary of {weight.Rows}; the text was encoded with another tokenizer."));
        }
        return Embed(TakeIntegers(tokens), tokens.Length, weight);
    }

    /// <summary>y = x · Wᵀ: (rows, inputs) to (rows, outputs).</summary>
    public Tensor Product(Tensor x, Weight weight)
    {
        var y = TakeProduct(x, weight);
        Observe(weight, x);
        backend.Product(Data(x), x.Rows, weight, Data(y));
        if (Recording) RecordProduct(x, weight, y);
        return y;
    }

    /// <summary>Products of one input with two weights, as one operation of the team where the weights are packed.</summary>
    public (Tensor A, Tensor B) Products(Tensor x, Weight a, Weight b)
    {
        var (ya, yb) = (TakeProduct(x, a), TakeProduct(x, b));
        Observe(a, x);
        Observe(b, x);
        backend.Products(Data(x), x.Rows, a, Data(ya), b, Data(yb), null, null);
        if (Recording)
        {
            RecordProduct(x, a, ya);
            RecordProduct(x, b, yb);
        }
        return (ya, yb);
    }

    /// <summary>Products of one input with three weights, as one operation of the team where the weights are packed.</summary>
    public (Tensor A, Tensor B, Tensor C) Products(Tensor x, Weight a, Weight b, Weight c)
    {
        var (ya, yb, yc) = (TakeProduct(x, a), TakeProduct(x, b), TakeProduct(x, c));
        Observe(a, x);
        Observe(b, x);
        Observe(c, x);
        backend.Products(Data(x), x.Rows, a, Data(ya), b, Data(yb), c, Data(yc));
        if (Recording)
        {
            RecordProduct(x, a, ya);
            RecordProduct(x, b, yb);
            RecordProduct(x, c, yc);
        }
        return (ya, yb, yc);
    }

    /// <summary>Root-mean-square norm of each row, times gain.</summary>
    /// <param name="x">(rows, width).</param>
    /// <param name="gain">One number for each column.</param>
    /// <param name="epsilon">Added to the mean square.</param>
    /// <param name="gainPlusOne">The gain is stored as its distance from 1, as Gemma does.</param>
    public Tensor RmsNorm(Tensor x, Weight gain, double epsilon, bool gainPlusOne = false)
    {
        ExpectVector(x, gain, x.Columns);
        return Norm(x, x.Rows, gain, epsilon, gainPlusOne);
    }

    /// <summary>Causal attention within each sequence, with rotary position embedding of queries and keys.</summary>
    /// <param name="queries">(rows, heads · head dimension); turned in place.</param>
    /// <param name="keys">(rows, key/value heads · head dimension); turned in place.</param>
    /// <param name="values">As <paramref name="keys"/>.</param>
    /// <param name="layout">Which rows belong together; must stay as it is until <see cref="Backward"/>.</param>
    /// <param name="settings">Heads, positions, window and scale.</param>
    /// <param name="layer">Layer whose cache pages are used.</param>
    /// <exception cref="ArgumentException">Shapes or settings do not fit.</exception>
    /// <exception cref="InvalidOperationException">A gradient is wanted of cached sequences, or a row sees keys that were forgotten.</exception>
    public Tensor Attend(Tensor queries, Tensor keys, Tensor values, SequenceLayout layout, in AttentionSettings settings, int layer)
    {
        settings.Check(queries, keys, values, layout);
        if (Recording && layout.IsCached) throw new InvalidOperationException("gradients need whole sequences, not cached ones");
        var y = Take(queries.Rows, queries.Columns);
        var statistics = Recording ? Take(queries.Rows, 2 * settings.Heads).Slot : -1;
        backend.Attend(layout, Call(queries.Slot, keys.Slot, values.Slot, y.Slot, statistics, layout, settings, layer));
        foreach (var sequence in layout.Entries)
        {
            if (sequence.Cached is { } cached && layer == LastCachedLayer(cached)) cached.Advance(sequence.RowCount);
        }
        if (Recording)
        {
            ref var entry = ref tape.Add(Operation.Attend);
            (entry.A, entry.B, entry.C, entry.Output, entry.Extra) = (queries.Slot, keys.Slot, values.Slot, y.Slot, statistics);
            (entry.Rows, entry.Attention, entry.Layout) = (queries.Rows, settings, layout);
        }
        return y;
    }

    /// <summary>gate · sigmoid(gate) · up.</summary>
    public Tensor SwiGlu(Tensor gate, Tensor up)
    {
        if (gate.Shape != up.Shape) throw new ArgumentException($"SwiGLU: gate {gate.Shape} and up {up.Shape} differ");
        var y = Take(gate.Rows, gate.Columns);
        backend.SwiGlu(Data(gate), Data(up), gate.Shape.Count, Data(y));
        if (Recording)
        {
            ref var entry = ref tape.Add(Operation.SwiGlu);
            (entry.A, entry.B, entry.Output) = (gate.Slot, up.Slot, y.Slot);
        }
        return y;
    }

    /// <summary>Sum of two tensors of one shape.</summary>
    public Tensor Add(Tensor left, Tensor right)
    {
        if (left.Shape != right.Shape) throw new ArgumentException($"sum: {left.Shape} and {right.Shape} differ");
        var y = Take(left.Rows, left.Columns);
        backend.Add(Data(left), Data(right), left.Shape.Count, Data(y));
        if (Recording)
        {
            ref var entry = ref tape.Add(Operation.Add);
            (entry.A, entry.B, entry.Output) = (left.Slot, right.Slot, y.Slot);
        }
        return y;
    }

    /// <summary>Cross-entropy in nats of each row against its target, without ever holding all logits: (rows, 1).</summary>
    /// <param name="x">(rows, width).</param>
    /// <param name="head">(vocabulary, width).</param>
    /// <param name="targets">A token for each row; −1 gives 0 and no gradient.</param>
    /// <param name="scale">Factor of the gradients, normally 1 / number of targets of the whole step; only used while recording.</param>
    /// <param name="softCap">Logits become softCap · tanh(logit / softCap) first, as in Gemma 2; above 0. Null: they stay.</param>
    public Tensor HeadLoss(Tensor x, Weight head, ReadOnlySpan<int> targets, double scale = 1, double? softCap = null)
    {
        CheckSoftCap(softCap);
        Expect(x.Columns == head.Columns, x, head.Name, head.Columns);
        if (targets.Length != x.Rows) throw new ArgumentException($"loss: {targets.Length} targets for {x.Rows} rows");
        foreach (var target in targets)
        {
            if (target < -1 || target >= head.Rows)
                throw new UserErrorException(FormattableString.Invariant($"target token {target} is outside the model's vocabulary of {head.Rows}; the text was encoded with another tokenizer."));
        }
        Observe(head, x);
        var ids = TakeIntegers(targets);
        var losses = Take(x.Rows, 1);
        var chunk = Math.Clamp((8 << 20) / head.Rows / Tile.Rows * Tile.Rows, Tile.Rows, 1536);
        var logits = Take(Math.Min(chunk, Math.Max(1, x.Rows)), head.Rows);
        if (Recording)
        {
            ExpectTrainable(head);
            ref var entry = ref tape.Add(Operation.HeadLoss);
            entry.A = x.Slot;
            var gradient = Take(x.Rows, x.Columns);
            entry.Output = gradient.Slot;
            backend.HeadLoss(Data(x), x.Rows, head, (int*)slots[ids].Data, (float)scale, (float?)softCap, Data(losses), Data(gradient), Data(logits), chunk);
        }
        else
        {
            backend.HeadLoss(Data(x), x.Rows, head, (int*)slots[ids].Data, 1, (float?)softCap, Data(losses), null, Data(logits), chunk);
        }
        Release(logits.Slot);
        return losses;
    }

    /// <summary>Logits of chosen rows: (rows.Length, vocabulary).</summary>
    /// <param name="x">(rows, width).</param>
    /// <param name="head">(vocabulary, width).</param>
    /// <param name="rows">Which of them, in any order.</param>
    /// <param name="softCap">As in <see cref="HeadLoss"/>.</param>
    public Tensor Logits(Tensor x, Weight head, ReadOnlySpan<int> rows, double? softCap = null)
    {
        CheckSoftCap(softCap);
        var chosen = Take(rows.Length, x.Columns);
        for (var i = 0; i < rows.Length; i++)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)rows[i], (uint)x.Rows, nameof(rows));
            if (!IsOutline) Buffer.MemoryCopy(Data(x) + (long)rows[i] * x.Columns, Data(chosen) + (long)i * x.Columns, x.Columns * sizeof(float), x.Columns * sizeof(float));
        }
        Observe(head, chosen);
        var y = Take(rows.Length, head.Rows);
        backend.Product(Data(chosen), rows.Length, head, Data(y));
        if (softCap is { } cap) backend.Cap(Data(y), y.Shape.Count, (float)cap);
        return y;
    }

    /// <summary>Goes back over all recorded operations and adds the gradients to the weights.</summary>
    /// <remarks>Memory is given back on the way: the results of recorded operations cannot be read afterwards, except losses.</remarks>
    public void Backward()
    {
        Recording = false;
        BackTo(0);
    }

    /// <summary>Sum of the squares of a weight's gradient, in a fixed order.</summary>
    public double SquaredGradientNorm(Weight weight) => backend.SquaredNorm(weight.GradientData, weight.Count);

    /// <summary>One step of AdamW on a weight.</summary>
    /// <param name="weight">Changed in place.</param>
    /// <param name="first">First moment, <see cref="Weight.Count"/> numbers.</param>
    /// <param name="second">Second moment.</param>
    /// <param name="step">Settings of this step.</param>
    public void Update(Weight weight, NumberBuffer first, NumberBuffer second, in AdamWStep step)
    {
        if (first.Count != weight.Count || second.Count != weight.Count) throw new ArgumentException($"{weight.Name}: the optimizer state has another size");
        backend.Update(weight, first.Data, second.Data, step);
    }

    /// <summary>Multiply-adds per second of a large product on this engine, times two: the figure that progress lines are a share of.</summary>
    /// <param name="size">Rows, columns and depth.</param>
    /// <param name="clock">Measures.</param>
    /// <param name="repetitions">The fastest of these counts.</param>
    public double MeasureProductRate(IClock clock, int size = 1024, int repetitions = 4)
    {
        Reset();
        using var weight = Weight.Trainable("measure", size, size);
        var x = Take(size, size);
        var y = Take(size, size);
        new Span<float>(Data(x), size * size).Clear();
        var best = double.MaxValue;
        for (var i = 0; i < repetitions; i++)
        {
            var start = clock.Timestamp;
            backend.Product(Data(x), size, weight, Data(y));
            best = Math.Min(best, clock.SecondsSince(start));
        }
        Reset();
        return 2.0 * size * size * size / best;
    }

    /// <summary>Ends the team and gives all memory back.</summary>
    public void Dispose()
    {
        backend.Dispose();
        arena.Dispose();
        rotaryTables.Dispose();
    }

    /// <summary>A tensor with given values, for tests and tools.</summary>
    internal Tensor Create(int rows, int columns, ReadOnlySpan<float> values)
    {
        var tensor = Take(rows, columns);
        values.CopyTo(new Span<float>(Data(tensor), checked(rows * columns)));
        return tensor;
    }

    /// <summary>Gradient of a recorded tensor, empty when none reached it; for tests.</summary>
    internal ReadOnlySpan<float> GradientOf(Tensor tensor) =>
        slots[tensor.Slot].Gradient == null ? default : new ReadOnlySpan<float>(slots[tensor.Slot].Gradient, checked((int)tensor.Shape.Count));

    /// <summary>Sets the gradient from which <see cref="Backward"/> begins; for tests.</summary>
    internal void SetGradient(Tensor tensor, ReadOnlySpan<float> values)
    {
        values.CopyTo(new Span<float>(Gradient(tensor.Slot, out _), values.Length));
        slots[tensor.Slot].Kept = true;
    }

    internal ReadOnlySpan<float> Read(Tensor tensor) => new(Data(tensor), checked((int)tensor.Shape.Count));

    private void Back(in TapeEntry entry)
    {
        if (entry.Operation == Operation.HeadLoss)
        {
            Hand(entry.A, ref slots[entry.Output].Data, slots[entry.Output].Count);
            return;
        }
        var dy = slots[entry.Output].Gradient;
        if (dy == null) return; // nothing that was asked for depends on this result
        switch (entry.Operation)
        {
            case Operation.Product:
                backend.ProductWeightGradient(dy, Needed(entry.A), entry.Rows, entry.Weight!);
                backend.ProductInputGradient(dy, entry.Rows, entry.Weight!, Gradient(entry.A, out var there), there);
                break;
            case Operation.Embed:
                backend.EmbedGradient((int*)slots[entry.A].Data, entry.Rows, dy, entry.Weight!);
                break;
            case Operation.RmsNorm:
                backend.RmsNormGradient(Needed(entry.A), slots[entry.Extra].Data, dy, entry.Rows, entry.Weight!, entry.GainPlusOne, Gradient(entry.A, out there), there);
                break;
            case Operation.LayerNorm:
                BackLayerNorm(entry, dy);
                break;
            case Operation.Attend:
                BackAttend(entry, dy);
                break;
            case Operation.Gelu:
            case Operation.SquaredRelu:
            case Operation.XIelu:
                BackCurve(entry, dy);
                break;
            case Operation.SwiGlu:
            case Operation.GeGlu:
                BackGated(entry, dy);
                break;
            case Operation.Add:
                Spread(entry.A, dy);
                Pass(entry.B, entry.Output);
                break;
            case Operation.AddBias:
                backend.AddBiasGradient(dy, entry.Rows, entry.Weight!);
                Pass(entry.A, entry.Output);
                break;
            case Operation.Scale:
                backend.Scale(dy, slots[entry.A].Count, entry.Factor, Gradient(entry.A, out there), there);
                break;
            case Operation.Columns:
                BackColumns(entry, dy);
                break;
            case Operation.Segment:
                BackSegment(entry);
                break;
            default:
                throw new InvalidOperationException($"no way back for {entry.Operation}");
        }
    }

    private void BackAttend(in TapeEntry entry, float* dy)
    {
        var gradients = new AttentionGradients((nint)dy, (nint)Fresh(entry.A), (nint)Fresh(entry.B), (nint)Fresh(entry.C));
        backend.AttendGradient(entry.Layout!, Call(entry.A, entry.B, entry.C, entry.Output, entry.Extra, entry.Layout!, entry.Attention, 0), gradients);
    }

    private AttentionCall Call(int queries, int keys, int values, int output, int statistics, SequenceLayout layout, in AttentionSettings settings, int layer)
    {
        var dimension = (int)(slots[queries].Count / layout.Rows / settings.Heads);
        var call = new AttentionCall((nint)Needed(queries), (nint)Needed(keys), (nint)Needed(values), (nint)Needed(output),
            statistics < 0 ? 0 : (nint)slots[statistics].Data, settings.Heads, settings.KeyValueHeads, dimension, layer,
            Math.Min(settings.Window ?? Attention.NoWindow, Attention.NoWindow), (float)(settings.Scale ?? 1 / Math.Sqrt(dimension)), 0, 0, 0, false, (float?)settings.SoftCap);
        if (settings.Rotary is not { } rotary) return call;
        return call with
        {
            Table = (nint)rotaryTables.Require(rotary, dimension, layout.LastPosition + 1),
            TableWidth = Rotary.TableWidth(rotary, dimension),
            Turned = rotary.TurnedOf(dimension),
            Interleaved = rotary.Pairing == RotaryPairing.Interleaved,
        };
    }

    /// <summary>Gradient memory of a tensor that this operation alone has used.</summary>
    private float* Fresh(int slot)
    {
        var memory = Gradient(slot, out var there);
        return there ? throw new InvalidOperationException("queries, keys, values, gate and up are used by one operation only") : memory;
    }

    private float* Gradient(int slot, out bool there)
    {
        ref var entry = ref slots[slot];
        there = entry.Gradient != null;
        if (!there) entry.Gradient = arena.Take(entry.Count);
        return entry.Gradient;
    }

    private void Observe(Weight weight, Tensor x)
    {
        if (Observer is { } observer && !Recording && !IsOutline) observer.Observe(weight, x);
    }

    private Tensor Embed(int ids, int rows, Weight weight)
    {
        var y = Take(rows, weight.Columns);
        backend.Embed((int*)slots[ids].Data, rows, weight, Data(y));
        if (Recording)
        {
            ExpectTrainable(weight);
            ref var entry = ref tape.Add(Operation.Embed);
            (entry.A, entry.Output, entry.Rows, entry.Weight) = (ids, y.Slot, rows, weight);
        }
        return y;
    }

    private Tensor TakeProduct(Tensor x, Weight weight)
    {
        Expect(x.Columns == weight.Columns, x, weight.Name, weight.Columns);
        return Take(x.Rows, weight.Rows);
    }

    private void RecordProduct(Tensor x, Weight weight, Tensor y)
    {
        ExpectTrainable(weight);
        ref var entry = ref tape.Add(Operation.Product);
        (entry.A, entry.Output, entry.Rows, entry.Weight) = (x.Slot, y.Slot, x.Rows, weight);
    }

    private Tensor Take(int rows, int columns)
    {
        var shape = new Shape(rows, columns);
        return new Tensor(this, NewSlot(shape.Count), shape);
    }

    private int TakeIntegers(ReadOnlySpan<int> values)
    {
        var slot = NewSlot(values.Length);
        if (!IsOutline) values.CopyTo(new Span<int>(slots[slot].Data, values.Length));
        return slot;
    }

    private int NewSlot(long count) => NewSlot(arena.Take(count), count);

    private int NewSlot(float* data, long count)
    {
        if (slotCount == slots.Length) Array.Resize(ref slots, 2 * slotCount);
        slots[slotCount] = new Slot { Data = data, Count = count };
        return slotCount++;
    }

    private static int LastCachedLayer(KeyValueSequence sequence) => sequence.Cache.Layers - 1;

    private float* Data(Tensor tensor) => slots[tensor.Slot].Data != null ? slots[tensor.Slot].Data : throw GivenBack();

    private static void ExpectTrainable(Weight weight)
    {
        if (!weight.IsTrainable) throw new InvalidOperationException($"{weight.Name} keeps no gradient; load it as trainable, or do not record");
    }

    private static void Expect(bool fits, Tensor x, string name, int expected)
    {
        if (!fits) throw new ArgumentException(FormattableString.Invariant($"{name}: the input is {x.Shape}; expected {expected} columns"));
    }

    private struct Slot
    {
        public float* Data;
        public float* Gradient;
        public long Count;

        /// <summary>Set by tests, which look at results and gradients after the way back.</summary>
        public bool Kept;
    }
}
