using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Readers;

namespace OpenEuroLLM.Corpus.Building;

/// <summary>Divides the documents of each language into training and held-out ones and writes both. A text is never on both sides,
/// not even as a document of another language.</summary>
internal sealed class CorpusWriter(
    CorpusConfig config, IFileSystem files, ILauncher launcher, IClock clock, IProgress<CorpusProgress>? progress, string work, IReadOnlyList<WorkUnit> units,
    IReadOnlyList<ManifestCount> counts, CancellationToken cancellation)
{
    private readonly CorpusConfig _config = config;
    private readonly IFileSystem _files = files;
    private readonly string _work = work;
    private readonly IReadOnlyList<WorkUnit> _units = units;
    private readonly CancellationToken _cancellation = cancellation;
    private readonly CounterRandom _random = new CounterRandom(config.Seed, 0).Substream("held-out");
    private readonly CounterRandom _mixed = new CounterRandom(config.Seed, 0).Substream("mixing");

    /// <summary>Writes everything that follows from the documents.</summary>
    /// <param name="output">The folder.</param>
    /// <param name="samples">The files of samples of all phases, in the order of phases and units.</param>
    public void Write(AtomicDirectory output, IReadOnlyList<string> samples)
    {
        string[] languages = [.. _config.Languages.Where(language => _units.Any(unit => unit.Has(language)))];
        if (languages.Length == 0) throw NothingLeft();
        var heldOut = new HashSet<UInt128>[languages.Length];
        launcher.Run(languages.Length, language => heldOut[language] = ChooseHeldOut(languages[language]), _cancellation);
        HashSet<UInt128> all = [.. heldOut.SelectMany(hashes => hashes)];
        _files.CreateDirectory(Path.Combine(output.Path, "train"));
        _files.CreateDirectory(Path.Combine(output.Path, "heldout"));
        var meter = new ProgressMeter(progress, clock, "writing", _units.Sum(unit => unit.Files.Values.Sum()));
        MixingPlan? plan = Plan(languages, all);
        if (plan?.Missing > 0) output.Count(new ManifestCount(CorpusReport.SplitStep, CorpusReport.Missing, Tokens: plan.Missing));
        LanguageWriter[] written = [.. languages.Select(language => new LanguageWriter(this, language, plan?.Languages.Single(mix => mix.Language == language), output.Path))];
        launcher.Run(languages.Length, language => written[language].Write(all, meter.Add), _cancellation);
        meter.Finish();
        foreach (ManifestCount count in written.SelectMany(language => language.Counts)) output.Count(count);
        WriteDomains(written, output.Path);
        WriteSamples(samples, written, output.Path);
    }

    /// <summary>Says of what kind the documents were, and where they ended.</summary>
    private UserErrorException NothingLeft()
    {
        IEnumerable<string> ends = counts.Where(CorpusReport.IsEnd)
            .GroupBy(count => $"{count.Step}: {count.Reason}")
            .OrderByDescending(end => end.Sum(count => count.Documents)).ThenBy(end => end.Key, StringComparer.Ordinal)
            .Take(5)
            .Select(end => FormattableString.Invariant($"{end.Key} {end.Sum(count => count.Documents)}"));
        string dropped = string.Join(", ", ends) is { Length: > 0 } reasons ? $" ({reasons})" : "";
        return new UserErrorException(
            $"corpus.source '{_config.Source}': no document is left after all steps{dropped}; expected documents in {string.Join(", ", _config.Languages.Take(24))}. Check corpus.languages and corpus.steps.");
    }

    /// <summary>The texts to hold out of a language: what the source holds out, and of the other texts those whose hashes come first.</summary>
    private HashSet<UInt128> ChooseHeldOut(string language)
    {
        HashSet<UInt128> heldOut = [.. Entries(language).Where(entry => entry.Side == Side.HeldOut).Select(entry => entry.Hash)];
        heldOut.UnionWith(HeldOutChoice.Of(
            _random, _config.HeldOutShare, _config.HeldOutDocuments, () => Entries(language).Where(entry => entry.Side == Side.ByHash).Select(entry => entry.Hash)));
        return heldOut;
    }

    /// <summary>How much of each language is taken, or null where all of it is.</summary>
    private MixingPlan? Plan(string[] languages, HashSet<UInt128> heldOut)
    {
        if (_config.Mixing is null) return null;
        long[] tokens = new long[languages.Length];
        launcher.Run(languages.Length, language => tokens[language] = TrainingEntries(languages[language], heldOut).Sum(entry => (long)entry.Tokens), _cancellation);
        var available = _config.Languages.ToDictionary(language => language, language => Array.IndexOf(languages, language) is >= 0 and int number ? tokens[number] : 0);
        return MixingPlan.Of(available, _config.Mixing);
    }

    private IEnumerable<IndexEntry> Entries(string language) => _units.Where(unit => unit.Has(language)).SelectMany(unit => IndexEntry.ReadAll(_files, unit.Index(language)));

    private IEnumerable<IndexEntry> TrainingEntries(string language, HashSet<UInt128> heldOut) => Entries(language).Where(entry => !heldOut.Contains(entry.Hash));

    private void WriteDomains(LanguageWriter[] written, string folder)
    {
        if (!_units.Any(unit => unit.HasHosts)) return;
        using Stream stream = _files.CreateFile(Path.Combine(folder, CorpusStage.DomainsFile));
        foreach (LanguageWriter language in written) language.Domains.WriteTo(stream);
    }

    private void WriteSamples(IReadOnlyList<string> earlier, LanguageWriter[] written, string folder)
    {
        if (_config.SamplesKept == 0) return;
        var samples = new Samples(_config.SamplesKept, _config.Seed);
        foreach (string path in earlier)
        {
            using var reader = new StreamReader(_files.OpenRead(path), Encoding.UTF8);
            samples.OfferAll(LinesOf(reader));
        }
        foreach (LanguageWriter language in written) samples.OfferAll(language.Samples.Lines(withRanks: true));
        using Stream stream = _files.CreateFile(Path.Combine(folder, CorpusStage.SamplesFile));
        foreach (string line in samples.Lines(withRanks: false)) stream.Write(Encoding.UTF8.GetBytes(line + "\n"));

        static IEnumerable<string> LinesOf(StreamReader reader)
        {
            while (reader.ReadLine() is { } line) yield return line;
        }
    }

    /// <summary>Writes the documents of a language, in input order.</summary>
    private sealed class LanguageWriter(CorpusWriter corpus, string language, LanguageMix? mix, string folder)
    {
        private readonly Funnel _funnel = new();

        public Domains Domains { get; } = new(corpus._files, corpus._work, language);

        public Samples Samples { get; } = new(corpus._config.SamplesKept, corpus._config.Seed);

        public IEnumerable<ManifestCount> Counts => _funnel.Counts();

        public void Write(HashSet<UInt128> heldOut, Action<long> progress)
        {
            long whole = mix?.WholePasses ?? 1, last = mix?.LastPassTokens ?? 0;
            long passes = Math.Max(1, whole + (last > 0 ? 1 : 0));
            BudgetSelection? selection = whole == 0 || last > 0
                ? BudgetSelection.Choose(corpus._mixed, last, () => corpus.TrainingEntries(language, heldOut).Select(entry => (entry.Hash, (long)entry.Tokens)))
                : null;
            using var train = new ShardedFile(corpus._files, Path.Combine(folder, "train"), language, corpus._config.ShardBytes);
            using var aside = new ShardedFile(corpus._files, Path.Combine(folder, "heldout"), language, bytes: null);
            long bytesLeft = corpus._config.BytesPerLanguage ?? long.MaxValue, copies = 0;
            bool full = false;
            for (long pass = 0; pass < passes; pass++)
            {
                foreach ((WorkUnit unit, IReadOnlyList<string> hosts, IndexEntry entry, ReadOnlyMemory<byte> line) in Lines())
                {
                    if (pass == 0) progress(line.Length + 1);
                    string reason;
                    if (heldOut.Contains(entry.Hash))
                    {
                        if (pass > 0) continue;
                        reason = entry.Side == Side.Train ? CorpusReport.CopyOfHeldOut : CorpusReport.HeldOut;
                        if (reason == CorpusReport.HeldOut) WriteLine(aside.Next(), line.Span);
                    }
                    else if (!(pass < whole || selection!.Takes(entry.Hash, ref copies)) || (full |= entry.TextBytes > bytesLeft))   // no shorter text is taken in its place
                    {
                        if (pass > 0) continue;
                        reason = CorpusReport.OverBudget;
                    }
                    else
                    {
                        reason = pass == 0 ? CorpusReport.Train : CorpusReport.Repeated;
                        bytesLeft -= entry.TextBytes;
                        WriteLine(train.Next(), line.Span);
                        if (entry.Host >= 0 && pass == 0) Domains.Add(hosts[entry.Host], entry.TextBytes);
                    }
                    _funnel.Add(CorpusReport.SplitStep, reason, unit.Origins[entry.Origin], entry.TextBytes, entry.Tokens);
                    if (pass == 0) Samples.Offer(CorpusReport.SplitStep, reason, language, entry.Hash, () => Document.Parse(line.Span, unit.Lines(language)));
                }
            }
        }

        private IEnumerable<(WorkUnit Unit, IReadOnlyList<string> Hosts, IndexEntry Entry, ReadOnlyMemory<byte> Line)> Lines()
        {
            foreach (WorkUnit unit in corpus._units.Where(unit => unit.Has(language)))
            {
                corpus._cancellation.ThrowIfCancellationRequested();
                using Stream stream = corpus._files.OpenRead(unit.Lines(language));
                IReadOnlyList<string> hosts = unit.Hosts(corpus._files);
                var lines = new LineReader(stream);
                foreach (IndexEntry entry in IndexEntry.ReadAll(corpus._files, unit.Index(language)))
                {
                    if (!lines.TryRead(out ReadOnlyMemory<byte> line)) throw new InvalidOperationException($"{unit.Lines(language)} has fewer lines than its index.");
                    yield return (unit, hosts, entry, line);
                }
            }
        }

        private static void WriteLine(Stream stream, ReadOnlySpan<byte> line)
        {
            stream.Write(line);
            stream.WriteByte((byte)'\n');
        }
    }
}
