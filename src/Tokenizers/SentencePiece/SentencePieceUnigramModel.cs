namespace OpenEuroLLM.Tokenizers;

/// <summary>Unigram as SentencePiece does it: sums in single precision over the whole text, user-defined pieces at a bonus, unused ones never.</summary>
internal sealed class SentencePieceUnigramModel : ITokenModel
{
    private const float UnknownPenalty = 10;
    private const float LeastNormal = 1.17549435e-38f;      // where the reference begins its search for the highest score
    private const double UserDefinedCost = 0.1;

    private readonly SentencePieceVocabulary _vocabulary;
    private readonly UnigramWords _words;

    public SentencePieceUnigramModel(SentencePieceVocabulary vocabulary)
    {
        _vocabulary = vocabulary;
        var pieces = vocabulary.File.Pieces;
        float[] normal = [.. pieces.Where(piece => piece.Kind == SentencePieceKind.Normal).Select(piece => piece.Score)];
        float lowest = normal.DefaultIfEmpty(float.MaxValue).Min();
        float highest = normal.Append(LeastNormal).Max();
        double[] scores = [.. pieces.Select(piece => piece.Kind == SentencePieceKind.UserDefined ? (double)(piece.Text.Length * highest) - UserDefinedCost : piece.Score)];
        int[] found = [.. vocabulary.Found.Where(id => pieces[id].Kind != SentencePieceKind.Unused)];
        var search = new UnigramSearch(new ByteTrie(found.Select(id => (pieces[id].Text, id))), scores, lowest - UnknownPenalty, single: true);
        _words = new UnigramWords(search, new WordCuts(found.Select(id => pieces[id].Text)));
    }

    public int VocabularySize => _vocabulary.Size;

    public byte[]? TextOf(int id) => _vocabulary.TextOf(id);

    public int? Find(ReadOnlySpan<byte> text) => _vocabulary.Find(text);

    public void Encode(ReadOnlySpan<byte> piece, List<EncodedToken> tokens)
    {
        var writer = new SentencePieceTokens(_vocabulary, piece, tokens);
        double score = 0;
        int end;
        for (int start = 0; start < piece.Length; start = end)
        {
            int tokenStart = start;
            foreach (var token in _words.Next(piece, start, out end, ref score))
            {
                writer.Add(token.Id, tokenStart, start + token.End);
                tokenStart = start + token.End;
            }
        }
    }
}
