using BenchmarkDotNet.Attributes;

namespace OpenEuroLLM.Tensors.Bench;

/// <summary>Products of training and decoding, with OpenBLAS as baseline where the machine has it.</summary>
public class ProductBenchmarks : IDisposable
{
    private CpuBackend? backend;
    private ProductOperands? operands;

    [ParamsSource(nameof(Shapes))]
    public string Shape { get; set; } = "";

    [Params(1, 2)]
    public int Threads { get; set; }

    public static IEnumerable<string> Shapes => ProductShape.All().Select(shape => shape.ToString());

    [GlobalSetup]
    public void Setup()
    {
        backend = new CpuBackend(Threads);
        operands = new ProductOperands(ProductShape.All().Single(shape => shape.ToString() == Shape));
        if (OpenBlas.IsPresent) OpenBlas.SetThreads(Threads);
    }

    [Benchmark]
    public void Ours() => operands!.Multiply(backend!);

    [Benchmark(Baseline = true)]
    public void WithOpenBlas()
    {
        if (!OpenBlas.IsPresent) throw new NotSupportedException("this machine has no libopenblas.so.0; on Debian install libopenblas0");
        operands!.MultiplyWithOpenBlas();
    }

    [GlobalCleanup]
    public void Dispose()
    {
        backend?.Dispose();
        operands?.Dispose();
        GC.SuppressFinalize(this);
    }
}
