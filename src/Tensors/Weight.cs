using System.Numerics;
using OpenEuroLLM.Core;
using OpenEuroLLM.Tensors.Kernels;
using OpenEuroLLM.Tensors.Kernels.Quantized;

namespace OpenEuroLLM.Tensors;

/// <summary>A parameter of a model: a matrix (outputs, inputs), or a vector as one row. How it lies in memory is the engine's concern.</summary>
/// <remarks>A trainable weight lies row-major beside its gradient. A weight for inference is packed once, at load, into panels of 16
/// outputs (32 where it is quantized), in the type it has in the file and in as many bytes.</remarks>
public sealed unsafe class Weight : IDisposable
{
    private void* data;
    private float* gradient;
    private readonly bool isOutline;

    private Weight(string name, int rows, int columns, ElementType type, bool packed, bool trainable)
    {
        (Name, Rows, Columns, Type, IsPacked) = (name, rows, columns, type, packed);
        StorageBytes = checked((packed ? ((long)rows + PanelRows - 1) / PanelRows * PanelRows : rows) * ElementTypes.RowBytes(type, columns));
        data = Arena.AllocateZeroed((StorageBytes + sizeof(float) - 1) / sizeof(float));
        if (trainable) gradient = Arena.AllocateZeroed(Count);
    }

    private Weight(string name, int rows, int columns) =>
        (Name, Rows, Columns, Type, isOutline) = (name, rows, columns, ElementType.F32, true);

    /// <summary>Name in the model's files.</summary>
    public string Name { get; }

    /// <summary>Outputs; 1 for a vector.</summary>
    public int Rows { get; }

    /// <summary>Inputs; the length of a vector.</summary>
    public int Columns { get; }

    /// <summary>Number of parameters.</summary>
    public long Count => (long)Rows * Columns;

    /// <summary>How the numbers are stored.</summary>
    public ElementType Type { get; }

    /// <summary>Bytes of the numbers as they are held, without the gradient. A packed weight has its rows filled up to whole panels.</summary>
    public long StorageBytes { get; }

    /// <summary>Whether a gradient is kept.</summary>
    public bool IsTrainable => gradient != null || isOutline;

    internal bool IsPacked { get; }

    internal float* Data => (float*)data;

    internal ushort* HalfData => (ushort*)data;

    internal float* GradientData => gradient;

    /// <summary>Values of a trainable weight or a vector, row-major.</summary>
    /// <exception cref="InvalidOperationException">The weight is packed.</exception>
    public Span<float> Values => IsPacked
        ? throw new InvalidOperationException($"{Name} is packed; read its rows with CopyRow")
        : new Span<float>(data, checked((int)Count));

    /// <summary>Gradient of a trainable weight, row-major.</summary>
    public Span<float> Gradient => gradient == null
        ? throw new InvalidOperationException($"{Name} has no gradient")
        : new Span<float>(gradient, checked((int)Count));

    /// <summary>A weight to be trained, all zeros.</summary>
    public static Weight Trainable(string name, int rows, int columns) => new(name, rows, columns, ElementType.F32, packed: false, trainable: true);

    /// <summary>The name and shape of a weight to be trained, without memory, for an engine that only counts: see <see cref="Engine.Outline"/>.</summary>
    public static Weight Outline(string name, int rows, int columns) => new(name, rows, columns);

    /// <summary>A vector that is only read, such as a norm's gain.</summary>
    public static Weight Vector(string name, int length) => new(name, 1, length, ElementType.F32, packed: false, trainable: false);

    /// <summary>A matrix that is only read; fill it with <see cref="SetRows"/> or <see cref="SetRow"/>.</summary>
    /// <exception cref="UserErrorException">A row is not a whole number of the type's blocks.</exception>
    public static Weight Packed(string name, int rows, int columns, ElementType type)
    {
        var block = ElementTypes.BlockLength(type);
        if (columns % block != 0)
            throw new UserErrorException(FormattableString.Invariant(
                $"{name}: a row of {columns} numbers cannot be stored as {ElementTypes.Name(type)}, whose blocks have {block}; use a type whose block length divides the row."));
        return new(name, rows, columns, type, packed: true, trainable: false);
    }

    /// <summary>Sets whole rows from the bytes of the file: blocks of GGUF, or little-endian numbers. Packed at once, so that weights are
    /// read in pieces and never held twice. Rows that do not share a group of 32 may be set by several threads at a time.</summary>
    /// <param name="firstRow">The row that <paramref name="stored"/> begins with.</param>
    /// <param name="stored">A multiple of <see cref="ElementTypes.RowBytes"/> bytes.</param>
    /// <exception cref="UserErrorException">A number or a scale is infinite or not a number.</exception>
    public void SetRows(int firstRow, ReadOnlySpan<byte> stored)
    {
        var rowBytes = ElementTypes.RowBytes(Type, Columns);
        if (rowBytes == 0 || stored.Length % rowBytes != 0)
            throw new ArgumentException($"{Name}: whole rows have a multiple of {rowBytes} bytes, not {stored.Length}", nameof(stored));
        var count = (int)(stored.Length / rowBytes);
        if (firstRow < 0 || firstRow + count > Rows)
            throw new ArgumentOutOfRangeException(nameof(firstRow), $"{Name} has {Rows} rows, not {firstRow} + {count}");
        fixed (byte* source = stored)
        {
            for (var done = 0; done < count;)
            {
                var row = firstRow + done;
                var rows = IsPacked ? Math.Min(count - done, PanelRows - row % PanelRows) : 1;
                SetStored(row, rows, source + done * rowBytes);
                done += rows;
            }
        }
    }

