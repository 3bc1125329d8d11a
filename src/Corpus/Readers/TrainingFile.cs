using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using OpenEuroLLM.Core;
using OpenEuroLLM.Languages;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Corpus.Readers;

/// <summary>A file of text for training a tokenizer: <c>.jsonl</c> and <c>.jsonl.gz</c> hold a document a line, <c>.tsv</c> and
/// <c>.tsv.gz</c> a language, a tab and a text a line, <c>.txt</c> is one text whose language is the
/// beginning of the file's name (<c>cs-letters.txt</c>) or unknown. Only a line, or a piece of a text, is held at a time.</summary>
/// <param name="path">The file.</param>
public sealed class TrainingFile(string path) : ITrainingInput
{
    private const int PieceBytes = 1 << 20;

    /// <summary>The language of text that does not say it.</summary>
    public const string UnknownLanguage = "und";

    // What the code of a language is made of.
    private static readonly SearchValues<byte> InCodes = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"u8);

    /// <summary>Whether a file of this name is a table of languages and texts.</summary>
    public static bool IsTable(string path) =>
        path.EndsWith(".tsv", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".tsv.gz", StringComparison.OrdinalIgnoreCase);

    /// <inheritdoc/>
    public long? Bytes { get; } = new FileInfo(path) is { Exists: true } info ? info.Length : null;

