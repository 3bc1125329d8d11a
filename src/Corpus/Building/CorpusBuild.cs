using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Deduplication;
using OpenEuroLLM.Corpus.Erasure;
using OpenEuroLLM.Corpus.Readers;
using OpenEuroLLM.Corpus.Sample;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Corpus.Building;

/// <summary>One call of the stage: phases over units of work and comparisons between them, then the output.</summary>
internal sealed class CorpusBuild
{
    private const int ComparisonsAtOnce = 4;   // each has tables of its own

    private readonly CorpusConfig _config;
    private readonly string _target;
    private readonly string _work;
    private readonly CorpusTask? _task;
    private readonly ILauncher _launcher;
    private readonly IProgress<CorpusProgress>? _progress;
    private readonly IFileSystem _files;
    private readonly IClock _clock;
    private readonly CancellationToken _cancellation;
    private readonly StepTimes? _times;
    private readonly string? _tokenizer;
    private readonly Lazy<Tombstones?> _tombstones;
    private readonly Lazy<TokenCounter?> _tokens;

    /// <param name="config">The settings, checked.</param>
    /// <param name="target">The folder to make, as a full path.</param>
    /// <param name="task">The share of the work that is done; all of it when absent.</param>
    /// <param name="launcher">Runs the units of work.</param>
    /// <param name="progress">Told how far the work is.</param>
    /// <param name="files">The file system.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="times">Told where the time goes; absent where nobody asks.</param>
    /// <param name="cancellation">Stops the work.</param>
    public CorpusBuild(
        CorpusConfig config, string target, CorpusTask? task, ILauncher launcher, IProgress<CorpusProgress>? progress, IFileSystem files, IClock clock, StepTimes? times,
        CancellationToken cancellation)
    {
        (_config, _target, _work, _task, _launcher, _progress, _files, _clock, _cancellation, _times) = (config, target, target + ".work", task, launcher, progress, files, clock, cancellation, times);
        _tokenizer = config.Tokenizer is { } tokenizer ? BuiltInTokenizer.Resolve(tokenizer, "corpus.tokenizer") : null;
        _tombstones = new Lazy<Tombstones?>(() => config.Tombstones is { } path ? Tombstones.Open(path, files) : null);
        _tokens = new Lazy<TokenCounter?>(() => _tokenizer is null ? null : new TokenCounter(Tokenizer.Load(_tokenizer)));
    }

    /// <summary>Does what can be done.</summary>
    public CorpusTaskOutcome Run()
    {
        CorpusInput input = CorpusInput.Open(_config, _files);
        List<ExaminationItem> examination = [.. _config.SampleLanguages.SelectMany(language => SampleExamination.Items(language, _config.Seed, _config.Sample))];
        JsonObject settings = Settings(examination);
        long since = _times?.Now ?? 0;
        string[] fingerprints = new string[input.Units.Count];
        _launcher.Run(fingerprints.Length, unit => fingerprints[unit] = input.Units[unit].Fingerprint(_files), _cancellation);
        _times?.Add(StepTimes.Hashing, since);
        IReadOnlyList<Phase> phases = Phase.Of(_config.Steps);
        int parts = 2 * phases.Count;   // phases, the comparisons between them, and the writing
        if (Finished(settings, input) is { } manifest) return new CorpusTaskOutcome(manifest, parts, parts, 1, 1);

        FileStream? claim = Claim(alone: _task is null);
        if (claim is null)
        {
            return _task is not null
                ? new CorpusTaskOutcome(null, parts, parts, 0, 1)   // another task is finishing the corpus
                : throw new UserErrorException($"{_target}: is being built by another process; wait for it, or choose another folder.");
        }
        try
        {
            if (_task is not null && Finished(settings, input) is { } finished)
            {
                _files.Delete(_work);   // another task has finished in between
                return new CorpusTaskOutcome(finished, parts, parts, 1, 1);
            }
            using var state = new State(Manifest.Hash(Encoding.UTF8.GetBytes($"work 3 {BuildVersion.Current} ").Concat(CanonicalJson.Write(settings)).ToArray()));
            foreach (Phase phase in phases)
            {
                if (!RunPhase(phase, phases.Count, input, fingerprints, state) || (phase.Measured is not null && !Compare(phase, phases.Count, state)))
                    return new CorpusTaskOutcome(null, state.Part, parts, state.Done, state.Pieces);
                state.Part++;
            }
            if (_task is not null)
            {
                // The last task to come here finishes the corpus; the others leave that to it.
                claim.Dispose();
                claim = Claim(alone: true);
                if (claim is null) return new CorpusTaskOutcome(null, parts, parts, 0, 1);
            }
            since = _times?.Now ?? 0;
            manifest = Write(settings, input, examination, state);
            _times?.Add(StepTimes.Writing, since);
            claim.Dispose();
            _files.Delete(_work);
            return new CorpusTaskOutcome(manifest, parts, parts, 1, 1);
        }
        finally
        {
            claim?.Dispose();
        }
    }

