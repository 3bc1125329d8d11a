using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using OpenEuroLLM.Core;
using OpenEuroLLM.Languages;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Cli;

/// <summary>Text files that a command is given: what patterns mean, and the lines and texts in them.</summary>
internal static class TextFiles
{
    private const int MaximumLineBytes = 1 << 28;
    private const long MaximumTextBytes = 1L << 30;

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
                throw new UserErrorException($"--input '{patterns[number]}' means no file; expected .txt, .jsonl or .jsonl.gz files.");
        }
        return [.. found.Select(file => (file.Key, file.Value))];
    }

    private static (string Root, List<string> Files) Match(string pattern)
    {
        if (File.Exists(pattern))
            return (Path.GetDirectoryName(Path.GetFullPath(pattern))!, [IsText(pattern) ? pattern : throw new UserErrorException($"{pattern}: is no text file; expected .txt, .jsonl or .jsonl.gz.")]);
        if (Directory.Exists(pattern))
            return (pattern, [.. Directory.EnumerateFiles(pattern, "*", SearchOption.AllDirectories).Where(IsText)]);
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
        return (root, [.. Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories)
            .Where(file => IsText(file) && expression.IsMatch(Path.GetRelativePath(root, file).Replace('\\', '/')))]);
    }

    private static bool IsText(string path) =>
        path.EndsWith(".txt", StringComparison.Ordinal) || path.EndsWith(".jsonl", StringComparison.Ordinal) || path.EndsWith(".jsonl.gz", StringComparison.Ordinal);

    public static IEnumerable<TrainingText> Texts(string path)
    {
        if (path.EndsWith(".txt", StringComparison.Ordinal))
        {
            if (new FileInfo(path).Length > MaximumTextBytes)
                throw new UserErrorException($"{path}: is larger than 1 GiB, too large for one document; split it, or use .jsonl.");
            // The beginning of the name may say the language (cs.txt, cs-letters.txt); texts of unknown language are weighted together.
            string language = LanguageCatalog.TryFind(Path.GetFileName(path).Split('.', '-', '_')[0])?.Code ?? "und";
            yield return new TrainingText(Read(() => File.ReadAllBytes(path), path), language);
            yield break;
        }
        foreach (var document in Documents(path))
            yield return new TrainingText(Encoding.UTF8.GetBytes(document.Text), document.Lang);
    }

    /// <summary>The documents of a <c>.jsonl</c> or <c>.jsonl.gz</c> file.</summary>
    public static IEnumerable<Document> Documents(string path)
    {
        using var file = Open(path);
        using var content = path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress, leaveOpen: true) : file;
        int number = 0;
        long length = 0;
        foreach (byte[] line in Lines(content, path))
        {
            number++;
            length += line.Length + 1L;
            if (line.AsSpan().Trim(" \t\r"u8).IsEmpty)
                continue;
            yield return Document.Parse(line, FormattableString.Invariant($"{path}:{number}"));
        }
        if (!ReferenceEquals(content, file))
            RequireWhole(file, path, length);
    }

    /// <summary>The platform takes a gzip file that was cut for a shorter one; but its last four bytes are the length of what was packed.</summary>
    private static void RequireWhole(Stream file, string path, long length)
    {
        byte[] end = new byte[4];
        if (file.Length >= 18)
        {
            file.Position = file.Length - 4;
            file.ReadExactly(end);
        }
        // The last line need not end in a line feed, which was counted with it.
        uint packed = BinaryPrimitives.ReadUInt32LittleEndian(end);
        if (file.Length < 18 || (packed != (uint)length && packed != (uint)(length - 1)))
            throw new UserErrorException($"{path}: the gzip data is cut short, damaged or in several parts; fetch it again, or unpack it.");
    }

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
        catch (InvalidDataException error)
        {
            throw new UserErrorException($"{where}: the gzip data is damaged; fetch it again, or unpack it.", error);
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, where);
        }
    }
}
