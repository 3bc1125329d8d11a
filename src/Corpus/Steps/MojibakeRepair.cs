using System.Buffers;
using System.Collections.Frozen;
using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Languages;

namespace OpenEuroLLM.Corpus;

/// <summary>Repairs text that was written as UTF-8 and read as an older encoding ("Ã©" for "é", "Р¶" for "ж"), also when it happened several times. A sequence
/// is only read anew when that gives a letter which the document's language has, or a sign that all of them use: right text stays as it is.</summary>
public sealed record MojibakeRepair : Filter
{
    private const int MostRounds = 3;
    private const string Typographic = "\u00A0«»‘’‚“”„‹›–—…•·°§©®™€£½¼¾²³×´¿¡";

    private static readonly CodePage[] CodePages = [.. new[] { 1252, 1250, 1251, 1253, 1254, 1257, 28591, 28592 }.Select(number => new CodePage(number))];

    // For each character the code pages, a bit each, in which it is the first byte of a sequence of UTF-8, and those in which it is a later one.
    private static readonly byte[] Leading = Pages(0xC2, 0xF5), Following = Pages(0x80, 0xC0);

    private static readonly Accepted AnyLanguage = new(FrozenSet<char>.Empty, Letters(LanguageCatalog.All.SelectMany(language => language.Alphabets)));

    private static readonly FrozenDictionary<string, Accepted> OfLanguage = LanguageCatalog.All.ToFrozenDictionary(language => language.Code, language => new Accepted(
        Letters(language.Alphabets), Letters(LanguageCatalog.All.SelectMany(other => other.Alphabets).Where(alphabet => language.Alphabets.Any(own => own.Script.Code == alphabet.Script.Code)))));

    /// <inheritdoc/>
    public override Verdict Judge(Document document)
    {
        Accepted own = OfLanguage.GetValueOrDefault(document.Lang, AnyLanguage);
        string text = document.Text;
        // Once more where a text was put together from parts that were misread in different ways.
        for (int round = 0; round < MostRounds && Repaired(text, own) is { } better; round++) text = better;
        return ReferenceEquals(text, document.Text) ? Verdict.Keep : Verdict.Replace(document with { Text = text });
    }

