using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>One token a piece: the piece itself or the unknown token.</summary>
/// <param name="tokens">The text of each token by id; null where the id is no token of this model.</param>
/// <param name="unknownId">The token of any other piece; null refuses such a piece.</param>
internal sealed class WordLevelModel(IReadOnlyList<byte[]?> tokens, int? unknownId) : ITokenModel
{
    private const int ShownBytes = 60;

    private readonly Vocabulary _vocabulary = new(tokens);

    public int VocabularySize => _vocabulary.Size;

    public int? UnknownId => unknownId;

    public byte[]? TextOf(int id) => _vocabulary.TextOf(id);

    public int? Find(ReadOnlySpan<byte> text) => _vocabulary.Find(text);

    /// <exception cref="UserErrorException">The piece is not in the vocabulary, and there is no unknown token.</exception>
    public void Encode(ReadOnlySpan<byte> piece, List<EncodedToken> tokens)
    {
        if (piece.Length > 0)
            tokens.Add(new EncodedToken(Find(piece) ?? unknownId ?? throw NotThere(piece), 0, piece.Length));
    }

    private static UserErrorException NotThere(ReadOnlySpan<byte> piece) =>
        new($"'{Encoding.UTF8.GetString(piece[..Math.Min(piece.Length, ShownBytes)])}' is not in the vocabulary, and the tokenizer has no token for unknown words. Use another tokenizer.");
}
