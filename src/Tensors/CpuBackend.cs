using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using OpenEuroLLM.Tensors.Kernels;

namespace OpenEuroLLM.Tensors;

/// <summary>The operations on the processor's own cores.</summary>
/// <remarks>Work is split by rows, columns or heads, never within one output: the number of threads cannot change a bit.</remarks>
internal sealed unsafe partial class CpuBackend : IBackend
{
    private const int ChunkNumbers = 16 * 1024;

    private readonly ThreadTeam team;
    private readonly Scratch scratch;
    private readonly bool wide;
    private readonly AttentionWork attention;
    private double* sums;
    private long sumCount;

    public CpuBackend(int threads, bool? wide = null)
    {
        team = new ThreadTeam(threads);
        scratch = new Scratch(threads, Kernels.Product.SharedScratch, ScratchOfThread);
        this.wide = wide ?? Tile.Wide;
        attention = new AttentionWork(team, this.wide);
    }

    public int Threads => team.Threads;

    public long WorkingBytes => ProductBytes(team.Threads) + attention.Bytes + sizeof(double) * sumCount + roundedBytes;

    /// <summary>Bytes of the products' scratch memory for a number of threads.</summary>
    public static long ProductBytes(int threads) => sizeof(float) * (Kernels.Product.SharedScratch + Scratch.StrideFor(ScratchOfThread) * threads);

    private static long ScratchOfThread => Math.Max(PackedThreadScratch, Kernels.Product.ThreadScratch);

    /// <summary>Bytes of working memory that attention holds.</summary>
    public long AttentionBytes => attention.Bytes;

    /// <summary>A product of any operand order, for benchmarks and tests.</summary>
    public void Multiply(int rows, int columns, int depth, float* a, long aStride, bool aTransposed, RightOperand b, float* c, long cStride, bool resume) =>
        Kernels.Product.Multiply(team, scratch, rows, columns, depth, a, aStride, aTransposed, b, c, cStride, resume, wide);

    public void Product(float* x, int rows, Weight weight, float* y)
    {
        if (weight.IsPacked) PackedProducts(x, rows, weight, y);
        else Multiply(rows, weight.Rows, weight.Columns, x, weight.Columns, false, weight.Forward, y, weight.Rows, resume: false);
    }

    public void Products(float* x, int rows, Weight a, float* ya, Weight b, float* yb, Weight? c, float* yc)
    {
        if (a.IsPacked && b.IsPacked && c is not { IsPacked: false })
        {
            PackedProducts(x, rows, a, ya, b, yb, c, yc);
            return;
        }
        Product(x, rows, a, ya);
        Product(x, rows, b, yb);
        if (c is not null) Product(x, rows, c, yc);
    }

    public void ProductInputGradient(float* dy, int rows, Weight weight, float* dx, bool resume) =>
        Multiply(rows, weight.Columns, weight.Rows, dy, weight.Rows, false, new RightOperand((nint)weight.Data, weight.Columns, false), dx, weight.Columns, resume);

    public void ProductWeightGradient(float* dy, float* x, int rows, Weight weight) =>
        Multiply(weight.Rows, weight.Columns, rows, dy, weight.Rows, true, new RightOperand((nint)x, weight.Columns, false), weight.GradientData, weight.Columns, resume: true);

    public void Embed(int* tokens, int rows, Weight weight, float* y)
    {
        for (var r = 0; r < rows; r++) weight.CopyRow(tokens[r], y + (long)r * weight.Columns);
    }

    public void EmbedGradient(int* tokens, int rows, float* dy, Weight weight) =>
        team.Run(new ScatterWork((nint)tokens, (nint)dy, (nint)weight.GradientData, rows, weight.Columns), (weight.Columns + 63) / 64);

    public void RmsNorm(float* x, int rows, Weight gain, bool gainPlusOne, float epsilon, float* y, float* inverse) =>
        team.Run(new NormWork((nint)x, (nint)Factors(gain, gainPlusOne), (nint)y, (nint)inverse, rows, gain.Columns, epsilon), Chunks(rows, 32));