    /// <summary>The text read anew from the encoding that explains most of it; null when no encoding explains any.</summary>
    private static string? Repaired(string text, Accepted own)
    {
        int candidates = Candidates(text);
        if (candidates == 0) return null;
        CodePage? best = null;
        int most = 0;
        for (int number = 0; number < CodePages.Length; number++)
        {
            if ((candidates & (1 << number)) == 0) continue;
            CodePage page = CodePages[number];
            int saved = 0;   // characters: what was misread several times has become longer each time
            for (int i = 0; i < text.Length; i++)
            {
                if ((Starts(text, i) & (1 << number)) == 0 || page.Read(text.AsSpan(i), own, alone: true, out _) is not (> 0 and int length)) continue;
                saved += length - 1;
                i += length - 1;
            }
            if (saved > most) (best, most) = (page, saved);
        }
        if (best is null) return null;
        var repaired = new StringBuilder(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] < '\u0080' || best.Read(text.AsSpan(i), own, alone: false, out Rune rune) is not (> 0 and int length))
            {
                repaired.Append(text[i]);
                continue;
            }
            repaired.Append(rune.ToString());
            i += length - 1;
        }
        return repaired.ToString();
    }

    /// <summary>The code pages, a bit each, in which two neighbouring characters of the text begin a sequence of UTF-8: right text hardly ever has any, and is read once and not
    /// once for each page.</summary>
    private static int Candidates(string text)
    {
        int candidates = 0;
        for (int i = text.AsSpan().IndexOfAnyExceptInRange('\0', '\u007F'); i >= 0 && i < text.Length; i++) candidates |= Starts(text, i);
        return candidates;
    }

    private static int Starts(string text, int at) => at + 1 < text.Length ? Leading[text[at]] & Following[text[at + 1]] : 0;

    private static byte[] Pages(int from, int to)
    {
        var pages = new byte[0x10000];
        for (int number = 0; number < CodePages.Length; number++)
            for (int character = 0x80; character < pages.Length; character++)
                if (CodePages[number].ByteOf((char)character) is int value && value >= from && value < to) pages[character] |= (byte)(1 << number);
        return pages;
    }

    private static FrozenSet<char> Letters(IEnumerable<Alphabet> alphabets) => alphabets.SelectMany(alphabet => alphabet.Letters).Where(letter => letter >= '\u0080')
        .SelectMany(letter => (char[])[letter, char.ToUpperInvariant(letter)]).ToFrozenSet();

    /// <summary>What a sequence may give: letters of the language, and where it begins with none of these, letters of others that are written in its script.</summary>
    private sealed record Accepted(FrozenSet<char> Letters, FrozenSet<char> OfScript)
    {
        /// <summary>The letters of the language, to search with.</summary>
        public SearchValues<char> Values { get; } = SearchValues.Create([.. Letters]);
    }

    /// <summary>An encoding of one byte a character that UTF-8 is mistaken for.</summary>
    private sealed class CodePage
    {
        private readonly short[] _bytes = new short[0x10000];   // of each character; 0 where it has none, and for ASCII

        public CodePage(int number)
        {
            Encoding encoding = CodePagesEncodingProvider.Instance.GetEncoding(number) ?? Encoding.GetEncoding(number);
            Span<char> character = stackalloc char[2];
            for (int value = 0x80; value < 0x100; value++)
                if (encoding.GetChars([(byte)value], character) == 1 && character[0] != '\uFFFD') _bytes[character[0]] = (short)value;
            // Bytes that a Windows code page leaves free are read as the control characters of their number.
            for (int value = 0x80; value < 0xA0; value++)
                if (_bytes[value] == 0 && !_bytes.Contains((short)value)) _bytes[value] = (short)value;
        }

        /// <summary>The byte of a character; 0 where it has none, and for ASCII.</summary>
        public int ByteOf(char character) => _bytes[character];

        /// <summary>Reads a sequence of UTF-8 whose bytes are the characters at the beginning of a text; where those it gives are again such bytes, reads on.</summary>
        /// <param name="text">The text.</param>
        /// <param name="own">What it may give.</param>
        /// <param name="alone">Whether the sequence must leave no doubt by itself; "Β»", or two letters of the language, are read in another way only where there are others.</param>
        /// <param name="rune">What it gives.</param>
        /// <param name="depth">How often it has been read already.</param>
        /// <returns>Its length in characters; 0 when there is none that the language would have.</returns>
        public int Read(ReadOnlySpan<char> text, Accepted own, bool alone, out Rune rune, int depth = 1)
        {
            int length = Decode(text, out rune);
            if (length == 0) return 0;
            if (!rune.IsBmp) return rune.Value is >= 0x1F000 and < 0x1FB00 ? length : 0;   // emoji and other pictures
            if (depth < MostRounds && ReadAgain(text, own, alone, out Rune inner, depth) is > 0 and int all)
            {
                rune = inner;
                return all;
            }
            char read = (char)rune.Value;
            bool foreign = !own.Letters.Contains(text[0]);
            bool isWord = !foreign && !text[1..length].ContainsAnyExcept(own.Values);
            return (own.Letters.Contains(read) && !(alone && isWord)) || (foreign && own.OfScript.Contains(read)) || (Typographic.Contains(read) && (foreign || length > 2 || !alone)) ? length : 0;
        }

        /// <summary>Reads what the next sequences give as bytes of a sequence themselves.</summary>
        private int ReadAgain(ReadOnlySpan<char> text, Accepted own, bool alone, out Rune rune, int depth)
        {
            const int most = 64;   // characters of one that was misread three times
            Span<char> inner = stackalloc char[most];
            Span<int> ends = stackalloc int[most];
            int count = 0;
            for (int at = 0; at < text.Length && count < most && text[at] >= '\u0080' && Decode(text[at..], out Rune one) is > 0 and int length && one.IsBmp; count++)
            {
                inner[count] = (char)one.Value;
                ends[count] = at += length;
            }
            int read = Read(inner[..count], own, alone, out rune, depth + 1);
            return read == 0 ? 0 : ends[read - 1];
        }

        private int Decode(ReadOnlySpan<char> text, out Rune rune)
        {
            rune = default;
            Span<byte> bytes = stackalloc byte[4];
            int first = _bytes[text[0]];
            int length = first switch { >= 0xC2 and < 0xE0 => 2, >= 0xE0 and < 0xF0 => 3, >= 0xF0 and < 0xF5 => 4, _ => 0 };
            if (length == 0 || length > text.Length) return 0;
            bytes[0] = (byte)first;
            for (int i = 1; i < length; i++)
            {
                if (_bytes[text[i]] is not (>= 0x80 and < 0xC0 and short value)) return 0;
                bytes[i] = (byte)value;
            }
            return Rune.DecodeFromUtf8(bytes[..length], out rune, out _) == OperationStatus.Done ? length : 0;
        }
    }
}
