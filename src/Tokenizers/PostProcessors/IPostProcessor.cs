namespace OpenEuroLLM.Tokenizers;

/// <summary>A token in its place among those that a model gets.</summary>
/// <param name="Token">The token.</param>
/// <param name="TypeId">The number of the segment it counts to.</param>
/// <param name="Sequence">The text it comes from: 0 or 1; null where it was added.</param>
internal readonly record struct PlacedToken(EncodedToken Token, int TypeId, int? Sequence);

/// <summary>The step of a tokenizer that puts control tokens around one or two encoded texts. Immutable.</summary>
internal interface IPostProcessor
{
    /// <summary>Rounds of trimming white space from the places of tokens; of each, whether the pre-tokenizer has put a space before the text.</summary>
    IEnumerable<bool> Trimmings { get; }

    /// <summary>Whether tokens are added.</summary>
    bool AddsTokens { get; }

    /// <summary>Puts one or two texts in order.</summary>
    /// <param name="sequences">The texts.</param>
    /// <param name="addSpecial">Whether control tokens are added.</param>
    IEnumerable<PlacedToken> Process(IReadOnlyList<IReadOnlyList<PlacedToken>> sequences, bool addSpecial);
}

/// <summary>A token as a post-processor's settings name it.</summary>
internal sealed record NamedToken(string Content, int Id)
{
    public PlacedToken Place(int typeId) => new(new EncodedToken(Id, 0, 0), typeId, null);
}
