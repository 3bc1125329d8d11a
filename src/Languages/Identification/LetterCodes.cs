using System.Text;

namespace OpenEuroLLM.Languages.Identification;

/// <summary>The letters that identification tells apart, as one byte each: case folded, five of them fit one machine word. The codes are part of the
/// model's format: a change here needs a new model.</summary>
internal static class LetterCodes
{
    /// <summary>No letter: ends a word.</summary>
    public const byte None = 0;

    public const byte OtherLatin = 126, Apostrophe = 127, Hyphen = 128, MiddleDot = 129, Anchor = 130;
    public const byte FirstCyrillic = 131, OtherCyrillic = 180, Greek = 200, Georgian = 201, OtherScript = 202;

    /// <summary>A mark that belongs to the letter before it.</summary>
    public const byte Mark = 203;

    /// <summary>A digit.</summary>
    public const byte Digit = 204;

    /// <summary>A sign that is rare in sentences and frequent in code and markup.</summary>
    public const byte Sign = 205;

    private const int TableLength = 0x2100;
    private static readonly byte[] _codes = BuildCodes();
    private static readonly byte[] _plain = BuildPlain();

    public static bool IsLatin(byte code) => code is not None and <= OtherLatin;

    public static bool IsCyrillic(byte code) => code is >= FirstCyrillic and <= OtherCyrillic;

    /// <summary>The code of the letters below U+2100, which are all that alphabets of this project need.</summary>
    public static ReadOnlySpan<byte> Table => _codes;

    /// <summary>The code of a character.</summary>
    public static byte Of(int character) => character < TableLength ? _codes[character] : OfRare(character);

    /// <summary>The letter without its marks: what is left of it in text that was typed or stored without them.</summary>
    public static byte Plain(byte code) => _plain[code];

    /// <summary>Letter and combining mark as one letter, or the letter alone where the pair is none of ours.</summary>
    public static byte Compose(byte letter, int mark) => _composed.TryGetValue((letter, mark), out byte code) ? code : letter;

    private static byte OfRare(int character) => character switch
    {
        >= 0x2C60 and <= 0x2C7F or >= 0xA722 and <= 0xA7FF or >= 0xFB00 and <= 0xFB06 => OtherLatin,
        >= 0x2D00 and <= 0x2D2D => Georgian,
        >= 0x2DE0 and <= 0x2DFF or >= 0xA640 and <= 0xA69F => OtherCyrillic,
        >= 0xFE00 and <= 0xFE0F => Mark,
        _ when Rune.IsValid(character) && Rune.IsLetter(new Rune(character)) => OtherScript,
        _ => None,
    };

    private static byte[] BuildCodes()
    {
        var codes = new byte[TableLength];
        for (int character = 0; character < TableLength; character++)
            codes[character] = Classify(character);
        foreach (char sign in "{}<>=;_/\\|#$@*+[]^~`&%") codes[sign] = Sign;
        foreach (char sign in "'\u2019\u02BC\u02BB") codes[sign] = Apostrophe;
        codes['-'] = codes[0x2010] = codes[0x2011] = Hyphen;
        codes[0x00B7] = MiddleDot;
        codes[0x00AD] = codes[0x200B] = codes[0x200C] = codes[0x200D] = Mark; // invisible: soft hyphen and joiners
        return codes;
    }

    private static byte Classify(int character)
    {
        var rune = new Rune(character);
        if (character is >= '0' and <= '9') return Digit;
        if (character is >= 0x300 and <= 0x36F) return Mark;
        if (!Rune.IsLetter(rune)) return None;
        int lower = Rune.ToLowerInvariant(rune).Value;
        return lower switch
        {
            >= 'a' and <= 'z' => (byte)(lower - 'a' + 1),
            0xAA or 0xBA => None, // ordinal signs
            >= 0xDF and <= 0xFF => (byte)(27 + lower - 0xDF),
            0x17F => 's' - 'a' + 1,
            >= 0x100 and <= 0x17E => (byte)(60 + (lower - 0x100) / 2),
            0x219 => 124,
            0x21B => 125,
            < 0x2B0 or (>= 0x1E00 and <= 0x1EFF) or (>= 0x1D00 and <= 0x1DBF) => OtherLatin,
            >= 0x370 and <= 0x3FF or >= 0x1F00 and <= 0x1FFF => Greek,
            >= 0x430 and <= 0x45F => (byte)(FirstCyrillic + lower - 0x430),
            0x491 => 179,
            >= 0x400 and <= 0x52F or >= 0x1C80 and <= 0x1C8A => OtherCyrillic,
            >= 0x10A0 and <= 0x10FF or >= 0x1C90 and <= 0x1CBF => Georgian,
            _ => OtherScript,
        };
    }

    // Letter, its plain letter, and the combining mark that makes the one of the other, where there is one.
    private const string Marked =
        "àa\u0300áa\u0301âa\u0302ãa\u0303äa\u0308åa\u030Aāa\u0304ăa\u0306ąa\u0328çc\u0327ćc\u0301ĉc\u0302ċc\u0307čc\u030Cďd\u030Cđd\0ðd\0èe\u0300ée\u0301êe\u0302ëe\u0308ēe\u0304ĕe\u0306ėe\u0307ęe\u0328ěe\u030Cĝg\u0302ğg\u0306ġg\u0307ģg\u0327" +
        "ĥh\u0302ħh\0ìi\u0300íi\u0301îi\u0302ïi\u0308ĩi\u0303īi\u0304ĭi\u0306įi\u0328ıi\0ĵj\u0302ķk\u0327ĺl\u0301ļl\u0327ľl\u030Cłl\0ñn\u0303ńn\u0301ņn\u0327ňn\u030Còo\u0300óo\u0301ôo\u0302õo\u0303öo\u0308øo\0ōo\u0304ŏo\u0306őo\u030Bŕr\u0301ŗr\u0327řr\u030C" +
        "śs\u0301ŝs\u0302şs\u0327šs\u030Cșs\u0326ţt\u0327ťt\u030Cțt\u0326ùu\u0300úu\u0301ûu\u0302üu\u0308ũu\u0303ūu\u0304ŭu\u0306ůu\u030Aűu\u030Bųu\u0328ŵw\u0302ýy\u0301ÿy\u0308ŷy\u0302źz\u0301żz\u0307žz\u030C" +
        "йи\u0306їі\u0308ёе\u0308ѓг\u0301ќк\u0301ѐе\u0300ѝи\u0300ўу\u0306ґг\0";

    private static readonly Dictionary<(byte, int), byte> _composed = BuildComposed();

    private static Dictionary<(byte, int), byte> BuildComposed()
    {
        var composed = new Dictionary<(byte, int), byte>();
        for (int i = 0; i < Marked.Length; i += 3)
            if (Marked[i + 2] != '\0') composed[(_codes[Marked[i + 1]], Marked[i + 2])] = _codes[Marked[i]];
        return composed;
    }

    private static byte[] BuildPlain()
    {
        var plain = new byte[256];
        for (int code = 0; code < plain.Length; code++) plain[code] = (byte)code;
        for (int i = 0; i < Marked.Length; i += 3) plain[_codes[Marked[i]]] = _codes[Marked[i + 1]];
        return plain;
    }
}
