namespace OpenEuroLLM.Corpus.Deduplication;

/// <summary>The rows that a <see cref="MeasuredStep"/> writes of one document.</summary>
/// <param name="rowBytes">Length of a row.</param>
internal sealed class MeasureRows(int rowBytes)
{
    private byte[] _bytes = new byte[rowBytes];
    private int _used;

    /// <summary>The number of the document in its unit.</summary>
    public int Document { get; private set; }

    /// <summary>All rows of the document.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _used);

    /// <summary>Forgets the rows and goes on to another document.</summary>
    public void Begin(int document) => (Document, _used) = (document, 0);

    /// <summary>Adds a row of zeros, to be filled in.</summary>
    public Span<byte> Add()
    {
        if (_used + rowBytes > _bytes.Length) Array.Resize(ref _bytes, checked((_used + rowBytes) * 2));
        Span<byte> row = _bytes.AsSpan(_used, rowBytes);
        row.Clear();
        _used += rowBytes;
        return row;
    }
}
