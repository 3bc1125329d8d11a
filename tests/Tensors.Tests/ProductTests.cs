using System.Runtime.InteropServices;
using OpenEuroLLM.Core;
using OpenEuroLLM.Tensors.Kernels;

namespace OpenEuroLLM.Tensors.Tests;

public sealed unsafe class ProductTests
{
    public static TheoryData<int, int, int> Sizes()
    {
        var data = new TheoryData<int, int, int>();
        foreach (var rows in new[] { 1, 2, 5, 6, 8, 17, 97, 256 })
            foreach (var columns in new[] { 1, 7, 8, 15, 16, 17, 33, 48, 130, 400 })
                foreach (var depth in new[] { 1, 3, 31, 256, 257, 700 })
                    if ((rows + columns + depth) % 3 != 0) data.Add(rows, columns, depth);
        return data;
    }

    [Theory, MemberData(nameof(Sizes))]
    public void Every_operand_order_and_register_width_gives_the_chain_over_k_bit_for_bit(int rows, int columns, int depth)
    {
        using var narrow = new CpuBackend(2, wide: false);
        using var wide = new CpuBackend(1, wide: true);
        using var a = Numbers.Random(rows, depth, 1);
        using var b = Numbers.Random(depth, columns, 2);
        using var at = a.Transposed();
        using var bt = b.Transposed();
        using var start = Numbers.Random(rows, columns, 3);
        foreach (var resume in new[] { false, true })
        {
            using var expected = start.Copy();
            for (var i = 0; i < rows; i++)
            {
                for (var j = 0; j < columns; j++)
                {
                    var chain = resume ? start[i, j] : 0f;
                    for (var k = 0; k < depth; k++) chain = float.FusedMultiplyAdd(a[i, k], b[k, j], chain);
                    expected[i, j] = chain;
                }
            }
            foreach (var backend in new[] { narrow, wide })
            {
                foreach (var (aTransposed, bTransposed) in new[] { (false, false), (false, true), (true, false), (true, true) })
                {
                    using var c = start.Copy();
                    var left = aTransposed ? at : a;
                    var right = bTransposed ? bt : b;
                    backend.Multiply(rows, columns, depth, left.Data, left.Columns, aTransposed,
                        new RightOperand((nint)right.Data, right.Columns, bTransposed), c.Data, columns, resume);
                    Assert.Equal(expected.Bits(), c.Bits());
                }
            }
        }
    }

    [Theory]
    [InlineData(ElementType.F32, 37)]
    [InlineData(ElementType.BF16, 37)]
    [InlineData(ElementType.F16, 37)]
    [InlineData(ElementType.BF16, 32)]
    [InlineData(ElementType.F16, 16)]
    [InlineData(ElementType.F32, 1)]
    [InlineData(ElementType.F16, 129)]
    public void A_packed_weight_gives_the_same_bits_as_a_row_major_one(ElementType type, int outputs)
    {
        using var narrow = new CpuBackend(2, wide: false);
        using var wide = new CpuBackend(2, wide: true);
        using var packed = Weight.Packed("w", outputs, 300, type);
        using var plain = Weight.Trainable("w", outputs, 300);
        using var values = Numbers.Random(outputs, 300, 5);
        for (var r = 0; r < outputs; r++)
        {
            packed.SetRow(r, values.Row(r));
            var stored = new float[300];
            packed.CopyRow(r, stored);
            if (type == ElementType.F32) Assert.Equal(values.Row(r).ToArray(), stored);
            plain.SetRow(r, stored);
        }
        // One row, few rows in every remainder of four, the first count of many, many.
        foreach (var rows in new[] { 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 17, 256 })
        {
            using var x = Numbers.Random(rows, 300, 7);
            using var expected = Numbers.Random(rows, outputs, 8);
            narrow.Product(x.Data, rows, plain, expected.Data);
            foreach (var backend in new[] { narrow, wide })
            {
                using var found = Numbers.Random(rows, outputs, 9);
                backend.Product(x.Data, rows, packed, found.Data);
                Assert.Equal(expected.Bits(), found.Bits());
            }
        }
    }
}

/// <summary>A matrix in native memory.</summary>
internal sealed unsafe class Numbers : IDisposable
{
    private Numbers(int rows, int columns)
    {
        (Rows, Columns) = (rows, columns);
        Data = (float*)NativeMemory.AlignedAlloc((nuint)Math.Max(64, (long)rows * columns * sizeof(float)), 64);
    }

    public int Rows { get; }

    public int Columns { get; }

    public float* Data { get; private set; }

    public float this[int row, int column]
    {
        get => Data[(long)row * Columns + column];
        set => Data[(long)row * Columns + column] = value;
    }

    public static Numbers Random(int rows, int columns, ulong stream, float scale = 1)
    {
        var numbers = new Numbers(rows, columns);
        var random = new CounterRandom(42, stream);
        for (var i = 0L; i < (long)rows * columns; i++) numbers.Data[i] = scale * random.NormalAt((ulong)i);
        return numbers;
    }

    public Numbers Copy()
    {
        var copy = new Numbers(Rows, Columns);
        Values.CopyTo(copy.Values);
        return copy;
    }

    public Numbers Transposed()
    {
        var other = new Numbers(Columns, Rows);
        for (var i = 0; i < Rows; i++)
            for (var j = 0; j < Columns; j++) other[j, i] = this[i, j];
        return other;
    }

    public Span<float> Values => new(Data, Rows * Columns);

    public Span<float> Row(int row) => new(Data + (long)row * Columns, Columns);

    public int[] Bits() => MemoryMarshal.Cast<float, int>(Values).ToArray();

    public void Dispose()
    {
        NativeMemory.AlignedFree(Data);
        Data = null;
    }
}
