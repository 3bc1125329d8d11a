using System.Globalization;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Cli;

/// <summary>Sizes as a person writes them: <c>4GB</c> (powers of ten), <c>512MiB</c> (powers of two), or bytes.</summary>
internal static class ByteSize
{
    private static readonly (string Unit, double Bytes)[] _units =
        [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("KB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12), ("K", 1e3), ("M", 1e6), ("G", 1e9), ("B", 1), ("", 1)];

    public static long Parse(string text, string option)
    {
        foreach (var (unit, bytes) in _units)
        {
            if (text.EndsWith(unit, StringComparison.OrdinalIgnoreCase)
                && double.TryParse(text.AsSpan(0, text.Length - unit.Length).Trim(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number)
                && number * bytes is >= 0 and < 1e15)
                return (long)(number * bytes);
        }
        throw new UserErrorException($"{option} is '{text}'; expected a size such as 4GB, 512MiB, or a number of bytes.");
    }
}
