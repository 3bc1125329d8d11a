using OpenEuroLLM.Tensors.Kernels.Reference;

namespace OpenEuroLLM.Tensors.Tests;

public sealed unsafe class QuantizedProductTests
{
    private static readonly ElementType[] Quantized = [.. Enum.GetValues<ElementType>().Where(ElementTypes.IsQuantized)];

    public static TheoryData<ElementType> Types => [.. Quantized];

    public static TheoryData<ElementType, int, int> Shapes()
    {
        var data = new TheoryData<ElementType, int, int>();
        foreach (var type in Quantized)
            foreach (var outputs in new[] { 1, 15, 16, 17, 63, 129 })
                foreach (var columns in ElementTypes.BlockLength(type) == 32 ? [32, 96, 320] : new[] { 256, 768 }) data.Add(type, outputs, columns);
        return data;
    }

    [Theory, MemberData(nameof(Shapes))]
    public void Any_number_of_rows_and_threads_and_any_register_width_give_the_bits_of_the_definition(ElementType type, int outputs, int columns)
    {
        var stored = StoredRows.Random(type, outputs, columns, 3);
        using var weight = Weight.Packed("w", outputs, columns, type);
        weight.SetRows(0, stored);
        using var x = Numbers.Random(33, columns, 4);
        x.Row(5).Clear();
        x[6, 3] = 1e-36f;
        using var expected = Expected(type, stored, outputs, x);
        foreach (var (threads, wide) in new[] { (1, true), (1, false), (2, true), (3, false) })
        {
            using var backend = new CpuBackend(threads, wide);
            foreach (var rows in new[] { 1, 2, 3, 7, 9, 33 })
            {
                using var y = Numbers.Random(rows, outputs, 8);
                backend.Product(x.Data, rows, weight, y.Data);
                Assert.Equal(expected.Bits()[..(rows * outputs)], y.Bits());
            }
            for (var row = 0; row < 33; row++)
            {
                using var y = Numbers.Random(1, outputs, 8);
                backend.Product(x.Data + row * columns, 1, weight, y.Data);
                Assert.Equal(expected.Bits()[(row * outputs)..((row + 1) * outputs)], y.Bits());
            }
        }
    }

    [Theory, MemberData(nameof(Types))]
    public void The_largest_levels_and_activations_of_either_sign_give_the_bits_of_the_definition(ElementType type)
    {
        const int outputs = 3, columns = 512, rows = 13;
        var stored = StoredRows.Level(type, [0x80, 0x7F, 0xFF], columns);
        using var weight = Weight.Packed("w", outputs, columns, type);
        weight.SetRows(0, stored);
        using var x = Numbers.Random(rows, columns, 4);
        for (var r = 0; r < rows - 1; r++)
            for (var k = 0; k < columns; k++) x[r, k] = (k % (r + 1) == 0 ? -1f : 1f) * (r % 2 == 0 ? 3f : 1f);
        using var expected = Expected(type, stored, outputs, x);
        foreach (var wide in new[] { true, false })
        {
            using var backend = new CpuBackend(2, wide);
            using var y = Numbers.Random(rows, outputs, 8);
            backend.Product(x.Data, rows, weight, y.Data);
            Assert.Equal(expected.Bits(), y.Bits());
        }
    }

