using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>A token of a Unigram model.</summary>
/// <param name="Text">As it is found in text (UTF-8).</param>
/// <param name="Score">The logarithm of its probability.</param>
internal readonly record struct UnigramPiece(byte[] Text, double Score);

/// <summary>Unigram as in <c>tokenizer.json</c>: the tokens with the highest sum of scores, in double precision. A character that no token covers costs
/// 10 more than the worst token; neighbours of that kind become one unknown token or their bytes.</summary>
internal sealed class UnigramModel : ITokenModel
{
    private const double UnknownPenalty = 10;

    private readonly ByteTrie _trie;
    private readonly UnigramWords _words;
    private readonly int[]? _byteIds;

    /// <param name="pieces">The tokens by id.</param>
    /// <param name="unknownId">The token of characters that no token covers; null refuses such text.</param>
    /// <param name="byteFallback">Whether such characters become byte tokens where all of them exist.</param>
    public UnigramModel(IReadOnlyList<UnigramPiece> pieces, int? unknownId, bool byteFallback)
    {
        (Pieces, UnknownId, ByteFallback) = (pieces, unknownId, byteFallback);
        _trie = new ByteTrie(pieces.Select((piece, id) => (piece.Text, id)));
        double unknownScore = pieces.Select(piece => piece.Score).DefaultIfEmpty().Min() - UnknownPenalty;
        var search = new UnigramSearch(_trie, [.. pieces.Select(piece => piece.Score)], unknownScore, single: false);
        _words = new UnigramWords(search, new WordCuts(pieces.Select(piece => piece.Text)));
        if (byteFallback)
            _byteIds = [.. Enumerable.Range(0, 256).Select(value => _trie.Find(Vocabulary.ByteTokenText((byte)value)))];
    }

    public IReadOnlyList<UnigramPiece> Pieces { get; }

    public int? UnknownId { get; }

    public bool ByteFallback { get; }

    public int VocabularySize => Pieces.Count;

    public byte[]? TextOf(int id) => (uint)id < (uint)Pieces.Count ? Pieces[id].Text : null;

    public int? Find(ReadOnlySpan<byte> text) => _trie.Find(text) is var id and >= 0 ? id : null;

    /// <exception cref="UserErrorException">A character has no token, and there is no unknown token.</exception>
    public void Encode(ReadOnlySpan<byte> piece, List<EncodedToken> tokens)
    {
        double score = 0;
        int unknownStart = -1;              // of the run of unknown tokens before the next token
        int end;
        for (int start = 0; start < piece.Length; start = end)
        {
            int tokenStart = start;
            foreach (var token in _words.Next(piece, start, out end, ref score))
            {
                if (token.Id == UnigramSearch.Unknown || token.Id == UnknownId)
                {
                    unknownStart = unknownStart < 0 ? tokenStart : unknownStart;
                }
                else
                {
                    if (unknownStart >= 0)
                        AddUnknown(piece, unknownStart, tokenStart, tokens);
                    unknownStart = -1;
                    tokens.Add(new EncodedToken(token.Id, tokenStart, start + token.End));
                }
                tokenStart = start + token.End;
            }
        }
        if (unknownStart >= 0)
            AddUnknown(piece, unknownStart, piece.Length, tokens);
    }

    private void AddUnknown(ReadOnlySpan<byte> piece, int start, int end, List<EncodedToken> tokens)
    {
        var unknown = piece[start..end];
        if (Find(unknown) is int id)
        {
            tokens.Add(new EncodedToken(id, start, end));
        }
        else if (_byteIds is not null && AllThere(unknown))
        {
            foreach (byte value in unknown)
                tokens.Add(new EncodedToken(_byteIds[value], start, end));
        }
        else
        {
            tokens.Add(new EncodedToken(UnknownId ?? throw new UserErrorException(
                "A character of the text is not in the vocabulary, and the tokenizer has no token for unknown ones. Use another tokenizer."), start, end));
        }
    }

    private bool AllThere(ReadOnlySpan<byte> unknown)
    {
        foreach (byte value in unknown)
            if (_byteIds![value] < 0)
                return false;
        return true;
    }
}
