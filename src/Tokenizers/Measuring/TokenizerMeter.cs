using System.Numerics;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Counts what a tokenizer makes of texts, by language. For one thread; meters of several threads are added up, in any order.</summary>
/// <param name="tokenizer">The tokenizer.</param>
public sealed class TokenizerMeter(Tokenizer tokenizer)
{
    // A longer text is measured in parts: the places of its tokens would take a multiple of its size.
    private const int LongestPart = 1 << 20;

    private readonly SortedDictionary<string, Counts> _languages = new(StringComparer.Ordinal);
    private readonly List<EncodedToken> _tokens = [];
    private readonly List<int> _ids = [];
    private readonly int? _unknown = UnknownOf(tokenizer.Parts.Model);

    /// <summary>Measures one text.</summary>
    /// <param name="language">Its language, as the row is to be called.</param>
    /// <param name="utf8">The text. One of more than a mebibyte is cut behind line feeds, or else behind characters.</param>
    public void Add(string language, ReadOnlySpan<byte> utf8)
    {
        ArgumentNullException.ThrowIfNull(language);
        if (!_languages.TryGetValue(language, out var counts))
            _languages.Add(language, counts = new Counts(tokenizer.VocabularySize));
        counts.Texts++;
        bool same = true;
        while (!utf8.IsEmpty)
        {
            int length = PartLength(utf8);
            same &= Measure(utf8[..length], counts);
            utf8 = utf8[length..];
        }
        if (!same)
            counts.ChangedTexts++;
    }

    /// <summary>Takes over what another meter of the same tokenizer has counted.</summary>
    public void Add(TokenizerMeter other)
    {
        ArgumentNullException.ThrowIfNull(other);
        foreach (var (language, theirs) in other._languages)
        {
            if (_languages.TryGetValue(language, out var counts))
                counts.Add(theirs);
            else
                _languages.Add(language, theirs);
        }
    }

    /// <summary>The result by language.</summary>
    public IReadOnlyDictionary<string, LanguageMeasure> Result() =>
        _languages.ToDictionary(pair => pair.Key, pair => pair.Value.ToMeasure(), StringComparer.Ordinal);

    /// <summary>How many different tokens occurred in all languages together.</summary>
    public int VocabularyUsed()
    {
        var all = new Counts(tokenizer.VocabularySize);
        foreach (var counts in _languages.Values)
            all.Add(counts);
        return all.ToMeasure().VocabularyUsed;
    }

    private static int PartLength(ReadOnlySpan<byte> text)
    {
        if (text.Length <= LongestPart)
            return text.Length;
        int feed = text[..LongestPart].LastIndexOf((byte)'\n');
        if (feed >= 0)
            return feed + 1;
        int cut = LongestPart;
        while (cut > LongestPart - 3 && (text[cut] & 0xC0) == 0x80)
            cut--;
        return cut;
    }

    /// <summary>Counts one part; returns whether decoding gives it back.</summary>
    private bool Measure(ReadOnlySpan<byte> text, Counts counts)
    {
        _tokens.Clear();
        _ids.Clear();
        Encode(text);
        foreach (var token in _tokens)
        {
            _ids.Add(token.Id);
            counts.Used[token.Id >> 6] |= 1UL << token.Id;
            if (token.Id == _unknown)
                counts.UnknownTokens++;
        }
        counts.Bytes += text.Length;
        counts.Tokens += _tokens.Count;
        CountWords(text, counts);
        return tokenizer.DecodeBytes(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_ids), skipSpecial: false).AsSpan().SequenceEqual(text);
    }

    private void Encode(ReadOnlySpan<byte> text)
    {
        if (tokenizer.IsByteLevel)
        {
            // Tokens that are the bytes of the text say their places themselves, in a tenth of the time.
            tokenizer.Encode(text, _ids);
            int position = 0;
            foreach (int id in _ids)
                _tokens.Add(new EncodedToken(id, position, position += tokenizer.DirectBytesOf(id)!.Length));
            _ids.Clear();
            if (position == text.Length)
                return;
            _tokens.Clear();
        }
        tokenizer.EncodeWithOffsets(text, _tokens);
    }

    private static int? UnknownOf(ModelSettings model) => model switch
    {
        BpeSettings pairs => pairs.UnknownId,
        UnigramSettings unigram => unigram.UnknownId,
        WordPieceSettings pieces => pieces.UnknownId,
        WordLevelSettings words => words.UnknownId,
        SentencePieceSettings pieces => pieces.Vocabulary.UnknownId,
        _ => null,
    };

    // Places of tokens ascend, and so do words: one walk over both.
    private void CountWords(ReadOnlySpan<byte> text, Counts counts)
    {
        var words = new WordFinder(text);
        int first = 0;
        while (words.TryNext(out int start, out int end))
        {
            while (first < _tokens.Count && _tokens[first].End <= start)
                first++;
            int touching = 0;
            for (int i = first; i < _tokens.Count && _tokens[i].Start < end; i++)
                if (_tokens[i].End > start)
                    touching++;
            counts.Words++;
            counts.WordTokens += touching;
            if (touching == 1)
                counts.WholeWords++;
        }
        counts.Characters += words.Characters;
    }

    private sealed class Counts(int vocabularySize)
    {
        public readonly ulong[] Used = new ulong[(vocabularySize + 63) / 64];
        public long Texts, Bytes, Characters, Words, WholeWords, WordTokens, Tokens, UnknownTokens, ChangedTexts;

        public void Add(Counts other)
        {
            for (int i = 0; i < Used.Length; i++)
                Used[i] |= other.Used[i];
            Texts += other.Texts;
            Bytes += other.Bytes;
            Characters += other.Characters;
            Words += other.Words;
            WholeWords += other.WholeWords;
            WordTokens += other.WordTokens;
            Tokens += other.Tokens;
            UnknownTokens += other.UnknownTokens;
            ChangedTexts += other.ChangedTexts;
        }

        public LanguageMeasure ToMeasure()
        {
            int used = 0;
            foreach (ulong word in Used)
                used += BitOperations.PopCount(word);
            return new LanguageMeasure(Texts, Bytes, Characters, Words, WholeWords, WordTokens, Tokens, UnknownTokens, ChangedTexts, used);
        }
    }
}
