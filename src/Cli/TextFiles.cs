using System.Text.RegularExpressions;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Readers;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Cli;

/// <summary>Text files that a command is given: what patterns mean, and the lines and texts in them.</summary>
internal static class TextFiles
{
    private const int MaximumLineBytes = 1 << 28;
    private const string Kinds = ".txt, .jsonl, .tsv, .jsonl.gz or .tsv.gz";

    /// <summary>The files that patterns mean, and their names in the manifest: seen from the pattern's fixed part, so that a moved folder gives the same manifest.</summary>
    public static List<(string Path, string RecordedAs)> Expand(string[] patterns)
    {
        var found = new SortedDictionary<string, string>(StringComparer.Ordinal);
        for (int number = 0; number < patterns.Length; number++)
        {
            string pattern = patterns[number].Replace('\\', '/');
            var (root, files) = Match(pattern);
            int before = found.Count;
            foreach (string file in files)
                found.TryAdd(Path.GetFullPath(file), FormattableString.Invariant($"input-{number + 1}/{Path.GetRelativePath(root, file).Replace('\\', '/')}"));
            if (found.Count == before && files.Count == 0)
                throw new UserErrorException($"--input '{patterns[number]}' means no file; expected {Kinds} files.");
        }
        return [.. found.Select(file => (file.Key, file.Value))];
    }

    private static (string Root, List<string> Files) Match(string pattern)
    {
        if (File.Exists(pattern))
            return (Path.GetDirectoryName(Path.GetFullPath(pattern))!, [IsText(pattern) ? pattern : throw new UserErrorException($"{pattern}: is no text file; expected {Kinds}.")]);
        if (Directory.Exists(pattern))
            return (pattern, [.. PhysicalFileSystem.Instance.EnumerateFiles(pattern, recursive: true).Where(IsText)]);
        int wildcard = pattern.IndexOfAny(['*', '?']);
        if (wildcard < 0)
            throw new UserErrorException($"--input '{pattern}' is not there; expected a file, a folder, or a pattern with *, ** or ?.");
        int cut = pattern.LastIndexOf('/', wildcard);
        string root = cut < 0 ? "." : cut == 0 ? "/" : pattern[..cut];
        if (!Directory.Exists(root))
            throw new UserErrorException($"--input '{pattern}': the folder {root} is not there.");
        string rest = Regex.Escape(pattern[(cut + 1)..]).Replace(@"\*\*/", "(.*/)?", StringComparison.Ordinal).Replace(@"\*\*", ".*", StringComparison.Ordinal)
            .Replace(@"\*", "[^/]*", StringComparison.Ordinal).Replace(@"\?", "[^/]", StringComparison.Ordinal);
        var expression = new Regex($"^{rest}$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
        return (root, [.. PhysicalFileSystem.Instance.EnumerateFiles(root, recursive: true)
            .Where(file => IsText(file) && expression.IsMatch(Path.GetRelativePath(root, file).Replace('\\', '/')))]);
    }

    private static bool IsText(string path) =>
        path.EndsWith(".txt", StringComparison.Ordinal) || path.EndsWith(".jsonl", StringComparison.Ordinal) || path.EndsWith(".jsonl.gz", StringComparison.Ordinal)
        || TrainingFile.IsTable(path);

    /// <summary>The texts of a file.</summary>
    public static IEnumerable<TrainingText> Texts(string path) => new TrainingFile(path).Read(_ => { });

    public static Stream Open(string? path) =>
        path is null ? Console.OpenStandardInput() : Read(() => new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16), path);

    /// <summary>The lines of a stream as bytes, without their line feed; nothing else is taken for a line's end, so nothing is lost.</summary>
    public static IEnumerable<byte[]> Lines(Stream stream, string where)
    {
        byte[] buffer = new byte[1 << 16];
        int start = 0;
        int end = 0;
        while (true)
        {
            int searched = start;
            for (int feed; (feed = Array.IndexOf(buffer, (byte)'\n', searched, end - searched)) >= 0; searched = start)
            {
                yield return buffer[start..feed];
                start = feed + 1;
            }
            if (start > 0)
                Buffer.BlockCopy(buffer, start, buffer, 0, end - start);
            (start, end) = (0, end - start);
            if (end == buffer.Length)
            {
                if (end >= MaximumLineBytes)
                    throw new UserErrorException($"{where}: a line is longer than {MaximumLineBytes} bytes; split it.");
                Array.Resize(ref buffer, end * 2);
            }
            int read = Read(() => stream.Read(buffer, end, buffer.Length - end), where);
            if (read == 0)
                break;
            end += read;
        }
        if (end > start)
            yield return buffer[start..end];
    }

    private static T Read<T>(Func<T> read, string where)
    {
        try
        {
            return read();
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, where);
        }
    }
}
