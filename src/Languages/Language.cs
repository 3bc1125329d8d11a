using System.Runtime.CompilerServices;
using System.Text;

namespace OpenEuroLLM.Languages;

/// <summary>A script as one language uses it.</summary>
/// <param name="Script">The script.</param>
/// <param name="Letters">Lower-case letters of the language's standard spelling.</param>
public sealed record Alphabet(Script Script, string Letters);

/// <summary>A language of the project; the data are in <c>languages/</c>.</summary>
/// <param name="Code">The canonical code, used in documents, recipes and reports.</param>
/// <param name="Iso6391">ISO 639-1.</param>
/// <param name="Iso6393">ISO 639-3.</param>
/// <param name="Tags">BCP 47 with script, one per script, the usual one first.</param>
/// <param name="Aliases">Other codes that mean this language.</param>
/// <param name="Name">In English.</param>
/// <param name="NativeName">In itself.</param>
/// <param name="Status">Why it is here.</param>
/// <param name="Family">Branch of the language family.</param>
/// <param name="Countries">ISO 3166 countries where it has official standing.</param>
/// <param name="Alphabets">Its scripts with their letters, the usual one first.</param>
/// <param name="Examples">Sentences written for this project.</param>
/// <param name="StopWords">Its most frequent words of grammar, in small letters.</param>
/// <param name="Words">Other frequent words, and those that tell it from its neighbours, in small letters.</param>
public sealed record Language(
    string Code, string Iso6391, string Iso6393, IReadOnlyList<string> Tags, IReadOnlyList<string> Aliases, string Name, string NativeName,
    LanguageStatus Status, string Family, IReadOnlyList<string> Countries, IReadOnlyList<Alphabet> Alphabets, IReadOnlyList<string> Examples,
    IReadOnlyList<string> StopWords, IReadOnlyList<string> Words)
{
    private const byte NoLetter = 0, Letter = 1, OwnLetter = 3, HalfOfPair = 4;

    // Beside the record, whose equality is that of its values.
    private static readonly ConditionalWeakTable<Language, byte[]> LetterKinds = [];

    /// <summary>Whether a character belongs to a script of this language.</summary>
    public bool IsInScript(Rune rune)
    {
        foreach (var alphabet in Alphabets)
            if (alphabet.Script.Contains(rune)) return true;
        return false;
    }

    /// <summary>The share of a text's letters that belong to the scripts of this language; 0 when the text has no letters.</summary>
    public double ScriptShare(ReadOnlySpan<char> text)
    {
        (int letters, int own) = CountLetters(text);
        return letters == 0 ? 0 : (double)own / letters;
    }

    /// <summary>The letters of a text, and those of them that belong to the scripts of this language.</summary>
    public (int All, int Own) CountLetters(ReadOnlySpan<char> text)
    {
        byte[] kinds = LetterKinds.GetValue(this, static language => language.FindLetterKinds());
        int letters = 0, own = 0;
        for (int i = 0; i < text.Length; i++)
        {
            int kind = kinds[text[i]];
            if (kind == HalfOfPair)
            {
                if (Rune.DecodeFromUtf16(text[i..], out Rune rune, out int length) == System.Buffers.OperationStatus.Done) kind = KindOf(rune);
                i += length - 1;
            }
            letters += kind & 1;
            own += (kind >> 1) & 1;
        }
        return (letters, own);
    }

    private byte[] FindLetterKinds()
    {
        byte[] kinds = new byte[1 << 16];
        for (int value = 0; value < kinds.Length; value++) kinds[value] = Rune.TryCreate(value, out Rune rune) ? KindOf(rune) : HalfOfPair;
        return kinds;
    }

    private byte KindOf(Rune rune) => !Rune.IsLetter(rune) ? NoLetter : IsInScript(rune) ? OwnLetter : Letter;

    /// <inheritdoc/>
    public override string ToString() => Code;
}