    [Theory, MemberData(nameof(Types))]
    public void A_quantized_product_is_close_to_the_product_of_the_numbers_that_the_blocks_stand_for(ElementType type)
    {
        var stored = StoredRows.Random(type, 40, 768, 5);
        using var weight = Weight.Packed("w", 40, 768, type);
        weight.SetRows(0, stored);
        using var x = Numbers.Random(9, 768, 6);
        var expected = ProductDefinition.Forward(Agreement.Double(x.Values), Agreement.Double(StoredRows.Dequantized(type, stored)), 768);
        using var backend = new CpuBackend(2);
        using var y = Numbers.Random(9, 40, 7);
        backend.Product(x.Data, 9, weight, y.Data);
        Agreement.Within(5e-4, expected, y.Values, "y");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(10)]
    [InlineData(300)]
    public void Weights_that_share_an_input_give_the_bits_they_give_alone(int rows)
    {
        var types = new[] { ElementType.Q4_K, ElementType.F16, ElementType.Q6_K, ElementType.BF16, ElementType.Q8_0, ElementType.F32, ElementType.Q4_0, ElementType.Q2_K, ElementType.Q5_1 };
        var sizes = new[] { 129, 33, 1, 64, 17, 40, 200, 50, 70 };
        var weights = types.Select((type, i) => Stored(type, sizes[i], 512, (ulong)i)).ToArray();
        using var x = Numbers.Random(rows, 512, 20);
        using var backend = new CpuBackend(2);
        for (var i = 0; i + 2 < weights.Length; i++)
        {
            using var ya = Numbers.Random(rows, sizes[i], 1);
            using var yb = Numbers.Random(rows, sizes[i + 1], 2);
            using var yc = Numbers.Random(rows, sizes[i + 2], 3);
            backend.PackedProducts(x.Data, rows, weights[i], ya.Data, weights[i + 1], yb.Data, weights[i + 2], yc.Data);
            foreach (var (weight, y) in new[] { (weights[i], ya), (weights[i + 1], yb), (weights[i + 2], yc) })
            {
                using var alone = Numbers.Random(rows, weight.Rows, 4);
                backend.Product(x.Data, rows, weight, alone.Data);
                Assert.Equal(alone.Bits(), y.Bits());
            }
        }
        foreach (var weight in weights) weight.Dispose();
    }

    [Theory]
    [InlineData(ElementType.F32)]
    [InlineData(ElementType.BF16)]
    [InlineData(ElementType.F16)]
    public void One_row_by_a_packed_float_weight_is_the_chain_over_k(ElementType type)
    {
        foreach (var outputs in new[] { 1, 15, 16, 17, 63, 129 })
        {
            using var weight = Stored(type, outputs, 77, 9);
            using var x = Numbers.Random(1, 77, 2);
            var row = new float[77];
            foreach (var (threads, wide) in new[] { (1, true), (1, false), (3, true) })
            {
                using var backend = new CpuBackend(threads, wide);
                using var y = Numbers.Random(1, outputs, 8);
                backend.Product(x.Data, 1, weight, y.Data);
                for (var o = 0; o < outputs; o++)
                {
                    weight.CopyRow(o, row);
                    var chain = 0f;
                    for (var k = 0; k < 77; k++) chain = float.FusedMultiplyAdd(x[0, k], row[k], chain);
                    Assert.Equal(BitConverter.SingleToInt32Bits(chain), BitConverter.SingleToInt32Bits(y[0, o]));
                }
            }
        }
    }

