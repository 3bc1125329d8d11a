namespace OpenEuroLLM.Tokenizers;

/// <summary>Pre-tokenizers one after the other, each over the pieces of the one before.</summary>
internal sealed record PreTokenizerSequence(IReadOnlyList<IPreTokenizer> Steps) : IPreTokenizer
{
    public void Split(AlignedText piece, List<AlignedText> pieces)
    {
        List<AlignedText> current = [piece];
        foreach (var step in Steps)
        {
            var next = new List<AlignedText>(current.Count);
            foreach (var part in current)
                step.Split(part, next);
            current = next;
        }
        pieces.AddRange(current);
    }
}
