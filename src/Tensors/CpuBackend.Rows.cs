using System.Runtime.Intrinsics;

namespace OpenEuroLLM.Tensors;

/// <summary>Operations on rows: biases, layer norms, factors, parts of rows.</summary>
internal sealed unsafe partial class CpuBackend
{
    private const int RowsOfChunk = 32;

    public void AddBias(float* x, int rows, Weight bias) =>
        team.Run(new BiasWork((nint)x, (nint)bias.Data, rows, bias.Columns), Chunks(rows, RowsOfChunk));

    public void AddBiasGradient(float* dy, int rows, Weight bias) =>
        team.Run(new ColumnSumWork((nint)dy, (nint)bias.GradientData, rows, bias.Columns), Chunks(bias.Columns, ColumnSumWork.Columns));

    public void LayerNorm(float* x, int rows, Weight gain, Weight? bias, float epsilon, float* y, float* statistics) =>
        team.Run(new LayerNormWork((nint)x, (nint)gain.Data, bias is null ? 0 : (nint)bias.Data, (nint)y, (nint)statistics, rows, gain.Columns, epsilon), Chunks(rows, RowsOfChunk));

    public void LayerNormGradient(float* x, float* statistics, float* dy, int rows, Weight gain, Weight? bias, float* dx, bool resume)
    {
        team.Run(new LayerNormGradientWork((nint)x, (nint)gain.Data, (nint)dy, (nint)statistics, (nint)dx, rows, gain.Columns, resume), Chunks(rows, RowsOfChunk));
        GainGradient(x, dy, statistics + rows, statistics, rows, gain);
        if (bias is not null) AddBiasGradient(dy, rows, bias);
    }

    public void Scale(float* x, long count, float factor, float* y, bool resume) => team.Run(new ScaleWork((nint)x, (nint)y, count, factor, resume), Chunks(count));

    public void Columns(float* x, int rows, int width, int first, int count, float* y) =>
        team.Run(new ColumnsWork((nint)x, (nint)y, rows, width, first, count), Chunks(rows, RowsOfChunk));

    public void ColumnsGradient(float* dy, int rows, int width, int first, int count, float* dx, bool resume) =>
        team.Run(new ColumnsGradientWork((nint)dy, (nint)dx, rows, width, first, count, resume), Chunks(rows, RowsOfChunk));

    /// <summary>gradient of a norm's gain += Σ dy · (x − mean) · inverse, rows ascending.</summary>
    /// <param name="means">Null: zeros.</param>
    private void GainGradient(float* x, float* dy, float* inverse, float* means, int rows, Weight gain)
    {
        // Gains of heads are short: narrower pieces, so that every thread has one.
        var columns = gain.Columns < 64 * team.Threads ? 16 : 64;
        team.Run(new GainGradientWork((nint)x, (nint)dy, (nint)inverse, (nint)means, (nint)gain.GradientData, rows, gain.Columns, columns), Chunks(gain.Columns, columns));
    }

    private static (int First, int End) RowsOf(int item, int rows) => (item * RowsOfChunk, Math.Min(rows, (item + 1) * RowsOfChunk));

    private readonly record struct BiasWork(nint X, nint Bias, int Rows, int Width) : IWork
    {
        public void Execute(int item, int thread)
        {
            var (first, end) = RowsOf(item, Rows);
            for (var r = first; r < end; r++) AddWork.Sum((float*)X + (long)r * Width, (float*)Bias, Width, (float*)X + (long)r * Width);
        }
    }

    private readonly record struct ColumnSumWork(nint Dy, nint Gradient, int Rows, int Width) : IWork
    {
        public const int Columns = 64;

        public void Execute(int item, int thread)
        {
            var first = item * Columns;
            var gradient = (float*)Gradient + first;
            for (var r = 0; r < Rows; r++) AddWork.Sum(gradient, (float*)Dy + (long)r * Width + first, Math.Min(Columns, Width - first), gradient);
        }
    }

