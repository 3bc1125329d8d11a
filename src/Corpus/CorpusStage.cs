using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Building;
using OpenEuroLLM.Corpus.Deduplication;
using OpenEuroLLM.Corpus.Readers;
using OpenEuroLLM.Corpus.Sample;
using OpenEuroLLM.Languages;

namespace OpenEuroLLM.Corpus;

/// <summary>The stage "corpus": texts in, cleaned documents for training and held-out ones out. The folder has
/// <c>train/LANGUAGE-00000.jsonl</c> and so on, <c>heldout/LANGUAGE.jsonl</c>, and for the built-in sample <c>examination.jsonl</c>
/// (see <see cref="ExaminationItem"/>).</summary>
/// <remarks>The output is the same byte for byte whatever the number of workers. Finished units of work are kept in
/// <c>OUT.work</c> until the folder is complete, so that the same call goes on after an interruption.</remarks>
public static class CorpusStage
{
    /// <summary>Name of the stage in manifests.</summary>
    public const string StageName = "corpus";

    /// <summary>File of the examination's items.</summary>
    public const string ExaminationFile = "examination.jsonl";

    /// <summary>What a decision over all documents may hold in its tables, beside 4 bytes for each document.</summary>
    private const long DecisionMemoryBytes = 512L << 20;

