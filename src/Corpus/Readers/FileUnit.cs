using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Archives;

namespace OpenEuroLLM.Corpus.Readers;

/// <summary>A file, or a range of one: what begins in the range.</summary>
internal abstract class FileUnit(SourceFile file, ByteRange range) : CorpusUnit
{
    public sealed override string Name => range.IsWhole ? file.RecordedAs : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{file.RecordedAs}@{range.From:D15}");

    public sealed override long Bytes => Math.Min(range.To, file.Bytes) - range.From;

    public sealed override IReadOnlyList<(string Path, string RecordedAs)> Files => [(file.Path, file.RecordedAs)];

    /// <summary>The file.</summary>
    protected SourceFile File => file;

    /// <summary>The part of it.</summary>
    protected ByteRange Range => range;

    public sealed override string Fingerprint(IFileSystem files) =>
        range.IsWhole ? file.Hash(files) : Manifest.Hash(System.Text.Encoding.UTF8.GetBytes(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{file.Hash(files)} {range.From} {range.To}")));

    /// <summary>Runs a read, and words what goes wrong with the disk.</summary>
    protected T Guard<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, file.Path);
        }
    }

    /// <summary>What the user is told of a file that cannot be read to its end.</summary>
    protected static UserErrorException Damaged(string place, DamagedDataException error) =>
        new($"{place}: the file is damaged or cut short ({error.Message.TrimEnd('.')}); fetch it again.", error);
}
