using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tensors.Measuring;

/// <summary>What the machine at hand can do at most: the two figures that every other one is a share of. Measured anew in each run, because
/// the clock of a machine, and what its neighbours take of it, change from minute to minute.</summary>
/// <param name="Threads">Threads that worked at the same time.</param>
/// <param name="FlopsPerSecond">Single-precision multiply-adds of a bare loop, times two, a second.</param>
/// <param name="ReadBytesPerSecond">Bytes of a bare read of memory larger than the caches, a second.</param>
public sealed record MachineLimits(int Threads, double FlopsPerSecond, double ReadBytesPerSecond)
{
    /// <summary>Measures both.</summary>
    /// <param name="threads">Threads, 1 to 1024.</param>
    /// <param name="clock">Measures.</param>
    public static MachineLimits Measure(int threads, IClock clock) => new(threads, MeasureMultiplyAdd(threads, clock), MeasureRead(threads, clock));

    /// <summary>The better of two measurements: a limit is what was reached at best.</summary>
    public MachineLimits Best(MachineLimits other) => this with
    {
        FlopsPerSecond = Math.Max(FlopsPerSecond, other.FlopsPerSecond),
        ReadBytesPerSecond = Math.Max(ReadBytesPerSecond, other.ReadBytesPerSecond),
    };

    /// <summary>Operations a second of a bare loop of fused multiply-adds in the widest registers; the best of some short bursts.</summary>
    public static double MeasureMultiplyAdd(int threads, IClock clock)
    {
        const int bursts = 12;
        using var team = new ThreadTeam(threads);
        var items = 32 * threads;
        var best = double.MaxValue;
        for (var i = 0; i < bursts; i++)
        {
            var began = clock.Timestamp;
            team.Run(new MultiplyAddLoop(), items);
            best = Math.Min(best, clock.SecondsSince(began));
        }
        return items * MultiplyAddLoop.Flops / best;
    }

    /// <summary>Bytes a second of a bare read, on all threads, of more than four times the last-level cache; the best of some passes.</summary>
    public static double MeasureRead(int threads, IClock clock)
    {
        using var read = new BareRead(threads);
        return Enumerable.Range(0, 4).Max(_ => read.Rate(clock));
    }

    /// <summary>Bytes of the last-level cache as Linux tells them; 64 MB where nobody tells.</summary>
    internal static long LastLevelCacheBytes()
    {
        const long unknown = 64L << 20;
        var largest = 0L;
        for (var index = 0; index < 8; index++)
        {
            var path = FormattableString.Invariant($"/sys/devices/system/cpu/cpu0/cache/index{index}/size");
            if (!File.Exists(path)) break;
            var text = File.ReadAllText(path).Trim();
            var unit = text.EndsWith('K') ? 1L << 10 : text.EndsWith('M') ? 1L << 20 : 1;
            if (long.TryParse(text.TrimEnd('K', 'M'), NumberStyles.None, CultureInfo.InvariantCulture, out var size)) largest = Math.Max(largest, size * unit);
        }
        return largest > 0 ? largest : unknown;
    }

    /// <summary>Twelve chains that do not wait for each other: two units with a latency of four steps need eight.</summary>
    private readonly record struct MultiplyAddLoop : IWork
    {
        private const int Chains = 12;
        private const int Rounds = 20_000;

        public static double Flops => 2.0 * Chains * Rounds * (Avx512F.IsSupported ? 16 : 8);

        public void Execute(int item, int thread)
        {
            if (Avx512F.IsSupported) Wide(item);
            else Narrow(item);
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private static float Wide(float seed)
        {
            var factor = Vector512.Create(0.999f + seed * 1e-9f);
            var (a, b, c, d, e, f) = (factor, factor, factor, factor, factor, factor);
            var (g, h, i, j, k, l) = (factor, factor, factor, factor, factor, factor);
            for (var round = 0; round < Rounds; round++)
            {
                a = Avx512F.FusedMultiplyAdd(a, factor, factor);
                b = Avx512F.FusedMultiplyAdd(b, factor, factor);
                c = Avx512F.FusedMultiplyAdd(c, factor, factor);
                d = Avx512F.FusedMultiplyAdd(d, factor, factor);
                e = Avx512F.FusedMultiplyAdd(e, factor, factor);
                f = Avx512F.FusedMultiplyAdd(f, factor, factor);
                g = Avx512F.FusedMultiplyAdd(g, factor, factor);
                h = Avx512F.FusedMultiplyAdd(h, factor, factor);
                i = Avx512F.FusedMultiplyAdd(i, factor, factor);
                j = Avx512F.FusedMultiplyAdd(j, factor, factor);
                k = Avx512F.FusedMultiplyAdd(k, factor, factor);
                l = Avx512F.FusedMultiplyAdd(l, factor, factor);
            }
            return (a + b + (c + d) + (e + f) + (g + h) + (i + j) + (k + l)).ToScalar();
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private static float Narrow(float seed)
        {
            var factor = Vector256.Create(0.999f + seed * 1e-9f);
            var (a, b, c, d, e, f) = (factor, factor, factor, factor, factor, factor);
            var (g, h, i, j, k, l) = (factor, factor, factor, factor, factor, factor);
            for (var round = 0; round < Rounds; round++)
            {
                a = Vector256.FusedMultiplyAdd(a, factor, factor);
                b = Vector256.FusedMultiplyAdd(b, factor, factor);
                c = Vector256.FusedMultiplyAdd(c, factor, factor);
                d = Vector256.FusedMultiplyAdd(d, factor, factor);
                e = Vector256.FusedMultiplyAdd(e, factor, factor);
                f = Vector256.FusedMultiplyAdd(f, factor, factor);
                g = Vector256.FusedMultiplyAdd(g, factor, factor);
                h = Vector256.FusedMultiplyAdd(h, factor, factor);
                i = Vector256.FusedMultiplyAdd(i, factor, factor);
                j = Vector256.FusedMultiplyAdd(j, factor, factor);
                k = Vector256.FusedMultiplyAdd(k, factor, factor);
                l = Vector256.FusedMultiplyAdd(l, factor, factor);
            }
            return (a + b + (c + d) + (e + f) + (g + h) + (i + j) + (k + l)).ToScalar();
        }
    }
}
