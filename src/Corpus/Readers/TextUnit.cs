using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Archives;

namespace OpenEuroLLM.Corpus.Readers;

/// <summary>Some text files of one language, each a document. One that is none, because it is too large, damaged or no UTF-8, is passed over and counted, unless there are many.</summary>
internal sealed class TextUnit(string language, CorpusConfig config, IReadOnlyList<SourceFile> texts) : CorpusUnit
{
    /// <summary>A larger file is hardly one document.</summary>
    public const long MaxBytes = 64L << 20;

    private const int TextsPerUnit = 1_000;
    private const long BytesPerUnit = 64L << 20;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public override string Name => texts[0].RecordedAs;

    public override long Bytes { get; } = texts.Sum(text => text.Bytes);

    public override IReadOnlyList<(string Path, string RecordedAs)> Files => [.. texts.Select(text => (text.Path, text.RecordedAs))];

    /// <summary>Joins the files of each language into units.</summary>
    public static IEnumerable<CorpusUnit> Of(IReadOnlyList<SourceFile> texts, CorpusConfig config) => texts
        .GroupBy(text => text.Language ?? (config.Languages is [var only]
            ? only
            : throw new UserErrorException($"{text.Path}: its language is unknown; expected a folder or the beginning of the name to say it (cs/letter.txt, cs-letter.txt), or one language in corpus.languages.")))
        .SelectMany(ofLanguage => Parts(ofLanguage).Select(part => new TextUnit(ofLanguage.Key, config, part)));

    public override string Fingerprint(IFileSystem files) =>
        Manifest.Hash(Encoding.UTF8.GetBytes(string.Join('\n', texts.Select(text => $"{text.RecordedAs} {text.Hash(files)}"))));

    public override IEnumerable<Document> Read(IFileSystem files, Action<long> progress, Action<SkippedInput>? skipped = null)
    {
        var bad = new BadLines(config.BadLineShare, skipped);
        foreach (SourceFile text in texts)
        {
            if (Decode(files, text, bad) is { } words)
            {
                bad.Good();
                yield return new Document(text.RecordedAs, words, language, "text", config.TextLicense);
            }
            progress(text.Bytes);
        }
        bad.Check();
    }

    /// <summary>Cuts a list of files into parts that are worth a unit each.</summary>
    public static IEnumerable<List<SourceFile>> Parts(IEnumerable<SourceFile> texts)
    {
        var part = new List<SourceFile>();
        long bytes = 0;
        foreach (SourceFile text in texts.OrderBy(text => text.RecordedAs, StringComparer.Ordinal))
        {
            if (part.Count > 0 && (part.Count == TextsPerUnit || bytes + text.Bytes > BytesPerUnit))
            {
                yield return part;
                (part, bytes) = ([], 0);
            }
            part.Add(text);
            bytes += text.Bytes;
        }
        yield return part;
    }

    /// <summary>The text, or null where there is none.</summary>
    private static string? Decode(IFileSystem files, SourceFile text, BadLines bad)
    {
        try
        {
            if (ReadAll(files, text) is { } content)
                return Strict.GetString(content.AsSpan().StartsWith("\uFEFF"u8) ? content.AsSpan(3) : content);
            bad.Bad(WarcReader.TooLarge, text.Path, new UserErrorException($"{text.Path}: has more than {MaxBytes} bytes; expected at most that for one document. Split it, or write its documents as lines of a .jsonl file."));
        }
        catch (DecoderFallbackException error)
        {
            bad.Bad("not-utf-8", text.Path, new UserErrorException($"{text.Path}: byte {error.Index} is not UTF-8; expected UTF-8 text, convert the file.", error));
        }
        catch (DamagedDataException error)
        {
            bad.Bad(error.Reason, text.Path, new UserErrorException($"{text.Path}: the file is damaged or cut short ({error.Message.TrimEnd('.')}); fetch it again.", error), spoilsFile: true);
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, text.Path);
        }
        return null;
    }

    /// <summary>The content, or null where it is too large.</summary>
    private static byte[]? ReadAll(IFileSystem files, SourceFile text)
    {
        if (text.Packing == Packing.None && text.Bytes > MaxBytes) return null;
        using Stream stream = text.OpenUnpacked(files, _ => { });
        using var content = new MemoryStream();
        byte[] buffer = new byte[1 << 16];
        for (int read; (read = stream.Read(buffer)) > 0;)
        {
            if (content.Length + read > MaxBytes) return null;
            content.Write(buffer, 0, read);
        }
        return content.ToArray();
    }
}