    private bool HasSample => _config.SampleLanguages.Any();

    /// <summary>The effective settings; what the output does not depend on is left out.</summary>
    private JsonObject Settings(List<ExaminationItem> examination)
    {
        JsonObject settings = JsonSerializer.SerializeToNode(_config, CorpusJson.Default.CorpusConfig)!.AsObject();
        if (_tokenizer is not null) settings["tokenizerSha256"] = Manifest.HashFile(_files, _files.DirectoryExists(_tokenizer) ? Path.Combine(_tokenizer, "tokenizer.json") : _tokenizer);
        if (_tombstones.Value is { } tombstones) settings["tombstonesSha256"] = tombstones.Sha256();
        else settings.Remove("tombstones");
        string[] read = [.. _config.Steps.SelectMany(step => step.Files).Distinct(StringComparer.Ordinal)];
        if (read.Length > 0) settings["stepFiles"] = new JsonArray([.. read.Select(file => (JsonNode)Manifest.HashFile(_files, file))]);
        if (!HasSample)
        {
            settings.Remove("sample");
            return settings;
        }
        settings["sample"]!["sha256"] = Manifest.Hash(Encoding.UTF8.GetBytes(string.Concat(
            _config.SampleLanguages.Select(language => Manifest.Hash(SampleText.Bytes(language))))));
        settings["examination"] = new JsonObject { ["items"] = examination.Count, ["sha256"] = SampleExamination.Hash(examination) };
        return settings;
    }

    /// <summary>The manifest of an earlier run that did the same, or null when there is none.</summary>
    private Manifest? Finished(JsonObject settings, CorpusInput input)
    {
        if (!_files.FileExists(Path.Combine(_target, Manifest.FileName))) return null;
        Manifest manifest = Manifest.Read(_files, _target);
        var hashes = manifest.Inputs.ToDictionary(recorded => recorded.Path, recorded => recorded.Sha256);
        List<(string Path, string RecordedAs)> read = [.. InputFiles(input)];
        bool same = manifest.Stage == CorpusStage.StageName
            && CanonicalJson.Write(manifest.Settings).AsSpan().SequenceEqual(CanonicalJson.Write(settings))
            && read.Count == hashes.Count
            && read.All(file => hashes.TryGetValue(file.RecordedAs, out string? hash) && hash == Manifest.HashFile(_files, file.Path));
        return same ? manifest : throw new UserErrorException($"{_target}: holds a finished corpus of other settings or texts; choose another folder or remove it.");
    }

    /// <summary>Takes the work folder, alone or together with other tasks; null when others have it.</summary>
    private FileStream? Claim(bool alone)
    {
        _files.CreateDirectory(_work);
        string path = Path.Combine(_work, "claim");
        try
        {
            if (alone) return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            if (!File.Exists(path)) File.Open(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite).Dispose();
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        }
        catch (IOException) when (File.Exists(path))
        {
            return null;
        }
    }

