namespace OpenEuroLLM.Tokenizers;

/// <summary>The step of a tokenizer that splits text into the pieces that tokens never cross; it may rewrite them. Immutable.</summary>
internal interface IPreTokenizer
{
    /// <summary>Splits one piece.</summary>
    /// <param name="piece">The piece; belongs to the step afterwards.</param>
    /// <param name="pieces">Receives the parts in order; empty ones are left out.</param>
    void Split(AlignedText piece, List<AlignedText> pieces);
}
