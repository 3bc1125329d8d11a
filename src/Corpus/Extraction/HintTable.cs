namespace OpenEuroLLM.Corpus.Extraction;

/// <summary>Reads hints off the attributes of a tag. Names are cut into words at signs, digits and inner capitals; words and pairs of neighbours are looked up.</summary>
internal static class HintTable
{
    private const int TableSize = 4096;
    private const int LeastSentenceParts = 5;
    private static readonly (byte[]? Word, PageHints Hints)[] _table = Load();

    /// <summary>The hints of the current tag.</summary>
    public static PageHints Of(HtmlAttributes attributes, ReadOnlySpan<byte> html)
    {
        if (attributes.IsEmpty) return PageHints.None;
        ReadOnlySpan<byte> id = attributes.Value(HtmlAttribute.Id, html);
        var hints = OfNames(attributes.Value(HtmlAttribute.Class, html))
            | (IsSentence(id) ? PageHints.None : OfNames(id))
            | OfNames(attributes.Value(HtmlAttribute.Role, html))
            | OfNames(attributes.Value(HtmlAttribute.ItemProp, html));
        if (attributes.Has(HtmlAttribute.Hidden) || AsciiWord.EqualsIgnoreCase(attributes.Value(HtmlAttribute.AriaHidden, html), "true"u8)) hints |= PageHints.Hidden;
        if (attributes.Has(HtmlAttribute.Style) && IsHidden(attributes.Value(HtmlAttribute.Style, html))) hints |= PageHints.Hidden;
        return hints;
    }

    /// <summary>The hints in a list of names, as a class or an id.</summary>
    public static PageHints OfNames(ReadOnlySpan<byte> names)
    {
        var hints = PageHints.None;
        Span<byte> pair = stackalloc byte[64];
        int previous = 0; // bytes of the word before, at the start of pair
        bool subject = false;
        int at = 0;
        while (at < names.Length)
        {
            byte value = names[at];
            if (!AsciiWord.IsLetter(value))
            {
                if (AsciiWord.IsSpace(value)) (previous, subject) = (0, false);
                at++;
                continue;
            }
            int start = at++;
            while (at < names.Length && AsciiWord.IsLetter(names[at]) && !(names[at] <= 'Z' && names[at - 1] >= 'a')) at++;
            ReadOnlySpan<byte> word = names[start..at];
            if (word.Length > 31)
            {
                previous = 0;
                continue;
            }
            // WordPress writes the subjects of a post into its class: tag-weather, category-polls.
            if (previous == 0 && at < names.Length && names[at] == '-') subject = AsciiWord.EqualsIgnoreCase(word, "tag"u8) || AsciiWord.EqualsIgnoreCase(word, "category"u8);
            if (!subject) hints |= Find(word);
            word.CopyTo(pair[previous..]);
            if (previous > 0)
            {
                hints |= Find(pair[..(previous + word.Length)]);
                word.CopyTo(pair);
            }
            previous = word.Length;
        }
        return hints;
    }

    // Many programs make the id of a section from its heading: what such a sentence is about says nothing of its purpose.
    private static bool IsSentence(ReadOnlySpan<byte> id)
    {
        int parts = 1;
        foreach (byte value in id)
            if (value is (byte)'-' or (byte)'_' or (byte)'.' or (byte)'+' or (byte)'%') parts++;
        return parts >= LeastSentenceParts;
    }

    private static bool IsHidden(ReadOnlySpan<byte> style)
    {
        Span<byte> bare = stackalloc byte[256];
        int length = 0;
        foreach (byte value in style)
        {
            if (length == bare.Length) break;
            if (!AsciiWord.IsSpace(value)) bare[length++] = AsciiWord.Lower(value);
        }
        return bare[..length].IndexOf("display:none"u8) >= 0 || bare[..length].IndexOf("visibility:hidden"u8) >= 0;
    }

    private static PageHints Find(ReadOnlySpan<byte> word)
    {
        for (uint slot = AsciiWord.Hash(word) % TableSize; _table[slot].Word is byte[] known; slot = (slot + 1) % TableSize)
            if (AsciiWord.EqualsIgnoreCase(word, known)) return _table[slot].Hints;
        return PageHints.None;
    }

    private static (byte[]? Word, PageHints Hints)[] Load()
    {
        var words = new Dictionary<string, PageHints>(StringComparer.Ordinal);
        foreach (string line in ExtractionData.Lines("hints.txt"))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            var hint = Enum.Parse<PageHints>(line[..colon]);
            foreach (string word in line[(colon + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries))
                words[word] = words.GetValueOrDefault(word) | hint;
        }
        var table = new (byte[]? Word, PageHints Hints)[TableSize];
        foreach (var (word, hints) in words)
        {
            byte[] bytes = System.Text.Encoding.ASCII.GetBytes(word);
            uint slot = AsciiWord.Hash(bytes) % TableSize;
            while (table[slot].Word is not null) slot = (slot + 1) % TableSize;
            table[slot] = (bytes, hints);
        }
        return table;
    }
}
