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

    /// <summary>Bytes a second of a bare read, on all threads, of more than four times the last-level cache; the best of several forms of loop.</summary>
    public static unsafe double MeasureRead(int threads, IClock clock)
    {
        const int passes = 4;
        var bytes = Math.Max(256L << 20, 4 * LastLevelCacheBytes() + (64L << 20)) / ReadLoop.PieceBytes * ReadLoop.PieceBytes;
        using var memory = new NumberBuffer(bytes / sizeof(float));
        using var sums = new NumberBuffer(bytes / ReadLoop.PieceBytes);
        using var team = new ThreadTeam(threads);
        var best = double.MaxValue;
        for (var pass = 0; pass < passes; pass++)
        {
            for (var form = 0; form < ReadLoop.Forms; form++)
            {
                var began = clock.Timestamp;
                team.Run(new ReadLoop((nint)memory.Data, (nint)sums.Data, form), (int)(bytes / ReadLoop.PieceBytes));
                best = Math.Min(best, clock.SecondsSince(began));
            }
        }
        return bytes / best;
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

    /// <summary>Reads a piece of memory once. Which form is fastest depends on the machine: one stream or several, with software prefetch or without.</summary>
    private readonly unsafe record struct ReadLoop(nint Memory, nint Sums, int Form) : IWork
    {
        public const int PieceBytes = 1 << 20;
        public const int Forms = 4;

        private const int Ahead = 4096;

        public void Execute(int item, int thread)
        {
            var piece = (byte*)Memory + (long)item * PieceBytes;
            ((float*)Sums)[item] = Form switch
            {
                0 => Streams(piece, 1, prefetch: false),
                1 => Streams(piece, 1, prefetch: true),
                2 => Streams(piece, 4, prefetch: false),
                _ => Streams(piece, 4, prefetch: true),
            };
        }

        /// <summary>Eight lines of 64 bytes a round, from one place or two each from four places.</summary>
        private static float Streams(byte* piece, int streams, bool prefetch)
        {
            var (a, b, c, d) = (Vector256<int>.Zero, Vector256<int>.Zero, Vector256<int>.Zero, Vector256<int>.Zero);
            var lines = 8 / streams;
            var length = PieceBytes / streams;
            for (var at = 0; at < length; at += lines * 64)
            {
                for (var stream = 0; stream < streams; stream++)
                {
                    var first = piece + stream * length + at;
                    for (var line = 0; line < lines; line += 2, first += 128)
                    {
                        if (prefetch && Sse.IsSupported)
                        {
                            Sse.Prefetch0(first + Ahead);
                            Sse.Prefetch0(first + Ahead + 64);
                        }
                        (a, b) = (a ^ Vector256.Load((int*)first), b ^ Vector256.Load((int*)(first + 32)));
                        (c, d) = (c ^ Vector256.Load((int*)(first + 64)), d ^ Vector256.Load((int*)(first + 96)));
                    }
                }
            }
            return (a ^ b ^ c ^ d).AsSingle().ToScalar();
        }
    }
}
