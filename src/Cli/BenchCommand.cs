using System.CommandLine;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm bench</c>: what this machine reaches, as a share of its own limit.</summary>
internal static class BenchCommand
{
    public static Command Create() =>
        new("bench", "Measures this machine: kernels, training, generation and serving, each as a share of the machine's own limit in the same run.\nExample: oellm bench kernels --threads 2")
        {
            BenchKernels.Create(), BenchTrain.Create(), BenchGenerate.Create(), BenchServe.Create(), BenchSpeculate.Create(), BenchLogits.Create(), BenchBlocks.Create(), BenchTokenizer.Create(), BenchGrammar.Create(), BenchCorpus.Create(), BenchRights.Create(),
        };

    internal static Option<int> Number(string name, string description, int normal) =>
        new(name) { Description = description, HelpName = "N", DefaultValueFactory = _ => normal };

    internal static Option<bool> Json(string fields) => new("--json") { Description = $"One JSON object a line: {fields}." };

    internal static void RequireRange(string name, long value, long least, long most)
    {
        if (value < least || value > most) throw new UserErrorException(FormattableString.Invariant($"{name} is {value}; expected {least} to {most}."));
    }

    /// <summary>The value that a share of the values reaches at most, by nearest rank; 0 of none.</summary>
    internal static double Quantile(IEnumerable<double> values, double share)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? 0 : sorted[Math.Max(0, (int)Math.Ceiling(share * sorted.Length) - 1)];
    }

    internal static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;
    }
}
