namespace OpenEuroLLM.Tokenizers;

/// <summary>Post-processors one after the other, of which at most one adds tokens.</summary>
internal sealed record PostProcessorSequence(IReadOnlyList<IPostProcessor> Steps) : IPostProcessor
{
    public IEnumerable<bool> Trimmings => Steps.SelectMany(step => step.Trimmings);

    public bool AddsTokens => Steps.Any(step => step.AddsTokens);

    public IEnumerable<PlacedToken> Process(IReadOnlyList<IReadOnlyList<PlacedToken>> sequences, bool addSpecial) =>
        Steps.FirstOrDefault(step => step.AddsTokens)?.Process(sequences, addSpecial) ?? sequences.SelectMany(tokens => tokens);
}
