using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Readers;

/// <summary>The units of a source in their order, and what lies beside them.</summary>
/// <param name="Units">Ordered by path.</param>
/// <param name="OtherFiles">Files of a folder that are no texts: not read, but counted.</param>
internal sealed record CorpusInput(IReadOnlyList<CorpusUnit> Units, int OtherFiles)
{
    private const int TextsPerUnit = 1_000;
    private const long BytesPerTextUnit = 64L << 20;

    /// <summary>Finds the units of the configured source.</summary>
    public static CorpusInput Open(CorpusConfig config, IFileSystem files)
    {
        CorpusUnit[] sample = [.. config.SampleLanguages.Order(StringComparer.Ordinal).Select(language => new SampleUnit(language, config.Sample, config.Seed))];
        if (config.Source == CorpusConfig.SampleSource) return new CorpusInput(sample, 0);
        try
        {
            CorpusInput texts = OpenFiles(config, files);
            return texts with { Units = [.. sample, .. texts.Units] };
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, config.Source);
        }
    }

    private static CorpusInput OpenFiles(CorpusConfig config, IFileSystem files)
    {
        string root = Path.GetFullPath(config.Source);
        List<(string Path, string Relative)> found;
        if (files.DirectoryExists(root))
            found = [.. files.EnumerateFiles(root, recursive: true).Select(path => (path, Path.GetRelativePath(root, path).Replace('\\', '/')))];
        else if (files.FileExists(root)) found = [(root, Path.GetFileName(root))];
        else throw new UserErrorException($"corpus.source is '{config.Source}', which is not there; expected a folder or file, seen from the current folder, or '{CorpusConfig.SampleSource}'.");

        var units = new List<(string Relative, CorpusUnit Unit)>();
        var texts = new SortedDictionary<string, List<(string Path, string RecordedAs, long Bytes)>>(StringComparer.Ordinal);
        int others = 0;
        foreach ((string path, string relative) in found)
        {
            string recordedAs = "source/" + relative;
            long bytes = files.FileLength(path);
            if (Has(relative, ".jsonl") || Has(relative, ".jsonl.gz")) units.Add((relative, new JsonLinesUnit(path, recordedAs, bytes)));
            else if (Has(relative, ".jsonl.zst")) throw new UserErrorException($"{path}: Zstandard is not read; unpack it (zstd -d) or pack it with gzip.");
            else if (!Has(relative, ".txt")) others++;
            else
            {
                string language = LanguageOf(relative, config, path);
                if (!texts.TryGetValue(language, out var ofLanguage)) texts[language] = ofLanguage = [];
                ofLanguage.Add((path, recordedAs, bytes));
            }
        }
        foreach ((string language, var ofLanguage) in texts)
            units.AddRange(Parts(ofLanguage).Select(part => (part[0].RecordedAs, (CorpusUnit)new TextUnit(language, config.TextLicense, part))));
        if (units.Count == 0)
            throw new UserErrorException($"corpus.source is '{config.Source}', which holds no text; expected files named .jsonl, .jsonl.gz or .txt.");
        return new CorpusInput([.. units.OrderBy(unit => unit.Unit.Name, StringComparer.Ordinal).Select(unit => unit.Unit)], others);
    }

    private static bool Has(string name, string ending) => name.EndsWith(ending, StringComparison.OrdinalIgnoreCase);

    private static IEnumerable<List<(string Path, string RecordedAs, long Bytes)>> Parts(List<(string Path, string RecordedAs, long Bytes)> texts)
    {
        var part = new List<(string Path, string RecordedAs, long Bytes)>();
        long bytes = 0;
        foreach (var text in texts.OrderBy(text => text.RecordedAs, StringComparer.Ordinal))
        {
            if (part.Count > 0 && (part.Count == TextsPerUnit || bytes + text.Bytes > BytesPerTextUnit))
            {
                yield return part;
                (part, bytes) = ([], 0);
            }
            part.Add(text);
            bytes += text.Bytes;
        }
        yield return part;
    }

    /// <summary>The folder, the beginning of the name, or the only language asked for.</summary>
    private static string LanguageOf(string relative, CorpusConfig config, string path)
    {
        string[] parts = relative.Split('/');
        foreach (string part in parts[..^1])
            if (CorpusLanguages.Canonical(part) is { } ofFolder) return ofFolder;
        if (CorpusLanguages.Canonical(parts[^1].Split('.', '-', '_')[0]) is { } ofName) return ofName;
        return config.Languages is [var only]
            ? only
            : throw new UserErrorException($"{path}: its language is unknown; expected a folder or the beginning of the name to say it (cs/letter.txt, cs-letter.txt), or one language in corpus.languages.");
    }
}
