using System.Globalization;

namespace OpenEuroLLM.Corpus.Deduplication;

/// <summary>Hashes of all runs of so many neighbouring words of a text. Words are runs of letters, marks and digits in lower case: punctuation,
/// layout and capitals make no difference. A text of fewer words has one shingle, a text without words none.</summary>
internal static class Shingles
{
    private const ulong WordStart = 0xCBF29CE484222325;
    private const ulong Multiplier = 0x9E3779B97F4A7C15;

    private static readonly char[] Folded = Fold();   // '\0' for what is no part of a word

    /// <summary>Appends the hashes.</summary>
    public static void Add(ReadOnlySpan<char> text, int words, List<uint> hashes)
    {
        Span<ulong> window = stackalloc ulong[words];   // a ring of the last words
        window.Clear();
        int count = 0;
        ulong word = WordStart;
        bool inside = false;
        for (int i = 0; i <= text.Length; i++)
        {
            char letter = i < text.Length ? Folded[text[i]] : '\0';
            if (letter != '\0')
            {
                word = (word ^ letter) * 0x100000001B3;
                inside = true;
            }
            else if (inside)
            {
                window[count++ % words] = word * Multiplier;
                (word, inside) = (WordStart, false);
                if (count >= words) hashes.Add(Combine(window, count));
            }
        }
        if (count > 0 && count < words) hashes.Add(Combine(window[..count], count));
    }

    private static uint Combine(ReadOnlySpan<ulong> window, int count)
    {
        ulong hash = 0;
        for (int i = 0; i < window.Length; i++)
            hash = ((hash << 5 | hash >> 59) ^ window[(count + i) % window.Length]) * 0xD6E8FEB86659FD93;   // the oldest word first
        return (uint)(hash >> 32);
    }

    private static char[] Fold()
    {
        var folded = new char[0x10000];
        for (int value = 0; value < folded.Length; value++)
        {
            char letter = (char)value;
            bool isWord = char.IsLetterOrDigit(letter)
                || CharUnicodeInfo.GetUnicodeCategory(letter) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;
            folded[value] = isWord ? char.ToLowerInvariant(letter) : '\0';
        }
        return folded;
    }
}
