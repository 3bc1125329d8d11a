namespace OpenEuroLLM.Formats.Quantization;

/// <summary>Scales and minima of eight groups, six bits each, in the twelve bytes that q4_K and q5_K share.</summary>
internal static class SixBitMultiples
{
    public const int Bytes = 12;

    public static (int Scale, int Minimum) Read(ReadOnlySpan<byte> s, int group) => group < 4
        ? (s[group] & 63, s[group + 4] & 63)
        : ((s[group + 4] & 15) | (s[group - 4] >> 6 << 4), (s[group + 4] >> 4) | (s[group] >> 6 << 4));

    public static void Write(ReadOnlySpan<byte> scales, ReadOnlySpan<byte> minima, Span<byte> s)
    {
        for (var j = 0; j < 4; j++)
        {
            s[j] = (byte)(scales[j] | (scales[j + 4] >> 4 << 6));
            s[j + 4] = (byte)(minima[j] | (minima[j + 4] >> 4 << 6));
            s[j + 8] = (byte)((scales[j + 4] & 15) | ((minima[j + 4] & 15) << 4));
        }
    }
}
