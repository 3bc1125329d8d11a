using System.Buffers;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Byte-pair encoding as SentencePiece does it: neighbours whose joint text is a piece are merged, the piece with the highest score first, the
/// leftmost of equals. User-defined pieces are found before and take no part; unused pieces are made on the way and taken apart again.</summary>
internal sealed class SentencePieceBpeModel : ITokenModel
{
    private const int NoSymbol = -2;                // a character that no piece holds
    private const int Frozen = -3;                  // a user-defined piece is this minus its id, which no merge knows

    private readonly SentencePieceVocabulary _vocabulary;
    private readonly PairMerger _merger;
    private readonly ByteTrie _symbols;
    private readonly List<byte[]> _characters;
    private readonly bool _hasUnused;
    private readonly WordCuts? _cuts;
    private readonly WordCache<EncodedToken[]> _cache = new();

    public SentencePieceBpeModel(SentencePieceVocabulary vocabulary)
    {
        _vocabulary = vocabulary;
        var pieces = vocabulary.File.Pieces;
        var merges = new SentencePieceMerges(vocabulary);
        (_symbols, _characters) = (merges.Symbols, merges.Characters);
        // Equal scores have one rank, so that the place decides.
        float[] scores = [.. vocabulary.Found.Select(id => pieces[id].Score).Distinct().Order()];
        _merger = new PairMerger([.. merges.All().Select(merge => (merge, scores.Length - 1 - Array.BinarySearch(scores, pieces[merge.Merged].Score)))]);
        _hasUnused = pieces.Any(piece => piece.Kind == SentencePieceKind.Unused);
        if (!_hasUnused)
            _cuts = new WordCuts(vocabulary.Found.Select(id => pieces[id].Text));
    }

    public int VocabularySize => _vocabulary.Size;

    public byte[]? TextOf(int id) => _vocabulary.TextOf(id);

    public int? Find(ReadOnlySpan<byte> text) => _vocabulary.Find(text);

    public void Encode(ReadOnlySpan<byte> piece, List<EncodedToken> tokens)
    {
        var writer = new SentencePieceTokens(_vocabulary, piece, tokens);
        int end;
        for (int start = 0; start < piece.Length; start = end)
        {
            end = _cuts?.End(piece, start) ?? piece.Length;
            foreach (var token in Word(piece[start..end]))
                writer.Add(token.Id, start + token.Start, start + token.End);
        }
    }

    private EncodedToken[] Word(ReadOnlySpan<byte> word)
    {
        if (_hasUnused || word.Length > WordCache<EncodedToken[]>.LongestWord)
            return EncodeWord(word);
        if (_cache.Find(word, out int slot) is not { } known)
            _cache.Set(slot, word, known = EncodeWord(word));
        return known;
    }

    private EncodedToken[] EncodeWord(ReadOnlySpan<byte> word)
    {
        int[] symbols = ArrayPool<int>.Shared.Rent(word.Length);
        int[] ends = ArrayPool<int>.Shared.Rent(word.Length);
        int count = 0;
        for (int start = 0; start < word.Length;)
        {
            var (userDefined, length) = _vocabulary.UserDefined.LongestPrefix(word[start..]);
            if (userDefined < 0)
                length = Utf8Characters.FirstLength(word[start..]);
            int symbol = userDefined >= 0 ? Frozen - userDefined : _symbols.Find(word.Slice(start, length)) is var known and >= 0 ? known : NoSymbol;
            start += length;
            (symbols[count], ends[count++]) = (symbol, start);
        }
        // What was proposed last decides how an unused piece is taken apart, wherever in the text that was.
        var splits = _hasUnused ? new Dictionary<int, (int Left, int Right)>() : null;
        count = _merger.Merge(symbols.AsSpan(0, count), ends.AsSpan(0, count), splits);
        var tokens = new List<EncodedToken>(count);
        int tokenStart = 0;
        for (int i = 0; i < count; i++)
        {
            if (splits is null)
                tokens.Add(new EncodedToken(IdOf(symbols[i]), tokenStart, ends[i]));
            else
                TakeApart(symbols[i], tokenStart, ends[i], splits, tokens);
            tokenStart = ends[i];
        }
        ArrayPool<int>.Shared.Return(symbols);
        ArrayPool<int>.Shared.Return(ends);
        return [.. tokens];
    }

    /// <summary>The piece of a symbol, or -1 for an unknown character.</summary>
    private int IdOf(int symbol) => symbol <= Frozen ? Frozen - symbol : symbol < _vocabulary.Size ? Math.Max(symbol, -1) : -1;

    private void TakeApart(int symbol, int start, int end, Dictionary<int, (int Left, int Right)> splits, List<EncodedToken> tokens)
    {
        var waiting = new Stack<int>([symbol]);
        while (waiting.TryPop(out int part))
        {
            int id = IdOf(part);
            if (id >= 0 && _vocabulary.File.Pieces[id].Kind == SentencePieceKind.Unused && splits.TryGetValue(id, out var split))
            {
                waiting.Push(split.Right);
                waiting.Push(split.Left);
                continue;
            }
            int length = id >= 0 ? _vocabulary.File.Pieces[id].Text.Length : part == NoSymbol ? end - start : _characters[part - _vocabulary.Size].Length;
            tokens.Add(new EncodedToken(id, start, start + length));
            start += length;
        }
    }
}