    [Theory]
    [InlineData(0.5f)]
    [InlineData(1e-40f)]
    [InlineData(65535f)]
    [InlineData(65536f)]
    [InlineData(1e37f)]
    [InlineData(float.NegativeInfinity)]
    [InlineData(float.NaN)]
    public void Few_rows_by_f16_are_the_chains_over_k_whatever_the_size_of_their_numbers(float value)
    {
        const int columns = 300;
        using var weight = Weight.Packed("w", 40, columns, ElementType.F16);
        var row = new float[columns];
        for (var o = 0; o < 40; o++)
        {
            // Each third number is subnormal as f16.
            for (var k = 0; k < columns; k++) row[k] = (k % 3 == 0 ? 3e-6f : 0.3f) * (((k + o) % 11) - 5);
            weight.SetRow(o, row);
        }
        foreach (var rows in new[] { 1, 2, 7 })
        {
            using var x = Numbers.Random(rows, columns, 2);
            x[rows - 1, 151] = value;
            foreach (var (threads, wide) in new[] { (1, true), (1, false), (2, true) })
            {
                using var backend = new CpuBackend(threads, wide);
                using var y = Numbers.Random(rows, 40, 8);
                backend.Product(x.Data, rows, weight, y.Data);
                for (var o = 0; o < 40 * rows; o++)
                {
                    weight.CopyRow(o % 40, row);
                    var chain = 0f;
                    for (var k = 0; k < columns; k++) chain = float.FusedMultiplyAdd(x[o / 40, k], row[k], chain);
                    if (float.IsNaN(chain)) Assert.True(float.IsNaN(y[o / 40, o % 40]));
                    else Assert.Equal(BitConverter.SingleToInt32Bits(chain), BitConverter.SingleToInt32Bits(y[o / 40, o % 40]));
                }
            }
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void An_activation_that_is_not_finite_makes_its_own_row_not_a_number_and_no_other(float value)
    {
        foreach (var type in Quantized)
        {
            using var weight = Stored(type, 20, 256, 1);
            using var x = Numbers.Random(7, 256, 2);
            using var backend = new CpuBackend(2);
            using var before = Numbers.Random(7, 20, 3);
            using var after = Numbers.Random(7, 20, 3);
            backend.Product(x.Data, 7, weight, before.Data);
            x[4, 100] = value;
            backend.Product(x.Data, 7, weight, after.Data);
            for (var r = 0; r < 7; r++)
                for (var o = 0; o < 20; o++)
                    Assert.Equal(r == 4 ? float.NaN : before[r, o], after[r, o]);
        }
    }

    [Fact]
    public void Activations_are_rounded_half_to_even_and_tiny_blocks_count_as_zero()
    {
        var rounded = new int[32];
        var x = new float[32];
        (x[0], x[1], x[2], x[3], x[4]) = (32639, 0.5f, 1.5f, -2.5f, -32639);
        Assert.Equal(1f, QuantizedProductDefinition.Round(x, rounded));
        Assert.Equal([32639, 0, 2, -2, -32639], rounded[..5]);
        x.AsSpan().Fill(1e-36f);
        Assert.Equal(0f, QuantizedProductDefinition.Round(x, rounded));
        Assert.All(rounded, value => Assert.Equal(0, value));
    }

    [Fact]
    public void An_embedding_of_quantized_rows_gives_their_exact_numbers()
    {
        foreach (var type in Quantized)
        {
            var stored = StoredRows.Random(type, 20, 256, 8);
            using var table = Weight.Packed("token_embd.weight", 20, 256, type);
            table.SetRows(0, stored);
            using var engine = new Engine(2);
            var y = engine.Embed([17, 0, 17, 19], table).Values;
            var rows = StoredRows.Dequantized(type, stored);
            Assert.Equal(Agreement.Bits(rows.AsSpan(17 * 256, 256)), Agreement.Bits(y[..256]));
            Assert.Equal(Agreement.Bits(rows.AsSpan(0, 256)), Agreement.Bits(y.Slice(256, 256)));
            Assert.Equal(Agreement.Bits(rows.AsSpan(19 * 256, 256)), Agreement.Bits(y[(3 * 256)..]));
        }
    }

    [Fact]
    public void Products_with_packed_weights_allocate_nothing_on_the_managed_heap()
    {
        using var a = Stored(ElementType.Q4_K, 64, 256, 1);
        using var b = Stored(ElementType.F16, 64, 256, 2);
        using var x = Numbers.Random(40, 256, 3);
        using var ya = Numbers.Random(40, 64, 4);
        using var yb = Numbers.Random(40, 64, 4);
        using var backend = new CpuBackend(1);
        int[] counts = [40, 3, 1];
        foreach (var rows in counts) backend.PackedProducts(x.Data, rows, a, ya.Data, b, yb.Data);
        var before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var rows in counts) backend.PackedProducts(x.Data, rows, a, ya.Data, b, yb.Data);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    internal static Weight Stored(ElementType type, int rows, int columns, ulong stream)
    {
        var weight = Weight.Packed("w", rows, columns, type);
        weight.SetRows(0, StoredRows.Random(type, rows, columns, stream));
        return weight;
    }

    private static Numbers Expected(ElementType type, byte[] stored, int outputs, Numbers x)
    {
        var y = Numbers.Random(x.Rows, outputs, 0);
        var (rowBytes, blockBytes) = (stored.Length / outputs, ElementTypes.BlockBytes(type));
        for (var o = 0; o < outputs; o++)
        {
            var blocks = Enumerable.Range(0, rowBytes / blockBytes).Select(b => StoredRows.Block(type, stored.AsSpan(o * rowBytes + b * blockBytes, blockBytes))).ToArray();
            var integers = blocks.SelectMany(block => block.Integers).ToArray();
            var scales = blocks.SelectMany(block => block.Scales).ToArray();
            var minima = blocks.SelectMany(block => block.Minima ?? []).ToArray();
            for (var r = 0; r < x.Rows; r++) y[r, o] = QuantizedProductDefinition.Output(x.Row(r), integers, scales, minima);
        }
        return y;
    }
}
