using System.Diagnostics;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tensors.Measuring;

/// <summary>What a meeting of the thread team costs.</summary>
internal static unsafe class TeamMeasurement
{
    private const int Rounds = 20_000;

    public static IEnumerable<KernelMeasurement> Run(int threads, IClock clock)
    {
        if (threads == 1) yield break;
        var shape = FormattableString.Invariant($"{threads} threads");
        yield return Measure("barrier, empty work", shape, threads, clock, everyone: false);
        yield return Measure("barrier, all threads meet", shape, threads, clock, everyone: true);
    }

    private static KernelMeasurement Measure(string kernel, string shape, int threads, IClock clock, bool everyone)
    {
        using var team = new ThreadTeam(threads);
        using var counter = new NumberBuffer(16);
        var seconds = new double[Rounds];
        for (var round = -1000; round < Rounds; round++)
        {
            *(int*)counter.Data = 0;
            var began = clock.Timestamp;
            if (everyone) team.Run(new MeetingWork((nint)counter.Data, threads), threads);
            else team.Run(new EmptyWork(), threads);
            if (round >= 0) seconds[round] = clock.SecondsSince(began);
        }
        Array.Sort(seconds);
        return new KernelMeasurement(kernel, shape, KernelLimit.None, 0, seconds[Rounds / 2], seconds[Rounds / 100 * 99]);
    }

    /// <summary>Nothing: the caller may well have done it all before a worker has come.</summary>
    private readonly record struct EmptyWork : IWork
    {
        public void Execute(int item, int thread) { }
    }

    /// <summary>Items that end only when all have begun, so every thread must come.</summary>
    private readonly record struct MeetingWork(nint Counter, int Threads) : IWork
    {
        private static readonly long _patience = Stopwatch.Frequency;

        public void Execute(int item, int thread)
        {
            Interlocked.Increment(ref *(int*)Counter);
            var spins = 0;
            var began = Stopwatch.GetTimestamp();
            while (Volatile.Read(ref *(int*)Counter) < Threads)
            {
                // Where one thread is handed two items they cannot meet; better a slow figure than none.
                if ((++spins & 1023) == 0 && Stopwatch.GetTimestamp() - began > _patience) return;
            }
        }
    }
}
