using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Deduplication;
using OpenEuroLLM.Corpus.Readers;

namespace OpenEuroLLM.Corpus.Erasure;

/// <summary>The files that say what is to be forgotten; without any of them the tombstones of earlier requests are applied.</summary>
/// <param name="Ids">A document a line: its identifier, or its source, a tab, and its identifier.</param>
/// <param name="Urls">An address a line.</param>
/// <param name="Text">Of a <c>.jsonl</c> file each line is an object with a field <c>text</c>; any other file is one text.</param>
public sealed record ErasureRequest(string? Ids = null, string? Urls = null, string? Text = null)
{
    private const int LongestLine = 1 << 16, LongestText = 256 << 20, MostKeys = 10_000_000;
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads all of it; nothing is changed before every line is known to be sound.</summary>
    /// <exception cref="UserErrorException">A file cannot be read, or a line means nothing; the message names it.</exception>
    internal IReadOnlyList<ForgottenKey> Read(IFileSystem files)
    {
        var keys = new List<ForgottenKey>();
        if (Ids is not null) Lines(files, Ids, LongestLine, keys, Id);
        if (Urls is not null) Lines(files, Urls, LongestLine, keys, Url);
        if (Text is not null && Text.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase)) Lines(files, Text, LongestText, keys, TextLine);
        else if (Text is not null) keys.Add(WholeText(files, Text));
        if (keys.Count == 0 && (Ids ?? Urls ?? Text) is { } empty) throw new UserErrorException($"{empty}: names nothing to forget; expected at least one line.");
        return keys;
    }

    private static void Lines(IFileSystem files, string path, int longest, List<ForgottenKey> keys, Func<string, string, ForgottenKey> parse)
    {
        try
        {
            using Stream stream = files.OpenRead(path);
            var lines = new LineReader(stream, longest);
            while (true)
            {
                string where = string.Create(CultureInfo.InvariantCulture, $"{path}:{lines.Line + 1}");
                string line;
                try
                {
                    if (!lines.TryRead(out ReadOnlyMemory<byte> bytes)) return;
                    line = Strict.GetString(bytes.Span);
                }
                catch (Exception error) when (error is InvalidDataException or DecoderFallbackException)
                {
                    throw new UserErrorException(error is InvalidDataException ? $"{where}: {error.Message}; mend or remove the line." : $"{where}: is not UTF-8; mend or remove the line.", error);
                }
                if (string.IsNullOrWhiteSpace(line)) continue;
                keys.Add(parse(line, where));
                if (keys.Count > MostKeys) throw new UserErrorException($"{where}: is one line too many; expected at most {MostKeys}, divide the file.");
            }
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, path);
        }
    }

    private static ForgottenKey Id(string line, string where)
    {
        string[] parts = line.Split('\t');
        if (parts.Length > 2 || parts.Any(part => part.Length == 0) || parts.Any(part => part.Any(char.IsControl)))
            throw new UserErrorException($"{where}: is no identifier; expected the identifier of a document, or its source, a tab, and its identifier.");
        return parts.Length == 1 ? new(KeyKind.Id, line, $"{where}: id '{line}'") : new(KeyKind.SourceAndId, ForgottenKey.OfSourceAndId(parts[0], parts[1]), $"{where}: id '{parts[1]}' of '{parts[0]}'");
    }

    private static ForgottenKey Url(string line, string where) => CanonicalUrl.Of(line) is { } url
        ? new(KeyKind.Url, url, $"{where}: address '{line.Trim()}'")
        : throw new UserErrorException($"{where}: is no address; expected one that begins with http:// or https://.");

    private static ForgottenKey TextLine(string line, string where)
    {
        try
        {
            if (JsonNode.Parse(line) is JsonObject root && root["text"] is JsonValue value && value.TryGetValue(out string? text) && ForgottenKey.OfText(text) is { Length: > 0 } folded)
                return new(KeyKind.Text, folded, $"{where}: a text");
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or ArgumentException)
        {
            throw new UserErrorException($"{where}: is not valid JSON; expected an object with a field 'text'.", error);
        }
        throw new UserErrorException($"{where}: names no text; expected an object with a field 'text' that is not empty.");
    }

    private static ForgottenKey WholeText(IFileSystem files, string path)
    {
        try
        {
            long length = files.FileLength(path);
            if (length > LongestText) throw new UserErrorException($"{path}: has {length} bytes; expected a text of at most {LongestText}.");
            byte[] bytes = new byte[length];
            using (Stream stream = files.OpenRead(path)) stream.ReadExactly(bytes);
            string folded = ForgottenKey.OfText(Strict.GetString(bytes));
            return folded.Length > 0 ? new(KeyKind.Text, folded, $"{path}: a text") : throw new UserErrorException($"{path}: is empty; expected the text to forget.");
        }
        catch (DecoderFallbackException error)
        {
            throw new UserErrorException($"{path}: is not UTF-8; expected the text to forget.", error);
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, path);
        }
    }
}
