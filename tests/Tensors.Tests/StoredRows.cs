using System.Buffers.Binary;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tensors.Tests;

/// <summary>Rows of weights as they lie in files, and what they mean, written down plainly from the formats' definitions.</summary>
internal static class StoredRows
{
    /// <summary>Random bits with moderate scales.</summary>
    public static byte[] Random(ElementType type, int rows, int columns, ulong stream)
    {
        var random = new CounterRandom(11, stream);
        var stored = new byte[rows * ElementTypes.RowBytes(type, columns)];
        if (!ElementTypes.IsQuantized(type))
        {
            for (var i = 0; i < rows * columns; i++)
            {
                var value = random.NormalAt((ulong)i);
                if (type == ElementType.F32) BinaryPrimitives.WriteSingleLittleEndian(stored.AsSpan(4 * i), value);
                else if (type == ElementType.F16) BinaryPrimitives.WriteHalfLittleEndian(stored.AsSpan(2 * i), (Half)value);
                else BinaryPrimitives.WriteUInt16LittleEndian(stored.AsSpan(2 * i), (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16));
            }
            return stored;
        }
        for (var i = 0; i < stored.Length; i++) stored[i] = (byte)(random.UniformAt((ulong)i) * 256);
        SetScales(type, stored, random);
        return stored;
    }

    /// <summary>Rows of equal bytes but for moderate random scales of blocks: each has as few levels as can be.</summary>
    public static byte[] Level(ElementType type, ReadOnlySpan<byte> bytes, int columns)
    {
        var rowBytes = (int)ElementTypes.RowBytes(type, columns);
        var stored = new byte[bytes.Length * rowBytes];
        for (var row = 0; row < bytes.Length; row++) stored.AsSpan(row * rowBytes, rowBytes).Fill(bytes[row]);
        SetScales(type, stored, new CounterRandom(11, 7));
        return stored;
    }

    private static void SetScales(ElementType type, byte[] stored, CounterRandom random)
    {
        int[] scales = type switch
        {
            ElementType.Q4_K or ElementType.Q5_K or ElementType.Q4_1 or ElementType.Q5_1 => [0, 2],
            ElementType.Q6_K => [208],
            ElementType.Q3_K => [108],
            ElementType.Q2_K => [80, 82],
            _ => [0],
        };
        for (var block = 0; block < stored.Length; block += ElementTypes.BlockBytes(type))
            foreach (var place in scales)
                BinaryPrimitives.WriteHalfLittleEndian(stored.AsSpan(block + place), (Half)(0.02f * random.NormalAt((ulong)(block + place))));
    }

