namespace OpenEuroLLM.Formats.Quantization;

/// <summary>Where two bits of an element lie in blocks of 256: of each half of 128, byte l of 32 holds those of the elements l, l + 32, l + 64 and
/// l + 96, from the lowest up.</summary>
internal static class TwoBits
{
    public static int Byte(int element) => element / 128 * 32 + element % 32;

    public static int Shift(int element) => element % 128 / 32 * 2;
}
