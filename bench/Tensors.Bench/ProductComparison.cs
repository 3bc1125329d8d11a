using System.Diagnostics;

namespace OpenEuroLLM.Tensors.Bench;

/// <summary>Our products and those of OpenBLAS in short turns, one after the other, so that whatever else the machine does meets both:
/// the median ratio is a fair figure even where neither rate is.</summary>
internal static class ProductComparison
{
    private const double SecondsPerTurn = 0.02;

    public static void Run(TextWriter output, int threads, int turns, string filter)
    {
        OpenBlas.SetThreads(threads);
        using var backend = new CpuBackend(threads);
        output.WriteLine($"| threads | product (rows x columns x depth) | ours, GFLOP/s | OpenBLAS, GFLOP/s | ratio of the medians of {turns} | median of the ratios |");
        output.WriteLine("|---|---|---|---|---|---|");
        foreach (var shape in ProductShape.All().Where(shape => shape.ToString().Contains(filter, StringComparison.Ordinal)))
        {
            using var operands = new ProductOperands(shape);
            var (ours, theirs) = (new List<double>(), new List<double>());
            var repetitions = 1;
            while (Seconds(() => operands.MultiplyWithOpenBlas(), repetitions, threads) * repetitions < SecondsPerTurn / 2) repetitions *= 2;
            for (var turn = 0; turn <= turns; turn++)
            {
                var (own, other) = (Seconds(() => operands.Multiply(backend), repetitions, threads), Seconds(() => operands.MultiplyWithOpenBlas(), repetitions, threads));
                if (turn == 0) continue; // warms caches and clock
                ours.Add(own);
                theirs.Add(other);
            }
            var ratios = theirs.Zip(ours, (other, own) => other / own).Order().ToList();
            ours.Sort();
            theirs.Sort();
            var middle = turns / 2;
            output.WriteLine(FormattableString.Invariant(
                $"| {threads} | {shape} | {shape.Operations / ours[middle] / 1e9:0.0} | {shape.Operations / theirs[middle] / 1e9:0.0} | {theirs[middle] / ours[middle]:0.00} | {ratios[middle]:0.00} |"));
            output.Flush();
        }
    }

    /// <summary>Processor time where one thread works: it leaves out what other processes take. With more threads waiting is part of the matter.</summary>
    private static double Seconds(Action action, int repetitions, int threads)
    {
        var (clock, processor) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
        for (var i = 0; i < repetitions; i++) action();
        var elapsed = threads == 1 ? Environment.CpuUsage.TotalTime - processor : Stopwatch.GetElapsedTime(clock);
        return elapsed.TotalSeconds / repetitions;
    }
}
