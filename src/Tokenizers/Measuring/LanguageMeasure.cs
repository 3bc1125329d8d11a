namespace OpenEuroLLM.Tokenizers;

/// <summary>What a tokenizer made of the texts of one language: counts, from which every ratio follows.</summary>
/// <param name="Texts">Texts.</param>
/// <param name="Bytes">Their bytes of UTF-8.</param>
/// <param name="Characters">Their code points; a byte that is no part of valid UTF-8 is one.</param>
/// <param name="Words">Their words: longest runs of letters, marks and numbers.</param>
/// <param name="WholeWords">Words that lie in one token.</param>
/// <param name="WordTokens">Tokens that hold a part of a word, counted for each word.</param>
/// <param name="Tokens">All tokens.</param>
/// <param name="UnknownTokens">Tokens that stand for text the vocabulary cannot express.</param>
/// <param name="ChangedTexts">Texts that decoding does not give back byte for byte.</param>
/// <param name="VocabularyUsed">Different tokens that occurred.</param>
public sealed record LanguageMeasure(
    long Texts, long Bytes, long Characters, long Words, long WholeWords, long WordTokens, long Tokens, long UnknownTokens, long ChangedTexts, int VocabularyUsed)
{
    /// <summary>Bytes a token holds on average; null without tokens.</summary>
    public double? BytesPerToken => Ratio(Bytes, Tokens);

    /// <summary>Code points a token holds on average; null without tokens.</summary>
    public double? CharactersPerToken => Ratio(Characters, Tokens);

    /// <summary>Tokens a word lies in on average, at least 1; null without words.</summary>
    public double? TokensPerWord => Ratio(WordTokens, Words);

    /// <summary>The share of words that lie in one token, 0 to 1; null without words.</summary>
    public double? WholeWordShare => Ratio(WholeWords, Words);

    /// <summary>The share of tokens that stand for nothing the vocabulary knows, 0 to 1; null without tokens.</summary>
    public double? UnknownShare => Ratio(UnknownTokens, Tokens);

    private static double? Ratio(long over, long under) => under == 0 ? null : (double)over / under;
}
