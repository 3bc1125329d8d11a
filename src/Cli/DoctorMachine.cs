using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using OpenEuroLLM.Core;
using OpenEuroLLM.Tensors.Measuring;

namespace OpenEuroLLM.Cli;

/// <summary>What <c>oellm doctor</c> finds out about the machine.</summary>
internal static class DoctorMachine
{
    private const long LittleMemory = 1L << 30, VeryLittleMemory = 200L << 20;

    public static IEnumerable<Finding> Findings(IClock clock)
    {
        yield return new Finding("program", Health.Ok, $"oellm {BuildVersion.Current}, {RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier}");
        yield return Instructions();
        yield return Processors(Environment.ProcessorCount, MachineProcessors(), Quota(Lines("/sys/fs/cgroup/cpu.max")));
        yield return Memory(AvailableMemory.Bytes());
        yield return LargePages(Lines("/sys/kernel/mm/transparent_hugepage/enabled"));
        yield return Speed(clock);
        yield return Clock(clock.UtcNow, TimeZoneInfo.Local);
    }

    /// <summary>The instruction sets that the kernels are written for.</summary>
    internal static Finding Instructions()
    {
        string[] found = [.. new[] { ("AVX-512", Avx512F.IsSupported), ("AVX2", Avx2.IsSupported), ("FMA", Fma.IsSupported) }.Where(set => set.Item2).Select(set => set.Item1)];
        string shown = found.Length == 0 ? "none of AVX-512, AVX2, FMA" : string.Join(", ", found);
        return Avx2.IsSupported && Fma.IsSupported ? new("instructions", Health.Ok, shown)
            : new("instructions", Health.Warn, shown, "Answers are the same and slow; use an x64 processor with AVX2 and FMA (since about 2013).");
    }

    /// <summary>Whether fewer processors may be used than there are.</summary>
    internal static Finding Processors(int usable, int? there, double? quota)
    {
        string shown = FormattableString.Invariant($"{usable} usable") + (there is int all && all != usable ? FormattableString.Invariant($" of {all}") : "")
            + (quota is double share ? FormattableString.Invariant($", control group allows {share:0.##}") : "");
        return quota is double limit && limit < usable - 0.01
            ? new("processors", Health.Warn, shown, FormattableString.Invariant($"Threads beyond the group's share are stopped again and again: start with --threads {Math.Max(1, (int)limit)}, or allow whole processors."))
            : new("processors", Health.Ok, shown);
    }

    internal static Finding Memory(long bytes) => new("memory", bytes < VeryLittleMemory ? Health.Fail : bytes < LittleMemory ? Health.Warn : Health.Ok, $"{AvailableMemory.Size(bytes)} available",
        bytes < LittleMemory ? "Models need about as much as their files have, and more for the cache; free some memory or raise the container's limit." : null);

    /// <summary>Weights are read from one end to the other: with small pages the processor looks up addresses all the time.</summary>
    internal static Finding LargePages(IReadOnlyList<string> setting)
    {
        if (setting.Count == 0) return new("large pages", Health.Ok, "unknown on this system");
        string chosen = setting[0].Split('[', ']') is [_, var name, ..] ? name : setting[0].Trim();
        return chosen == "never" ? new("large pages", Health.Warn, "switched off", "Reading weights is somewhat slower; 'echo madvise > /sys/kernel/mm/transparent_hugepage/enabled' as root switches them on.")
            : new("large pages", Health.Ok, chosen);
    }

    internal static Finding Clock(DateTimeOffset now, TimeZoneInfo zone)
    {
        string shown = FormattableString.Invariant($"{now.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z, time zone {zone.Id} ({(zone.GetUtcOffset(now) is var offset && offset < TimeSpan.Zero ? "-" : "+")}{offset:hh\\:mm})");
        DateTime built = File.GetLastWriteTimeUtc(Path.Combine(AppContext.BaseDirectory, "oellm.dll"));
        return now.UtcDateTime < built.AddDays(-1)
            ? new("clock", Health.Fail, shown, "The clock is behind the making of this program: keys and certificates would be judged wrongly. Set it, best by NTP.")
            : new("clock", Health.Ok, shown);
    }

    internal static double? Quota(IReadOnlyList<string> setting) => setting.Count > 0 && setting[0].Split(' ') is [var most, var period]
        && double.TryParse(most, NumberStyles.None, CultureInfo.InvariantCulture, out double allowed) && double.TryParse(period, NumberStyles.None, CultureInfo.InvariantCulture, out double of) && of > 0 ? allowed / of : null; // "max": no limit

    private static Finding Speed(IClock clock)
    {
        MachineLimits limits = MachineLimits.Measure(Environment.ProcessorCount, clock);
        double gigabytes = limits.ReadBytesPerSecond / 1e9;
        string shown = FormattableString.Invariant($"reads {gigabytes:0.0} GB/s, {limits.FlopsPerSecond / 1e9:0} GFLOP/s on {limits.Threads} threads");
        return gigabytes < 3 ? new("speed", Health.Warn, shown, "Each token reads the whole model once, so this bounds tokens per second; other work may be busy with the machine now.") : new("speed", Health.Ok, shown);
    }

    private static int? MachineProcessors() => Lines("/proc/cpuinfo").Count(line => line.StartsWith("processor", StringComparison.Ordinal)) is > 0 and var count ? count : null;

    private static string[] Lines(string path)
    {
        try
        {
            return File.Exists(path) ? File.ReadAllLines(path) : [];
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            return [];
        }
    }
}
