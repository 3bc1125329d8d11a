using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tensors.Measuring;

/// <summary>A bare read of memory that no cache holds, again and again: what a machine gives at one moment, to be measured beside the kernel
/// that is compared with it.</summary>
public sealed unsafe class BareRead : IDisposable
{
    private readonly long bytes;
    private readonly NumberBuffer memory;
    private readonly NumberBuffer sums;
    private readonly ThreadTeam team;

    /// <summary>Takes more than four times the last-level cache.</summary>
    /// <param name="threads">Threads that read together, 1 to 1024.</param>
    public BareRead(int threads)
    {
        bytes = Math.Max(256L << 20, 4 * MachineLimits.LastLevelCacheBytes() + (64L << 20)) / ReadLoop.PieceBytes * ReadLoop.PieceBytes;
        memory = new NumberBuffer(bytes / sizeof(float));
        memory.Values.Fill(1); // what was never written is one page of zeros, which lies in the cache
        sums = new NumberBuffer(bytes / ReadLoop.PieceBytes);
        team = new ThreadTeam(threads);
    }

    /// <summary>Bytes a second now: the median of three passes of the fastest form of loop.</summary>
    public double Rate(IClock clock)
    {
        const int passes = 3;
        var best = double.MaxValue;
        Span<double> seconds = stackalloc double[passes];
        for (var form = 0; form < ReadLoop.Forms; form++)
        {
            for (var pass = 0; pass < passes; pass++)
            {
                var began = clock.Timestamp;
                team.Run(new ReadLoop((nint)memory.Data, (nint)sums.Data, form), (int)(bytes / ReadLoop.PieceBytes));
                seconds[pass] = clock.SecondsSince(began);
            }
            seconds.Sort();
            best = Math.Min(best, seconds[passes / 2]);
        }
        return bytes / best;
    }

    /// <summary>Gives memory and threads back.</summary>
    public void Dispose()
    {
        team.Dispose();
        memory.Dispose();
        sums.Dispose();
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
