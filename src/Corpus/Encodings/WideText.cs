using System.Buffers.Binary;

namespace OpenEuroLLM.Corpus.Encodings;

/// <summary>Recognises UTF-16 and UTF-32 without a byte order mark: text has blanks and line ends, so that some of its characters have bytes of zero on one side, and read
/// the right way nearly all are letters and signs of ordinary scripts.</summary>
internal static class WideText
{
    private const int SampleBytes = 4096;
    private const double LeastZeros = 0.02, LeastPlausible = 0.95;

    /// <summary>The encoding; null when the bytes are no such text.</summary>
    public static string? Find(ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> sample = bytes[..Math.Min(bytes.Length, SampleBytes)];
        sample = sample[..(sample.Length & ~3)];
        if (sample.Length < 8) sample = bytes[..(bytes.Length & ~1)];
        if (sample.Length < 4 || sample.Count((byte)0) < LeastZeros * sample.Length) return null;
        string? best = null;
        double bestShare = LeastPlausible;
        foreach (string name in (string[])["utf-32le", "utf-32be", "utf-16le", "utf-16be"])
        {
            double share = Plausible(sample, name);
            if (share > bestShare) (best, bestShare) = (name, share);
        }
        return best;
    }

    private static double Plausible(ReadOnlySpan<byte> sample, string name)
    {
        int width = name.StartsWith("utf-32", StringComparison.Ordinal) ? 4 : 2, plausible = 0, all = 0;
        bool bigEndian = name.EndsWith("be", StringComparison.Ordinal);
        for (int i = 0; i + width <= sample.Length; i += width, all++)
        {
            uint code = width == 4
                ? bigEndian ? BinaryPrimitives.ReadUInt32BigEndian(sample[i..]) : BinaryPrimitives.ReadUInt32LittleEndian(sample[i..])
                : bigEndian ? BinaryPrimitives.ReadUInt16BigEndian(sample[i..]) : BinaryPrimitives.ReadUInt16LittleEndian(sample[i..]);
            if (IsOrdinary(code)) plausible++;
        }
        return all == 0 ? 0 : (double)plausible / all;
    }

    private static bool IsOrdinary(uint code) => code switch
    {
        '\t' or '\n' or '\r' => true,
        < 0x20 or (>= 0x7F and < 0xA0) => false,
        < 0x250 or (>= 0x370 and < 0x530) or (>= 0x10A0 and < 0x1100) or (>= 0x1E00 and < 0x2000) or (>= 0x2010 and < 0x2040) or 0x20AC or 0x2116 or 0x2122 => true,
        _ => false,
    };
}
