using System.Numerics;

namespace OpenEuroLLM.Formats;

/// <summary>Conversions between float32 and the two 16-bit floating-point storage types, by bits and equal on every machine.</summary>
public static class HalfPrecision
{
    /// <summary>Rounds to bfloat16 (the upper 16 bits of a float32), nearest, ties to even; a NaN stays a NaN.</summary>
    public static ushort ToBFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        // Rounding could carry a NaN whose payload is all ones into zero, and cutting could leave an infinity: set the quiet bit.
        if ((bits & 0x7FFF_FFFF) > 0x7F80_0000)
            return (ushort)((bits >> 16) | 0x0040);
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    /// <summary>Widens a bfloat16 exactly.</summary>
    public static float FromBFloat16(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    /// <summary>Rounds to float16, nearest, ties to even, subnormals kept; too large values become infinity, a NaN stays a NaN.</summary>
    public static ushort ToFloat16(float value) => BitConverter.HalfToUInt16Bits((Half)value);

    /// <summary>Widens a float16 exactly, subnormals included.</summary>
    public static float FromFloat16(ushort bits) => (float)BitConverter.UInt16BitsToHalf(bits);

    /// <summary>Rounds a row to bfloat16; see <see cref="ToBFloat16(float)"/>.</summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static void ToBFloat16(ReadOnlySpan<float> source, Span<ushort> destination)
    {
        RequireEqualLengths(source.Length, destination.Length);
        int i = 0;
        int step = Vector<ushort>.Count;
        for (; i <= source.Length - step; i += step)
        {
            var low = RoundToBFloat16(Vector.AsVectorUInt32(new Vector<float>(source[i..])));
            var high = RoundToBFloat16(Vector.AsVectorUInt32(new Vector<float>(source[(i + (step / 2))..])));
            Vector.Narrow(low, high).CopyTo(destination[i..]);
        }
        for (; i < source.Length; i++)
            destination[i] = ToBFloat16(source[i]);
    }

    /// <summary>Widens a row of bfloat16 exactly.</summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static void FromBFloat16(ReadOnlySpan<ushort> source, Span<float> destination)
    {
        RequireEqualLengths(source.Length, destination.Length);
        int i = 0;
        int step = Vector<ushort>.Count;
        for (; i <= source.Length - step; i += step)
        {
            Vector.Widen(new Vector<ushort>(source[i..]), out Vector<uint> low, out Vector<uint> high);
            Vector.AsVectorSingle(low << 16).CopyTo(destination[i..]);
            Vector.AsVectorSingle(high << 16).CopyTo(destination[(i + (step / 2))..]);
        }
        for (; i < source.Length; i++)
            destination[i] = FromBFloat16(source[i]);
    }

    /// <summary>Rounds a row to float16; see <see cref="ToFloat16(float)"/>.</summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static void ToFloat16(ReadOnlySpan<float> source, Span<ushort> destination)
    {
        RequireEqualLengths(source.Length, destination.Length);
        for (int i = 0; i < source.Length; i++)
            destination[i] = ToFloat16(source[i]);
    }

    /// <summary>Widens a row of float16 exactly.</summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    /// <remarks>The exponent is moved by integer arithmetic; a subnormal gets the implicit bit and loses it again by one exact subtraction.
    /// The scalar conversion of the runtime is several times slower.</remarks>
    public static void FromFloat16(ReadOnlySpan<ushort> source, Span<float> destination)
    {
        RequireEqualLengths(source.Length, destination.Length);
        int i = 0;
        int step = Vector<ushort>.Count;
        for (; i <= source.Length - step; i += step)
        {
            Vector.Widen(new Vector<ushort>(source[i..]), out Vector<uint> low, out Vector<uint> high);
            WidenFloat16(low).CopyTo(destination[i..]);
            WidenFloat16(high).CopyTo(destination[(i + (step / 2))..]);
        }
        for (; i < source.Length; i++)
            destination[i] = FromFloat16(source[i]);
    }

    private static Vector<uint> RoundToBFloat16(Vector<uint> bits)
    {
        var upper = bits >> 16;
        var rounded = (bits + new Vector<uint>(0x7FFF) + (upper & Vector<uint>.One)) >> 16;
        var isNaN = Vector.GreaterThan(bits & new Vector<uint>(0x7FFF_FFFF), new Vector<uint>(0x7F80_0000));
        return Vector.ConditionalSelect(isNaN, upper | new Vector<uint>(0x0040), rounded);
    }

    private static Vector<float> WidenFloat16(Vector<uint> half)
    {
        var sign = (half & new Vector<uint>(0x8000)) << 16;
        var magnitude = (half & new Vector<uint>(0x7FFF)) << 13;
        var exponent = magnitude & new Vector<uint>(0x7C00u << 13);
        var normal = magnitude + new Vector<uint>((127 - 15) << 23);
        var special = normal + new Vector<uint>((128 - 16) << 23);
        var smallest = new Vector<float>(BitConverter.UInt32BitsToSingle(113u << 23));   // 2^-14, where float16 subnormals begin
        var subnormal = Vector.AsVectorUInt32(Vector.AsVectorSingle(magnitude + new Vector<uint>(113u << 23)) - smallest);
        var value = Vector.ConditionalSelect(Vector.Equals(exponent, new Vector<uint>(0x7C00u << 13)), special,
            Vector.ConditionalSelect(Vector.Equals(exponent, Vector<uint>.Zero), subnormal, normal));
        return Vector.AsVectorSingle(value | sign);
    }

    private static void RequireEqualLengths(int source, int destination)
    {
        if (source != destination)
            throw new ArgumentException($"The source has {source} elements and the destination {destination}; expected equal lengths.");
    }
}
