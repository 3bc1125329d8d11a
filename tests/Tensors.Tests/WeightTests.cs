using System.Buffers.Binary;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tensors.Tests;

public sealed class WeightTests
{
    private static readonly string[] Golden16 = ["00", "40", "80", "91", "91", "a2", "a2", "b3", "b3", "c4", "c4", "d5", "d5", "e6", "e6", "f7", "f7", "f8"];

    [Fact]
    public void A_golden_block_of_q8_0_gives_its_numbers()
    {
        var stored = new byte[34];
        (stored[0], stored[1]) = (0x08, 0x30);
        var scale = (float)BitConverter.UInt16BitsToHalf(0x3008);
        for (var i = 0; i < 32; i++) stored[2 + i] = (byte)(sbyte)Math.Round((i - 16) / (16f / 127));
        Assert.Equal([-127, -119, -111, -103], stored.Skip(2).Take(4).Select(b => (int)(sbyte)b));
        Assert.Equal(119, (sbyte)stored[33]);
        Assert.Equal(stored.Skip(2).Select(b => scale * (sbyte)b), Read(ElementType.Q8_0, 32, stored));
    }

    [Fact]
    public void A_golden_block_of_q4_0_gives_its_numbers()
    {
        var stored = Golden16.Select(text => Convert.FromHexString(text)[0]).ToArray();
        var values = Read(ElementType.Q4_0, 32, stored);
        Assert.Equal(-16f, values[0]);
        Assert.Equal([-14f, -14f, -12f, -12f, -10f], values[1..6]);
        Assert.Equal([0f, 2f, 2f, 4f], values[16..20]);
        Assert.Equal([14f, 14f], values[30..32]);
    }

    [Theory]
    [InlineData(ElementType.Q8_0, 96)]
    [InlineData(ElementType.Q4_0, 96)]
    [InlineData(ElementType.Q4_K, 512)]
    [InlineData(ElementType.Q6_K, 512)]
    [InlineData(ElementType.Q4_1, 96)]
    [InlineData(ElementType.Q5_0, 96)]
    [InlineData(ElementType.Q5_1, 96)]
    [InlineData(ElementType.Q5_K, 512)]
    [InlineData(ElementType.Q3_K, 512)]
    [InlineData(ElementType.Q2_K, 512)]
    [InlineData(ElementType.F32, 33)]
    [InlineData(ElementType.BF16, 33)]
    [InlineData(ElementType.F16, 33)]
    public void Rows_set_in_pieces_are_read_back_as_the_format_defines_them(ElementType type, int columns)
    {
        const int rows = 19;
        var stored = StoredRows.Random(type, rows, columns, 5);
        using var weight = Weight.Packed("w", rows, columns, type);
        var rowBytes = (int)ElementTypes.RowBytes(type, columns);
        weight.SetRows(0, stored.AsSpan(0, 7 * rowBytes));
        weight.SetRows(7, stored.AsSpan(7 * rowBytes));
        var row = new float[columns];
        for (var r = 0; r < rows; r++)
        {
            weight.CopyRow(r, row);
            Assert.Equal(Agreement.Bits(StoredRows.Dequantized(type, stored.AsSpan(r * rowBytes, rowBytes))), Agreement.Bits(row));
        }
        Assert.Equal(32L * rowBytes, weight.StorageBytes); // 19 rows, filled up to whole panels of 16 or 32
    }