    public void RmsNormGradient(float* x, float* inverse, float* dy, int rows, Weight gain, bool gainPlusOne, float* dx, bool resume)
    {
        team.Run(new NormGradientWork((nint)x, (nint)Factors(gain, gainPlusOne), (nint)dy, (nint)inverse, (nint)dx, (nint)scratch.Threads, scratch.ThreadStride,
            rows, gain.Columns, resume), Chunks(rows, 32));
        GainGradient(x, dy, inverse, null, rows, gain);
    }

    public void Attend(SequenceLayout layout, in AttentionCall call) => attention.Forward(layout, call);

    public void AttendGradient(SequenceLayout layout, in AttentionCall call, in AttentionGradients gradients) => attention.Backward(layout, call, gradients);

    public void SwiGlu(float* gate, float* up, long count, float* y) =>
        team.Run(new SwiGluWork((nint)gate, (nint)up, 0, (nint)y, 0, count), Chunks(count));

    public void SwiGluGradient(float* gate, float* up, float* dy, long count, float* dGate, float* dUp) =>
        team.Run(new SwiGluWork((nint)gate, (nint)up, (nint)dy, (nint)dGate, (nint)dUp, count), Chunks(count));

    public void Add(float* a, float* b, long count, float* y) => team.Run(new AddWork((nint)a, (nint)b, (nint)y, count), Chunks(count));

    public void HeadLoss(float* x, int rows, Weight weight, int* targets, float scale, float? softCap, float* losses, float* dx, float* logits, int chunkRows)
    {
        for (var first = 0; first < rows; first += chunkRows)
        {
            var count = Math.Min(chunkRows, rows - first);
            var part = x + (long)first * weight.Columns;
            Product(part, count, weight, logits);
            team.Run(new LossWork((nint)logits, (nint)(targets + first), (nint)(losses + first), weight.Rows, count, scale, softCap, dx != null), Chunks(count, 8));
            if (dx == null) continue;
            ProductInputGradient(logits, count, weight, dx + (long)first * weight.Columns, resume: false);
            ProductWeightGradient(logits, part, count, weight);
        }
    }

    public double SquaredNorm(float* x, long count)
    {
        var chunks = Chunks(count);
        RequireSums(chunks);
        team.Run(new SquareWork((nint)x, (nint)sums, count), chunks);
        var total = 0.0;
        for (var i = 0; i < chunks; i++) total += sums[i];
        return total;
    }

    public void Update(Weight weight, float* first, float* second, in AdamWStep step) =>
        team.Run(new UpdateWork((nint)weight.Data, (nint)weight.GradientData, (nint)first, (nint)second, weight.Count, step), Chunks(weight.Count));

    public void Dispose()
    {
        team.Dispose();
        scratch.Dispose();
        FreeRounded();
        attention.Dispose();
        NativeMemory.Free(sums);
        NativeMemory.Free(gains);
        sums = null;
        gains = null;
    }

    private static int Chunks(long count) => checked((int)((count + ChunkNumbers - 1) / ChunkNumbers));

    private static int Chunks(int rows, int rowsPerChunk) => (rows + rowsPerChunk - 1) / rowsPerChunk;

    private static (long First, long Count) Chunk(int item, long count) => ((long)item * ChunkNumbers, Math.Min(ChunkNumbers, count - (long)item * ChunkNumbers));

    private readonly record struct ScatterWork(nint Tokens, nint Dy, nint Gradient, int Rows, int Width) : IWork
    {
        public void Execute(int item, int thread)
        {
            var first = item * 64;
            var count = Math.Min(64, Width - first);
            for (var r = 0; r < Rows; r++)
                AddWork.Sum((float*)Gradient + (long)((int*)Tokens)[r] * Width + first, (float*)Dy + (long)r * Width + first, count,
                    (float*)Gradient + (long)((int*)Tokens)[r] * Width + first);
        }
    }

