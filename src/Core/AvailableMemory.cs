using System.Globalization;

namespace OpenEuroLLM.Core;

/// <summary>How much memory this process can still get: the least of what the machine has free, its control group allows and the runtime was given.</summary>
public static class AvailableMemory
{
    /// <summary>Bytes that can be asked for now; never negative.</summary>
    public static long Bytes()
    {
        var gc = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        return Least("/proc/meminfo", "/sys/fs/cgroup", OwnGroup("/proc/self/cgroup"), gc > 0 ? gc : long.MaxValue, Environment.WorkingSet);
    }

    /// <summary>Refuses work that needs more than there is.</summary>
    /// <param name="bytes">What it needs beyond what the process holds already.</param>
    /// <param name="what">The work, as the beginning of a sentence.</param>
    /// <param name="remedy">What the user can change.</param>
    /// <param name="available">What there is; null asks the machine.</param>
    /// <exception cref="UserErrorException">It is more than there is.</exception>
    public static void Require(long bytes, string what, string remedy, long? available = null)
    {
        var there = available ?? Bytes();
        if (bytes > there)
            throw new UserErrorException(FormattableString.Invariant($"{what} needs about {Size(bytes)} of memory, {Size(there)} are available; {remedy}."));
    }

    /// <summary>Bytes in the unit a person would choose: <c>350 MB</c>, <c>12.4 GB</c>.</summary>
    public static string Size(long bytes) => bytes < 1_000_000_000
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0} MB") : string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.0} GB");

    /// <param name="machineFile">As <c>/proc/meminfo</c>; where there is none, only the other limits count.</param>
    /// <param name="groupRoot">Where control groups (version 2, or the memory controller of version 1) are mounted.</param>
    /// <param name="group">Path of this process's group below it.</param>
    /// <param name="runtimeLimit">Bytes that the runtime may use in all.</param>
    /// <param name="held">Bytes that the process holds.</param>
    internal static long Least(string machineFile, string groupRoot, string group, long runtimeLimit, long held)
    {
        var least = runtimeLimit == long.MaxValue ? long.MaxValue : runtimeLimit - held;
        if (MachineFree(machineFile) is { } free) least = Math.Min(least, free);
        // A group's own files lie below its path, or at the root where only the group is visible (containers).
        foreach (var folder in new[] { groupRoot + group, groupRoot, groupRoot + "/memory" + group, groupRoot + "/memory" })
        {
            if ((Number(folder + "/memory.max") ?? Number(folder + "/memory.limit_in_bytes")) is not { } limit || limit > long.MaxValue / 2) continue; // version 1 says "none" with a huge number
            var used = Number(folder + "/memory.current") ?? Number(folder + "/memory.usage_in_bytes") ?? held;
            least = Math.Min(least, limit - used + Reclaimable(folder + "/memory.stat"));
        }
        return Math.Max(0, least);
    }

    private static long? MachineFree(string path)
    {
        foreach (var line in Lines(path))
        {
            if (!line.StartsWith("MemAvailable:", StringComparison.Ordinal)) continue;
            return long.TryParse(line.AsSpan("MemAvailable:".Length).TrimEnd("kB ").Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var kilobytes) ? kilobytes * 1024 : null;
        }
        return null;
    }

    /// <summary>Cached file pages count as used and are given up when memory is asked for.</summary>
    private static long Reclaimable(string path)
    {
        var sum = 0L;
        foreach (var line in Lines(path))
        {
            foreach (var key in new[] { "inactive_file ", "active_file " })
                if (line.StartsWith(key, StringComparison.Ordinal) && long.TryParse(line.AsSpan(key.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var bytes)) sum += bytes;
        }
        return sum;
    }

    private static long? Number(string path) =>
        Lines(path) is [var line, ..] && long.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null; // "max": no limit

    private static string OwnGroup(string path)
    {
        foreach (var line in Lines(path))
        {
            var parts = line.Split(':', 3);
            if (parts.Length == 3 && (parts[1].Length == 0 || parts[1].Split(',').Contains("memory"))) return parts[2] == "/" ? "" : parts[2];
        }
        return "";
    }

    private static string[] Lines(string path)
    {
        try
        {
            return File.Exists(path) ? File.ReadAllLines(path) : [];
        }
        catch (Exception exception) when (StorageFailure.Is(exception))
        {
            return [];
        }
    }
}
