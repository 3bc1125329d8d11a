using System.Globalization;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Building;
using OpenEuroLLM.Corpus.Readers;

namespace OpenEuroLLM.Corpus.Deduplication;

/// <summary>The comparison of all documents of a phase, in parts that any process may work at; what a part found is a file in the work folder.</summary>
internal sealed class Comparison : IDisposable
{
    private readonly IFileSystem _files;
    private readonly MeasuredStep _step;
    private readonly IReadOnlyList<WorkUnit> _units;
    private readonly string _folder;
    private readonly string _key;
    private readonly string _writer;
    private readonly IReadOnlyList<KeyPart> _parts;
    private readonly Lazy<IReadOnlyList<RowPairFile>> _found;

    /// <param name="files">The file system.</param>
    /// <param name="step">Says what is compared.</param>
    /// <param name="units">The finished units, with their measures.</param>
    /// <param name="folder">Where its files go.</param>
    /// <param name="key">Stands for everything the outcome follows from.</param>
    /// <param name="writer">Names this process among those that work at the same comparison.</param>
    public Comparison(IFileSystem files, MeasuredStep step, IReadOnlyList<WorkUnit> units, string folder, string key, string writer)
    {
        (_files, _step, _units, _folder, _key, _writer) = (files, step, units, folder, key, writer);
        Table = new MeasureTable(files, [.. units.Select(unit => unit.Has(WorkUnit.All) ? unit.Measures(WorkUnit.All) : null)], step.MeasureBytes);
        _parts = KeyPart.Of(Table.Rows, step.KeyBytes, step.Kinds);
        _found = new Lazy<IReadOnlyList<RowPairFile>>(() => step.Joins
            ? [Joined ?? throw new InvalidOperationException("The pairs have not been joined.")]
            : [.. Enumerable.Range(0, Parts).Select(part => Part(part) ?? throw new InvalidOperationException($"Part {part} is not done."))]);
        files.CreateDirectory(folder);
    }

    /// <summary>The measures.</summary>
    public MeasureTable Table { get; }

    /// <summary>Into how many parts it is divided.</summary>
    public int Parts => _parts.Count;

    /// <summary>Whether a part is done.</summary>
    public bool IsDone(int part) => Part(part) is not null;

    /// <summary>Does a part, unless it is done.</summary>
    public void Run(int part, CancellationToken cancellation)
    {
        if (IsDone(part)) return;
        var found = new RowPairs();
        _step.Compare(Table, _parts[part], found, cancellation);
        found.Write(_files, PathOf(part), KeyOf(part), _writer);
    }

    /// <summary>When all parts are done: makes clusters of the pairs, where the step wants them.</summary>
    public void Join(CancellationToken cancellation)
    {
        if (!_step.Joins || Joined is not null) return;
        var clusters = new Clusters(Table.Rows);
        for (int part = 0; part < Parts; part++)
        {
            cancellation.ThrowIfCancellationRequested();
            foreach (RowPair pair in Part(part)!.Of(0, Table.Rows)) clusters.Join(pair.First, pair.Later);
        }
        var joined = new RowPairs();
        for (int row = 0; row < Table.Rows; row++)
            if (clusters.First(row) is int first && first != row) joined.Add(first, row);
        joined.Write(_files, JoinedPath, KeyOf(Parts), _writer);
    }

    /// <summary>The rows of a unit that repeat earlier ones, in ascending order; a row comes once for each part that found it.</summary>
    public IReadOnlyList<RowPair> Pairs(int unit)
    {
        var pairs = new List<RowPair>();
        foreach (RowPairFile file in _found.Value) pairs.AddRange(file.Of(Table.FirstRow(unit), Table.FirstRow(unit + 1)));
        if (_found.Value.Count > 1) pairs.Sort((one, other) => (one.Later, one.First).CompareTo((other.Later, other.First)));
        return pairs;
    }

    /// <summary>The part of a document that a row of a <see cref="RepeatStep"/> stands for.</summary>
    public RepeatRow Row(int row)
    {
        Span<byte> bytes = stackalloc byte[RepeatRow.Bytes];
        Table.Read(row, bytes);
        return RepeatRow.Read(bytes);
    }

    /// <summary>A document of any unit, by its number there.</summary>
    public Document Document(int unit, int number)
    {
        string lines = _units[unit].Lines(WorkUnit.All);
        IndexEntry entry = IndexEntry.Read(_files, _units[unit].Index(WorkUnit.All), number);
        using Stream stream = _files.OpenRead(lines);
        stream.Seek(entry.LineStart, SeekOrigin.Begin);
        return new LineReader(stream).TryRead(out ReadOnlyMemory<byte> line)
            ? Core.Document.Parse(line.Span, lines)
            : throw new InvalidOperationException($"{lines} has fewer lines than its index.");
    }

    /// <inheritdoc/>
    public void Dispose() => Table.Dispose();

    private RowPairFile? Joined => RowPairFile.TryOpen(_files, JoinedPath, KeyOf(Parts));

    private string JoinedPath => Path.Combine(_folder, "joined.pairs");

    private RowPairFile? Part(int part) => RowPairFile.TryOpen(_files, PathOf(part), KeyOf(part));

    private string PathOf(int part) => Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture, $"{part:00000}.pairs"));

    // Of one length, so that a file of another comparison is never taken for one of this.
    private string KeyOf(int part) => string.Create(CultureInfo.InvariantCulture, $"{_key} {part:0000000000} ");
}
