using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Readers;

namespace OpenEuroLLM.Corpus.Building;

/// <summary>Divides the documents of each language into training and held-out ones and writes both. A text is never on both sides,
/// not even as a document of another language.</summary>
internal sealed class Split(CorpusConfig config, IFileSystem files, IReadOnlyList<WorkUnit> units)
{
    private readonly CounterRandom _random = new CounterRandom(config.Seed, 0).Substream("held-out");

    /// <summary>The texts to hold out of a language: what the source holds out, and of the other texts those whose hashes come first.</summary>
    public HashSet<UInt128> ChooseHeldOut(string language)
    {
        var heldOut = new HashSet<UInt128>();
        var others = new HashSet<UInt128>();
        foreach (IndexEntry entry in units.Where(unit => unit.Has(language)).SelectMany(unit => IndexEntry.ReadAll(files, unit.Index(language))))
        {
            if (entry.Side == Side.HeldOut) heldOut.Add(entry.Hash);
            else if (entry.Side == Side.ByHash) others.Add(entry.Hash);
        }
        if (others.Count < 2 || config.HeldOutShare == 0) return heldOut;
        int wanted = Math.Min(config.HeldOutDocuments, (int)Math.Max(1, Math.Round(config.HeldOutShare * others.Count)));
        // Hashes are distinct and so are, but for chance, their ranks; the hash itself settles that case.
        heldOut.UnionWith(others.OrderBy(hash => _random.At((ulong)hash)).ThenBy(hash => hash).Take(wanted));
        return heldOut;
    }

    /// <summary>Writes the documents of a language, in input order.</summary>
    public Funnel Write(string language, IReadOnlySet<UInt128> heldOut, string folder, Action<long> progress)
    {
        var funnel = new Funnel();
        using var train = new ShardedFile(files, Path.Combine(folder, "train"), language, config.ShardBytes);
        Stream? aside = null;
        long left = config.BytesPerLanguage ?? long.MaxValue;
        bool full = false;
        try
        {
            foreach (WorkUnit unit in units.Where(unit => unit.Has(language)))
            {
                using Stream stream = files.OpenRead(unit.Lines(language));
                var lines = new LineReader(stream);
                foreach (IndexEntry entry in IndexEntry.ReadAll(files, unit.Index(language)))
                {
                    if (!lines.TryRead(out ReadOnlyMemory<byte> line)) throw new InvalidOperationException($"{unit.Lines(language)} has fewer lines than its index.");
                    progress(line.Length + 1);
                    bool mayTrain = entry.Side == Side.Train || !heldOut.Contains(entry.Hash);
                    string reason;
                    if (heldOut.Contains(entry.Hash))
                    {
                        reason = mayTrain ? CorpusReport.CopyOfHeldOut : CorpusReport.HeldOut;
                        if (!mayTrain) WriteLine(aside ??= files.CreateFile(Path.Combine(folder, "heldout", language + ".jsonl")), line.Span);
                    }
                    else if (full |= entry.TextBytes > left) reason = CorpusReport.OverBudget;   // no shorter text is taken in its place
                    else
                    {
                        reason = CorpusReport.Train;
                        left -= entry.TextBytes;
                        WriteLine(train.Next(), line.Span);
                    }
                    funnel.Add(CorpusReport.SplitStep, reason, unit.Origins[entry.Origin], entry.TextBytes);
                }
            }
            return funnel;
        }
        finally
        {
            aside?.Dispose();
        }
    }

    private static void WriteLine(Stream stream, ReadOnlySpan<byte> line)
    {
        stream.Write(line);
        stream.WriteByte((byte)'\n');
    }
}

/// <summary>Lines in numbered files, a new one begun when the last has reached its size.</summary>
internal sealed class ShardedFile(IFileSystem files, string folder, string name, long bytes) : IDisposable
{
    private Stream? _current;
    private int _number;

    /// <summary>Where the next line goes.</summary>
    public Stream Next()
    {
        if (_current is not null && _current.Position >= bytes)
        {
            _current.Dispose();
            _current = null;
        }
        return _current ??= files.CreateFile(Path.Combine(folder, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{name}-{_number++:00000}.jsonl")));
    }

    public void Dispose() => _current?.Dispose();
}
