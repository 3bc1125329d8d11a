using System.Runtime.InteropServices;
using OpenEuroLLM.Tensors.Kernels;

namespace OpenEuroLLM.Tensors;

/// <summary>A parameter of a model: a matrix (outputs, inputs), or a vector as one row. How it lies in memory is the engine's concern.</summary>
/// <remarks>A trainable weight lies row-major beside its gradient. A weight for inference is packed once, at load, into panels of 16
/// outputs, in the type it has in the file.</remarks>
public sealed unsafe class Weight : IDisposable
{
    private void* data;
    private float* gradient;
    private readonly bool isOutline;

    private Weight(string name, int rows, int columns, ElementType type, bool packed, bool trainable)
    {
        (Name, Rows, Columns, Type, IsPacked) = (name, rows, columns, type, packed);
        var numbers = (long)(packed ? (rows + Tile.Columns - 1) / Tile.Columns * Tile.Columns : rows) * columns;
        data = Arena.AllocateZeroed(type == ElementType.BF16 ? (numbers + 1) / 2 : numbers);
        if (trainable) gradient = Arena.AllocateZeroed(numbers);
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

    /// <summary>A matrix that is only read; fill it with <see cref="SetRow"/>.</summary>
    public static Weight Packed(string name, int rows, int columns, ElementType type) => new(name, rows, columns, type, packed: true, trainable: false);

    /// <summary>Sets one row; bf16 storage takes the nearest value, half to even.</summary>
    public void SetRow(int row, ReadOnlySpan<float> values)
    {
        if (values.Length != Columns) throw new ArgumentException($"{Name}: a row has {Columns} numbers, not {values.Length}", nameof(values));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Rows);
        if (!IsPacked)
        {
            values.CopyTo(new Span<float>(Data + (long)row * Columns, Columns));
            return;
        }
        var lane = PanelOf(row);
        if (Type == ElementType.BF16)
            for (var k = 0; k < Columns; k++) HalfData[lane + (long)k * Tile.Columns] = BrainFloat.Round(values[k]);
        else
            for (var k = 0; k < Columns; k++) Data[lane + (long)k * Tile.Columns] = values[k];
    }

    /// <summary>Reads one row.</summary>
    public void CopyRow(int row, Span<float> values)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Rows);
        fixed (float* target = values[..Columns]) CopyRow(row, target);
    }

    internal void CopyRow(int row, float* target)
    {
        if (!IsPacked)
        {
            new ReadOnlySpan<float>(Data + (long)row * Columns, Columns).CopyTo(new Span<float>(target, Columns));
            return;
        }
        var lane = PanelOf(row);
        if (Type == ElementType.BF16)
            for (var k = 0; k < Columns; k++) target[k] = BitConverter.Int32BitsToSingle(HalfData[lane + (long)k * Tile.Columns] << 16);
        else
            for (var k = 0; k < Columns; k++) target[k] = Data[lane + (long)k * Tile.Columns];
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
        NativeMemory.AlignedFree(data);
        NativeMemory.AlignedFree(gradient);
        data = null;
        gradient = null;
    }

    /// <summary>The weight as right operand of y = x·Wᵀ.</summary>
    internal RightOperand Forward => IsPacked
        ? new RightOperand((nint)data, (long)Columns * Tile.Columns, Transposed: true, Packed: true, Half: Type == ElementType.BF16)
        : new RightOperand((nint)data, Columns, Transposed: true);

    private long PanelOf(int row) => (long)(row / Tile.Columns) * Columns * Tile.Columns + row % Tile.Columns;
}
