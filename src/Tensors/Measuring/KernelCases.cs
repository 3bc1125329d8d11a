using OpenEuroLLM.Tensors.Kernels;

namespace OpenEuroLLM.Tensors.Measuring;

/// <summary>The kernels that are measured, at the sizes of small models: the shapes of training, prefill and decoding.</summary>
internal static unsafe partial class KernelCases
{
    private const int Rows = 2048;
    private const int Vocabulary = 16_384;

    // Width and inner width of the models that training is measured with.
    private static readonly (int Width, int Hidden)[] _models = [(256, 704), (512, 1376)];

    public static IEnumerable<KernelCase> All() =>
        [.. Products(), .. PackedProducts(), .. Attentions(), .. RowKernels(), .. FamilyKernels(), .. Losses(), .. Updates()];

    private static IEnumerable<KernelCase> Products()
    {
        foreach (var size in new[] { 1024, 2048 }) yield return Product("f32 forward", size, size, size, false, true);
        foreach (var (width, hidden) in _models)
        {
            foreach (var (outputs, inputs) in new[] { (width, width), (hidden, width), (width, hidden), (Vocabulary, width) })
            {
                yield return Product("f32 forward", Rows, outputs, inputs, false, true);
                yield return Product("f32 dX", Rows, inputs, outputs, false, false);
                yield return Product("f32 dW", outputs, inputs, Rows, true, false);
            }
        }
    }

    private static KernelCase Product(string order, int rows, int columns, int depth, bool leftTransposed, bool rightTransposed) =>
        new($"product {order}", FormattableString.Invariant($"{rows} x {columns} x {depth}"), KernelLimit.MultiplyAdd, 2.0 * rows * columns * depth, (backend, memory) =>
        {
            float* a = memory.Numbers((long)rows * depth), b = memory.Numbers((long)columns * depth), c = memory.Numbers((long)rows * columns);
            var right = new RightOperand((nint)b, rightTransposed ? depth : columns, rightTransposed);
            return () => backend.Multiply(rows, columns, depth, a, leftTransposed ? rows : depth, leftTransposed, right, c, columns, resume: false);
        });

    private static IEnumerable<KernelCase> PackedProducts()
    {
        // One row waits for memory: the weight is larger than most last-level caches. Many rows wait for the multiply-adds.
        const int depth = 2048;
        foreach (var type in Enum.GetValues<ElementType>())
        {
            var name = $"packed {ElementTypes.Name(type)}";
            var outputs = (int)((96L << 20) / ElementTypes.RowBytes(type, depth) / 16 * 16);
            yield return new KernelCase(name, FormattableString.Invariant($"1 x {outputs} x {depth}"), KernelLimit.Read, (double)outputs * ElementTypes.RowBytes(type, depth), (backend, memory) =>
                Packed(backend, memory, type, 1, outputs, depth));
            yield return new KernelCase(name, FormattableString.Invariant($"256 x 2048 x {depth}"), KernelLimit.MultiplyAdd, 2.0 * 256 * 2048 * depth, (backend, memory) =>
                Packed(backend, memory, type, 256, 2048, depth));
        }
    }

    private static Action Packed(CpuBackend backend, KernelMemory memory, ElementType type, int rows, int outputs, int depth)
    {
        var weight = memory.Hold(Weight.Packed("measured", outputs, depth, type));
        // Stored bytes of one row, its block scales small and finite; all rows alike. Speed does not depend on the numbers.
        var stored = new byte[ElementTypes.RowBytes(type, depth)];
        var random = new Core.CounterRandom(1, 1);
        for (var i = 0; i < stored.Length; i++) stored[i] = (byte)(random.UniformAt((ulong)i) * 0x38);
        for (var row = 0; row < outputs; row++) weight.SetRows(row, stored);
        float* x = memory.Numbers((long)rows * depth), y = memory.Numbers((long)rows * outputs);
        return () => backend.Product(x, rows, weight, y);
    }

    private static IEnumerable<KernelCase> Attentions()
    {
        foreach (var (width, heads) in new[] { (256, 4), (512, 8) })
        {
            const int length = 256;
            var shape = FormattableString.Invariant($"{Rows / length} x {length} tokens, {heads} heads of {width / heads}");
            // Half of the scores are visible: two products forward, five back.
            var product = (double)Rows * length * width;
            foreach (var (name, cap) in new[] { ("attention", (float?)null), ("attention with a soft cap,", 50f) })
            {
                yield return new KernelCase($"{name} forward", shape, KernelLimit.MultiplyAdd, 2 * product, (backend, memory) => Attention(backend, memory, width, heads, length, cap, back: false));
                yield return new KernelCase($"{name} backward", shape, KernelLimit.MultiplyAdd, 5 * product, (backend, memory) => Attention(backend, memory, width, heads, length, cap, back: true));
            }
        }
        const int past = 2048;
        yield return new KernelCase("attention decode", FormattableString.Invariant($"1 token after {past}, 16 over 8 heads of 64"), KernelLimit.Read, past * 8.0 * 64 * 2 * sizeof(float), (backend, memory) =>
            Decode(backend, memory, past, 16, 8, 64));
    }

