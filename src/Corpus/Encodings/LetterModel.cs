using System.IO.Compression;
using System.Text;

namespace OpenEuroLLM.Corpus.Encodings;

/// <summary>How surprising a letter is after another one, in each language: from pairs of letters counted in texts by <see cref="LetterModelTrainer"/>.</summary>
internal sealed class LetterModel
{
    /// <summary>Costs are in sixteenths of a nat.</summary>
    public const int CostsPerNat = 16;

    private const string Resource = "encodings/letters.bin";
    private const uint Magic = 0x314D4C4C;

    private static readonly Lazy<LetterModel> Embedded = new(() =>
    {
        using Stream packed = typeof(LetterModel).Assembly.GetManifestResourceStream(Resource) ?? throw new InvalidOperationException($"The resource {Resource} is missing.");
        return Read(packed);
    });

    public LetterModel(IReadOnlyList<LetterPairs> languages) => Languages = languages;

    /// <summary>The model that comes with the program.</summary>
    public static LetterModel Default => Embedded.Value;

    /// <summary>A language with its pairs; one that has two alphabets stands here twice.</summary>
    public IReadOnlyList<LetterPairs> Languages { get; }

    /// <summary>Writes the model, packed.</summary>
    public void Write(Stream target)
    {
        using var packed = new ZLibStream(target, CompressionLevel.SmallestSize, leaveOpen: true);
        using var writer = new BinaryWriter(packed, Encoding.UTF8);
        writer.Write(Magic);
        writer.Write(Languages.Count);
        foreach (LetterPairs pairs in Languages)
        {
            writer.Write(pairs.Language);
            writer.Write(new string([.. pairs.Letters]));
            writer.Write(pairs.Costs);
        }
    }

    private static LetterModel Read(Stream source)
    {
        using var unpacked = new ZLibStream(source, CompressionMode.Decompress);
        using var reader = new BinaryReader(unpacked, Encoding.UTF8);
        if (reader.ReadUInt32() != Magic) throw new InvalidOperationException($"{Resource} is no model of letters.");
        var languages = new LetterPairs[reader.ReadInt32()];
        for (int i = 0; i < languages.Length; i++)
        {
            string language = reader.ReadString();
            char[] letters = [.. reader.ReadString()];
            int symbols = letters.Length + LetterPairs.FirstLetter;
            languages[i] = new LetterPairs(language, letters, reader.ReadBytes(symbols * symbols));
        }
        return new LetterModel(languages);
    }
}

/// <summary>The pairs of letters of a language.</summary>
/// <param name="Language">Language code, with the script where it has more than one.</param>
/// <param name="Letters">Its letters, folded; symbol <see cref="FirstLetter"/> and on.</param>
/// <param name="Costs">The cost of each symbol (second index) after each symbol (first index).</param>
internal sealed record LetterPairs(string Language, IReadOnlyList<char> Letters, byte[] Costs)
{
    /// <summary>Blanks, digits and marks of ASCII.</summary>
    public const int Boundary = 0;

    /// <summary>Quotation marks, dashes and other signs that touch words.</summary>
    public const int Sign = 1;

    /// <summary>A letter of ASCII in a language of another script.</summary>
    public const int Latin = 2;

    /// <summary>A letter that is not the language's.</summary>
    public const int Foreign = 3;

    /// <summary>A sign that is no part of a word: degrees, powers, currencies.</summary>
    public const int Mark = 5;

    /// <summary>What hardly stands in text: control characters, frames, formulas.</summary>
    public const int Strange = 4;

    /// <summary>The first letter's symbol.</summary>
    public const int FirstLetter = 6;

    /// <summary>The number of symbols.</summary>
    public int Symbols => Letters.Count + FirstLetter;

    /// <summary>Whether the language is written in Latin letters.</summary>
    public bool IsLatin { get; } = Letters.Contains('a');

    /// <summary>The symbol of a character.</summary>
    public int SymbolOf(char character)
    {
        if (character < 0x80 && !char.IsAsciiLetter(character)) return Boundary;
        if (char.IsLetter(character) && character != 'µ')
        {
            int letter = IndexOf(Fold(character));
            return letter >= 0 ? letter + FirstLetter : character < 0x80 ? IsLatin ? Foreign : Latin : Foreign;
        }
        return IsSign(character) ? Sign : IsMark(character) ? Mark : Strange;
    }

    /// <summary>A letter as it is counted: small; the cedilla of older encodings as the comma below of today's.</summary>
    public static char Fold(char letter) => letter switch
    {
        'İ' => 'i',
        'ş' or 'Ş' => 'ș',
        'ţ' or 'Ţ' => 'ț',
        _ => char.ToLowerInvariant(letter),
    };

    /// <summary>Whether the character is one of those that stand around and in the words of printed text.</summary>
    public static bool IsSign(char character) =>
        character is '\u00A0' or '\u00AD' or '·' or '«' or '»' or '‹' or '›' or '“' or '”' or '„' or '‚' or '‘' or '’' or '–' or '—' or '…' or '¿' or '¡' or '\u2015' or '´';

    /// <summary>Whether the character stands beside words, but not in them.</summary>
    public static bool IsMark(char character) => character is '§' or '°' or '€' or '£' or '©' or '®' or '™' or '•' or '№' or '½' or '¼' or '¾' or '²' or '³' or '±' or '×' or 'µ';

    private int IndexOf(char letter)
    {
        for (int i = 0; i < Letters.Count; i++)
            if (Letters[i] == letter) return i;
        return -1;
    }
}