    [Fact]
    public void Every_f16_is_widened_exactly_and_those_that_are_not_finite_are_refused()
    {
        using var weight = Weight.Packed("w", 1, 1, ElementType.F16);
        var (stored, value) = (new byte[2], new float[1]);
        for (var bits = 0; bits < 65536; bits++)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(stored, (ushort)bits);
            var expected = (float)BitConverter.UInt16BitsToHalf((ushort)bits);
            if (float.IsFinite(expected))
            {
                weight.SetRows(0, stored);
                weight.CopyRow(0, value);
                Assert.Equal(BitConverter.SingleToInt32Bits(expected), BitConverter.SingleToInt32Bits(value[0]));
            }
            else
            {
                Assert.Throws<UserErrorException>(() => weight.SetRows(0, stored));
            }
        }
    }

    [Theory]
    [InlineData(ElementType.Q8_0, 0)]
    [InlineData(ElementType.Q4_0, 18)]
    [InlineData(ElementType.Q4_K, 0)]
    [InlineData(ElementType.Q4_K, 2)]
    [InlineData(ElementType.Q6_K, 208)]
    [InlineData(ElementType.Q4_1, 0)]
    [InlineData(ElementType.Q4_1, 22)]
    [InlineData(ElementType.Q5_0, 22)]
    [InlineData(ElementType.Q5_1, 0)]
    [InlineData(ElementType.Q5_1, 26)]
    [InlineData(ElementType.Q5_K, 0)]
    [InlineData(ElementType.Q5_K, 2)]
    [InlineData(ElementType.Q3_K, 108)]
    [InlineData(ElementType.Q2_K, 80)]
    [InlineData(ElementType.Q2_K, 82)]
    [InlineData(ElementType.F32, 4)]
    [InlineData(ElementType.BF16, 2)]
    [InlineData(ElementType.F16, 2)]
    public void A_weight_that_is_not_finite_is_refused_with_its_tensor_and_row(ElementType type, int place)
    {
        var stored = StoredRows.Random(type, 3, 256, 6);
        var at = 2 * (int)ElementTypes.RowBytes(type, 256) + place;
        if (type == ElementType.F32) BinaryPrimitives.WriteSingleLittleEndian(stored.AsSpan(at), float.NaN);
        else BinaryPrimitives.WriteUInt16LittleEndian(stored.AsSpan(at), type == ElementType.BF16 ? (ushort)0xFF80 : (ushort)0x7C00);
        using var weight = Weight.Packed("blk.3.attn_q.weight", 3, 256, type);
        var message = Assert.Throws<UserErrorException>(() => weight.SetRows(0, stored)).Message;
        Assert.StartsWith("blk.3.attn_q.weight: ", message, StringComparison.Ordinal);
        Assert.Contains("row 2", message, StringComparison.Ordinal);
        Assert.Contains(ElementTypes.Name(type), message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ElementType.F32, float.NaN)]
    [InlineData(ElementType.F32, float.NegativeInfinity)]
    [InlineData(ElementType.BF16, 3.4e38f)]
    [InlineData(ElementType.F16, 65520f)]
    public void A_number_that_the_type_cannot_hold_is_refused(ElementType type, float value)
    {
        using var weight = Weight.Packed("w", 2, 3, type);
        Assert.Contains("row 1", Assert.Throws<UserErrorException>(() => weight.SetRow(1, [1, value, 2])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ElementType.Q8_0, 48, "32")]
    [InlineData(ElementType.Q4_K, 288, "256")]
    [InlineData(ElementType.Q5_1, 80, "32")]
    [InlineData(ElementType.Q2_K, 288, "256")]
    [InlineData(ElementType.Q3_K, 128, "256")]
    public void A_row_that_is_not_a_whole_number_of_blocks_is_refused(ElementType type, int columns, string block)
    {
        var message = Assert.Throws<UserErrorException>(() => Weight.Packed("output.weight", 4, columns, type)).Message;
        Assert.StartsWith("output.weight: ", message, StringComparison.Ordinal);
        Assert.Contains(columns.ToString(System.Globalization.CultureInfo.InvariantCulture), message, StringComparison.Ordinal);
        Assert.Contains(block, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rows_that_do_not_fit_and_floats_for_blocks_are_refused()
    {
        using var weight = Weight.Packed("w", 2, 32, ElementType.Q8_0);
        Assert.Throws<ArgumentException>(() => weight.SetRows(0, new byte[33]));
        Assert.Throws<ArgumentOutOfRangeException>(() => weight.SetRows(1, new byte[68]));
        Assert.Throws<InvalidOperationException>(() => weight.SetRow(0, new float[32]));
    }

    private static float[] Read(ElementType type, int columns, byte[] stored)
    {
        using var weight = Weight.Packed("w", 1, columns, type);
        weight.SetRows(0, stored);
        var values = new float[columns];
        weight.CopyRow(0, values);
        return values;
    }
}