    private static Action Attention(CpuBackend backend, KernelMemory memory, int width, int heads, int length, float? softCap, bool back)
    {
        var layout = new SequenceLayout();
        for (var first = 0; first < Rows; first += length) layout.Add(length);
        nint Matrix() => (nint)memory.Numbers((long)Rows * width);
        var call = new AttentionCall(Matrix(), Matrix(), Matrix(), Matrix(), (nint)memory.Numbers(2L * Rows * heads), heads, heads, width / heads, 0,
            Kernels.Attention.NoWindow, (float)(1 / Math.Sqrt(width / heads)), 0, 0, 0, false, softCap);
        if (!back) return () => backend.Attend(layout, call);
        backend.Attend(layout, call);
        var gradients = new AttentionGradients(Matrix(), Matrix(), Matrix(), Matrix());
        return () => backend.AttendGradient(layout, call, gradients);
    }

    private static Action Decode(CpuBackend backend, KernelMemory memory, int past, int heads, int keyValueHeads, int dimension)
    {
        var cache = memory.Hold(new KeyValueCache(1, keyValueHeads, dimension, past / KeyValueCache.PageTokens + 1));
        var sequence = memory.Hold(cache.Begin());
        nint Matrix(int rows, int count) => (nint)memory.Numbers((long)rows * count * dimension);
        AttentionCall Call(int rows) => new(Matrix(rows, heads), Matrix(rows, keyValueHeads), Matrix(rows, keyValueHeads), Matrix(rows, heads), 0,
            heads, keyValueHeads, dimension, 0, Kernels.Attention.NoWindow, (float)(1 / Math.Sqrt(dimension)), 0, 0, 0, false);
        var layout = new SequenceLayout();
        layout.Add(past, sequence);
        backend.Attend(layout, Call(past));
        sequence.Advance(past);
        layout.Clear();
        layout.Add(1, sequence);
        var one = Call(1);
        return () => backend.Attend(layout, one);
    }

    private static IEnumerable<KernelCase> RowKernels()
    {
        foreach (var (width, hidden) in _models)
        {
            var rows = FormattableString.Invariant($"{Rows} x {width}");
            var inner = FormattableString.Invariant($"{Rows} x {hidden}");
            yield return Streamed("RMSNorm forward", rows, (long)Rows * width, 2, (backend, memory) => Norm(backend, memory, width, back: false));
            yield return Streamed("RMSNorm backward", rows, (long)Rows * width, 5, (backend, memory) => Norm(backend, memory, width, back: true));
            yield return Streamed("rotary", rows, (long)Rows * width, 2, (backend, memory) => Rotate(backend, memory, width));
            yield return Streamed("SwiGLU forward", inner, (long)Rows * hidden, 3, (backend, memory) => Gated(backend, memory, (long)Rows * hidden, back: false));
            yield return Streamed("SwiGLU backward", inner, (long)Rows * hidden, 5, (backend, memory) => Gated(backend, memory, (long)Rows * hidden, back: true));
            yield return Streamed("add", rows, (long)Rows * width, 3, (backend, memory) => Add(backend, memory, (long)Rows * width));
            yield return Streamed("embedding forward", rows, (long)Rows * width, 2, (backend, memory) => Embedding(backend, memory, width, back: false));
            yield return Streamed("embedding backward", rows, (long)Rows * width, 3, (backend, memory) => Embedding(backend, memory, width, back: true));
        }
    }

    private static Action Norm(CpuBackend backend, KernelMemory memory, int width, bool back)
    {
        var numbers = (long)Rows * width;
        var gain = memory.Trainable(1, width);
        float* x = memory.Numbers(numbers), y = memory.Numbers(numbers), inverse = memory.Numbers(Rows);
        if (!back) return () => backend.RmsNorm(x, Rows, gain, false, 1e-5f, y, inverse);
        backend.RmsNorm(x, Rows, gain, false, 1e-5f, y, inverse);
        float* dy = memory.Numbers(numbers), dx = memory.Numbers(numbers);
        return () => backend.RmsNormGradient(x, inverse, dy, Rows, gain, false, dx, resume: false);
    }

    // Attention turns queries and keys itself; this is what the turning costs alone.
    private static Action Rotate(CpuBackend backend, KernelMemory memory, int width)
    {
        const int dimension = 64;
        const int positions = 256;
        var team = memory.Hold(new ThreadTeam(backend.Threads));
        var settings = new RotarySettings(10_000);
        var tableWidth = Rotary.TableWidth(settings, dimension);
        float* table = memory.Numbers((long)positions * tableWidth), x = memory.Numbers((long)Rows * width);
        Rotary.FillTable(settings, dimension, positions, table);
        return () => team.Run(new RotateWork((nint)x, (nint)table, width, dimension, tableWidth, positions), Rows / RotateWork.Piece);
    }

