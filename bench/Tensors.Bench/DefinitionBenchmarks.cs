using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using OpenEuroLLM.Tensors.Kernels.Reference;
using OpenEuroLLM.Tensors.Measuring;

namespace OpenEuroLLM.Tensors.Bench;

/// <summary>Kernels beside the plain loops that define them, at sizes that a plain loop can do.</summary>
[GroupBenchmarksBy(BenchmarkLogicalGroupRule.ByCategory)]
public unsafe class DefinitionBenchmarks : IDisposable
{
    private const int Rows = 64;
    private const int Width = 128;

    private readonly CpuBackend backend = new(threads: 1);
    private readonly KernelMemory memory = new();
    private readonly double[] plainX, plainWeight, plainGain;
    private readonly float* x, y, inverse;
    private readonly Weight weight, gain;

    public DefinitionBenchmarks()
    {
        (weight, gain) = (memory.Trainable(Width, Width), memory.Trainable(1, Width));
        x = memory.Numbers(Rows * Width);
        y = memory.Numbers(Rows * Width);
        inverse = memory.Numbers(Rows);
        (plainX, plainWeight, plainGain) = (Doubles(x, Rows * Width), Doubles(weight.Data, Width * Width), Doubles(gain.Data, Width));
    }

    [Benchmark(Baseline = true), BenchmarkCategory("product")]
    public double[] ProductAsDefined() => ProductDefinition.Forward(plainX, plainWeight, Width);

    [Benchmark, BenchmarkCategory("product")]
    public void Product() => backend.Product(x, Rows, weight, y);

    [Benchmark(Baseline = true), BenchmarkCategory("norm")]
    public double[] RmsNormAsDefined() => RmsNormDefinition.Forward(plainX, plainGain, 1e-5);

    [Benchmark, BenchmarkCategory("norm")]
    public void RmsNorm() => backend.RmsNorm(x, Rows, gain, false, 1e-5f, y, inverse);

    [Benchmark(Baseline = true), BenchmarkCategory("gate")]
    public double[] SwiGluAsDefined() => SwiGluDefinition.Forward(plainX, plainX);

    [Benchmark, BenchmarkCategory("gate")]
    public void SwiGlu() => backend.SwiGlu(x, x, Rows * Width, y);

    [GlobalCleanup]
    public void Dispose()
    {
        memory.Dispose();
        backend.Dispose();
        GC.SuppressFinalize(this);
    }

    private static double[] Doubles(float* numbers, int count)
    {
        var copy = new double[count];
        for (var i = 0; i < count; i++) copy[i] = numbers[i];
        return copy;
    }
}
