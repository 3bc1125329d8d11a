using BenchmarkDotNet.Attributes;
using OpenEuroLLM.Tensors.Measuring;

namespace OpenEuroLLM.Tensors.Bench;

/// <summary>Every kernel that `oellm bench kernels` measures, products with quantized weights included.</summary>
public class KernelBenchmarks : IDisposable
{
    private CpuBackend? backend;
    private KernelMemory? memory;
    private Action call = static () => { };

    [ParamsSource(nameof(Kernels))]
    public string Kernel { get; set; } = "";

    [Params(1, 2)]
    public int Threads { get; set; }

    public static IEnumerable<string> Kernels => KernelCases.All().Select(Name);

    [GlobalSetup]
    public void Setup()
    {
        (backend, memory) = (new CpuBackend(Threads), new KernelMemory());
        call = KernelCases.All().Single(kernel => Name(kernel) == Kernel).Prepare(backend, memory);
        call(); // what is made once is made now
    }

    [Benchmark]
    public void Run() => call();

    [GlobalCleanup]
    public void Dispose()
    {
        memory?.Dispose();
        backend?.Dispose();
        GC.SuppressFinalize(this);
    }

    private static string Name(KernelCase kernel) => $"{kernel.Kernel} {kernel.Shape}";
}