    private static Action Gated(CpuBackend backend, KernelMemory memory, long numbers, bool back)
    {
        float* gate = memory.Numbers(numbers), up = memory.Numbers(numbers), y = memory.Numbers(numbers);
        if (!back) return () => backend.SwiGlu(gate, up, numbers, y);
        float* dGate = memory.Numbers(numbers), dUp = memory.Numbers(numbers);
        return () => backend.SwiGluGradient(gate, up, y, numbers, dGate, dUp);
    }

    private static Action Add(CpuBackend backend, KernelMemory memory, long numbers)
    {
        float* a = memory.Numbers(numbers), b = memory.Numbers(numbers), y = memory.Numbers(numbers);
        return () => backend.Add(a, b, numbers, y);
    }

    private static Action Embedding(CpuBackend backend, KernelMemory memory, int width, bool back)
    {
        var weight = memory.Trainable(Vocabulary, width);
        var tokens = memory.Integers(Rows, Vocabulary);
        var y = memory.Numbers((long)Rows * width);
        if (back) return () => backend.EmbedGradient(tokens, Rows, y, weight);
        return () => backend.Embed(tokens, Rows, weight, y);
    }

    private static IEnumerable<KernelCase> Losses()
    {
        foreach (var (width, _) in _models)
        {
            var shape = FormattableString.Invariant($"{Rows} x {Vocabulary} x {width}");
            // One product for the loss; the gradients of the rows and of the weight are two more.
            var product = 2.0 * Rows * width * Vocabulary;
            yield return new KernelCase("head and cross-entropy", shape, KernelLimit.MultiplyAdd, product, (backend, memory) => HeadLoss(backend, memory, width, gradients: false));
            yield return new KernelCase("head and cross-entropy, gradients", shape, KernelLimit.MultiplyAdd, 3 * product, (backend, memory) => HeadLoss(backend, memory, width, gradients: true));
        }
    }

    private static Action HeadLoss(CpuBackend backend, KernelMemory memory, int width, bool gradients)
    {
        const int chunk = 252;
        var weight = memory.Trainable(Vocabulary, width);
        var targets = memory.Integers(Rows, Vocabulary);
        float* x = memory.Numbers((long)Rows * width), losses = memory.Numbers(Rows), logits = memory.Numbers((long)chunk * Vocabulary);
        var dx = gradients ? memory.Numbers((long)Rows * width) : null;
        return () => backend.HeadLoss(x, Rows, weight, targets, 1f / Rows, null, losses, dx, logits, chunk);
    }

    private static IEnumerable<KernelCase> Updates()
    {
        foreach (var (width, _) in _models)
        {
            var shape = FormattableString.Invariant($"{Vocabulary} x {width}");
            yield return Streamed("AdamW", shape, (long)Vocabulary * width, 7, (backend, memory) => Update(backend, memory, width));
            yield return Streamed("gradient norm", shape, (long)Vocabulary * width, 1, (backend, memory) => GradientNorm(backend, memory, (long)Vocabulary * width));
        }
    }

    private static Action Update(CpuBackend backend, KernelMemory memory, int width)
    {
        var weight = memory.Trainable(Vocabulary, width);
        float* first = memory.Numbers(weight.Count), second = memory.Numbers(weight.Count);
        for (var i = 0L; i < weight.Count; i++) second[i] *= second[i];
        var step = new AdamWStep(1e-4f, 0.9f, 0.98f, 1e-8f, 0.1f, 0.1f, 0.02f, 1);
        return () => backend.Update(weight, first, second, step);
    }

    private static Action GradientNorm(CpuBackend backend, KernelMemory memory, long numbers)
    {
        var x = memory.Numbers(numbers);
        return () => backend.SquaredNorm(x, numbers);
    }

    /// <summary>A kernel that passes over its operands: <paramref name="passes"/> numbers read or written for each one of the shape.</summary>
    private static KernelCase Streamed(string kernel, string shape, long numbers, int passes, Func<CpuBackend, KernelMemory, Action> prepare) =>
        new(kernel, shape, KernelLimit.Read, (double)numbers * passes * sizeof(float), prepare);

    private readonly record struct RotateWork(nint X, nint Table, int Width, int Dimension, int TableWidth, int Positions) : IWork
    {
        public const int Piece = 64;

        public void Execute(int item, int thread)
        {
            for (var row = item * Piece; row < item * Piece + Piece; row++)
                for (var head = 0; head < Width; head += Dimension)
                    Rotary.Turn((float*)X + (long)row * Width + head, Dimension, interleaved: false, (float*)Table + row % Positions * TableWidth, back: false, Tile.Wide);
        }
    }
}
