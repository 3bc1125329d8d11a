using System.Text;

namespace OpenEuroLLM.Corpus.Extraction;

/// <summary>What a short line of a page says about itself or what follows.</summary>
internal enum PhraseKind
{
    None,

    /// <summary>The readers' comments begin.</summary>
    Comments,

    /// <summary>Ways to other pages follow.</summary>
    Related,

    /// <summary>It leads to another page.</summary>
    RelatedLine,

    /// <summary>A notice of the site.</summary>
    Notice,
}

/// <summary>The lines that sites put around texts, in all languages at once (phrases.txt): a page's language need not be known to see them.</summary>
internal static class PhraseTable
{
    private static readonly Dictionary<string, List<(string Phrase, PhraseKind Kind)>> _byFirstWord = Load();
    private static readonly Dictionary<string, List<(string Phrase, PhraseKind Kind)>>.AlternateLookup<ReadOnlySpan<char>> _lookup =
        _byFirstWord.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Looks for phrases in a line. A phrase of one word must be the whole line; longer ones may begin it, and notices may stand inside.</summary>
    /// <param name="line">The line.</param>
    /// <param name="short">Whether the line is so short that a notice inside it makes it one.</param>
    public static PhraseKind Match(string line, bool @short)
    {
        string words = Words(line);
        for (int start = 0; start < words.Length;)
        {
            int end = words.IndexOf(' ', start);
            if (end < 0) end = words.Length;
            if (_lookup.TryGetValue(words.AsSpan(start, end - start), out var phrases) && Best(words, start, phrases, @short) is var kind and not PhraseKind.None) return kind;
            start = end + 1;
        }
        return PhraseKind.None;
    }

    private static PhraseKind Best(string words, int start, List<(string Phrase, PhraseKind Kind)> phrases, bool @short)
    {
        var best = PhraseKind.None;
        foreach (var (phrase, kind) in phrases)
        {
            if (string.CompareOrdinal(words, start, phrase, 0, phrase.Length) != 0) continue;
            int end = start + phrase.Length;
            if (end < words.Length && words[end] != ' ') continue;
            bool whole = start == 0 && end == words.Length;
            if (whole) return kind;
            if (!phrase.Contains(' ', StringComparison.Ordinal)) continue;
            if (kind == PhraseKind.Related && start == 0) best = PhraseKind.RelatedLine;
            else if (kind == PhraseKind.Notice && best == PhraseKind.None && (start == 0 || @short)) best = PhraseKind.Notice;
        }
        return best;
    }

    /// <summary>The words of a line in small letters, one space between them; digits and signs are no words.</summary>
    private static string Words(string line)
    {
        var words = new StringBuilder(line.Length);
        foreach (char unit in line)
        {
            if (char.IsLetter(unit) || char.GetUnicodeCategory(unit) == System.Globalization.UnicodeCategory.NonSpacingMark) words.Append(char.ToLowerInvariant(unit));
            else if (words.Length > 0 && words[^1] != ' ') words.Append(' ');
        }
        while (words.Length > 0 && words[^1] == ' ') words.Length--;
        return words.ToString();
    }

    private static Dictionary<string, List<(string Phrase, PhraseKind Kind)>> Load()
    {
        var table = new Dictionary<string, List<(string, PhraseKind)>>(StringComparer.Ordinal);
        foreach (string line in ExtractionData.Lines("phrases.txt"))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            PhraseKind kind = line[(line.IndexOf(' ', StringComparison.Ordinal) + 1)..colon] switch
            {
                "comments" => PhraseKind.Comments,
                "related" => PhraseKind.Related,
                "notice" => PhraseKind.Notice,
                var other => throw new InvalidOperationException($"phrases.txt: unknown kind '{other}'."),
            };
            foreach (string phrase in line[(colon + 1)..].Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                string words = Words(phrase);
                string first = words.Split(' ')[0];
                if (!table.TryGetValue(first, out var list)) table.Add(first, list = []);
                list.Add((words, kind));
            }
        }
        return table;
    }
}
