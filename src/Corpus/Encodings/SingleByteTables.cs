using System.Text;

namespace OpenEuroLLM.Corpus.Encodings;

/// <summary>The characters of the bytes 80 to FF in the encodings that the platform does not have.</summary>
internal static class SingleByteTables
{
    // From A0 on; what stands before is control characters. Sources: ISO/IEC 8859 parts 10, 14 and 16; the mappings of GNU libiconv for Georgian.
    private const string Latin6 =
        "\u00A0ĄĒĢĪĨĶ§ĻĐŠŦŽ\u00ADŪŊ°ąēģīĩķ·ļđšŧž―ūŋĀÁÂÃÄÅÆĮČÉĘËĖÍÎÏÐŅŌÓÔÕÖŨØŲÚÛÜÝÞßāáâãäåæįčéęëėíîïðņōóôõöũøųúûüýþĸ";
    private const string Latin8 =
        "\u00A0Ḃḃ£ĊċḊ§Ẁ©ẂḋỲ\u00AD®ŸḞḟĠġṀṁ¶ṖẁṗẃṠỳẄẅṡÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏŴÑÒÓÔÕÖṪØÙÚÛÜÝŶßàáâãäåæçèéêëìíîïŵñòóôõöṫøùúûüýŷÿ";
    private const string Latin10 =
        "\u00A0ĄąŁ€„Š§š©Ș«Ź\u00ADźŻ°±ČłŽ”¶·žčș»ŒœŸżÀÁÂĂÄĆÆÇÈÉÊËÌÍÎÏĐŃÒÓÔŐÖŚŰÙÚÛÜĘȚßàáâăäćæçèéêëìíîïđńòóôőöśűùúûüęțÿ";
    private const string GeorgianPs = "აბგდევზჱთიკლმნჲოპჟრსტჳუფქღყშჩცძწჭხჴჯჰჵ";

    /// <summary>The characters of all 256 bytes; null for an encoding that has more than one byte for a character or is unknown. A byte that stands for nothing has the control
    /// character of its number.</summary>
    public static char[]? Characters(string name)
    {
        char[] characters = [.. Enumerable.Range(0, 256).Select(i => (char)i)];
        switch (name)
        {
            case "iso-8859-10":
                Latin6.CopyTo(0, characters, 0xA0, 96);
                return characters;
            case "iso-8859-14":
                Latin8.CopyTo(0, characters, 0xA0, 96);
                return characters;
            case "iso-8859-16":
                Latin10.CopyTo(0, characters, 0xA0, 96);
                return characters;
            case "georgian-ps" or "georgian-academy":
                characters = Characters("windows-1252")!;
                if (name == "georgian-ps") GeorgianPs.CopyTo(0, characters, 0xC0, GeorgianPs.Length);
                else for (int i = 0; i < 39; i++) characters[0xC0 + i] = (char)('ა' + i);
                return characters;
        }
        Encoding? encoding = Platform(name);
        if (encoding is not { IsSingleByte: true }) return null;
        byte[] one = new byte[1];
        for (int i = 0x80; i < 256; i++)
        {
            one[0] = (byte)i;
            string text = encoding.GetString(one);
            characters[i] = text.Length == 1 && text[0] is not ('\uFFFD' or '?') and not (>= '\uE000' and <= '\uF8FF') ? text[0] : (char)i;
        }
        return characters;
    }

    /// <summary>The platform's encoding of that name; null when it has none.</summary>
    public static Encoding? Platform(string name) => name switch
    {
        "x-mac-ce" => OfPlatform(10029),
        "gb18030" => OfPlatform(54936),
        "utf-16le" => Encoding.Unicode,
        "utf-16be" => Encoding.BigEndianUnicode,
        "utf-32le" => Encoding.UTF32,
        "utf-32be" => new UTF32Encoding(bigEndian: true, byteOrderMark: false),
        _ => CodePagesEncodingProvider.Instance.GetEncoding(name) is { } encoding ? OfPlatform(encoding.CodePage) : null,
    };

    private static Encoding? OfPlatform(int codePage) =>
        CodePagesEncodingProvider.Instance.GetEncoding(codePage, EncoderFallback.ReplacementFallback, new DecoderReplacementFallback("\uFFFD"));
}
