namespace OpenEuroLLM.Formats.Quantization;

#pragma warning disable CA1707 // Q8_0 and its like are the names of the field; without the mark they would read as other numbers

/// <summary>How a row of numbers is stored: plainly, or in blocks that share a scale. A row is a whole number of blocks.</summary>
/// <remarks>Encoding is a function of the values alone, equal on every machine. Layouts: the ggml block formats, as GGUF files hold them.</remarks>
public abstract class BlockFormat
{
    private protected BlockFormat(string name, int blockElements, int blockBytes, double largestMagnitude)
    {
        Name = name;
        BlockElements = blockElements;
        BlockBytes = blockBytes;
        LargestMagnitude = largestMagnitude;
    }

    /// <summary>Single precision.</summary>
    public static BlockFormat F32 { get; } = new F32();

    /// <summary>IEEE half precision.</summary>
    public static BlockFormat F16 { get; } = new F16();

    /// <summary>The upper half of single precision.</summary>
    public static BlockFormat BF16 { get; } = new BF16();

    /// <summary>8-bit numbers, 32 to a scale: 8.5 bits each.</summary>
    public static BlockFormat Q8_0 { get; } = new Q8_0();

    /// <summary>4-bit numbers, 32 to a scale: 4.5 bits each.</summary>
    public static BlockFormat Q4_0 { get; } = new Q4_0();

    /// <summary>4-bit numbers in groups of 32 with scale and minimum, eight groups to a block: 4.5 bits each.</summary>
    public static BlockFormat Q4_K { get; } = new Q4_K();

    /// <summary>6-bit numbers in groups of 16 with a scale, sixteen groups to a block: 6.5625 bits each.</summary>
    public static BlockFormat Q6_K { get; } = new Q6_K();

    /// <summary>4-bit numbers, 32 to a scale and a minimum: 5 bits each.</summary>
    public static BlockFormat Q4_1 { get; } = new Q4_1();

    /// <summary>5-bit numbers, 32 to a scale: 5.5 bits each.</summary>
    public static BlockFormat Q5_0 { get; } = new Q5_0();

    /// <summary>5-bit numbers, 32 to a scale and a minimum: 6 bits each.</summary>
    public static BlockFormat Q5_1 { get; } = new Q5_1();

    /// <summary>5-bit numbers in groups of 32 with scale and minimum, eight groups to a block: 5.5 bits each.</summary>
    public static BlockFormat Q5_K { get; } = new Q5_K();

    /// <summary>3-bit numbers in groups of 16 with a scale, sixteen groups to a block: 3.4375 bits each.</summary>
    public static BlockFormat Q3_K { get; } = new Q3_K();

    /// <summary>2-bit numbers in groups of 16 with scale and minimum, sixteen groups to a block: 2.625 bits each.</summary>
    public static BlockFormat Q2_K { get; } = new Q2_K();

    /// <summary>All formats that are encoded and decoded here.</summary>
    public static IReadOnlyList<BlockFormat> All { get; } =
        [F32, F16, BF16, Q8_0, Q4_0, Q4_K, Q6_K, Q4_1, Q5_0, Q5_1, Q5_K, Q3_K, Q2_K];

    /// <summary>The format's name in the field, such as <c>Q4_0</c>.</summary>
    public string Name { get; }

    /// <summary>Numbers in a block; 1 for the plain formats.</summary>
    public int BlockElements { get; }

    /// <summary>Bytes of a block.</summary>
    public int BlockBytes { get; }

    /// <summary>The largest magnitude that has a finite stored form.</summary>
    public double LargestMagnitude { get; }

    /// <summary>Whether numbers share scales.</summary>
    public bool IsQuantized => BlockElements > 1;

    /// <summary>Bytes of a row.</summary>
    /// <param name="elements">Numbers in the row.</param>
    /// <exception cref="ArgumentException">They are no whole number of blocks.</exception>
    public long RowBytes(long elements) => elements % BlockElements == 0
        ? checked(elements / BlockElements * BlockBytes)
        : throw new ArgumentException($"A row of {elements} numbers is no whole number of {Name} blocks of {BlockElements}.", nameof(elements));

    /// <summary>The format with a name, whatever its case; null when there is none.</summary>
    public static BlockFormat? Find(string name) => All.FirstOrDefault(format => format.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>Rounds numbers to their stored form.</summary>
    /// <param name="values">Finite numbers within <see cref="LargestMagnitude"/>; a whole number of blocks.</param>
    /// <param name="blocks">Receives their blocks.</param>
    /// <exception cref="ArgumentException">The lengths do not fit.</exception>
    public void Encode(ReadOnlySpan<float> values, Span<byte> blocks) => Encode(values, [], blocks);

    /// <summary>Rounds numbers to their stored form, with small errors where they matter most.</summary>
    /// <param name="values">Rows of finite numbers within <see cref="LargestMagnitude"/>.</param>
    /// <param name="importance">What the squared error in each column weighs, such as the mean square of the activation that meets it: one
    /// number, at least 0, for each column of a row; the rows are as many as fit. Empty: all alike, and the bits of the other overload. Only ratios within a block count.
    /// Plain formats and q8_0 do not look at it.</param>
    /// <param name="blocks">Receives their blocks.</param>
    /// <exception cref="ArgumentException">The lengths do not fit, or an importance is negative, infinite or not a number.</exception>
    public void Encode(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, Span<byte> blocks)
    {
        RequireLengths(values.Length, blocks.Length);
        if (importance.IsEmpty)
        {
            EncodeBlocks(values, [], blocks);
            return;
        }
        if (values.Length % importance.Length != 0)
            throw new ArgumentException($"{values.Length} numbers are no whole rows of {importance.Length} columns.", nameof(importance));
        foreach (var value in importance)
            if (!(value >= 0 && float.IsFinite(value))) throw new ArgumentException($"An importance is {value}; expected a finite number, 0 at least.", nameof(importance));
        var rowBytes = (int)RowBytes(importance.Length);
        for (; !values.IsEmpty; values = values[importance.Length..], blocks = blocks[rowBytes..])
            EncodeBlocks(values[..importance.Length], importance, blocks[..rowBytes]);
    }

    /// <summary>Reads stored numbers.</summary>
    /// <param name="blocks">Whole blocks.</param>
    /// <param name="values">Receives their numbers.</param>
    /// <exception cref="ArgumentException">The lengths do not fit.</exception>
    public void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        RequireLengths(values.Length, blocks.Length);
        DecodeBlocks(blocks, values);
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <param name="importance">Empty, or as long as <paramref name="values"/>.</param>
    private protected abstract void EncodeBlocks(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, Span<byte> blocks);

    private protected abstract void DecodeBlocks(ReadOnlySpan<byte> blocks, Span<float> values);

    private void RequireLengths(int elements, int bytes)
    {
        if (RowBytes(elements) != bytes)
            throw new ArgumentException($"{elements} numbers of {Name} need {RowBytes(elements)} bytes, not {bytes}.");
    }
}
