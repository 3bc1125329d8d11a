using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Readers;

/// <summary>A part of the input that one worker reads from beginning to end. The units of an input, in their order, are its documents in
/// their order.</summary>
internal abstract class CorpusUnit
{
    /// <summary>Names the unit in progress reports and errors.</summary>
    public abstract string Name { get; }

    /// <summary>Bytes to read, as a measure of the work.</summary>
    public abstract long Bytes { get; }

    /// <summary>The files the unit reads, each with its name in the manifest.</summary>
    public virtual IReadOnlyList<(string Path, string RecordedAs)> Files => [];

    /// <summary>Changes whenever the content does.</summary>
    public abstract string Fingerprint(IFileSystem files);

    /// <summary>The documents.</summary>
    /// <param name="files">The file system.</param>
    /// <param name="progress">Told of the bytes as they are read.</param>
    /// <param name="skipped">Told of what is no document and was passed over.</param>
    public abstract IEnumerable<Document> Read(IFileSystem files, Action<long> progress, Action<SkippedInput>? skipped = null);

    /// <summary>Which side of the split a document belongs to where the source decides that itself; null: the hash of its text does.</summary>
    public virtual bool? IsHeldOut(Document document) => null;
}