    private readonly record struct LayerNormWork(nint X, nint Gain, nint Bias, nint Y, nint Statistics, int Rows, int Width, float Epsilon) : IWork
    {
        public void Execute(int item, int thread)
        {
            var (first, end) = RowsOf(item, Rows);
            for (var r = first; r < end; r++)
            {
                Kernels.LayerNorm.Forward((float*)X + (long)r * Width, (float*)Gain, (float*)Bias, Width, Epsilon, (float*)Y + (long)r * Width, out var mean, out var inverse);
                (((float*)Statistics)[r], ((float*)Statistics)[Rows + r]) = (mean, inverse);
            }
        }
    }

    private readonly record struct LayerNormGradientWork(nint X, nint Gain, nint Dy, nint Statistics, nint Dx, int Rows, int Width, bool Resume) : IWork
    {
        public void Execute(int item, int thread)
        {
            var (first, end) = RowsOf(item, Rows);
            for (var r = first; r < end; r++)
            {
                var row = (long)r * Width;
                Kernels.LayerNorm.Backward((float*)X + row, (float*)Gain, (float*)Dy + row, Width, ((float*)Statistics)[r], ((float*)Statistics)[Rows + r], (float*)Dx + row, Resume);
            }
        }
    }

    private readonly record struct GainGradientWork(nint X, nint Dy, nint Inverse, nint Means, nint Gradient, int Rows, int Width, int Columns) : IWork
    {
        public void Execute(int item, int thread)
        {
            var gradient = (float*)Gradient;
            var last = Math.Min(Width, (item + 1) * Columns);
            for (var r = 0; r < Rows; r++)
            {
                var x = (float*)X + (long)r * Width;
                var dy = (float*)Dy + (long)r * Width;
                var inverse = ((float*)Inverse)[r];
                var mean = Means == 0 ? 0 : ((float*)Means)[r];
                var i = item * Columns;
                for (; i + 8 <= last; i += 8)
                    Vector256.FusedMultiplyAdd(Vector256.Load(dy + i), (Vector256.Load(x + i) - Vector256.Create(mean)) * Vector256.Create(inverse), Vector256.Load(gradient + i)).Store(gradient + i);
                for (; i < last; i++) gradient[i] = float.FusedMultiplyAdd(dy[i], (x[i] - mean) * inverse, gradient[i]);
            }
        }
    }

    private readonly record struct ScaleWork(nint X, nint Y, long Count, float Factor, bool Resume) : IWork
    {
        public void Execute(int item, int thread)
        {
            var (first, count) = Chunk(item, Count);
            float* x = (float*)X + first, y = (float*)Y + first;
            var factor = Vector256.Create(Factor);
            var i = 0L;
            for (; i + 8 <= count; i += 8)
            {
                var scaled = Vector256.Load(x + i) * factor;
                (Resume ? Vector256.Load(y + i) + scaled : scaled).Store(y + i);
            }
            for (; i < count; i++) y[i] = Resume ? y[i] + x[i] * Factor : x[i] * Factor;
        }
    }

    private readonly record struct ColumnsWork(nint X, nint Y, int Rows, int Width, int First, int Count) : IWork
    {
        public void Execute(int item, int thread)
        {
            var (first, end) = RowsOf(item, Rows);
            for (var r = first; r < end; r++)
                new ReadOnlySpan<float>((float*)X + (long)r * Width + First, Count).CopyTo(new Span<float>((float*)Y + (long)r * Count, Count));
        }
    }

    private readonly record struct ColumnsGradientWork(nint Dy, nint Dx, int Rows, int Width, int First, int Count, bool Resume) : IWork
    {
        public void Execute(int item, int thread)
        {
            var (first, end) = RowsOf(item, Rows);
            for (var r = first; r < end; r++)
            {
                var row = (float*)Dx + (long)r * Width;
                var dy = (float*)Dy + (long)r * Count;
                if (Resume)
                {
                    AddWork.Sum(row + First, dy, Count, row + First);
                    continue;
                }
                new Span<float>(row, First).Clear();
                new ReadOnlySpan<float>(dy, Count).CopyTo(new Span<float>(row + First, Count));
                new Span<float>(row + First + Count, Width - First - Count).Clear();
            }
        }
    }
}
