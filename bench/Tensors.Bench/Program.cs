using System.Globalization;
using BenchmarkDotNet.Running;
using OpenEuroLLM.Tensors.Bench;

// `compare [threads] [turns] [filter]`: our products beside OpenBLAS in alternating turns. Anything else is BenchmarkDotNet's, which
// runs in this process: for one of its own it wants a project file of the assembly's name, and ours are named without the prefix.
if (args is not ["compare", ..])
{
    BenchmarkSwitcher.FromAssembly(typeof(ProductBenchmarks).Assembly).Run([.. args, "--inProcess"]);
    return 0;
}
if (!OpenBlas.IsPresent)
{
    await Console.Error.WriteLineAsync("This machine has no libopenblas.so.0 to compare with; on Debian install libopenblas0.");
    return 2;
}
var threads = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : Environment.ProcessorCount;
var turns = args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 20;
ProductComparison.Run(Console.Out, threads, turns, args.Length > 3 ? args[3] : "");
return 0;