    /// <summary>Builds the corpus. A finished folder of the same settings and inputs is left as it is.</summary>
    /// <param name="config">The settings.</param>
    /// <param name="target">The folder to make.</param>
    /// <param name="launcher">Runs the units of work.</param>
    /// <param name="progress">Told how far the work is.</param>
    /// <param name="fileSystem">The file system; the machine's own by default.</param>
    /// <param name="clock">The clock; the machine's own by default.</param>
    /// <param name="cancellation">Stops the work between documents' units; what is finished stays for the next call.</param>
    /// <exception cref="UserErrorException">The input cannot be read, the output cannot be written, or nothing is left of the texts.</exception>
    public static Manifest Run(
        CorpusConfig config, string target, ILauncher launcher, IProgress<CorpusProgress>? progress = null,
        IFileSystem? fileSystem = null, IClock? clock = null, CancellationToken cancellation = default)
    {
        IFileSystem files = fileSystem ?? PhysicalFileSystem.Instance;
        try
        {
            return new Build(Checked(config), Path.GetFullPath(target), launcher, progress, files, clock ?? SystemClock.Instance, cancellation).Run();
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, target);
        }
    }

    /// <summary>The settings as they count: languages canonical, sorted and without repetition.</summary>
    private static CorpusConfig Checked(CorpusConfig config)
    {
        var languages = new SortedSet<string>(StringComparer.Ordinal);
        foreach (string code in config.Languages)
        {
            try
            {
                languages.Add(LanguageCatalog.Find(code).Code);
            }
            catch (UserErrorException error)
            {
                throw new UserErrorException($"corpus.languages: {error.Message}", error);
            }
        }
        if (languages.Count == 0) throw new UserErrorException("corpus.languages is empty; expected at least one language code.");
        foreach (LengthFilter length in config.Steps.OfType<LengthFilter>())
            if (length.MaxCharacters < length.MinCharacters)
                throw new UserErrorException($"corpus.steps: step 'length' has maxCharacters {length.MaxCharacters} below minCharacters {length.MinCharacters}.");
        return config with { Languages = [.. languages] };
    }

    private sealed class Build(
        CorpusConfig config, string target, ILauncher launcher, IProgress<CorpusProgress>? progress, IFileSystem files, IClock clock,
        CancellationToken cancellation)
    {
        private readonly string _work = target + ".work";
        private readonly HashSet<string> _languages = [.. config.Languages];

        public Manifest Run()
        {
            CorpusInput input = CorpusInput.Open(config, files);
            List<ExaminationItem> examination = [.. config.SampleLanguages.SelectMany(language => SampleExamination.Items(language, config.Seed, config.Sample))];
            JsonObject settings = Settings(examination);
            string[] fingerprints = new string[input.Units.Count];
            launcher.Run(fingerprints.Length, unit => fingerprints[unit] = input.Units[unit].Fingerprint(files), cancellation);
            if (Finished(settings, input, fingerprints) is { } manifest) return manifest;

            using FileStream claim = ClaimWork();
            using AtomicDirectory output = AtomicDirectory.Create(target, StageName, settings, files, clock);
            (IReadOnlyList<WorkUnit> units, Funnel decided, IEnumerable<ManifestCount> counted) = RunPhases(input, settings, fingerprints);
            foreach (ManifestCount count in counted.Concat(decided.Counts())) output.Count(count);
            if (input.OtherFiles > 0) output.Count(new ManifestCount("source", "other-file", Documents: input.OtherFiles));
            WriteSplit(units, output);
            WriteExamination(examination, output);
            foreach ((string path, string recordedAs) in input.Units.SelectMany(unit => unit.Files)) output.AddInputFile(path, recordedAs);
            manifest = output.Commit(launcher.Workers);
            claim.Dispose();
            files.Delete(_work);
            return manifest;
        }

        private bool HasSample => config.SampleLanguages.Any();

        /// <summary>The effective settings; what the output does not depend on is left out.</summary>
        private JsonObject Settings(List<ExaminationItem> examination)
        {
            JsonObject settings = JsonSerializer.SerializeToNode(config, CorpusJson.Default.CorpusConfig)!.AsObject();
            if (!HasSample)
            {
                settings.Remove("sample");
                return settings;
            }
            settings["sample"]!["sha256"] = Manifest.Hash(Encoding.UTF8.GetBytes(string.Concat(
                config.SampleLanguages.Select(language => Manifest.Hash(SampleText.Bytes(language))))));
            settings["examination"] = new JsonObject { ["items"] = examination.Count, ["sha256"] = SampleExamination.Hash(examination) };
            return settings;
        }

        /// <summary>The manifest of an earlier run that did the same, or null when there is none.</summary>
        private Manifest? Finished(JsonObject settings, CorpusInput input, string[] fingerprints)
        {
            if (!files.FileExists(Path.Combine(target, Manifest.FileName))) return null;
            Manifest manifest = Manifest.Read(files, target);
            var hashes = manifest.Inputs.ToDictionary(recorded => recorded.Path, recorded => recorded.Sha256);
            List<(string Path, string RecordedAs)> read = [.. input.Units.SelectMany(unit => unit.Files)];
            bool same = manifest.Stage == StageName
                && CanonicalJson.Write(manifest.Settings).AsSpan().SequenceEqual(CanonicalJson.Write(settings))
                && read.Count == hashes.Count
                && read.All(file => hashes.TryGetValue(file.RecordedAs, out string? hash) && hash == Manifest.HashFile(files, file.Path));
            return same ? manifest : throw new UserErrorException($"{target}: holds a finished corpus of other settings or texts; choose another folder or remove it.");
        }

        private FileStream ClaimWork()
        {
            files.CreateDirectory(_work);
            try
            {
                return new FileStream(Path.Combine(_work, "claim"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException error) when (File.Exists(Path.Combine(_work, "claim")))
            {
                throw new UserErrorException($"{target}: is being built by another process; wait for it, or choose another folder.", error);
            }
        }

        private (IReadOnlyList<WorkUnit> Units, Funnel Decided, IEnumerable<ManifestCount> Counts) RunPhases(CorpusInput input, JsonObject settings, string[] fingerprints)
        {
            string before = Manifest.Hash(Encoding.UTF8.GetBytes($"work 2 {BuildVersion.Current} ").Concat(CanonicalJson.Write(settings)).ToArray());
            var decided = new Funnel();
            var counts = new List<ManifestCount>();
            IReadOnlyList<WorkUnit> units = [];
            IReadOnlyList<bool[]> goesOn = [];
            IReadOnlyList<Phase> phases = Phase.Of(config.Steps);
            foreach (Phase phase in phases)
            {
                IReadOnlyList<WorkUnit> sources = units;
                var done = new WorkUnit[input.Units.Count];
                var meter = new ProgressMeter(progress, clock, $"cleaning, part {phase.Number + 1} of {phases.Count}", phase.Number == 0
                    ? input.Units.Sum(unit => unit.Bytes)
                    : sources.Sum(source => source.Files.Values.Sum()));
                launcher.Run(done.Length, number =>
                {
                    string folder = Path.Combine(_work, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{phase.Number}-{number:00000}"));
                    string key = Manifest.Hash(Encoding.UTF8.GetBytes($"{before} {phase.Number} {number} {fingerprints[number]}"));
                    done[number] = WorkUnit.TryOpen(files, folder, key)
                        ?? phase.Run(files, folder, key, phase.Number == 0
                            ? FromInput(input.Units[number], meter)
                            : Phase.Read(files, sources[number], goesOn[number], meter.Add), _languages);
                }, cancellation);
                meter.Finish();
                units = done;
                counts.AddRange(units.SelectMany(unit => unit.Counts));
                // What goes on depends on every unit, and so does the next phase.
                before = Manifest.Hash(Encoding.UTF8.GetBytes(before + string.Concat(units.Select(unit => unit.Key))));
                if (phase.Measured is not null) goesOn = phase.Decide(files, units, new DecisionRoom(launcher, DecisionMemoryBytes, cancellation), decided);
            }
            return (units, decided, counts);
        }

        private IEnumerable<(Document Document, Side Side)> FromInput(CorpusUnit unit, ProgressMeter meter)
        {
            foreach (Document document in unit.Read(files, meter.Add))
            {
                cancellation.ThrowIfCancellationRequested();
                yield return (document, unit.IsHeldOut(document) switch { null => Side.ByHash, true => Side.HeldOut, false => Side.Train });
            }
        }

        private void WriteSplit(IReadOnlyList<WorkUnit> units, AtomicDirectory output)
        {
            string[] languages = [.. config.Languages.Where(language => units.Any(unit => unit.Has(language)))];
            if (languages.Length == 0)
                throw new UserErrorException($"corpus.source '{config.Source}': no document is left after all steps; expected documents in {string.Join(", ", config.Languages.Take(24))}. Check corpus.languages and corpus.steps.");
            var split = new Split(config, files, units);
            var heldOut = new HashSet<UInt128>[languages.Length];
            launcher.Run(languages.Length, language => heldOut[language] = split.ChooseHeldOut(languages[language]), cancellation);
            HashSet<UInt128> all = [.. heldOut.SelectMany(hashes => hashes)];
            files.CreateDirectory(Path.Combine(output.Path, "train"));
            files.CreateDirectory(Path.Combine(output.Path, "heldout"));
            var meter = new ProgressMeter(progress, clock, "writing", units.Sum(unit => unit.Files.Values.Sum()));
            var funnels = new Funnel[languages.Length];
            launcher.Run(languages.Length, language => funnels[language] = split.Write(languages[language], all, output.Path, meter.Add), cancellation);
            meter.Finish();
            foreach (ManifestCount count in funnels.SelectMany(funnel => funnel.Counts())) output.Count(count);
        }

        private void WriteExamination(List<ExaminationItem> items, AtomicDirectory output)
        {
            if (!HasSample) return;
            using Stream stream = files.CreateFile(Path.Combine(output.Path, ExaminationFile));
            foreach (ExaminationItem item in items) stream.Write(item.ToJsonLine());
            foreach (var group in items.GroupBy(item => (item.Language, item.Kind)))
                output.Count(new ManifestCount(CorpusReport.ExaminationStep, group.Key.Kind, group.Key.Language, SampleGenerator.Source, Documents: group.Count()));
        }
    }
}
