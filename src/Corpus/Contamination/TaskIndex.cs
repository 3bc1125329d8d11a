using System.Runtime.InteropServices;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Deduplication;

namespace OpenEuroLLM.Corpus.Contamination;

/// <summary>An item as it is looked for.</summary>
/// <param name="Task">Number of its task.</param>
/// <param name="Id">Its name, unique in the task.</param>
/// <param name="Ngrams">How many different n-grams it is recognized by; 0: it cannot be looked for.</param>
internal readonly record struct IndexedItem(int Task, string Id, int Ngrams);

/// <summary>Where an n-gram was found in a text, in UTF-16 units.</summary>
/// <param name="Group">Stands for the n-gram: its first row in the table of full n-grams, or the complement of that in the table of short parts.</param>
/// <param name="Start">Where its first word begins.</param>
/// <param name="End">Where its last word ends.</param>
internal readonly record struct NgramMatch(int Group, int Start, int End);

/// <summary>The n-grams of evaluation items, for finding them in texts. It is built once and only read afterwards.</summary>
/// <remarks>Parts of an item of fewer words than an n-gram are looked for as a whole: by their first words, of which there are always the same number, and then by all.</remarks>
internal sealed class TaskIndex
{
    /// <summary>What an n-gram takes, in bytes, at most; twice as much while the index is built.</summary>
    public const int BytesPerNgram = 32;

    private readonly NgramTable _full, _short;
    private readonly ulong _leavingFull, _leavingShort;

    private TaskIndex(NgramTable full, NgramTable @short, string[] tasks, IndexedItem[] items)
    {
        (_full, _short, Tasks, Items) = (full, @short, tasks, items);
        (_leavingFull, _leavingShort) = (NgramHash.Leaving(full.Words), NgramHash.Leaving(@short.Words));
    }

    /// <summary>The names of the tasks, in ordinal order.</summary>
    public IReadOnlyList<string> Tasks { get; }

    /// <summary>The items, in the order of their tasks.</summary>
    public IReadOnlyList<IndexedItem> Items { get; }

    /// <summary>How many n-grams are held; one that two items share counts twice.</summary>
    public long Ngrams => (long)_full.Count + _short.Count;

    /// <summary>Builds the index.</summary>
    /// <param name="items">The items of all tasks.</param>
    /// <param name="ngram">Words of an n-gram.</param>
    /// <param name="leastWords">Parts of fewer words are not looked for.</param>
    /// <param name="templateItems">N-grams of more items of one task belong to its template; null: see <see cref="TemplateItems"/>.</param>
    /// <param name="mostMegabytes">The most memory the index may take, in MB.</param>
    /// <exception cref="UserErrorException">The index would take more.</exception>
    public static TaskIndex Build(IEnumerable<TaskItem> items, int ngram, int leastWords, int? templateItems, int mostMegabytes)
    {
        TaskItem[] sorted = [.. items.OrderBy(item => item.Task, StringComparer.Ordinal)];   // stable
        string[] tasks = [.. sorted.Select(item => item.Task).Distinct()];
        var taskOf = new int[sorted.Length];
        var bounds = new int[tasks.Length];
        for (int i = 0, task = 0; i < sorted.Length; i++)
        {
            if (sorted[i].Task != tasks[task]) task++;
            taskOf[i] = task;
            bounds[task]++;   // items, so far
        }
        for (int task = 0; task < bounds.Length; task++) bounds[task] = templateItems ?? TemplateItems(bounds[task]);
        var full = new List<Ngram>();
        var brief = new List<Ngram>();
        for (int i = 0; i < sorted.Length; i++)
        {
            Add(sorted[i], i, ngram, leastWords, full, brief);
            if ((full.Count + (long)brief.Count) * BytesPerNgram > mostMegabytes * 1_000_000L)
                throw new UserErrorException(FormattableString.Invariant($"the evaluation tasks have more than {full.Count + (long)brief.Count} n-grams, which take {BytesPerNgram} bytes each, and 'mostMegabytes' is {mostMegabytes}; raise it, or name fewer tasks in 'tasks'."));
        }
        var ngrams = new int[sorted.Length];
        var fullTable = new NgramTable(Evidence(full, taskOf, bounds, ngrams), ngram);
        var shortTable = new NgramTable(Evidence(brief, taskOf, bounds, ngrams), Math.Min(leastWords, ngram));
        return new TaskIndex(fullTable, shortTable, tasks, [.. sorted.Select((item, i) => new IndexedItem(taskOf[i], item.Id, ngrams[i]))]);
    }

    /// <summary>In how many items of a task an n-gram may be: a tenth of them, for a template is in more, but 5 where that is fewer and 50 where it is more, for as many questions may
    /// be asked about one passage.</summary>
    public static int TemplateItems(int items) => Math.Clamp(items / 10, 5, 50);

    /// <summary>The first row of an n-gram that was found, and the one behind its last.</summary>
    public IEnumerable<int> ItemsOf(int group)
    {
        (NgramTable table, int first) = group >= 0 ? (_full, group) : (_short, ~group);
        int end = table.GroupEnd(first);
        for (int row = first; row < end; row++) yield return table[row].Item;
    }

