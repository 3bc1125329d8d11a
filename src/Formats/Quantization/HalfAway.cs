namespace OpenEuroLLM.Formats.Quantization;

/// <summary>Rounding of the block formats: to the nearest whole number, halves away from zero.</summary>
internal static class HalfAway
{
    /// <summary>The nearest whole number of a value well within the range of <see cref="int"/>.</summary>
    /// <remarks>Adding a half first would round the number just below 0.5 up.</remarks>
    public static int Round(float value)
    {
        var whole = (int)value;
        var rest = value - whole; // exact
        return rest >= 0.5f ? whole + 1 : rest <= -0.5f ? whole - 1 : whole;
    }
}
