using System.Buffers;

namespace OpenEuroLLM.Tokenizers;

/// <summary>How byte-pair encoding over characters treats what is special.</summary>
/// <param name="UnknownId">The token of a character without one; null leaves such a character out.</param>
/// <param name="ContinuingSubwordPrefix">Stands in the vocabulary before every character but the first of a word.</param>
/// <param name="EndOfWordSuffix">Stands in the vocabulary behind the last character of a word.</param>
/// <param name="FuseUnknown">Whether neighbouring unknown characters become one token.</param>
/// <param name="ByteFallback">Whether a character without a token becomes its byte tokens where all of them exist.</param>
/// <param name="IgnoreMerges">Whether a piece that is a token is emitted at once.</param>
internal sealed record TextBpeSettings(
    int? UnknownId, byte[] ContinuingSubwordPrefix, byte[] EndOfWordSuffix, bool FuseUnknown, bool ByteFallback, bool IgnoreMerges);

/// <summary>Byte-pair encoding over characters, as in tokenizers that stem from SentencePiece. Immutable but for a cache of words, and safe for many
/// threads.</summary>
/// <remarks>Linear in the text where words can be encoded one by one, which the vocabulary decides; n log n in the longest part that cannot be cut.</remarks>
internal sealed class TextBpeModel : ITokenModel
{
    private readonly Vocabulary _vocabulary;
    private readonly PairMerger _merger;
    private readonly WordCuts? _cuts;
    private readonly WordCache<EncodedToken[]> _cache = new();
    private readonly int[]? _byteIds;

    /// <param name="tokens">The text of each token by id; null where the id is no token of this model.</param>
    /// <param name="merges">In order of rank, no pair twice.</param>
    /// <param name="settings">What is special.</param>
    public TextBpeModel(IReadOnlyList<byte[]?> tokens, IReadOnlyList<Merge> merges, TextBpeSettings settings)
    {
        (Merges, Settings) = (merges, settings);
        _vocabulary = new Vocabulary(tokens);
        _merger = new PairMerger([.. merges.Select((merge, rank) => (merge, rank))]);
        if (settings.ByteFallback)
            _byteIds = _vocabulary.ByteTokens();
        // With a prefix or suffix a character depends on its place in the piece, and a mark that is unknown could be fused with what is before it.
        if (settings.ContinuingSubwordPrefix.Length == 0 && settings.EndOfWordSuffix.Length == 0 && !settings.IgnoreMerges && _vocabulary.Find("▁"u8) is not null)
            _cuts = new WordCuts(tokens.OfType<byte[]>());
    }

    public IReadOnlyList<Merge> Merges { get; }

    public TextBpeSettings Settings { get; }

    public int VocabularySize => _vocabulary.Size;

    public byte[]? TextOf(int id) => _vocabulary.TextOf(id);

    public int? Find(ReadOnlySpan<byte> text) => _vocabulary.Find(text);

    public void Encode(ReadOnlySpan<byte> piece, List<EncodedToken> tokens)
    {
        for (int start = 0; start < piece.Length;)
        {
            int end = _cuts?.End(piece, start) ?? piece.Length;
            EncodeWord(piece[start..end], start, tokens);
            start = end;
        }
    }

    private void EncodeWord(ReadOnlySpan<byte> word, int offset, List<EncodedToken> tokens)
    {
        if (word.Length > WordCache<EncodedToken[]>.LongestWord)
        {
            EncodeUncached(word, offset, tokens);
            return;
        }
        if (_cache.Find(word, out int slot) is not { } known)
        {
            int first = tokens.Count;
            EncodeUncached(word, 0, tokens);
            known = [.. tokens.Skip(first)];
            tokens.RemoveRange(first, tokens.Count - first);
            _cache.Set(slot, word, known);
        }
        foreach (var token in known)
            tokens.Add(new EncodedToken(token.Id, offset + token.Start, offset + token.End));
    }

    private void EncodeUncached(ReadOnlySpan<byte> word, int offset, List<EncodedToken> tokens)
    {
        if (Settings.IgnoreMerges && Find(word) is int whole)
        {
            tokens.Add(new EncodedToken(whole, offset, offset + word.Length));
            return;
        }
        var symbols = new Symbols(word.Length + Settings.ContinuingSubwordPrefix.Length + Settings.EndOfWordSuffix.Length);
        Split(word, ref symbols);
        int count = _merger.Merge(symbols.Ids, symbols.Ends);
        int start = 0;
        for (int i = 0; i < count; i++)
        {
            tokens.Add(new EncodedToken(symbols.Ids[i], offset + start, offset + symbols.Ends[i]));
            start = symbols.Ends[i];
        }
        symbols.Return();
    }

    /// <summary>The characters of a word as tokens.</summary>
    private void Split(ReadOnlySpan<byte> word, ref Symbols symbols)
    {
        int unknownEnd = -1;                        // of a run of unknown characters that is not written yet
        for (int start = 0; start < word.Length;)
        {
            int end = start + Utf8Characters.FirstLength(word[start..]);
            bool plain = Settings.ContinuingSubwordPrefix.Length == 0 && Settings.EndOfWordSuffix.Length == 0;
            ReadOnlySpan<byte> character = plain ? word[start..end] : Decorated(word[start..end], start == 0, end == word.Length);
            int id = _vocabulary.Trie.Find(character);
            if (id >= 0)
            {
                FlushUnknown(ref symbols);
                symbols.Add(id, end);
            }
            else if (_byteIds is not null && AllThere(character))
            {
                // An unknown run before it stays open, as in the reference.
                for (int i = 0; i < character.Length; i++)
                    symbols.Add(_byteIds[character[i]], Math.Min(start + i + 1, end));
            }
            else if (Settings.UnknownId is not null)
            {
                if (!Settings.FuseUnknown)
                    FlushUnknown(ref symbols);
                unknownEnd = end;
            }
            start = end;
        }
        FlushUnknown(ref symbols);

        void FlushUnknown(ref Symbols symbols)
        {
            if (unknownEnd >= 0)
                symbols.Add(Settings.UnknownId!.Value, unknownEnd);
            unknownEnd = -1;
        }
    }

    private byte[] Decorated(ReadOnlySpan<byte> character, bool isFirst, bool isLast) =>
        [.. isFirst ? [] : Settings.ContinuingSubwordPrefix, .. character, .. isLast ? Settings.EndOfWordSuffix : []];

    private bool AllThere(ReadOnlySpan<byte> character)
    {
        foreach (byte value in character)
            if (_byteIds![value] < 0)
                return false;
        return true;
    }

    /// <summary>Tokens with their ends, in rented memory.</summary>
    private ref struct Symbols(int capacity)
    {
        private readonly int[] _ids = ArrayPool<int>.Shared.Rent(capacity + 1);
        private readonly int[] _ends = ArrayPool<int>.Shared.Rent(capacity + 1);
        private int _count;

        public readonly Span<int> Ids => _ids.AsSpan(0, _count);

        public readonly Span<int> Ends => _ends.AsSpan(0, _count);

        public void Add(int id, int end) => (_ids[_count], _ends[_count++]) = (id, end);

        public readonly void Return()
        {
            ArrayPool<int>.Shared.Return(_ids);
            ArrayPool<int>.Shared.Return(_ends);
        }
    }
}
