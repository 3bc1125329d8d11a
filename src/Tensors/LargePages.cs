using System.Runtime.InteropServices;

namespace OpenEuroLLM.Tensors;

/// <summary>Asks the system to back memory with large pages: fewer faults when it is first used, and streams that do not stop at every 4 KiB.</summary>
/// <remarks>A request only: where the system knows none of it, everything works as before, with small pages.</remarks>
internal static partial class LargePages
{
    private const long LeastBytes = 4 << 20;
    private const int LargeAdvice = 14; // MADV_HUGEPAGE of Linux

    /// <summary>Asks for memory that has not been used yet.</summary>
    public static void Advise(nint start, long bytes)
    {
        if (!OperatingSystem.IsLinux() || bytes < LeastBytes) return;
        var page = Environment.SystemPageSize;
        var first = (start + page - 1) & ~(nint)(page - 1);
        _ = Advise(first, (nuint)(start + (nint)bytes - first), LargeAdvice);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint length, int advice);
}