    /// <inheritdoc/>
    /// <exception cref="UserErrorException">The file cannot be read, is damaged, or a line is no document.</exception>
    public IEnumerable<TrainingText> Read(Action<long> progress)
    {
        ArgumentNullException.ThrowIfNull(progress);
        using Stream file = Guard(() => new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan), 0);
        using var counted = new CountedStream(file, progress);
        if (path.EndsWith(".txt", StringComparison.OrdinalIgnoreCase))
        {
            foreach (var piece in Pieces(counted))
                yield return piece;
            yield break;
        }
        bool packed = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase);
        using Stream content = packed ? new GzipReader(counted) : counted;
        var lines = new LineReader(content);
        while (Guard(() => Next(lines, packed), lines.Line) is { } text)
            yield return text;
    }

    /// <summary>Reads the documents of a <c>.jsonl</c> or <c>.jsonl.gz</c> file, with all their fields.</summary>
    /// <exception cref="UserErrorException">The file cannot be read, is damaged, or a line is no document.</exception>
    public IEnumerable<Document> ReadDocuments() => new JsonLinesUnit(path, path, Bytes ?? 0).Read(PhysicalFileSystem.Instance, _ => { });

    private TrainingText? Next(LineReader lines, bool packed)
    {
        while (lines.TryRead(out var line))
        {
            if (line.Span.Trim(" \t"u8).IsEmpty)
                continue;
            if (IsTable(path))
                return Row(line.Span, Place(lines.Line));
            if (TryParse(line.Span, out var text))
                return text;
            try
            {
                var document = Document.Parse(line.Span, Place(lines.Line));
                return new TrainingText(Encoding.UTF8.GetBytes(document.Text), document.Lang, document.Source, document.Id);
            }
            catch (UserErrorException) when (packed)
            {
                while (lines.TryRead(out _)) { }   // in a file that is cut short, the file is to blame and not the line: this throws
                throw;
            }
        }
        return null;
    }

    private static TrainingText Row(ReadOnlySpan<byte> line, string where)
    {
        int tab = line.IndexOf((byte)'\t');
        return tab is >= 2 and <= 16 && !line[..tab].ContainsAnyExcept(InCodes)
            ? new TrainingText(line[(tab + 1)..].ToArray(), Encoding.ASCII.GetString(line[..tab]))
            : throw new UserErrorException($"{where}: the line does not begin with a language and a tab; expected a code such as fi, a tab, and the text.");
    }

    /// <summary>Takes the four fields that training needs, without making strings of the text. Anything unusual is left to <see cref="Document.Parse"/>,
    /// which says what is wrong.</summary>
    private static bool TryParse(ReadOnlySpan<byte> line, out TrainingText text)
    {
        text = default;
        byte[]? utf8 = null;
        string? id = null, language = null, source = null;
        bool licensed = false;
        try
        {
            var reader = new Utf8JsonReader(line);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                return false;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                int field = reader.ValueTextEquals("text"u8) ? 0 : reader.ValueTextEquals("id"u8) ? 1 : reader.ValueTextEquals("lang"u8) ? 2
                    : reader.ValueTextEquals("source"u8) ? 3 : reader.ValueTextEquals("license"u8) ? 4
                    : reader.ValueTextEquals("url"u8) || reader.ValueTextEquals("date"u8) ? 5 : 6;
                reader.Read();
                if (field == 6 || reader.TokenType != JsonTokenType.String)
                    return false;
                switch (field)
                {
                    case 0 when utf8 is null:
                        utf8 = Unescaped(ref reader);
                        break;
                    case 1 when id is null:
                        id = reader.GetString();
                        break;
                    case 2 when language is null:
                        language = reader.GetString();
                        break;
                    case 3 when source is null:
                        source = reader.GetString();
                        break;
                    case 4 when !licensed:
                        licensed = true;
                        break;
                    case 5:
                        break;
                    default:
                        return false;
                }
            }
            if (reader.TokenType != JsonTokenType.EndObject || reader.Read())
                return false;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return false;
        }
        if (utf8 is null || id is null || language is null || source is null || !licensed)
            return false;
        text = new TrainingText(utf8, language, source, id);
        return true;
    }

    private static byte[] Unescaped(ref Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped)
        {
            if (!Utf8.IsValid(reader.ValueSpan))
                throw new InvalidOperationException("The text is not valid UTF-8.");
            return reader.ValueSpan.ToArray();
        }
        byte[] buffer = new byte[reader.ValueSpan.Length];
        int length = reader.CopyString(buffer);
        Array.Resize(ref buffer, length);
        return buffer;
    }

    /// <summary>The text in pieces: they end behind a line, or where the text gives no better place between two characters.</summary>
    private IEnumerable<TrainingText> Pieces(Stream file)
    {
        string language = LanguageCatalog.TryFind(Path.GetFileName(path).Split('.', '-', '_')[0])?.Code ?? UnknownLanguage;
        byte[] buffer = new byte[PieceBytes];
        int held = 0;
        long before = 0;
        while (true)
        {
            int read = Guard(() => file.Read(buffer, held, buffer.Length - held), 0);
            held += read;
            if (held == 0)
                yield break;
            if (read > 0 && held < buffer.Length)
                continue;
            int cut = read == 0 ? held : Cut(buffer);
            byte[] piece = before == 0 && buffer.AsSpan(0, cut).StartsWith("\uFEFF"u8) ? buffer[3..cut] : buffer[..cut];
            if (!Utf8.IsValid(piece))
                throw new UserErrorException(string.Create(CultureInfo.InvariantCulture, $"{path}: there is no UTF-8 text at bytes {before} to {before + cut}; expected UTF-8, convert the file."));
            yield return new TrainingText(piece, language, "text", Path.GetFileName(path));
            before += cut;
            held -= cut;
            Buffer.BlockCopy(buffer, cut, buffer, 0, held);
        }
    }

    private static int Cut(ReadOnlySpan<byte> piece)
    {
        int line = piece.LastIndexOf((byte)'\n') + 1;
        if (line > 0)
            return line;
        int end = piece.Length;
        while (end > piece.Length - 4 && (piece[end - 1] & 0xC0) == 0x80)
            end--;
        return end > 1 && piece[end - 1] >= 0xC0 ? end - 1 : piece.Length;
    }

    private T Guard<T>(Func<T> read, long line)
    {
        try
        {
            return read();
        }
        catch (InvalidDataException error)
        {
            throw new UserErrorException($"{Place(line + 1)}: the file is damaged or cut short ({error.Message.TrimEnd('.')}); fetch it again.", error);
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, path);
        }
    }

    private string Place(long line) => string.Create(CultureInfo.InvariantCulture, $"{path}:{line}");
}
