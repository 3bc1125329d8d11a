using System.Buffers.Binary;
using System.Numerics;

namespace OpenEuroLLM.Tokenizers;

/// <summary>A fast hash of short byte strings. It orders nothing that is ever written, so it is no part of any format.</summary>
internal static class WordHash
{
    public static uint Of(ReadOnlySpan<byte> word)
    {
        ulong hash = (ulong)word.Length * 0x9E3779B97F4A7C15;
        while (word.Length >= 8)
        {
            hash = Mix(hash, BinaryPrimitives.ReadUInt64LittleEndian(word));
            word = word[8..];
        }
        ulong rest = 0;
        for (int i = 0; i < word.Length; i++)
            rest |= (ulong)word[i] << (8 * i);
        hash = Mix(hash, rest);
        return (uint)(hash ^ (hash >> 32));
    }

    private static ulong Mix(ulong hash, ulong value)
    {
        hash = (hash ^ value) * 0xD6E8FEB86659FD93;
        return BitOperations.RotateLeft(hash, 29) * 0x9E3779B97F4A7C15;
    }
}
