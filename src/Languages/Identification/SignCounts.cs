namespace OpenEuroLLM.Languages.Identification;

/// <summary>What a text has besides words, as features of the whole text: how many signs of code, digits, words in mixed case and broken bytes there are for
/// its letters. They speak for "no language", and the more of them there are the louder.</summary>
internal readonly record struct SignCounts(int Signs, int Digits, int Mixed, int Broken)
{
    /// <summary>The most features that <see cref="Write"/> gives.</summary>
    public const int Most = 4 * Loudest;

    // One feature against hundreds of letters would not be heard.
    private const int Loudest = 24;

    public static SignCounts Of(in TextCounts counts, int mixed) => new(counts.Signs, counts.Digits, mixed, counts.Broken);

    /// <summary>Writes the features.</summary>
    /// <returns>How many there are.</returns>
    public int Write(Span<ulong> features)
    {
        int count = 0;
        Repeat(features, 0, Signs, ref count);
        Repeat(features, 1, Digits / 4, ref count);
        Repeat(features, 2, Mixed, ref count);
        Repeat(features, 3, Broken, ref count);
        return count;
    }

    private static void Repeat(Span<ulong> features, int kind, int times, ref int count)
    {
        for (int i = Math.Min(times, Loudest); i > 0; i--) features[count++] = WordFeatures.Sign(kind);
    }
}
