using System.Diagnostics;

namespace OpenEuroLLM.Tensors.Bench;

/// <summary>Our products and those of OpenBLAS in short turns, one after the other, so that whatever else the machine does meets both:
/// the median ratio is a fair figure even where neither rate is.</summary>
internal static class ProductComparison
{
    private const double SecondsPerTurn = 0.02;

    /// <summary>OpenBLAS's threads go on spinning for about a tenth of a second after their work; until then they hold the core that ours need.</summary>
    private const int PeerFallsAsleepMilliseconds = 200;

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
            while (Seconds(() => operands.MultiplyWithOpenBlas(), repetitions) * repetitions < SecondsPerTurn / 2) repetitions *= 2;
            for (var turn = 0; turn < turns; turn++)
            {
                if (threads > 1) Thread.Sleep(PeerFallsAsleepMilliseconds);
                ours.Add(Seconds(() => operands.Multiply(backend), repetitions));
                theirs.Add(Seconds(() => operands.MultiplyWithOpenBlas(), repetitions));
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

    /// <summary>Wall time of a call, after one that warms caches and wakes threads.</summary>
    private static double Seconds(Action action, int repetitions)
    {
        action();
        var began = Stopwatch.GetTimestamp();
        for (var i = 0; i < repetitions; i++) action();
        return Stopwatch.GetElapsedTime(began).TotalSeconds / repetitions;
    }
}