    private readonly record struct NormWork(nint X, nint Gain, nint Y, nint Inverse, int Rows, int Width, float Epsilon) : IWork
    {
        public void Execute(int item, int thread)
        {
            for (var r = item * 32; r < Math.Min(Rows, item * 32 + 32); r++)
                ((float*)Inverse)[r] = Kernels.RmsNorm.Forward((float*)X + (long)r * Width, (float*)Gain, Width, Epsilon, (float*)Y + (long)r * Width);
        }
    }

    private readonly record struct NormGradientWork(nint X, nint Gain, nint Dy, nint Inverse, nint Dx, nint ScratchBase, long ScratchStride, int Rows, int Width, bool Resume) : IWork
    {
        public void Execute(int item, int thread)
        {
            for (var r = item * 32; r < Math.Min(Rows, item * 32 + 32); r++)
            {
                var row = (long)r * Width;
                Kernels.RmsNorm.Backward((float*)X + row, (float*)Gain, (float*)Dy + row, Width, ((float*)Inverse)[r], (float*)Dx + row, Resume,
                    (float*)ScratchBase + thread * ScratchStride);
            }
        }
    }

    private readonly record struct SwiGluWork(nint Gate, nint Up, nint Dy, nint First, nint Second, long Count) : IWork
    {
        public void Execute(int item, int thread)
        {
            var (first, count) = Chunk(item, Count);
            if (Dy == 0) Kernels.SwiGlu.Forward((float*)Gate + first, (float*)Up + first, (float*)First + first, count);
            else Kernels.SwiGlu.Backward((float*)Gate + first, (float*)Up + first, (float*)Dy + first, (float*)First + first, (float*)Second + first, count);
        }
    }

    private readonly record struct AddWork(nint A, nint B, nint Y, long Count) : IWork
    {
        public void Execute(int item, int thread)
        {
            var (first, count) = Chunk(item, Count);
            Sum((float*)A + first, (float*)B + first, count, (float*)Y + first);
        }

        public static void Sum(float* a, float* b, long count, float* y)
        {
            var i = 0L;
            for (; i + 8 <= count; i += 8) (Vector256.Load(a + i) + Vector256.Load(b + i)).Store(y + i);
            for (; i < count; i++) y[i] = a[i] + b[i];
        }
    }

    private readonly record struct LossWork(nint Logits, nint Targets, nint Losses, int Vocabulary, int Rows, float Scale, float? SoftCap, bool Gradient) : IWork
    {
        public void Execute(int item, int thread)
        {
            for (var r = item * 8; r < Math.Min(Rows, item * 8 + 8); r++)
            {
                var logits = (float*)Logits + (long)r * Vocabulary;
                var target = ((int*)Targets)[r];
                float loss = 0;
                if (target >= 0) loss = Loss(logits, target);
                else if (Gradient) new Span<float>(logits, Vocabulary).Clear();
                ((float*)Losses)[r] = loss;
            }
        }

        private float Loss(float* logits, int target)
        {
            if (SoftCap is { } cap) Pointwise<SoftCap>.Forward(new SoftCap(cap), logits, logits, Vocabulary);
            if (!Gradient) return CrossEntropy.Loss(logits, Vocabulary, target);
            return SoftCap is { } own ? CrossEntropy.CappedLossAndGradient(logits, Vocabulary, target, Scale, own) : CrossEntropy.LossAndGradient(logits, Vocabulary, target, Scale);
        }
    }

    private readonly record struct SquareWork(nint X, nint Sums, long Count) : IWork
    {
        public void Execute(int item, int thread)
        {
            var (first, count) = Chunk(item, Count);
            ((double*)Sums)[item] = Lanes.Dot((float*)X + first, (float*)X + first, (int)count);
        }
    }

    private readonly record struct UpdateWork(nint Weights, nint Gradient, nint First, nint Second, long Count, AdamWStep Step) : IWork
    {
        public void Execute(int item, int thread)
        {
            var (first, count) = Chunk(item, Count);
            AdamW.Update((float*)Weights + first, (float*)Gradient + first, (float*)First + first, (float*)Second + first, count, Step);
        }
    }
}
