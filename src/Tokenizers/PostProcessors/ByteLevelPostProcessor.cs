namespace OpenEuroLLM.Tokenizers;

/// <summary>Leaves the white space at the ends of tokens out of their places, if wanted; adds nothing.</summary>
/// <param name="AddPrefixSpace">Whether the pre-tokenizer has put a space before the text.</param>
/// <param name="TrimOffsets">Whether to trim.</param>
/// <param name="UseRegex">Means nothing here; kept for the file.</param>
internal sealed record ByteLevelPostProcessor(bool AddPrefixSpace, bool TrimOffsets, bool UseRegex) : IPostProcessor
{
    public IEnumerable<bool> Trimmings => TrimOffsets ? [AddPrefixSpace] : [];

    public bool AddsTokens => false;

    public IEnumerable<PlacedToken> Process(IReadOnlyList<IReadOnlyList<PlacedToken>> sequences, bool addSpecial) => sequences.SelectMany(tokens => tokens);
}
