using System.Runtime.CompilerServices;

namespace OpenEuroLLM.Languages.Identification;

/// <summary>What is looked up of a word: its sequences of two to five letters with the anchors at both ends, the marked letters alone, and the whole word.
/// Every feature is a hash of 64 well-mixed bits.</summary>
internal static class WordFeatures
{
    /// <summary>The most that a word can have.</summary>
    public const int Most = 6 * TextScanner.BufferBytes;

    /// <summary>Code of the last ASCII letter.</summary>
    private const byte LastPlain = 26;

    private const ulong First = 0x9E3779B97F4A7C15, Second = 0xD6E8FEB86659FD93;

    /// <summary>Writes the features of a word.</summary>
    /// <param name="word">With its anchors, at least three codes.</param>
    /// <param name="features">At least <see cref="Most"/>; the whole word comes first.</param>
    /// <returns>How many there are.</returns>
    public static int Write(ReadOnlySpan<byte> word, Span<ulong> features)
    {
        int count = 1;
        ulong window = word[0], whole = word[0];
        for (int i = 1; i < word.Length; i++)
        {
            byte code = word[i];
            window = (window << 8) | code;
            whole = (whole ^ code) * First;
            if (code is > LastPlain and not LetterCodes.Anchor) features[count++] = Mix(code, 1);
            features[count++] = Mix(window & 0xFFFF, 2);
            if (i >= 2) features[count++] = Mix(window & 0xFFFFFF, 3);
            if (i >= 3) features[count++] = Mix(window & 0xFFFFFFFF, 4);
            if (i >= 4) features[count++] = Mix(window & 0xFFFFFFFFFF, 5);
        }

        features[0] = Mix(whole >> 8, 6);
        return count;
    }

    /// <summary>A feature that is no letters: mixed case, a sign, a number, broken text.</summary>
    public static ulong Sign(int kind) => Mix((ulong)kind, 7);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Mix(ulong key, int kind)
    {
        ulong hash = ((key << 4) + (ulong)kind) * First;
        return (hash ^ (hash >> 32)) * Second;
    }
}
