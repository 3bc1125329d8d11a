using OpenEuroLLM.Tensors.Kernels;
using OpenEuroLLM.Tensors.Kernels.Quantized;

namespace OpenEuroLLM.Tensors;

/// <summary>Products with weights that are packed for inference.</summary>
internal sealed unsafe partial class CpuBackend
{
    /// <summary>About as many rows are rounded at a time: it bounds the memory for them, and a weight is widened anew for each such block.</summary>
    private const int RoundedBlock = 256;

    /// <summary>Numbers that one thread rounds as fast as a meeting of the team takes.</summary>
    private const int RoundedAlone = 8192;

    /// <summary>Numbers of scratch memory for a thread: a widened panel.</summary>
    private const long PackedThreadScratch = ManyRows.ScratchBytes / sizeof(float);

    private byte* rounded;
    private long roundedBytes;

    private bool Wide512 => wide && Registers512.IsSupported;

    /// <summary>Products of one input with one to three packed weights of equal inputs: ya (r, o of a) = x (r, i) · aᵀ, and so on.
    /// The input is rounded once for all quantized ones; one row, or a few, are one meeting of the team.</summary>
    /// <param name="b">A second weight, or null.</param>
    /// <param name="c">A third weight, or null.</param>
    public void PackedProducts(float* x, int rows, Weight a, float* ya, Weight? b = null, float* yb = null, Weight? c = null, float* yc = null)
    {
        var tasks = new PackedTasks(Task(a, ya), b is null ? default : Task(b, yb), c is null ? default : Task(c, yc));
        if (rows > FewFloatRows.Most)
        {
            MultiplyFloats(x, rows, a, ya);
            if (b is not null) MultiplyFloats(x, rows, b, yb);
            if (c is not null) MultiplyFloats(x, rows, c, yc);
        }
        else
        {
            FewProducts(x, rows, a.Columns, rows <= FewRows.Most ? tasks : tasks.Floats());
        }
        if (rows > FewRows.Most) ManyProducts(x, rows, a.Columns, tasks.Quantized());
    }

    private void FewProducts(float* x, int rows, int columns, PackedTasks tasks)
    {
        if (tasks.Panels == 0) return;
        var at = tasks.AnyQuantized ? Round(x, rows, columns) : default;
        var scaled = tasks.Any(ElementType.F16) ? Scaled(x, rows * columns) : null;
        team.Run(new FewRowsWork(tasks, at, (nint)x, (nint)scaled, rows, team.Threads, Wide512), Pieces.Count(tasks.Panels, team.Threads));
    }

    private void ManyProducts(float* x, int rows, int columns, PackedTasks tasks)
    {
        if (tasks.Panels == 0) return;
        var blocks = Math.Max(1, (rows + RoundedBlock / 2) / RoundedBlock);
        var block = (rows + blocks - 1) / blocks;
        for (var first = 0; first < rows; first += block)
        {
            var count = Math.Min(block, rows - first);
            var at = Round(x + (long)first * columns, count, columns);
            team.Run(new ManyRowsWork(tasks, at, first, count, team.Threads, (nint)scratch.Threads, scratch.ThreadStride, Wide512), Pieces.Count(tasks.Panels, team.Threads));
        }
    }

    /// <summary>Rows as f16 weights are multiplied by them soonest; null: they must be widened first.</summary>
    private float* Scaled(float* x, int count) =>
        count <= Kernels.Product.SharedScratch && HalfFloat.Scale(x, scratch.Shared, count) ? scratch.Shared : null;

    private RoundedRows Round(float* x, int rows, int columns)
    {
        var at = Rounded(rows, columns);
        if (rows * (long)columns > RoundedAlone) team.Run(new RoundWork(at, (nint)x, columns), rows);
        else
            for (var r = 0; r < rows; r++) at.Round(r, x + (long)r * columns);
        return at;
    }

    private void MultiplyFloats(float* x, int rows, Weight weight, float* y)
    {
        if (!ElementTypes.IsQuantized(weight.Type)) Multiply(rows, weight.Rows, weight.Columns, x, weight.Columns, false, weight.Forward, y, weight.Rows, resume: false);
    }

    private RoundedRows Rounded(int rows, int columns)
    {
        var bytes = RoundedRows.Bytes(rows, columns);
        if (bytes > roundedBytes)
        {
            Arena.Free(rounded);
            rounded = (byte*)Arena.AllocateZeroed((bytes + 3) / 4);
            roundedBytes = bytes;
        }
        return RoundedRows.At(rounded, rows, columns);
    }

    private void FreeRounded()
    {
        Arena.Free(rounded);
        rounded = null;
        roundedBytes = 0;
    }

    private static PackedTask Task(Weight weight, float* y) =>
        new((nint)weight.PanelData(0), ElementTypes.RowBytes(weight.Type, weight.Columns) * PanelLayout.Lanes, weight.Type, weight.Columns, weight.Rows, (nint)y);

