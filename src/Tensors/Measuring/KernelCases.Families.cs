namespace OpenEuroLLM.Tensors.Measuring;

/// <summary>Kernels of model families other than Llama.</summary>
internal static unsafe partial class KernelCases
{
    private static readonly (string Name, CurveCall Forward, CurveCall Backward)[] _curves =
    [
        ("GELU by tanh", (backend, _, x, _, count, y) => backend.Gelu(x, count, GeluForm.Tanh, y), (backend, _, x, dy, count, dx) => backend.GeluGradient(x, dy, count, GeluForm.Tanh, dx)),
        ("exact GELU", (backend, _, x, _, count, y) => backend.Gelu(x, count, GeluForm.Exact, y), (backend, _, x, dy, count, dx) => backend.GeluGradient(x, dy, count, GeluForm.Exact, dx)),
        ("relu²", (backend, _, x, _, count, y) => backend.SquaredRelu(x, count, y), (backend, _, x, dy, count, dx) => backend.SquaredReluGradient(x, dy, count, dx)),
        ("xIELU", (backend, alpha, x, _, count, y) => backend.XIelu(x, count, alpha, alpha, 0.5f, -1e-6f, y),
            (backend, alpha, x, dy, count, dx) => backend.XIeluGradient(x, dy, count, alpha, alpha, 0.5f, -1e-6f, dx)),
    ];

    private static IEnumerable<KernelCase> FamilyKernels()
    {
        foreach (var (width, hidden) in _models)
        {
            var rows = FormattableString.Invariant($"{Rows} x {width}");
            var inner = FormattableString.Invariant($"{Rows} x {hidden}");
            yield return Streamed("LayerNorm forward", rows, (long)Rows * width, 2, (backend, memory) => LayerNorm(backend, memory, width, back: false));
            yield return Streamed("LayerNorm backward", rows, (long)Rows * width, 6, (backend, memory) => LayerNorm(backend, memory, width, back: true));
            yield return Streamed("norm of heads of 64, forward", rows, (long)Rows * width, 2, (backend, memory) => HeadNorm(backend, memory, width, back: false));
            yield return Streamed("norm of heads of 64, backward", rows, (long)Rows * width, 5, (backend, memory) => HeadNorm(backend, memory, width, back: true));
            yield return Streamed("bias forward", rows, (long)Rows * width, 2, (backend, memory) => Bias(backend, memory, width, back: false));
            yield return Streamed("bias backward", rows, (long)Rows * width, 1, (backend, memory) => Bias(backend, memory, width, back: true));
            yield return Streamed("factor", rows, (long)Rows * width, 2, (backend, memory) => Factor(backend, memory, (long)Rows * width));
            yield return Streamed("a third of the columns, forward", rows, (long)Rows * width, 2, (backend, memory) => Part(backend, memory, width, back: false));
            yield return Streamed("a third of the columns, backward", rows, (long)Rows * width, 3, (backend, memory) => Part(backend, memory, width, back: true));
            foreach (var (name, forward, backward) in _curves)
            {
                yield return Streamed($"{name} forward", inner, (long)Rows * hidden, 2, (backend, memory) => Curve(backend, memory, (long)Rows * hidden, forward));
                yield return Streamed($"{name} backward", inner, (long)Rows * hidden, 3, (backend, memory) => Curve(backend, memory, (long)Rows * hidden, backward));
            }
        }
        yield return Streamed("soft cap of logits", FormattableString.Invariant($"64 x {Vocabulary}"), 64L * Vocabulary, 2, (backend, memory) => Cap(backend, memory, 64L * Vocabulary));
    }

    private static Action Curve(CpuBackend backend, KernelMemory memory, long numbers, CurveCall call)
    {
        var alpha = memory.Trainable(1, 1);
        float* x = memory.Numbers(numbers), dy = memory.Numbers(numbers), y = memory.Numbers(numbers);
        return () => call(backend, alpha, x, dy, numbers, y);
    }

    private static Action LayerNorm(CpuBackend backend, KernelMemory memory, int width, bool back)
    {
        var numbers = (long)Rows * width;
        var (gain, bias) = (memory.Trainable(1, width), memory.Trainable(1, width));
        float* x = memory.Numbers(numbers), y = memory.Numbers(numbers), statistics = memory.Numbers(2 * Rows);
        if (!back) return () => backend.LayerNorm(x, Rows, gain, bias, 1e-5f, y, statistics);
        backend.LayerNorm(x, Rows, gain, bias, 1e-5f, y, statistics);
        float* dy = memory.Numbers(numbers), dx = memory.Numbers(numbers);
        return () => backend.LayerNormGradient(x, statistics, dy, Rows, gain, bias, dx, resume: false);
    }

    private static Action HeadNorm(CpuBackend backend, KernelMemory memory, int width, bool back)
    {
        const int dimension = 64;
        var heads = Rows * width / dimension;
        var numbers = (long)Rows * width;
        var gain = memory.Trainable(1, dimension);
        float* x = memory.Numbers(numbers), y = memory.Numbers(numbers), inverse = memory.Numbers(heads);
        if (!back) return () => backend.RmsNorm(x, heads, gain, false, 1e-5f, y, inverse);
        backend.RmsNorm(x, heads, gain, false, 1e-5f, y, inverse);
        float* dy = memory.Numbers(numbers), dx = memory.Numbers(numbers);
        return () => backend.RmsNormGradient(x, inverse, dy, heads, gain, false, dx, resume: false);
    }

    private static Action Bias(CpuBackend backend, KernelMemory memory, int width, bool back)
    {
        var bias = memory.Trainable(1, width);
        bias.Values.Clear(); // the sums of many calls stay as they are
        var x = memory.Numbers((long)Rows * width);
        if (back) return () => backend.AddBiasGradient(x, Rows, bias);
        return () => backend.AddBias(x, Rows, bias);
    }

    private static Action Factor(CpuBackend backend, KernelMemory memory, long numbers)
    {
        float* x = memory.Numbers(numbers), y = memory.Numbers(numbers);
        return () => backend.Scale(x, numbers, 1.5f, y, resume: false);
    }

    private static Action Part(CpuBackend backend, KernelMemory memory, int width, bool back)
    {
        float* x = memory.Numbers(3L * Rows * width), y = memory.Numbers((long)Rows * width);
        if (back) return () => backend.ColumnsGradient(y, Rows, 3 * width, width, width, x, resume: true);
        return () => backend.Columns(x, Rows, 3 * width, width, width, y);
    }

    private static Action Cap(CpuBackend backend, KernelMemory memory, long numbers)
    {
        var x = memory.Numbers(numbers);
        return () => backend.Cap(x, numbers, 30);
    }

    private delegate void CurveCall(CpuBackend backend, Weight alpha, float* x, float* dy, long count, float* target);
}
