using OpenEuroLLM.Corpus.Measures;

namespace OpenEuroLLM.Corpus.Deduplication;

/// <summary>The lines or paragraphs of a text as they are compared across a corpus, and what is cut where they repeat.</summary>
internal static class RepeatedLines
{
    private const ulong Base = 0xD6E8FEB86659FD93;

    /// <summary>Appends the parts with enough letters, in the order of the text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="unit">Into what it is divided.</param>
    /// <param name="leastCharacters">The least number of letters.</param>
    /// <param name="parts">Gets the parts.</param>
    public static void Add(string text, LineUnit unit, int leastCharacters, List<LinePart> parts)
    {
        TextShape shape = TextShape.Of(text);
        foreach (TextShape.Span part in unit == LineUnit.Line ? shape.Lines : shape.Paragraphs)
            if (part.Length >= leastCharacters && Key(part.In(text), leastCharacters) is { } key)
                parts.Add(new LinePart(key, part.Start, part.Length));
    }

    /// <summary>Cuts parts out of a text, each with its line feed.</summary>
    /// <param name="text">The text.</param>
    /// <param name="parts">Some of its parts, in its order.</param>
    public static IReadOnlyList<TextCut> Cuts(string text, IReadOnlyList<LinePart> parts)
    {
        var cuts = new List<TextCut>();
        for (int i = 0; i < parts.Count;)
        {
            int start = parts[i].Start, end = parts[i].Start + parts[i].Length, next = SkipWhiteSpace(text, end);
            for (i++; i < parts.Count && parts[i].Start == next; i++)
            {
                end = next + parts[i].Length;
                next = SkipWhiteSpace(text, end);
            }
            int before = start;
            while (before > 0 && char.IsWhiteSpace(text[before - 1])) before--;
            cuts.Add(TextSeam.Cut(text, before, start, end, next));
        }
        return cuts;
    }

    private static int SkipWhiteSpace(string text, int position)
    {
        while (position < text.Length && char.IsWhiteSpace(text[position])) position++;
        return position;
    }

    /// <summary>Stands for the words; null when they have too few letters.</summary>
    private static ulong? Key(ReadOnlySpan<char> part, int leastCharacters)
    {
        int letters = 0;
        foreach (char letter in part)
            if (char.IsLetter(letter)) letters++;
        if (letters < leastCharacters) return null;
        ulong hash = 0;
        var word = new FoldedWords(part);
        while (word.MoveNext()) hash = hash * Base + word.Hash;
        hash = (hash ^ (hash >> 32)) * 0x9E3779B97F4A7C15;
        return Math.Max(1, hash ^ (hash >> 29));   // 0 would take no part
    }
}

/// <summary>A line or paragraph.</summary>
/// <param name="Key">Stands for its words.</param>
/// <param name="Start">Where it begins, in UTF-16 units.</param>
/// <param name="Length">Its length without the white space around it.</param>
internal readonly record struct LinePart(ulong Key, int Start, int Length);
