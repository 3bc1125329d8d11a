namespace OpenEuroLLM.Tokenizers;

/// <summary>The step of a tokenizer that turns a piece of text into tokens. Immutable but for caches, and safe for many threads.</summary>
internal interface ITokenModel
{
    /// <summary>The highest id plus one; added tokens are not counted.</summary>
    int VocabularySize { get; }

    /// <summary>The text of a token as it stands in the vocabulary (UTF-8), or null where the id is no token of this model.</summary>
    byte[]? TextOf(int id);

    /// <summary>The id of the token with exactly this text, or null.</summary>
    int? Find(ReadOnlySpan<byte> text);

    /// <summary>Appends the tokens of one piece that normalizer and pre-tokenizer have left; places are bytes of the piece.</summary>
    void Encode(ReadOnlySpan<byte> piece, List<EncodedToken> tokens);
}
