using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OpenEuroLLM.Formats.Quantization;

/// <summary>Sixteen numbers at a time, with sums in one fixed order: the bits do not depend on the machine's registers.</summary>
internal static class Lanes
{
    public static Vector512<float> Load(ReadOnlySpan<float> values) => Vector512.Create(values[..16]);

    /// <summary>Sum over a fixed tree: halves upon halves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector512<float> values)
    {
        var eight = values.GetLower() + values.GetUpper();
        var four = eight.GetLower() + eight.GetUpper();
        return (four[0] + four[2]) + (four[1] + four[3]);
    }

    /// <summary>The nearest whole numbers within bounds, halves upwards.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Level(Vector512<float> values, float least, float most) =>
        Vector512.Min(Vector512.Max(Vector512.Floor(values + Vector512.Create(0.5f)), Vector512.Create(least)), Vector512.Create(most));
}
