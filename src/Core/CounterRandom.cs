using System.Text;

namespace OpenEuroLLM.Core;

/// <summary>Randomness without state: each value is a function of (seed, stream, index), so a resumed run, another thread or
/// another task count draws the same values.</summary>
/// <param name="Seed">Chosen by the user.</param>
/// <param name="Stream">Separates independent uses of one seed; see <see cref="Substream"/>.</param>
/// <remarks>Philox 4x32 with 10 rounds; the seed is the key, (index, stream) the counter. Source: Salmon et al.,
/// "Parallel random numbers: as easy as 1, 2, 3", SC 2011.</remarks>
public readonly record struct CounterRandom(ulong Seed, ulong Stream)
{
    /// <summary>64 random bits.</summary>
    public ulong At(ulong index) => Block(index).First;

    /// <summary>A uniform value in [0, 1) with 53 random bits.</summary>
    public double UniformAt(ulong index) => (At(index) >> 11) * (1.0 / (1UL << 53));

    /// <summary>A uniform integer in [0, <paramref name="bound"/>); the bias is below 2^-32.</summary>
    /// <param name="index">Which value of the stream.</param>
    /// <param name="bound">At least 1.</param>
    public uint Below(ulong index, uint bound)
    {
        ArgumentOutOfRangeException.ThrowIfZero(bound);
        return (uint)Math.BigMul(At(index), bound, out _);
    }

    /// <summary>A value of the standard normal distribution (Box-Muller, from the 128 bits of one block).</summary>
    public float NormalAt(ulong index)
    {
        var (first, second) = Block(index);
        double radius = Math.Sqrt(-2 * Numerics.Log(((first >> 11) + 1) * (1.0 / (1UL << 53)))); // (0, 1]: the logarithm is finite
        return (float)(radius * Numerics.Cos(2 * Math.PI * ((second >> 11) * (1.0 / (1UL << 53)))));
    }

    /// <summary>An independent stream of the same seed, chosen by name.</summary>
    public CounterRandom Substream(string name)
    {
        ulong hash = Stream ^ 0xCBF29CE484222325; // FNV-1a of the name, begun with this stream
        foreach (byte letter in Encoding.UTF8.GetBytes(name)) hash = (hash ^ letter) * 0x100000001B3;
        hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9; // finished as SplitMix64 does: FNV leaves the high bits weak
        hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EB;
        return this with { Stream = hash ^ (hash >> 31) };
    }

    internal (ulong First, ulong Second) Block(ulong index)
    {
        uint c0 = (uint)index, c1 = (uint)(index >> 32), c2 = (uint)Stream, c3 = (uint)(Stream >> 32);
        uint k0 = (uint)Seed, k1 = (uint)(Seed >> 32);
        for (int round = 0; round < 10; round++)
        {
            ulong a = 0xD2511F53UL * c0, b = 0xCD9E8D57UL * c2;
            (c0, c1, c2, c3) = ((uint)(b >> 32) ^ c1 ^ k0, (uint)b, (uint)(a >> 32) ^ c3 ^ k1, (uint)a);
            k0 += 0x9E3779B9;
            k1 += 0xBB67AE85;
        }

        return (c0 | ((ulong)c1 << 32), c2 | ((ulong)c3 << 32));
    }
}