    /// <summary>Runs a phase on the units of the share.</summary>
    /// <returns>Whether all units are done.</returns>
    private bool RunPhase(Phase phase, int phases, CorpusInput input, string[] fingerprints, State state)
    {
        var context = new BuildContext(
            _files, new HashSet<string>(_config.Languages), _tokens.Value, _config.SamplesKept, _config.Seed, _task?.Name ?? "all", _tombstones.Value, _times);
        IReadOnlyList<WorkUnit> sources = state.Units;
        var done = new WorkUnit?[input.Units.Count];
        var meter = new ProgressMeter(_progress, _clock, $"cleaning, part {phase.Number + 1} of {phases}", phase.Number == 0
            ? input.Units.Where((_, number) => IsMine(number)).Sum(unit => unit.Bytes)
            : sources.Where((_, number) => IsMine(number)).Sum(source => source.Files.Values.Sum()));
        _launcher.Run(done.Length, number =>
        {
            string folder = Path.Combine(_work, string.Create(CultureInfo.InvariantCulture, $"{phase.Number}-{number:00000}"));
            string key = Manifest.Hash(Encoding.UTF8.GetBytes($"{state.Key} {phase.Number} {number} {fingerprints[number]}"));
            done[number] = WorkUnit.TryOpen(_files, folder, key);
            if (done[number] is not null || !IsMine(number)) return;
            done[number] = phase.Number == 0
                ? phase.Run(context, folder, key, skipped => FromInput(input.Units[number], meter, skipped), null)
                : phase.Run(context, folder, key, _ => Phase.Read(_files, sources[number], meter.Add).Select(Ready), phase.Applied!.Verdicts(state.Comparison!, number));
        }, _cancellation);
        meter.Finish();
        (state.Done, state.Pieces) = (done.Count(unit => unit is not null), done.Length);
        if (state.Done < state.Pieces) return false;
        state.Advance([.. done.Select(unit => unit!)]);
        return true;
    }

    /// <summary>Compares the documents of a phase, as far as that is the share's affair.</summary>
    /// <returns>Whether all parts are done.</returns>
    private bool Compare(Phase phase, int phases, State state)
    {
        state.Part++;
        string folder = Path.Combine(_work, string.Create(CultureInfo.InvariantCulture, $"{phase.Number}-compared"));
        var comparison = new Comparison(_files, phase.Measured!, state.Units, folder, state.Key, _task?.Name ?? "all");
        long since = _times?.Now ?? 0;
        state.Compare(comparison);
        var meter = new ProgressMeter(_progress, _clock, $"comparing, part {phase.Number + 1} of {phases - 1}", comparison.Parts * (long)comparison.Table.Rows * comparison.Table.RowBytes);
        using var room = new SemaphoreSlim(ComparisonsAtOnce);
        _launcher.Run(comparison.Parts, part =>
        {
            if (!IsMine(part)) return;
            room.Wait(_cancellation);
            try
            {
                comparison.Run(part, _cancellation);
            }
            finally
            {
                room.Release();
            }
            meter.Add((long)comparison.Table.Rows * comparison.Table.RowBytes);
        }, _cancellation);
        meter.Finish();
        (state.Done, state.Pieces) = (Enumerable.Range(0, comparison.Parts).Count(comparison.IsDone), comparison.Parts);
        if (state.Done < state.Pieces) return false;
        comparison.Join(_cancellation);
        _times?.Add(StepTimes.Comparing(phase.Measured!.Name), since);
        return true;
    }

    private bool IsMine(int piece) => _task?.Has(piece) ?? true;

    private PassingDocument Ready(PassingDocument passing)
    {
        _cancellation.ThrowIfCancellationRequested();
        return _tokenizer is null ? passing with { Tokens = null } : passing;
    }

    private IEnumerable<PassingDocument> FromInput(CorpusUnit unit, ProgressMeter meter, Action<SkippedInput> skipped)
    {
        foreach (Document document in unit.Read(_files, meter.Add, skipped))
        {
            _cancellation.ThrowIfCancellationRequested();
            yield return new PassingDocument(document, unit.IsHeldOut(document) switch { null => Side.ByHash, true => Side.HeldOut, false => Side.Train });
        }
    }

