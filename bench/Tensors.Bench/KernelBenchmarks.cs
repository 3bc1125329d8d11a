using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Reports;
using OpenEuroLLM.Tensors.Measuring;

namespace OpenEuroLLM.Tensors.Bench;

/// <summary>Every kernel that `oellm bench kernels` measures, products with quantized weights included.</summary>
[Config(typeof(WholeNames))]
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
        call = Case(Kernel).Prepare(backend, memory);
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

    internal static KernelCase Case(string name) => KernelCases.All().Single(kernel => Name(kernel) == name);

    private static string Name(KernelCase kernel) => $"{kernel.Kernel} {kernel.Shape}";

    /// <summary>Names of kernels as they are, and what each does a second.</summary>
    private sealed class WholeNames : ManualConfig
    {
        public WholeNames()
        {
            const int columnWidth = 100;
            SummaryStyle = SummaryStyle.Default.WithMaxParameterColumnWidth(columnWidth);
            AddColumn(new RateColumn());
        }
    }
}
