using System.Collections.Concurrent;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Deduplication;

/// <summary>Signatures whose agreement estimates the Jaccard similarity of two sets of shingles: for each of many orders of all shingles, 8 bits of
/// the first shingle in that order.</summary>
/// <remarks>Sources: Broder, "On the resemblance and containment of documents", 1997; Li and König, "b-Bit minwise hashing", arXiv:0910.3349. Whole
/// numbers only: the same on every machine.</remarks>
internal sealed class MinHash
{
    private const int Lanes = 16;
    private const double ChanceAgreement = 1.0 / 256;

    private static readonly ConcurrentDictionary<int, MinHash> Known = new();

    private readonly uint[] _seeds;     // one an order, filled up to whole registers

    private MinHash(int orders)
    {
        Orders = orders;
        var random = new CounterRandom(0, 0).Substream("min-hash");
        _seeds = [.. Enumerable.Range(0, (orders + Lanes - 1) / Lanes * Lanes).Select(order => (uint)random.At((ulong)order))];
    }

    /// <summary>The one with so many numbers in a signature.</summary>
    public static MinHash Of(int orders) => Known.GetOrAdd(orders, static orders => new MinHash(orders));

    /// <summary>Numbers in a signature, and its length in bytes.</summary>
    public int Orders { get; }

    /// <summary>Writes the signature of a set of shingles that is not empty.</summary>
    public void Sign(ReadOnlySpan<uint> shingles, Span<byte> signature)
    {
        var seeds = MemoryMarshal.Cast<uint, Vector512<uint>>(_seeds);
        for (int register = 0; register < seeds.Length; register += 2)
        {
            Vector512<uint> seedA = seeds[register], seedB = seeds[Math.Min(register + 1, seeds.Length - 1)];
            Vector512<uint> leastA = Vector512<uint>.AllBitsSet, leastB = Vector512<uint>.AllBitsSet;
            foreach (uint shingle in shingles)
            {
                Vector512<uint> value = Vector512.Create(shingle);
                leastA = Vector512.Min(leastA, Mix(value ^ seedA));
                leastB = Vector512.Min(leastB, Mix(value ^ seedB));
            }
            Write(leastA, register, signature);
            Write(leastB, register + 1, signature);
        }
    }

    /// <summary>The estimate of the similarity of the sets behind two signatures, 0 to 1; a little below 0 is possible by chance.</summary>
    public double Similarity(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other)
    {
        int equal = 0, i = 0;
        for (; i + Vector256<byte>.Count <= Orders; i += Vector256<byte>.Count)
            equal += BitOperations.PopCount(Vector256.Equals(Vector256.Create(one[i..]), Vector256.Create(other[i..])).ExtractMostSignificantBits());
        for (; i < Orders; i++)
            if (one[i] == other[i]) equal++;
        return ((double)equal / Orders - ChanceAgreement) / (1 - ChanceAgreement);
    }

    private void Write(Vector512<uint> least, int register, Span<byte> signature)
    {
        for (int lane = 0; lane < Lanes && register * Lanes + lane < Orders; lane++)
            signature[register * Lanes + lane] = (byte)(least[lane] >> 24 ^ least[lane]);   // the least numbers have high bits of zero: the low ones differ
    }

    private static Vector512<uint> Mix(Vector512<uint> value)
    {
        value *= 0x85EBCA6B;
        value ^= value >>> 15;
        value *= 0xC2B2AE35;
        return value ^ (value >>> 16);
    }
}
