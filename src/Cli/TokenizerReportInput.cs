using System.Collections.Concurrent;
using OpenEuroLLM.Core;
using OpenEuroLLM.Languages;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Cli;

/// <summary>Measures tokenizers over the texts of files.</summary>
internal static class TokenizerReportInput
{
    private const int BatchBytes = 8 << 20, BatchTexts = 8192;

    /// <summary>A tokenizer and the short name it has in the report.</summary>
    internal sealed record Subject(string Path, string Name, Tokenizer Tokenizer, bool Judged);

    /// <summary>The code of a language as the report calls it: that of the catalogue where it is there, else as it is written.</summary>
    public static string Canonical(string code) => LanguageCatalog.TryFind(code)?.Code ?? code;

    /// <summary>Loads tokenizers and gives them names: of the file or its folder, or the whole path where names would be the same.</summary>
    public static List<Subject> Load(IReadOnlyList<string> judged, IReadOnlyList<string> beside)
    {
        var all = judged.Select(path => (Path: path, Judged: true)).Concat(beside.Select(path => (Path: path, Judged: false))).ToList();
        if (all.GroupBy(each => each.Path, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new UserErrorException($"tokenizer '{twice.Key}' is named twice; name each once.");
        string[] names = [.. all.Select(each => ShortName(each.Path))];
        return [.. all.Select((each, i) => new Subject(each.Path, names.Count(name => name == names[i]) == 1 ? names[i] : each.Path, BuiltInTokenizer.Load(each.Path), each.Judged))];
    }

    private static string ShortName(string path)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)), name = Path.GetFileName(full);
        if (!Path.HasExtension(name) || Directory.Exists(full)) return name.Length > 0 ? name : path;
        name = Path.GetFileNameWithoutExtension(name);
        return name == "tokenizer" ? Path.GetFileName(Path.GetDirectoryName(full)) is { Length: > 0 } folder ? folder : name : name;
    }

    /// <summary>Measures every tokenizer over every text. The figures do not depend on the number of workers.</summary>
    /// <exception cref="UserErrorException">There is no text, or parallel texts do not fit each other.</exception>
    public static List<TokenizerFigures> Measure(
        IReadOnlyList<Subject> subjects, IReadOnlyList<(string Path, string RecordedAs)> files, bool parallel, ILauncher launcher, Action<int, long> progress, CancellationToken cancellation)
    {
        var spare = new ConcurrentBag<TokenizerMeter[]>();
        TokenizerMeter[] Meters() => [.. subjects.Select(subject => new TokenizerMeter(subject.Tokenizer))];
        var batch = new List<TrainingText>();
        long batchBytes = 0, bytes = 0;
        void Work()
        {
            int tasks = Math.Min(batch.Count, launcher.Workers * 4);
            launcher.Run(tasks, task =>
            {
                if (!spare.TryTake(out var meters)) meters = Meters();
                for (int i = task; i < batch.Count; i += tasks)
                    foreach (var meter in meters) meter.Add(Canonical(batch[i].Language), batch[i].Utf8.Span);
                spare.Add(meters);
            }, cancellation);
            batch.Clear();
            batchBytes = 0;
        }
        for (int done = 0; done < files.Count; done++)
        {
            foreach (var text in TextFiles.Texts(files[done].Path))
            {
                batch.Add(text);
                batchBytes += text.Utf8.Length;
                bytes += text.Utf8.Length;
                if (batchBytes < BatchBytes && batch.Count < BatchTexts) continue;
                Work();
                progress(done, bytes);
            }
        }
        Work();
        if (bytes == 0) throw new UserErrorException("--input holds no text to measure tokenizers on; name files that hold some.");
        var all = Meters();
        foreach (var part in spare)
            for (int i = 0; i < all.Length; i++) all[i].Add(part[i]);
        return [.. subjects.Select((subject, i) => Figures(subject, all[i], parallel))];
    }

    private static TokenizerFigures Figures(Subject subject, TokenizerMeter meter, bool parallel)
    {
        var measured = meter.Result();
        if (parallel) RequireParallel(measured);
        long? english = parallel ? measured["en"].Tokens : null;
        var rows = LanguageFigures.Order(measured.Keys).Select(code => new LanguageFigures(
            code, LanguageCatalog.Official.Any(language => language.Code == code), measured.GetValueOrDefault(code),
            english is long base1 && measured.TryGetValue(code, out var counts) ? (double)counts.Tokens / base1 : null,
            measured.TryGetValue(code, out var used) ? (double)used.VocabularyUsed / subject.Tokenizer.VocabularySize : null)).ToList();
        return new TokenizerFigures(subject.Path, subject.Name, subject.Tokenizer.VocabularySize, meter.VocabularyUsed(), subject.Judged, rows);
    }

    private static void RequireParallel(IReadOnlyDictionary<string, LanguageMeasure> measured)
    {
        if (!measured.TryGetValue("en", out var english) || english.Tokens == 0)
            throw new UserErrorException($"--parallel: the input has no English text to compare with (found {string.Join(", ", measured.Keys.Order(StringComparer.Ordinal))}); add it as language 'en'.");
        foreach (var (code, counts) in measured.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            if (counts.Texts != english.Texts)
                throw new UserErrorException(FormattableString.Invariant($"--parallel: {code} has {counts.Texts} texts and en {english.Texts}; expected the same sentences in every language, one text each."));
    }
}