    /// <summary>Sets one row of a float type; bf16 and f16 storage take the nearest value, half to even.</summary>
    /// <exception cref="InvalidOperationException">The type is quantized: <see cref="SetRows"/> takes its blocks.</exception>
    /// <exception cref="UserErrorException">A number is infinite or not a number, as given or as stored.</exception>
    public void SetRow(int row, ReadOnlySpan<float> values)
    {
        if (values.Length != Columns) throw new ArgumentException($"{Name}: a row has {Columns} numbers, not {values.Length}", nameof(values));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Rows);
        if (ElementTypes.IsQuantized(Type))
            throw new InvalidOperationException($"{Name} holds {ElementTypes.Name(Type)} blocks; set its rows from blocks with {nameof(SetRows)}");
        var lane = PlaceOf(row, out var step);
        if (Type == ElementType.F32)
            for (var k = 0; k < values.Length; k++) Data[lane + k * step] = Checked(row, values[k]);
        else if (Type == ElementType.BF16)
            for (var k = 0; k < values.Length; k++) HalfData[lane + k * step] = CheckedBrain(row, BrainFloat.Round(values[k]));
        else
            for (var k = 0; k < values.Length; k++) HalfData[lane + k * step] = CheckedHalf(row, HalfFloat.Round(values[k]));
    }

    /// <summary>Reads one row: the numbers that the storage stands for, exactly.</summary>
    public void CopyRow(int row, Span<float> values)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Rows);
        fixed (float* target = values[..Columns]) CopyRow(row, target);
    }

    internal void CopyRow(int row, float* target)
    {
        if (ElementTypes.IsQuantized(Type))
        {
            PanelLayout.Copy(Type, PanelData(row / PanelRows), row % PanelRows, Columns, target);
            return;
        }
        var lane = PlaceOf(row, out var step);
        if (Type == ElementType.F32)
            for (var k = 0; k < Columns; k++) target[k] = Data[lane + k * step];
        else if (Type == ElementType.BF16)
            for (var k = 0; k < Columns; k++) target[k] = BitConverter.Int32BitsToSingle(HalfData[lane + k * step] << 16);
        else
            for (var k = 0; k < Columns; k++) target[k] = HalfFloat.Widen(HalfData[lane + k * step]);
    }

    /// <summary>Sets the gradient to zero.</summary>
    public void ClearGradient()
    {
        for (var done = 0L; done < Count; done += 1 << 28)
            new Span<float>(gradient + done, (int)Math.Min(1 << 28, Count - done)).Clear();
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        Arena.Free(data);
        Arena.Free(gradient);
        data = null;
        gradient = null;
    }

    /// <summary>The weight as right operand of y = x·Wᵀ; not for quantized types.</summary>
    internal RightOperand Forward => IsPacked
        ? new RightOperand((nint)data, (long)Columns * Tile.Columns, Transposed: true, Packed: true, Half: Type != ElementType.F32, Float16: Type == ElementType.F16)
        : new RightOperand((nint)data, Columns, Transposed: true);

    /// <summary>Outputs of a panel of a packed weight.</summary>
    internal int PanelRows => ElementTypes.IsQuantized(Type) ? PanelLayout.Lanes : Tile.Columns;

    /// <summary>Bytes of a panel.</summary>
    internal long PanelBytes => ElementTypes.RowBytes(Type, Columns) * PanelRows;

    /// <summary>A panel of a packed weight.</summary>
    internal byte* PanelData(int panel) => (byte*)data + panel * PanelBytes;

    /// <summary>Rows of one panel, or one row where there are no panels.</summary>
    private void SetStored(int row, int rows, byte* stored)
    {
        if (ElementTypes.IsQuantized(Type))
        {
            var damaged = PanelLayout.Set(Type, PanelData(row / PanelRows), row % PanelRows, rows, Columns, stored);
            if (damaged != 0) throw NotFinite(row + BitOperations.TrailingZeroCount(damaged), "a block scale");
            return;
        }
        var exponent = Type == ElementType.BF16 ? 0x7F80 : 0x7C00;
        for (var r = 0; r < rows; r++)
        {
            var finite = Type == ElementType.F32 ? FloatRows.AreFinite((float*)stored + (long)r * Columns, Columns)
                : FloatRows.AreFinite((ushort*)stored + (long)r * Columns, Columns, (ushort)exponent);
            if (!finite) throw NotFinite(row + r, "a number");
        }
        var lane = PlaceOf(row, out var step);
        if (Type == ElementType.F32) FloatRows.Interleave((float*)stored, rows, Columns, Data + lane, step);
        else FloatRows.Interleave((ushort*)stored, rows, Columns, HalfData + lane, step);
    }

    private float Checked(int row, float value) => float.IsFinite(value) ? value : throw NotFinite(row, "a number");

    private ushort CheckedBrain(int row, ushort bits) => (bits & 0x7F80) != 0x7F80 ? bits : throw NotFinite(row, "a number");

    private ushort CheckedHalf(int row, ushort bits) => HalfFloat.IsFinite(bits) ? bits : throw NotFinite(row, "a number");

    private UserErrorException NotFinite(int row, string what) => new(FormattableString.Invariant(
        $"{Name}: {what} in row {row} is infinite or not a number in {ElementTypes.Name(Type)}; the weights are damaged or their training diverged."));

    /// <summary>Where the first number of a row lies, and how far apart its numbers are.</summary>
    private long PlaceOf(int row, out long step)
    {
        step = IsPacked ? Tile.Columns : 1;
        return IsPacked ? (long)(row / Tile.Columns) * Columns * Tile.Columns + row % Tile.Columns : (long)row * Columns;
    }
}
