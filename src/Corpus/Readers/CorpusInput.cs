using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Archives;

namespace OpenEuroLLM.Corpus.Readers;

/// <summary>The units of a source in their order, and what lies beside them.</summary>
/// <param name="Units">Ordered by path.</param>
/// <param name="OtherFiles">Files of a folder that are no texts: not read, but counted.</param>
internal sealed record CorpusInput(IReadOnlyList<CorpusUnit> Units, int OtherFiles)
{
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

    /// <summary>Refuses an output folder inside the folder that is read: the next run would read what this one wrote.</summary>
    public static void RefuseTarget(CorpusConfig config, string target, IFileSystem files)
    {
        if (config.Source == CorpusConfig.SampleSource) return;
        string root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(config.Source)), full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(target));
        if (!files.DirectoryExists(root)) return;
        if (full == root || full.StartsWith(Path.EndsInDirectorySeparator(root) ? root : root + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            throw new UserErrorException($"{target}: lies in the folder that is read, {config.Source}, so that the next run would read what this one wrote; choose a folder outside it.");
    }

    private static CorpusInput OpenFiles(CorpusConfig config, IFileSystem files)
    {
        string root = Path.GetFullPath(config.Source);
        List<(string Path, string Relative)> found;
        if (files.DirectoryExists(root))
            found = [.. files.EnumerateFiles(root, recursive: true).Select(path => (path, Path.GetRelativePath(root, path).Replace('\\', '/')))];
        else if (files.FileExists(root)) found = [(root, Path.GetFileName(root))];
        else throw new UserErrorException($"corpus.source is '{config.Source}', which is not there; expected a folder or file, seen from the current folder, or '{CorpusConfig.SampleSource}'.");

        var known = new Dictionary<SourceFormat, List<SourceFile>>();
        int others = 0;
        foreach ((string path, string relative) in found)
        {
            if (SourceFormat.Of(relative) is not (SourceFormat format, Packing packing))
            {
                others++;
                continue;
            }
            if (packing == Packing.Zstandard) Zstandard.RequireAvailable(path);
            if (!known.TryGetValue(format, out List<SourceFile>? ofFormat)) known[format] = ofFormat = [];
            ofFormat.Add(new SourceFile(path, "source/" + relative, files.FileLength(path), packing, LanguageOf(relative)));
        }
        CorpusUnit[] units = [.. known.SelectMany(ofFormat => ofFormat.Key.Units(ofFormat.Value, config)).OrderBy(unit => unit.Name, StringComparer.Ordinal)];
        if (units.Length == 0)
            throw new UserErrorException($"corpus.source is '{config.Source}', which holds no text; expected files named {string.Join(", ", SourceFormat.All.SelectMany(format => format.Endings))}, plain or with .gz or .zst behind.");
        return new CorpusInput(units, others);
    }

    /// <summary>What the folder or the beginning of the name says.</summary>
    private static string? LanguageOf(string relative)
    {
        string[] parts = relative.Split('/');
        foreach (string part in parts[..^1])
            if (CorpusLanguages.Canonical(part) is { } ofFolder) return ofFolder;
        return CorpusLanguages.Canonical(parts[^1].Split('.', '-', '_')[0]);
    }
}
