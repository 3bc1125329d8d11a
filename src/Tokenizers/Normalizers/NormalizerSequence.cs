namespace OpenEuroLLM.Tokenizers;

/// <summary>Normalizers one after the other.</summary>
internal sealed record NormalizerSequence(IReadOnlyList<INormalizer> Steps) : INormalizer
{
    public void Normalize(AlignedText text)
    {
        foreach (var step in Steps)
            step.Normalize(text);
    }
}