    /// <summary>Appends the n-grams that a text has in common with items, in the order of their ends.</summary>
    public void Find(ReadOnlySpan<char> text, List<NgramMatch> matches)
    {
        NgramTable full = _full, brief = _short;
        bool hasShort = brief.Count > 0;
        int size = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)full.Words + 1), mask = size - 1;
        Span<ulong> hashes = stackalloc ulong[size];   // a ring of the last words, longer than an n-gram
        Span<int> starts = stackalloc int[size];
        hashes.Clear();
        ulong sum = 0, shortSum = 0;
        int count = 0;
        var word = new FoldedWords(text);
        while (word.MoveNext())
        {
            ulong hash = word.Hash;
            sum = sum * NgramHash.Base + hash - hashes[(count - full.Words) & mask] * _leavingFull;
            if (hasShort) shortSum = shortSum * NgramHash.Base + hash - hashes[(count - brief.Words) & mask] * _leavingShort;
            hashes[count & mask] = hash;
            starts[count & mask] = word.Start;
            count++;
            ulong key = NgramHash.Key(sum);
            if (full.MayHave(key) && count >= full.Words) Verify(full, key, text, starts[(count - full.Words) & mask], word.End, matches, isShort: false);
            if (!hasShort) continue;
            key = NgramHash.Key(shortSum);
            if (brief.MayHave(key) && count >= brief.Words) Verify(brief, key, text, starts[(count - brief.Words) & mask], word.End, matches, isShort: true);
        }
    }

    private static void Verify(NgramTable table, ulong key, ReadOnlySpan<char> text, int start, int end, List<NgramMatch> matches, bool isShort)
    {
        (int row, int to) = table.Bucket(key);
        int words = 0, stop = 0;
        ulong check = 0;
        for (; row < to; row = table.GroupEnd(row))
        {
            ref readonly Ngram ngram = ref table[row];
            if (ngram.Key != key) continue;
            if (ngram.Words != words)
            {
                words = ngram.Words;
                stop = End(text, end, words - table.Words);
                check = stop < 0 ? 0 : NgramHash.Check(text[start..stop]);
            }
            if (stop >= 0 && ngram.Check == check) matches.Add(new NgramMatch(isShort ? ~row : row, start, stop));
        }
    }

    /// <summary>Where the words end that follow a place; -1 when there are fewer.</summary>
    private static int End(ReadOnlySpan<char> text, int from, int words)
    {
        if (words == 0) return from;
        var word = new FoldedWords(text[from..]);
        for (int i = 0; i < words; i++)
            if (!word.MoveNext()) return -1;
        return from + word.End;
    }

    private static void Add(TaskItem item, int number, int ngram, int leastWords, List<Ngram> full, List<Ngram> brief)
    {
        bool any = false;
        foreach (string part in item.Parts) any |= AddPart(part, number, ngram, leastWords, full, brief);
        if (!any && item.Parts.Count > 1) AddPart(string.Join('\n', item.Parts), number, ngram, leastWords, full, brief);
    }

    private static bool AddPart(string part, int number, int ngram, int leastWords, List<Ngram> full, List<Ngram> brief)
    {
        var words = new List<(ulong Hash, int Start, int End)>();
        var word = new FoldedWords(part);
        while (word.MoveNext()) words.Add((word.Hash, word.Start, word.End));
        if (words.Count < Math.Min(leastWords, ngram)) return false;
        if (words.Count < ngram)
        {
            brief.Add(new Ngram(Key(words, 0, leastWords), NgramHash.Check(part.AsSpan(words[0].Start..words[^1].End)), number, (ushort)words.Count));
            return true;
        }
        for (int first = 0; first + ngram <= words.Count; first++)
            full.Add(new Ngram(Key(words, first, ngram), NgramHash.Check(part.AsSpan(words[first].Start..words[first + ngram - 1].End)), number, (ushort)ngram));
        return true;
    }

    private static ulong Key(List<(ulong Hash, int Start, int End)> words, int first, int count)
    {
        ulong sum = 0;
        for (int i = 0; i < count; i++) sum = sum * NgramHash.Base + words[first + i].Hash;
        return NgramHash.Key(sum);
    }

    /// <summary>Sorts n-grams and leaves out repetitions in an item and what belongs to the template of a task.</summary>
    private static Ngram[] Evidence(List<Ngram> found, int[] taskOf, int[] bounds, int[] ngrams)
    {
        Span<Ngram> rows = CollectionsMarshal.AsSpan(found);
        rows.Sort();
        int kept = 0;
        for (int from = 0, to; from < rows.Length; from = to)
        {
            to = from + 1;
            int last = kept, task = taskOf[rows[from].Item];
            rows[kept++] = rows[from];
            for (; to < rows.Length && rows[to].IsSame(rows[last]) && taskOf[rows[to].Item] == task; to++)
                if (rows[to].Item != rows[kept - 1].Item) rows[kept++] = rows[to];
            if (kept - last > bounds[task]) kept = last;
        }
        Ngram[] evidence = rows[..kept].ToArray();
        foreach (Ngram row in evidence) ngrams[row.Item]++;
        return evidence;
    }
}
