using System.Globalization;
using System.Text;

namespace OpenEuroLLM.Corpus.Extraction;

/// <summary>Character references: the named ones of the HTML standard (entities.txt: what they stand for, then their names; '!' marks names valid without a semicolon), and numeric ones.</summary>
internal static class HtmlEntities
{
    /// <summary>No reference is replaced by more bytes than this.</summary>
    public const int LongestReplacement = 8;

    private const int TableSize = 8192;
    private const int LongestName = 31; // CounterClockwiseContourIntegral
    private const int LongestLegacyName = 6; // Aacute
    private static readonly Entity[] _table = Load();

    /// <summary>Numbers 0x80 to 0x9F mean windows-1252, as in all browsers.</summary>
    private static ReadOnlySpan<ushort> Windows1252 =>
    [
        0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D, 0x017D, 0x8F,
        0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D, 0x017E, 0x0178,
    ];

    /// <summary>Reads a reference.</summary>
    /// <param name="text">Begins with the ampersand.</param>
    /// <param name="inAttribute">Whether the stricter rule for names without a semicolon holds.</param>
    /// <param name="replacement">At least <see cref="LongestReplacement"/> bytes for what it stands for.</param>
    /// <param name="written">Bytes of the replacement.</param>
    /// <returns>Bytes of the reference; 0 where there is none.</returns>
    public static int Read(ReadOnlySpan<byte> text, bool inAttribute, Span<byte> replacement, out int written)
    {
        written = 0;
        if (text.Length < 3) return 0;
        return text[1] == '#' ? ReadNumber(text, replacement, out written) : ReadName(text, inAttribute, replacement, out written);
    }

    private static int ReadNumber(ReadOnlySpan<byte> text, Span<byte> replacement, out int written)
    {
        written = 0;
        bool hexadecimal = text[2] is (byte)'x' or (byte)'X';
        int first = hexadecimal ? 3 : 2, at = first;
        uint value = 0;
        for (; at < text.Length; at++)
        {
            byte digit = text[at];
            uint amount;
            if (AsciiWord.IsDigit(digit)) amount = (uint)(digit - '0');
            else if (hexadecimal && AsciiWord.Lower(digit) is >= (byte)'a' and <= (byte)'f') amount = (uint)(AsciiWord.Lower(digit) - 'a' + 10);
            else break;
            if (value <= 0x10FFFF) value = value * (hexadecimal ? 16u : 10u) + amount;
        }
        if (at == first) return 0;
        if (at < text.Length && text[at] == ';') at++;
        if (value is >= 0x80 and <= 0x9F) value = Windows1252[(int)value - 0x80];
        if (value == 0 || !Rune.IsValid(value)) value = 0xFFFD;
        written = new Rune(value).EncodeToUtf8(replacement);
        return at;
    }

    private static int ReadName(ReadOnlySpan<byte> text, bool inAttribute, Span<byte> replacement, out int written)
    {
        written = 0;
        int limit = Math.Min(text.Length, LongestName + 1);
        int end = 1;
        while (end < limit && (AsciiWord.IsLetter(text[end]) || AsciiWord.IsDigit(text[end]))) end++;
        bool closed = end < text.Length && text[end] == ';';
        if (closed && Find(text[1..end]) is int whole and >= 0)
        {
            written = _table[whole].CopyTo(replacement);
            return end + 1;
        }
        // A name of the first HTML versions is known without its semicolon, even inside a longer word: the longest one counts.
        for (int shorter = Math.Min(end, LongestLegacyName + 1); shorter > 2; shorter--)
        {
            if (Find(text[1..shorter]) is not (int known and >= 0) || !_table[known].Legacy) continue;
            if (inAttribute && shorter < text.Length && (text[shorter] == '=' || AsciiWord.IsLetter(text[shorter]) || AsciiWord.IsDigit(text[shorter]))) return 0;
            written = _table[known].CopyTo(replacement);
            return shorter;
        }
        return 0;
    }

    private static int Find(ReadOnlySpan<byte> name)
    {
        for (uint slot = Slot(name); _table[slot].Name is byte[] known; slot = (slot + 1) % TableSize)
            if (name.SequenceEqual(known)) return (int)slot;
        return -1;
    }

    // Case matters here: &Auml; and &auml; differ.
    private static uint Slot(ReadOnlySpan<byte> name)
    {
        uint hash = 2166136261;
        foreach (byte value in name) hash = (hash ^ value) * 16777619;
        return (hash ^ (hash >> 15)) % TableSize;
    }

    private static Entity[] Load()
    {
        var table = new Entity[TableSize];
        foreach (string line in ExtractionData.Lines("entities.txt"))
        {
            string[] parts = line.Split(' ');
            byte[] replacement = Encoding.UTF8.GetBytes(string.Concat(parts[0].Split('+').Select(code => char.ConvertFromUtf32(int.Parse(code, NumberStyles.HexNumber, CultureInfo.InvariantCulture)))));
            foreach (string part in parts.AsSpan(1))
            {
                bool legacy = part[0] == '!';
                byte[] name = Encoding.ASCII.GetBytes(legacy ? part[1..] : part);
                uint slot = Slot(name);
                while (table[slot].Name is not null) slot = (slot + 1) % TableSize;
                table[slot] = new Entity(name, replacement, legacy);
            }
        }
        return table;
    }

    private readonly record struct Entity(byte[]? Name, byte[] Replacement, bool Legacy)
    {
        public int CopyTo(Span<byte> target)
        {
            Replacement.CopyTo(target);
            return Replacement.Length;
        }
    }
}
