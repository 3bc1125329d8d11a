using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>SentencePiece <c>.model</c> files as tokenizers: ids and decoded text are exactly those of SentencePiece. Its control pieces are the control
/// tokens; text becomes one only where the caller allows it, and what is left and right of it is then encoded as a text of its own.</summary>
internal static class SentencePieceTokenizer
{
    /// <summary>Reads a file.</summary>
    /// <param name="bytes">Its bytes.</param>
    /// <param name="where">Its name, for messages.</param>
    /// <exception cref="UserErrorException">It is damaged, or no such file.</exception>
    public static Tokenizer Parse(ReadOnlySpan<byte> bytes, string where) => new(ToParts(SentencePieceFormat.Read(bytes, where), where));

    /// <summary>The parts of a tokenizer that does exactly as the model says.</summary>
    /// <param name="file">The model.</param>
    /// <param name="where">Its name, for messages.</param>
    /// <exception cref="UserErrorException">The model contradicts itself.</exception>
    public static TokenizerParts ToParts(SentencePieceFile file, string where)
    {
        var vocabulary = new SentencePieceVocabulary(file, where);
        var added = file.Pieces.Select((piece, id) => (piece, id)).Where(item => item.piece.Kind == SentencePieceKind.Control)
            .Select(item => new AddedToken(item.id, Encoding.UTF8.GetString(item.piece.Text), Special: true)).ToList();
        var denormalizer = file.Denormalization is { CharacterMap.Length: > 0 } rules ? new SentencePieceNormalizer(rules, whitespaceAsSuffix: false, null, where) : null;
        return new TokenizerParts(new SentencePieceSettings(vocabulary), added,
            new SentencePieceNormalizer(file.Normalization, file.Training.WhitespaceAsSuffix, vocabulary.UserDefined, where), Decoder: new SentencePieceDecoder(vocabulary, denormalizer));
    }
}
