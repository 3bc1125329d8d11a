namespace OpenEuroLLM.Tokenizers;

/// <summary>The way from text to tokens: added tokens, normalizer, pre-tokenizer, model. Immutable but for caches, and safe for many threads.</summary>
internal abstract class TokenizerPipeline(AddedTokens added)
{
    protected AddedTokens Added { get; } = added;

    /// <summary>Appends the tokens of a text.</summary>
    public abstract void Encode(ReadOnlySpan<byte> text, List<int> ids, ControlPlaces control);

    /// <summary>Appends the tokens of a text with their places in it.</summary>
    public abstract void Encode(ReadOnlySpan<byte> text, List<EncodedToken> tokens, ControlPlaces control);
}
