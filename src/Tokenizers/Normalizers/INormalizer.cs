namespace OpenEuroLLM.Tokenizers;

/// <summary>The step of a tokenizer that rewrites text before it is split. Immutable.</summary>
internal interface INormalizer
{
    void Normalize(AlignedText text);
}
