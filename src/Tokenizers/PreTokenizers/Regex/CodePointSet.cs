namespace OpenEuroLLM.Tokenizers;

/// <summary>A set of characters: ranges of code points. A byte that is no part of valid UTF-8 is the character <see cref="BrokenByte"/>, which
/// only complements contain. Immutable.</summary>
internal sealed class CodePointSet
{
    /// <summary>Stands for a byte that is no part of valid UTF-8.</summary>
    public const int BrokenByte = 0x110000;

    private const int Limit = BrokenByte + 1;

    private readonly int[] _edges;          // ascending: begins of ranges at even places, ends (exclusive) at odd ones
    private readonly UInt128 _ascii;
    private readonly ulong[]? _basicPlane;  // one bit each; null where few ranges make a search as fast

    private CodePointSet(int[] edges)
    {
        _edges = edges;
        for (int value = 0; value < 128; value++)
            if (Search(value))
                _ascii |= UInt128.One << value;
        if (edges.Length > 16)
            _basicPlane = BuildBasicPlane(edges);
    }

    public static CodePointSet Empty { get; } = new([]);

    /// <summary>Every character, broken bytes as well.</summary>
    public static CodePointSet All { get; } = new([0, Limit]);

    public bool IsEmpty => _edges.Length == 0;

    /// <summary>The ranges, ends exclusive.</summary>
    public IEnumerable<(int Start, int End)> Ranges => _edges.Chunk(2).Select(range => (range[0], range[1]));

    public static CodePointSet Of(params IEnumerable<int> values) => OfRanges(values.Select(value => (value, value + 1)));

    public static CodePointSet Range(int first, int last) => new([first, last + 1]);

    /// <param name="ranges">Ends exclusive, in any order.</param>
    public static CodePointSet OfRanges(IEnumerable<(int Start, int End)> ranges)
    {
        var edges = new List<int>();
        foreach (var (start, end) in ranges.Where(range => range.Start < range.End).Order())
        {
            if (edges.Count > 0 && start <= edges[^1])
                edges[^1] = Math.Max(edges[^1], end);
            else
                edges.AddRange([start, end]);
        }
        return new CodePointSet([.. edges]);
    }

    public static CodePointSet Union(params IEnumerable<CodePointSet> sets) => OfRanges(sets.SelectMany(set => set.Ranges));

    public CodePointSet Complement()
    {
        var edges = new List<int>(_edges);
        if (edges is [0, ..])
            edges.RemoveAt(0);
        else
            edges.Insert(0, 0);
        if (edges is [.., Limit])
            edges.RemoveAt(edges.Count - 1);
        else
            edges.Add(Limit);
        return new CodePointSet([.. edges]);
    }

    public CodePointSet Intersect(CodePointSet other) => Union(Complement(), other.Complement()).Complement();

    public CodePointSet Except(CodePointSet other) => Union(Complement(), other).Complement();

    public bool Contains(int value)
    {
        if (value < 128)
            return (_ascii >> value & UInt128.One) != UInt128.Zero;
        return _basicPlane is not null && value < 0x10000 ? (_basicPlane[value >> 6] >> value & 1) != 0 : Search(value);
    }

    private bool Search(int value)
    {
        int place = Array.BinarySearch(_edges, value);
        return ((place >= 0 ? place : ~place - 1) & 1) == 0;   // at or behind a begin
    }

    private static ulong[] BuildBasicPlane(int[] edges)
    {
        ulong[] bits = new ulong[0x10000 / 64];
        for (int i = 0; i < edges.Length; i += 2)
            for (int value = edges[i]; value < Math.Min(edges[i + 1], 0x10000); value++)
                bits[value >> 6] |= 1UL << value;
        return bits;
    }
}
