namespace OpenEuroLLM.Corpus.Extraction;

/// <summary>Names of markup: ASCII bytes whose case does not matter.</summary>
internal static class AsciiWord
{
    /// <summary>A letter's small form; other bytes as they are.</summary>
    public static byte Lower(byte value) => value is >= (byte)'A' and <= (byte)'Z' ? (byte)(value | 0x20) : value;

    /// <summary>Whether the byte is an ASCII letter.</summary>
    public static bool IsLetter(byte value) => (uint)((value | 0x20) - 'a') <= 'z' - 'a';

    /// <summary>Whether the byte is an ASCII digit.</summary>
    public static bool IsDigit(byte value) => (uint)(value - '0') <= 9;

    /// <summary>Whether the byte is white space of markup.</summary>
    public static bool IsSpace(byte value) => value is (byte)' ' or (byte)'\n' or (byte)'\t' or (byte)'\r' or (byte)'\f';

    /// <summary>FNV-1a over the small letters.</summary>
    public static uint Hash(ReadOnlySpan<byte> word)
    {
        uint hash = 2166136261;
        foreach (byte value in word) hash = (hash ^ Lower(value)) * 16777619;
        return hash ^ (hash >> 15);
    }

    /// <summary>Whether a word is another that is written in small letters.</summary>
    public static bool EqualsIgnoreCase(ReadOnlySpan<byte> word, ReadOnlySpan<byte> lower)
    {
        if (word.Length != lower.Length) return false;
        for (int at = 0; at < word.Length; at++)
            if (Lower(word[at]) != lower[at]) return false;
        return true;
    }

    /// <summary>The part without white space at both ends.</summary>
    public static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> text)
    {
        int start = 0, end = text.Length;
        while (start < end && IsSpace(text[start])) start++;
        while (end > start && IsSpace(text[end - 1])) end--;
        return text[start..end];
    }

    /// <summary>Whether a text contains a word in any case.</summary>
    public static bool Contains(ReadOnlySpan<byte> text, ReadOnlySpan<byte> lower)
    {
        for (int at = 0; at + lower.Length <= text.Length; at++)
            if (EqualsIgnoreCase(text.Slice(at, lower.Length), lower)) return true;
        return false;
    }
}
