using System.CommandLine;
using OpenEuroLLM.Core;
using OpenEuroLLM.Tensors.Measuring;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm bench kernels</c>: each kernel of the engine beside the machine's limit.</summary>
internal static class BenchKernels
{
    public static Command Create()
    {
        var threads = RunCommand.Threads();
        var filter = new Option<string>("--filter") { Description = "Only kernels whose name and shape contain this text, such as \"dW\" or \"q4_0\".", HelpName = "TEXT", DefaultValueFactory = _ => "" };
        var json = BenchCommand.Json("kernel, shape, gflops or gigabytesPerSecond, share; for meetings of the threads microseconds and slowestHundredthMicroseconds");
        var command = new Command("kernels", "Measures each kernel as a share of the machine's limit in the same run: a bare loop of multiply-adds, or a bare read of memory.\n" +
            "Kernels whose operands fit into the caches can go beyond the bare read, which cannot.\n" +
            "Example: oellm bench kernels --threads 2 --filter attention") { threads, filter, json };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            Run(RunCommand.ThreadCount(parsed.GetValue(threads)), parsed.GetValue(filter)!, parsed.GetValue(json), parsed.InvocationConfiguration.Output,
                new StatusLine(parsed.InvocationConfiguration.Error, quiet: false), cancellation);
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }

    private static void Run(int threads, string filter, bool json, TextWriter output, StatusLine status, CancellationToken cancellation)
    {
        var clock = SystemClock.Instance;
        var limits = MachineLimits.Measure(threads, clock);
        var results = new List<KernelMeasurement>();
        foreach (var result in KernelMeasurements.Run(threads, filter, clock))
        {
            cancellation.ThrowIfCancellationRequested();
            results.Add(result);
            status.Update(FormattableString.Invariant($"bench kernels  {results.Count} measured, last {result.Kernel} {result.Shape}"));
        }
        if (results.Count == 0) throw new UserErrorException($"--filter '{filter}' fits no kernel; leave it out to see all names.");
        limits = limits.Best(MachineLimits.Measure(threads, clock));
        status.Say(FormattableString.Invariant($"bench kernels  {threads} thread{(threads == 1 ? "" : "s")}: bare multiply-adds {limits.FlopsPerSecond / 1e9:0.0} GFLOP/s, bare read {limits.ReadBytesPerSecond / 1e9:0.0} GB/s"));
        if (json)
        {
            foreach (var result in results) output.WriteLine(ToJson(result, limits));
            return;
        }
        var widths = (Kernel: results.Max(result => result.Kernel.Length), Shape: results.Max(result => result.Shape.Length));
        foreach (var result in results) output.WriteLine($"{result.Kernel.PadRight(widths.Kernel)}  {result.Shape.PadRight(widths.Shape)}  {Figure(result, limits)}");
    }

    private static string Figure(KernelMeasurement result, MachineLimits limits) => result.Limit switch
    {
        KernelLimit.None => FormattableString.Invariant($"{result.Seconds * 1e6,8:0.00} µs  {result.SlowSeconds * 1e6:0.00} µs for the slowest hundredth"),
        _ => FormattableString.Invariant($"{result.Rate / 1e9,8:0.0} {(result.Limit == KernelLimit.Read ? "GB/s   " : "GFLOP/s")}  {result.Share(limits),5:0%}"),
    };

    private static string ToJson(KernelMeasurement result, MachineLimits limits) => JsonLine.Of(writer =>
    {
        writer.WriteString("kernel", result.Kernel);
        writer.WriteString("shape", result.Shape);
        writer.WriteNumber("threads", limits.Threads);
        if (result.Share(limits) is not double share)
        {
            writer.WriteFigure("microseconds", result.Seconds * 1e6);
            if (result.SlowSeconds is double slow) writer.WriteFigure("slowestHundredthMicroseconds", slow * 1e6);
            return;
        }
        writer.WriteFigure(result.Limit == KernelLimit.Read ? "gigabytesPerSecond" : "gflops", result.Rate / 1e9);
        writer.WriteFigure(result.Limit == KernelLimit.Read ? "limitGigabytesPerSecond" : "limitGflops", (result.Limit == KernelLimit.Read ? limits.ReadBytesPerSecond : limits.FlopsPerSecond) / 1e9);
        writer.WriteFigure("share", share);
    });
}
