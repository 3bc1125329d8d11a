using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Readers;

/// <summary>Some <c>.txt</c> files of one language, each a document.</summary>
internal sealed class TextUnit(string language, string license, IReadOnlyList<(string Path, string RecordedAs, long Bytes)> texts) : CorpusUnit
{
    /// <summary>A larger file is hardly one document.</summary>
    public const long MaxBytes = 256L << 20;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public override string Name => texts[0].RecordedAs;

    public override long Bytes { get; } = texts.Sum(text => text.Bytes);

    public override IReadOnlyList<(string Path, string RecordedAs)> Files => [.. texts.Select(text => (text.Path, text.RecordedAs))];

    public override string Fingerprint(IFileSystem files) =>
        Manifest.Hash(Encoding.UTF8.GetBytes(string.Join('\n', texts.Select(text => $"{text.RecordedAs} {Manifest.HashFile(files, text.Path)}"))));

    public override IEnumerable<Document> Read(IFileSystem files, Action<long> progress)
    {
        foreach ((string path, string recordedAs, long bytes) in texts)
        {
            if (bytes > MaxBytes)
                throw new UserErrorException($"{path}: {bytes} bytes; expected at most {MaxBytes} for one document. Split it, or write its documents as lines of a .jsonl file.");
            yield return new Document(recordedAs, Decode(ReadAll(files, path), path), language, "text", license);
            progress(bytes);
        }
    }

    private static byte[] ReadAll(IFileSystem files, string path)
    {
        try
        {
            using Stream stream = files.OpenRead(path);
            using var content = new MemoryStream();
            stream.CopyTo(content);
            return content.ToArray();
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, path);
        }
    }

    private static string Decode(byte[] content, string path)
    {
        try
        {
            ReadOnlySpan<byte> text = content;
            return Strict.GetString(text.StartsWith("\uFEFF"u8) ? text[3..] : text);
        }
        catch (DecoderFallbackException error)
        {
            throw new UserErrorException($"{path}: byte {error.Index} is not UTF-8; expected UTF-8 text, convert the file.", error);
        }
    }
}