    public static float[] Dequantized(ElementType type, ReadOnlySpan<byte> row)
    {
        var values = new List<float>();
        for (; row.Length > 0; row = row[ElementTypes.BlockBytes(type)..])
        {
            switch (type)
            {
                case ElementType.F32:
                    values.Add(BinaryPrimitives.ReadSingleLittleEndian(row));
                    break;
                case ElementType.BF16:
                    values.Add(BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(row) << 16));
                    break;
                case ElementType.F16:
                    values.Add((float)BinaryPrimitives.ReadHalfLittleEndian(row));
                    break;
                default:
                    var (block, length) = (Block(type, row), ElementTypes.BlockLength(type));
                    for (var i = 0; i < length; i++) values.Add(block.Value(i));
                    break;
            }
        }
        return [.. values];
    }

    /// <summary>One block: integers, and of each of its groups the scale, and the minimum where there is one.</summary>
    public static StoredBlock Block(ElementType type, ReadOnlySpan<byte> block)
    {
        var integers = new int[ElementTypes.BlockLength(type)];
        switch (type)
        {
            case ElementType.Q8_0:
                for (var i = 0; i < 32; i++) integers[i] = (sbyte)block[2 + i];
                return new(integers, [(float)BinaryPrimitives.ReadHalfLittleEndian(block)], null);
            case ElementType.Q4_0:
                for (var i = 0; i < 16; i++) (integers[i], integers[i + 16]) = ((block[2 + i] & 15) - 8, (block[2 + i] >> 4) - 8);
                return new(integers, [(float)BinaryPrimitives.ReadHalfLittleEndian(block)], null);
            case ElementType.Q4_K:
                {
                    var (d, dmin) = ((float)BinaryPrimitives.ReadHalfLittleEndian(block), (float)BinaryPrimitives.ReadHalfLittleEndian(block[2..]));
                    var s = block.Slice(4, 12);
                    var q = block[16..];
                    var (scales, minima) = (new float[8], new float[8]);
                    for (var j = 0; j < 8; j++)
                    {
                        scales[j] = d * (j < 4 ? s[j] & 63 : (s[j + 4] & 15) | ((s[j - 4] >> 6) << 4));
                        minima[j] = dmin * (j < 4 ? s[j + 4] & 63 : (s[j + 4] >> 4) | ((s[j] >> 6) << 4));
                        for (var i = 0; i < 32; i++) integers[32 * j + i] = j % 2 == 0 ? q[j / 2 * 32 + i] & 15 : q[j / 2 * 32 + i] >> 4;
                    }
                    return new(integers, scales, minima);
                }
            case ElementType.Q4_1:
                for (var i = 0; i < 16; i++) (integers[i], integers[i + 16]) = (block[4 + i] & 15, block[4 + i] >> 4);
                return new(integers, [(float)BinaryPrimitives.ReadHalfLittleEndian(block)], [-(float)BinaryPrimitives.ReadHalfLittleEndian(block[2..])]);
            case ElementType.Q5_0:
                for (var i = 0; i < 32; i++) integers[i] = ((block[6 + i % 16] >> (i / 16 * 4)) & 15) + (block[2 + i / 8] >> (i % 8) & 1) * 16 - 16;
                return new(integers, [(float)BinaryPrimitives.ReadHalfLittleEndian(block)], null);
            case ElementType.Q5_1:
                for (var i = 0; i < 32; i++) integers[i] = ((block[8 + i % 16] >> (i / 16 * 4)) & 15) + (block[4 + i / 8] >> (i % 8) & 1) * 16;
                return new(integers, [(float)BinaryPrimitives.ReadHalfLittleEndian(block)], [-(float)BinaryPrimitives.ReadHalfLittleEndian(block[2..])]);
            case ElementType.Q5_K:
                {
                    // The first 16 bytes and the low four bits are those of q4_K.
                    Span<byte> four = [.. block[..16], .. block.Slice(48, 128)];
                    var plain = Block(ElementType.Q4_K, four);
                    for (var i = 0; i < 256; i++) integers[i] = plain.Integers[i] + (block[16 + i % 32] >> (i / 32) & 1) * 16;
                    return plain with { Integers = integers };
                }
            case ElementType.Q3_K:
                {
                    var d = (float)BinaryPrimitives.ReadHalfLittleEndian(block[108..]);
                    var scales = new float[16];
                    for (var j = 0; j < 16; j++) scales[j] = d * ((((j < 8 ? block[96 + j] : block[88 + j] >> 4) & 15) | (((block[104 + j % 4] >> (j / 4 * 2)) & 3) << 4)) - 32);
                    for (var i = 0; i < 256; i++)
                        integers[i] = ((block[32 + i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2)) & 3) - ((block[i % 32] >> (i / 32) & 1) == 0 ? 4 : 0);
                    return new(integers, scales, null);
                }
            case ElementType.Q2_K:
                {
                    var (d, dmin) = ((float)BinaryPrimitives.ReadHalfLittleEndian(block[80..]), (float)BinaryPrimitives.ReadHalfLittleEndian(block[82..]));
                    var (scales, minima) = (new float[16], new float[16]);
                    for (var j = 0; j < 16; j++) (scales[j], minima[j]) = (d * (block[j] & 15), dmin * (block[j] >> 4));
                    for (var i = 0; i < 256; i++) integers[i] = (block[16 + i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2)) & 3;
                    return new(integers, scales, minima);
                }
            default:
                {
                    var d = (float)BinaryPrimitives.ReadHalfLittleEndian(block[208..]);
                    var scales = new float[16];
                    for (var j = 0; j < 16; j++) scales[j] = d * (sbyte)block[192 + j];
                    for (var half = 0; half < 2; half++)
                    {
                        var ql = block[(64 * half)..];
                        var qh = block[(128 + 32 * half)..];
                        for (var l = 0; l < 32; l++)
                        {
                            integers[128 * half + l] = ((ql[l] & 15) | ((qh[l] & 3) << 4)) - 32;
                            integers[128 * half + l + 32] = ((ql[l + 32] & 15) | (((qh[l] >> 2) & 3) << 4)) - 32;
                            integers[128 * half + l + 64] = ((ql[l] >> 4) | (((qh[l] >> 4) & 3) << 4)) - 32;
                            integers[128 * half + l + 96] = ((ql[l + 32] >> 4) | ((qh[l] >> 6) << 4)) - 32;
                        }
                    }
                    return new(integers, scales, null);
                }
        }
    }
}

internal sealed record StoredBlock(int[] Integers, float[] Scales, float[]? Minima)
{
    public int Group => Integers.Length / Scales.Length;

    public float Value(int i) => Scales[i / Group] * Integers[i] - (Minima is null ? 0 : Minima[i / Group]);
}