    /// <summary>One weight of a call, in panels of 32 outputs, and where they go; without panels: none.</summary>
    private readonly record struct PackedTask(nint Data, long PanelBytes, ElementType Type, int Columns, int Outputs, nint Y)
    {
        public int Panels => (Outputs + PanelLayout.Lanes - 1) / PanelLayout.Lanes;

        public bool IsQuantized => Outputs > 0 && ElementTypes.IsQuantized(Type);

        public bool Is(ElementType type) => Outputs > 0 && Type == type;
    }

    /// <summary>The weights of a call, their panels counted through.</summary>
    private readonly record struct PackedTasks(PackedTask A, PackedTask B, PackedTask C)
    {
        public int Panels => A.Panels + B.Panels + C.Panels;

        public bool AnyQuantized => A.IsQuantized || B.IsQuantized || C.IsQuantized;

        public bool Any(ElementType type) => A.Is(type) || B.Is(type) || C.Is(type);

        public PackedTasks Quantized() => new(A.IsQuantized ? A : default, B.IsQuantized ? B : default, C.IsQuantized ? C : default);

        public PackedTasks Floats() => new(A.IsQuantized ? default : A, B.IsQuantized ? default : B, C.IsQuantized ? default : C);
    }

    /// <summary>Pieces of a row of panels, large at first and small at the end: threads read long stretches, and end together.</summary>
    private static class Pieces
    {
        public static int Count(int panels, int threads)
        {
            var count = 0;
            for (var first = 0; first < panels; count++) first += Size(panels - first, threads);
            return count;
        }

        public static (int First, int Count) At(int piece, int panels, int threads)
        {
            var first = 0;
            for (; piece > 0; piece--) first += Size(panels - first, threads);
            return (first, Size(panels - first, threads));
        }

        private static int Size(int left, int threads) => threads == 1 ? left : Math.Max(1, left / (2 * threads));
    }

    private readonly record struct RoundWork(RoundedRows At, nint X, int Columns) : IWork
    {
        public void Execute(int item, int thread)
        {
            At.Round(item, (float*)X + (long)item * Columns);
        }
    }

    private readonly record struct FewRowsWork(PackedTasks Tasks, RoundedRows Rounded, nint X, nint Scaled, int Rows, int Threads, bool Wide) : IWork
    {
        public void Execute(int item, int thread)
        {
            var (first, count) = Pieces.At(item, Tasks.Panels, Threads);
            Run(Tasks.A, ref first, ref count);
            Run(Tasks.B, ref first, ref count);
            Run(Tasks.C, ref first, ref count);
        }

        private void Run(PackedTask task, ref int first, ref int count)
        {
            var here = Math.Min(count, task.Panels - first);
            if (here > 0)
            {
                var panels = (byte*)task.Data + first * task.PanelBytes;
                var y = (float*)task.Y + first * PanelLayout.Lanes;
                var outputs = Math.Min(here * PanelLayout.Lanes, task.Outputs - first * PanelLayout.Lanes);
                switch (task.IsQuantized, Rows > 1)
                {
                    case (true, true): FewRows.Multiply(task.Type, panels, task.Columns, Rounded, Rows, y, task.Outputs, outputs, Wide); break;
                    case (true, false): OneRow.Multiply(task.Type, panels, task.Columns, Rounded, y, outputs, Wide); break;
                    case (false, true): FewFloatRows.Multiply(task.Type, panels, task.Columns, (float*)X, (float*)Scaled, Rows, y, task.Outputs, outputs, Wide); break;
                    default: OneFloatRow.Multiply(task.Type, panels, task.Columns, (float*)X, (float*)Scaled, y, outputs, Wide); break;
                }
                first += here;
                count -= here;
            }
            first -= task.Panels;
        }
    }

    private readonly record struct ManyRowsWork(PackedTasks Tasks, RoundedRows Rounded, int FirstRow, int Rows, int Threads, nint ScratchBase, long ScratchStride, bool Wide) : IWork
    {
        public void Execute(int item, int thread)
        {
            var (first, count) = Pieces.At(item, Tasks.Panels, Threads);
            var scratch = (byte*)((float*)ScratchBase + thread * ScratchStride);
            Run(Tasks.A, ref first, ref count, scratch);
            Run(Tasks.B, ref first, ref count, scratch);
            Run(Tasks.C, ref first, ref count, scratch);
        }

        private void Run(PackedTask task, ref int first, ref int count, byte* scratch)
        {
            var here = Math.Min(count, task.Panels - first);
            if (here > 0)
            {
                var y = (float*)task.Y + (long)FirstRow * task.Outputs + first * PanelLayout.Lanes;
                ManyRows.Multiply(task.Type, (byte*)task.Data + first * task.PanelBytes, task.Columns, Rounded, Rows, y, task.Outputs,
                    Math.Min(here * PanelLayout.Lanes, task.Outputs - first * PanelLayout.Lanes), scratch, Wide);
                first += here;
                count -= here;
            }
            first -= task.Panels;
        }
    }
}
