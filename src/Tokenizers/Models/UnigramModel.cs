using System.Runtime.InteropServices;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>A token of a Unigram model.</summary>
/// <param name="Text">As it is found in text (UTF-8).</param>
/// <param name="Score">The logarithm of its probability.</param>
internal readonly record struct UnigramPiece(byte[] Text, double Score);

/// <summary>Unigram: the tokens with the highest sum of scores. Sums are in double precision as in the reference of <c>tokenizer.json</c>; a character
/// that no token covers costs 10 more than the worst token, and neighbours of that kind become one unknown token or their bytes.</summary>
internal sealed class UnigramModel : ITokenModel
{
    private const double UnknownPenalty = 10;

    [ThreadStatic]
    private static List<UnigramSearch.PathToken>? _threadPath;

    private readonly ByteTrie _trie;
    private readonly UnigramSearch _search;
    private readonly WordCuts _cuts;
    private readonly WordCache<UnigramSearch.ShortPath> _cache = new();
    private readonly int[]? _byteIds;

    /// <param name="pieces">The tokens by id.</param>
    /// <param name="unknownId">The token of characters that no token covers; null refuses such text.</param>
    /// <param name="byteFallback">Whether such characters become byte tokens where all of them exist.</param>
    public UnigramModel(IReadOnlyList<UnigramPiece> pieces, int? unknownId, bool byteFallback)
        : this(pieces, unknownId, byteFallback, [.. pieces.Select(piece => piece.Score)], pieces.Select(piece => piece.Score).DefaultIfEmpty().Min() - UnknownPenalty,
            Enumerable.Range(0, pieces.Count), single: false)
    {
    }

    private UnigramModel(IReadOnlyList<UnigramPiece> pieces, int? unknownId, bool byteFallback, double[] scores, double unknownScore, IEnumerable<int> found, bool single)
    {
        (Pieces, UnknownId, ByteFallback) = (pieces, unknownId, byteFallback);
        _trie = new ByteTrie(pieces.Select((piece, id) => (piece.Text, id)));
        int[] ids = [.. found];
        var foundTrie = ids.Length == pieces.Count ? _trie : new ByteTrie(ids.Select(id => (pieces[id].Text, id)));
        _search = new UnigramSearch(foundTrie, scores, unknownScore, single);
        _cuts = new WordCuts(ids.Select(id => pieces[id].Text));
        if (byteFallback)
            _byteIds = [.. Enumerable.Range(0, 256).Select(value => _trie.Find(Vocabulary.ByteTokenText((byte)value)))];
    }

    public IReadOnlyList<UnigramPiece> Pieces { get; }

    public int? UnknownId { get; }

    public bool ByteFallback { get; }

    public int VocabularySize => Pieces.Count;

    /// <summary>The model with the arithmetic of SentencePiece: sums in single precision, and only some tokens are found in text.</summary>
    /// <param name="pieces">The tokens by id.</param>
    /// <param name="unknownId">The token of characters that no token covers.</param>
    /// <param name="byteFallback">Whether such characters become byte tokens.</param>
    /// <param name="scores">What each token counts on a path.</param>
    /// <param name="lowestScore">The lowest score of a normal token.</param>
    /// <param name="found">The ids that are found in text.</param>
    public static UnigramModel OfSentencePiece(IReadOnlyList<UnigramPiece> pieces, int unknownId, bool byteFallback, double[] scores, float lowestScore, IEnumerable<int> found) =>
        new(pieces, unknownId, byteFallback, scores, (float)(lowestScore - (float)UnknownPenalty), found, single: true);

    public byte[]? TextOf(int id) => (uint)id < (uint)Pieces.Count ? Pieces[id].Text : null;

    public int? Find(ReadOnlySpan<byte> text) => _trie.Find(text) is var id and >= 0 ? id : null;

    /// <exception cref="UserErrorException">A character has no token, and there is no unknown token.</exception>
    public void Encode(ReadOnlySpan<byte> piece, List<EncodedToken> tokens)
    {
        var path = _threadPath ??= [];
        var writer = new Writer(this, piece, tokens);
        double score = 0;
        for (int start = 0; start < piece.Length;)
        {
            int end = _cuts.End(piece, start);
            var word = piece[start..end];
            if (word.Length <= WordCache<UnigramSearch.ShortPath>.LongestWord && Known(word) is { } known && _search.TryFollow(known, ref score))
            {
                writer.Write(known.Tokens, start);
            }
            else
            {
                path.Clear();
                _search.Run(word, ref score, path);
                writer.Write(CollectionsMarshal.AsSpan(path), start);
            }
            start = end;
        }
        writer.Finish();
    }

    private UnigramSearch.ShortPath Known(ReadOnlySpan<byte> word)
    {
        if (_cache.Find(word, out int slot) is { } known)
            return known;
        known = _search.RunShort(word);
        _cache.Set(slot, word, known);
        return known;
    }

    /// <summary>Writes the tokens of a path, with neighbouring unknown ones as one.</summary>
    private ref struct Writer(UnigramModel model, ReadOnlySpan<byte> piece, List<EncodedToken> tokens)
    {
        private readonly ReadOnlySpan<byte> _piece = piece;
        private int _start;                 // of the next token
        private int _unknownStart = -1;     // of the run of unknown tokens before it

        public void Write(ReadOnlySpan<UnigramSearch.PathToken> path, int offset)
        {
            foreach (var token in path)
            {
                if (token.Id == UnigramSearch.Unknown || token.Id == model.UnknownId)
                {
                    if (_unknownStart < 0)
                        _unknownStart = _start;
                }
                else
                {
                    Finish();
                    tokens.Add(new EncodedToken(token.Id, _start, offset + token.End));
                }
                _start = offset + token.End;
            }
        }

        public void Finish()
        {
            if (_unknownStart < 0)
                return;
            var unknown = _piece[_unknownStart.._start];
            if (model._trie.Find(unknown) is var id and >= 0)
            {
                tokens.Add(new EncodedToken(id, _unknownStart, _start));
            }
            else if (model._byteIds is { } byteIds && AllThere(unknown, byteIds))
            {
                foreach (byte value in unknown)
                    tokens.Add(new EncodedToken(byteIds[value], _unknownStart, _start));
            }
            else
            {
                tokens.Add(new EncodedToken(model.UnknownId ?? throw NoUnknown(), _unknownStart, _start));
            }
            _unknownStart = -1;
        }

        private static bool AllThere(ReadOnlySpan<byte> unknown, int[] byteIds)
        {
            foreach (byte value in unknown)
                if (byteIds[value] < 0)
                    return false;
            return true;
        }

        private static UserErrorException NoUnknown() =>
            new("A character of the text is not in the vocabulary, and the tokenizer has no token for unknown ones. Use another tokenizer.");
    }
}
