using OpenEuroLLM.Corpus.Archives;

namespace OpenEuroLLM.Corpus.Readers;

/// <summary>A kind of source file. To add a reader, write a <see cref="CorpusUnit"/> and register the ending of its files here; <c>.gz</c> and <c>.zst</c> behind it are
/// understood.</summary>
/// <param name="Endings">How the names of its files end.</param>
/// <param name="Units">The units of work of such files.</param>
internal sealed record SourceFormat(string[] Endings, Func<IReadOnlyList<SourceFile>, CorpusConfig, IEnumerable<CorpusUnit>> Units)
{
    /// <summary>All formats.</summary>
    public static IReadOnlyList<SourceFormat> All { get; } =
    [
        new([".jsonl", ".ndjson"], EachInRanges((file, range, config) => new JsonLinesUnit(file, range, config), file => file.Packing == Packing.None)),
        new([".warc", ".wet", ".arc"], EachInRanges((file, range, config) => new WarcUnit(file, range, config), file => file.Packing != Packing.Zstandard)),
        new([".csv", ".tsv"], (files, config) => files.Select(file => new DelimitedUnit(file, config))),
        new([".html", ".htm", ".xhtml"], HtmlUnit.Of),
        new([".txt"], TextUnit.Of),
    ];

    /// <summary>The format of a file and how it is packed; null when no reader is registered for its ending.</summary>
    public static (SourceFormat Format, Packing Packing)? Of(string name)
    {
        Packing packing = Has(name, ".gz") ? Packing.Gzip : Has(name, ".zst") ? Packing.Zstandard : Packing.None;
        string inner = packing == Packing.None ? name : Path.ChangeExtension(name, null);
        return All.FirstOrDefault(format => format.Endings.Any(ending => Has(inner, ending))) is { } found ? (found, packing) : null;
    }

    private static bool Has(string name, string ending) => name.EndsWith(ending, StringComparison.OrdinalIgnoreCase);

    private static Func<IReadOnlyList<SourceFile>, CorpusConfig, IEnumerable<CorpusUnit>> EachInRanges(Func<SourceFile, ByteRange, CorpusConfig, CorpusUnit> unit, Func<SourceFile, bool> divisible) =>
        (files, config) => files.SelectMany(file => ByteRange.Of(file.Bytes, divisible(file) ? config.UnitBytes : Math.Max(1, file.Bytes)).Select(range => unit(file, range, config)));
}
