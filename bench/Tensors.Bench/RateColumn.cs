using System.Globalization;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using OpenEuroLLM.Tensors.Measuring;

namespace OpenEuroLLM.Tensors.Bench;

/// <summary>What a kernel does a second, in the unit that `oellm bench kernels` uses for it.</summary>
internal sealed class RateColumn : IColumn
{
    public string Id => nameof(RateColumn);

    public string ColumnName => "Rate";

    public bool AlwaysShow => true;

    public ColumnCategory Category => ColumnCategory.Custom;

    public int PriorityInCategory => 0;

    public bool IsNumeric => true;

    public UnitType UnitType => UnitType.Dimensionless;

    public string Legend => "Operations or bytes of the kernel divided by the mean";

    public bool IsAvailable(Summary summary) => true;

    public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase) => GetValue(summary, benchmarkCase, SummaryStyle.Default);

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style)
    {
        if (summary[benchmarkCase]?.ResultStatistics is not { } times) return "";
        var kernel = KernelBenchmarks.Case((string)benchmarkCase.Parameters[nameof(KernelBenchmarks.Kernel)]);
        var unit = kernel.Limit == KernelLimit.MultiplyAdd ? "GFLOP/s" : "GB/s";
        return string.Create(CultureInfo.InvariantCulture, $"{kernel.Work / times.Mean:0.0} {unit}"); // of a nanosecond
    }
}
