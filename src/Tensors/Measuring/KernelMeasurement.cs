using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tensors.Measuring;

/// <summary>What a kernel is measured against.</summary>
public enum KernelLimit
{
    /// <summary>Operations a second of a bare multiply-add loop.</summary>
    MultiplyAdd,

    /// <summary>Bytes a second of a bare read of memory. Operands that fit into the caches can go beyond it.</summary>
    Read,

    /// <summary>Nothing: the figure is a time.</summary>
    None,
}

/// <summary>What a kernel reached.</summary>
/// <param name="Kernel">Its name, with the operand order or the storage type.</param>
/// <param name="Shape">Sizes.</param>
/// <param name="Limit">What <paramref name="Work"/> counts, operations or bytes, and what it is compared with.</param>
/// <param name="Work">Operations or bytes of one call.</param>
/// <param name="Seconds">Median time of a call.</param>
/// <param name="SlowSeconds">Of times alone: that of the slowest hundredth.</param>
public sealed record KernelMeasurement(string Kernel, string Shape, KernelLimit Limit, double Work, double Seconds, double? SlowSeconds = null)
{
    /// <summary>Operations or bytes a second.</summary>
    public double Rate => Work / Seconds;

    /// <summary>Share of what the machine can do; null for times.</summary>
    public double? Share(MachineLimits limits) => Limit switch
    {
        KernelLimit.MultiplyAdd => Rate / limits.FlopsPerSecond,
        KernelLimit.Read => Rate / limits.ReadBytesPerSecond,
        _ => null,
    };
}

/// <summary>Measures the kernels of the engine one after the other.</summary>
public static class KernelMeasurements
{
    private const double SecondsPerTurn = 0.02;
    private const int Turns = 7;

    /// <summary>Measures the kernels whose name or shape contains <paramref name="filter"/>.</summary>
    /// <param name="threads">Threads of the team, 1 to 1024.</param>
    /// <param name="filter">Any part of "name shape", letters of either case; empty for all.</param>
    /// <param name="clock">Measures.</param>
    public static IEnumerable<KernelMeasurement> Run(int threads, string filter, IClock clock)
    {
        using var backend = new CpuBackend(threads);
        foreach (var kernel in KernelCases.All())
        {
            if (!Matches(kernel.Kernel, kernel.Shape, filter)) continue;
            using var memory = new KernelMemory();
            yield return new KernelMeasurement(kernel.Kernel, kernel.Shape, kernel.Limit, kernel.Work, Median(kernel.Prepare(backend, memory), clock));
        }
        foreach (var measurement in TeamMeasurement.Run(threads, clock))
            if (Matches(measurement.Kernel, measurement.Shape, filter)) yield return measurement;
    }

    private static bool Matches(string kernel, string shape, string filter) => $"{kernel} {shape}".Contains(filter, StringComparison.OrdinalIgnoreCase);

    /// <summary>Median over turns, each long enough for the clock.</summary>
    private static double Median(Action call, IClock clock)
    {
        call(); // warms caches and makes what is made once
        var repetitions = 1;
        while (Seconds(call, repetitions, clock) * repetitions < SecondsPerTurn / 2) repetitions *= 2;
        var seconds = new double[Turns];
        for (var turn = 0; turn < Turns; turn++) seconds[turn] = Seconds(call, repetitions, clock);
        Array.Sort(seconds);
        return seconds[Turns / 2];
    }

    private static double Seconds(Action call, int repetitions, IClock clock)
    {
        var began = clock.Timestamp;
        for (var i = 0; i < repetitions; i++) call();
        return clock.SecondsSince(began) / repetitions;
    }
}

/// <summary>A kernel to be measured.</summary>
/// <param name="Prepare">Makes operands that live as long as the memory, and returns one call.</param>
internal sealed record KernelCase(string Kernel, string Shape, KernelLimit Limit, double Work, Func<CpuBackend, KernelMemory, Action> Prepare);

/// <summary>Operands of one measurement.</summary>
internal sealed unsafe class KernelMemory : IDisposable
{
    private readonly List<IDisposable> held = [];
    private ulong stream;

    /// <summary>Random numbers from −0.5 to 0.5.</summary>
    public float* Numbers(long count)
    {
        var buffer = new NumberBuffer(count);
        held.Add(buffer);
        var random = new CounterRandom(1, stream++);
        // A repeated stretch is as good as new numbers, and much sooner there.
        var period = (int)Math.Min(count, 65_521);
        for (var i = 0; i < period; i++) buffer.Data[i] = (float)random.UniformAt((ulong)i) - 0.5f;
        for (var i = (long)period; i < count; i++) buffer.Data[i] = buffer.Data[i - period];
        return buffer.Data;
    }

    /// <summary>Whole numbers from 0 to <paramref name="below"/> − 1.</summary>
    public int* Integers(int count, int below)
    {
        var buffer = new NumberBuffer(count);
        held.Add(buffer);
        var random = new CounterRandom(1, stream++);
        for (var i = 0; i < count; i++) ((int*)buffer.Data)[i] = (int)(random.UniformAt((ulong)i) * below);
        return (int*)buffer.Data;
    }

    public Weight Trainable(int rows, int columns)
    {
        var weight = Weight.Trainable("measured", rows, columns);
        held.Add(weight);
        var numbers = Numbers(weight.Count);
        for (var i = 0L; i < weight.Count; i++) (weight.Data[i], weight.GradientData[i]) = (numbers[i], 1e-3f * numbers[i]);
        return weight;
    }

    public T Hold<T>(T resource) where T : IDisposable
    {
        held.Add(resource);
        return resource;
    }

    public void Dispose()
    {
        for (var i = held.Count - 1; i >= 0; i--) held[i].Dispose();
    }
}
