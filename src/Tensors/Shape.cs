namespace OpenEuroLLM.Tensors;

/// <summary>Sizes of a tensor, slowest dimension first; up to four.</summary>
public readonly record struct Shape
{
    private readonly int d0, d1, d2, d3;

    /// <summary>A matrix of <paramref name="rows"/> × <paramref name="columns"/>.</summary>
    public Shape(int rows, int columns) : this(2, rows, columns, 1, 1) { }

    /// <summary>A vector of <paramref name="length"/>.</summary>
    public Shape(int length) : this(1, length, 1, 1, 1) { }

    private Shape(int rank, int d0, int d1, int d2, int d3)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(d0);
        ArgumentOutOfRangeException.ThrowIfNegative(d1);
        Rank = rank;
        (this.d0, this.d1, this.d2, this.d3) = (d0, d1, d2, d3);
    }

    /// <summary>Number of dimensions, 1 to 4.</summary>
    public int Rank { get; }

    /// <summary>Size of dimension <paramref name="dimension"/>.</summary>
    public int this[int dimension] => dimension switch { 0 => d0, 1 => d1, 2 => d2, 3 => d3, _ => throw new ArgumentOutOfRangeException(nameof(dimension)) };

    /// <summary>Number of elements.</summary>
    public long Count => (long)d0 * d1 * d2 * d3;

    /// <inheritdoc/>
    public override string ToString() => Rank == 1 ? FormattableString.Invariant($"({d0})") : FormattableString.Invariant($"({d0}, {d1})");
}
