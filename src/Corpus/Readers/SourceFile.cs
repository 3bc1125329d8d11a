using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Archives;

namespace OpenEuroLLM.Corpus.Readers;

/// <summary>A file of the source.</summary>
/// <param name="Path">Where it lies.</param>
/// <param name="RecordedAs">Its name in the manifest.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Packing">How it is packed.</param>
/// <param name="Language">The language that its folder or name says; absent where they say none.</param>
internal sealed record SourceFile(string Path, string RecordedAs, long Bytes, Packing Packing, string? Language)
{
    private readonly Lock _gate = new();
    private string? _hash;

    /// <summary>The hash of its content, read once however many units it has.</summary>
    public string Hash(IFileSystem files)
    {
        lock (_gate) return _hash ??= Manifest.HashFile(files, Path);
    }

    /// <summary>Opens it at a place, unpacked.</summary>
    public Stream OpenUnpacked(IFileSystem files, Action<long> progress, long from = 0)
    {
        if (Packing == Packing.Zstandard) Zstandard.RequireAvailable(Path);
        Stream file = files.OpenRead(Path);
        if (from > 0) file.Seek(from, SeekOrigin.Begin);
        var counted = new CountedStream(file, progress);
        return Packing == Packing.None ? counted : new UnpackedStream(counted, Packing, Limits);
    }

    /// <summary>Its place as errors and logs name it.</summary>
    public string Place(long offset) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Path}: byte {offset}");

    /// <summary>Lines of the same words over and over pack better than pages do.</summary>
    internal static ArchiveLimits Limits { get; } = new(Ratio: 5000, RatioFreeBytes: 64L << 20);
}

/// <summary>A part of a file: what begins in it.</summary>
internal readonly record struct ByteRange(long From, long To)
{
    /// <summary>Cuts a file into parts of about equal size.</summary>
    public static IEnumerable<ByteRange> Of(long bytes, long most)
    {
        long parts = Math.Max(1, (bytes + most - 1) / most);
        for (long part = 0; part < parts; part++)
            yield return new ByteRange((long)((Int128)bytes * part / parts), part == parts - 1 ? long.MaxValue : (long)((Int128)bytes * (part + 1) / parts));
    }

    /// <summary>Whether it is all of a file.</summary>
    public bool IsWhole => From == 0 && To == long.MaxValue;
}
