namespace OpenEuroLLM.Tokenizers;

/// <summary>A step of the way from tokens back to text. Immutable.</summary>
internal interface IDecoder
{
    /// <summary>Rewrites the texts of tokens (UTF-8); at the end of all steps they are joined.</summary>
    void Decode(List<byte[]> tokens);
}
