using OpenEuroLLM.Corpus.Deduplication;

namespace OpenEuroLLM.Corpus.Contamination;

/// <summary>An item that a text has.</summary>
/// <param name="Item">Its number in the index.</param>
/// <param name="Found">How many of its n-grams the text has.</param>
internal readonly record struct FoundItem(int Item, int Found);

/// <summary>Which items of evaluation tasks a text has, and where.</summary>
/// <param name="Items">In the order of the index.</param>
/// <param name="Passages">What it has in common with them, in UTF-16 units: from the beginning of a word to the end of one, ascending and apart from one another.</param>
internal sealed record TextContamination(IReadOnlyList<FoundItem> Items, IReadOnlyList<TextCut> Passages)
{
    [ThreadStatic]
    private static List<NgramMatch>? _matches;

    /// <summary>Looks through a text.</summary>
    /// <param name="index">The items.</param>
    /// <param name="text">The text.</param>
    /// <param name="share">The share of an item's n-grams that the text must have.</param>
    /// <param name="enough">How many n-grams suffice whatever their share; null: the share alone counts.</param>
    /// <returns>Null when it has no item.</returns>
    public static TextContamination? Of(TaskIndex index, string text, double share, int? enough)
    {
        List<NgramMatch> matches = _matches ??= [];
        matches.Clear();
        index.Find(text, matches);
        if (matches.Count == 0) return null;
        var found = new SortedDictionary<int, int>();
        foreach (int group in matches.Select(match => match.Group).Distinct())
            foreach (int item in index.ItemsOf(group)) found[item] = found.GetValueOrDefault(item) + 1;
        List<FoundItem> items = [.. found.Where(pair => pair.Value >= Required(index.Items[pair.Key].Ngrams, share, enough)).Select(pair => new FoundItem(pair.Key, pair.Value))];
        return items.Count == 0 ? null : new TextContamination(items, Joined(index, matches, [.. items.Select(item => item.Item)]));
    }

    /// <summary>How many of an item's n-grams a text must have to have the item.</summary>
    public static int Required(int ngrams, double share, int? enough) =>
        Math.Clamp(Math.Min((int)Math.Ceiling(share * ngrams - 1e-9), enough ?? int.MaxValue), 1, Math.Max(1, ngrams));

    /// <summary>The parts to cut out, so that what remains reads well: each passage with the words around it up to the ends of its sentence or line, but at most a number of words to either side.</summary>
    public IReadOnlyList<TextCut> Cuts(string text, int marginWords)
    {
        List<int> starts = [], ends = [];
        var word = new FoldedWords(text);
        while (word.MoveNext())
        {
            starts.Add(word.Start);
            ends.Add(word.End);
        }
        var runs = new List<(int Start, int End)>();   // of words
        foreach (TextCut passage in Passages)
        {
            int first = starts.BinarySearch(passage.Start), last = ends.BinarySearch(passage.End);
            for (int i = 0; i < marginWords && first > 0 && !EndsSentence(text.AsSpan(ends[first - 1]..starts[first])); i++) first--;
            for (int i = 0; i < marginWords && last + 1 < starts.Count && !EndsSentence(text.AsSpan(ends[last]..starts[last + 1])); i++) last++;
            if (runs.Count > 0 && runs[^1].End >= first) runs[^1] = (runs[^1].Start, Math.Max(runs[^1].End, last + 1));
            else runs.Add((first, last + 1));
        }
        return [.. runs.Select(run => TextSeam.Cut(
            text, run.Start == 0 ? 0 : ends[run.Start - 1], starts[run.Start], ends[run.End - 1], run.End == starts.Count ? text.Length : starts[run.End]))];
    }

    /// <summary>Whether a sentence or line ends between two words. A point must have white space behind it: it may be one of a number or address.</summary>
    private static bool EndsSentence(ReadOnlySpan<char> between)
    {
        if (between.ContainsAny('\n', '\r')) return true;
        int mark = between.IndexOfAny(".!?…;");   // ';' is the Greek question mark, and ends a clause elsewhere
        return mark >= 0 && between[mark..].IndexOf(' ') >= 0;
    }

    private static List<TextCut> Joined(TaskIndex index, List<NgramMatch> matches, HashSet<int> items)
    {
        var passages = new List<TextCut>();
        foreach (NgramMatch match in matches.OrderBy(match => match.Start))
        {
            if (!index.ItemsOf(match.Group).Any(items.Contains)) continue;
            if (passages.Count > 0 && passages[^1].End >= match.Start) passages[^1] = new TextCut(passages[^1].Start, Math.Max(passages[^1].End, match.End));
            else passages.Add(new TextCut(match.Start, match.End));
        }
        return passages;
    }
}