    private Manifest Write(JsonObject settings, CorpusInput input, List<ExaminationItem> examination, State state)
    {
        using AtomicDirectory output = AtomicDirectory.Create(_target, CorpusStage.StageName, settings, _files, _clock);
        foreach (ManifestCount count in state.Counts) output.Count(count);
        if (input.OtherFiles > 0) output.Count(new ManifestCount(CorpusReport.SourceStep, "other-file", Documents: input.OtherFiles));
        new CorpusWriter(_config, _files, _launcher, _clock, _progress, _work, state.Units, state.Counts, _cancellation).Write(output, state.Samples);
        Join(state.Skipped, Path.Combine(output.Path, WorkUnit.SkippedFile));
        Join(state.Ledger, Path.Combine(output.Path, CorpusStage.LedgerFile));
        foreach (ManifestCount count in _config.Steps.SelectMany(step => step.Totals(Recorded(state.Ledger, step.Name)))) output.Count(count);
        WriteExamination(examination, output);
        foreach ((string path, string recordedAs) in InputFiles(input)) output.AddInputFile(path, recordedAs);
        return output.Commit(_launcher.Workers);
    }

    /// <summary>Every file once, however many units read it.</summary>
    private static IEnumerable<(string Path, string RecordedAs)> InputFiles(CorpusInput input) => input.Units.SelectMany(unit => unit.Files).DistinctBy(file => file.RecordedAs);

    /// <summary>Makes one file of those of the units, in input order.</summary>
    private void Join(List<string> parts, string path)
    {
        if (parts.Count == 0) return;
        using Stream stream = _files.CreateFile(path);
        foreach (string part in parts)
        {
            using Stream ofUnit = _files.OpenRead(part);
            ofUnit.CopyTo(stream);
        }
    }

    /// <summary>What steps of a name recorded, unit by unit.</summary>
    private IEnumerable<JsonObject> Recorded(List<string> parts, string step)
    {
        foreach (string part in parts)
        {
            using Stream ofUnit = _files.OpenRead(part);
            var lines = new LineReader(ofUnit);
            while (lines.TryRead(out ReadOnlyMemory<byte> line))
            {
                JsonNode entry = JsonNode.Parse(line.Span)!;
                if ((string?)entry["step"] == step && entry["record"] is JsonObject record) yield return record;
            }
        }
    }

    private void WriteExamination(List<ExaminationItem> items, AtomicDirectory output)
    {
        if (!HasSample) return;
        using Stream stream = _files.CreateFile(Path.Combine(output.Path, CorpusStage.ExaminationFile));
        foreach (ExaminationItem item in items) stream.Write(item.ToJsonLine());
        foreach (var group in items.GroupBy(item => (item.Language, item.Kind)))
            output.Count(new ManifestCount(CorpusReport.ExaminationStep, group.Key.Kind, group.Key.Language, SampleGenerator.Source, Documents: group.Count()));
    }

    /// <summary>How far the build is.</summary>
    /// <param name="key">Stands for everything the next units follow from.</param>
    private sealed class State(string key) : IDisposable
    {
        public string Key { get; private set; } = key;

        public IReadOnlyList<WorkUnit> Units { get; private set; } = [];

        public Comparison? Comparison { get; private set; }

        public List<ManifestCount> Counts { get; } = [];

        public List<string> Skipped { get; } = [];

        public List<string> Samples { get; } = [];

        public List<string> Ledger { get; } = [];

        public int Part { get; set; } = 1;

        public int Done { get; set; }

        public int Pieces { get; set; }

        /// <summary>A comparison is begun, and the one before no longer wanted.</summary>
        public void Compare(Comparison comparison)
        {
            Comparison?.Dispose();
            Comparison = comparison;
        }

        public void Dispose() => Comparison?.Dispose();

        /// <summary>A phase is done. What goes on depends on every unit, and so does the next phase.</summary>
        public void Advance(IReadOnlyList<WorkUnit> units)
        {
            Units = units;
            Key = Manifest.Hash(Encoding.UTF8.GetBytes(Key + string.Concat(units.Select(unit => unit.Key))));
            Counts.AddRange(units.SelectMany(unit => unit.Counts));
            Skipped.AddRange(Having(WorkUnit.SkippedFile));
            Samples.AddRange(Having(CorpusStage.SamplesFile));
            Ledger.AddRange(Having(CorpusStage.LedgerFile));
        }

        private IEnumerable<string> Having(string file) => Units.Where(unit => unit.Files.ContainsKey(file)).Select(unit => Path.Combine(unit.Folder, file));
    }
}
