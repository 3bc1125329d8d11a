using OpenEuroLLM.Core;

namespace OpenEuroLLM.Languages.Identification;

/// <summary>The features of a training window, for one of the two scripts; some are left out at random.</summary>
internal sealed class WindowFeatures(bool cyrillic, IdentifierConfig config, CounterRandom random)
{
    private readonly byte[] _buffer = new byte[TextScanner.BufferBytes];
    private readonly byte[] _plain = new byte[TextScanner.BufferBytes];
    private readonly ulong[] _written = new ulong[WordFeatures.Most];

    /// <summary>The features of the window, in the order of the text.</summary>
    public List<ulong> Features { get; } = [];

    /// <summary>Fills <see cref="Features"/>.</summary>
    /// <param name="window">The text.</param>
    /// <param name="index">Of the random choices.</param>
    /// <param name="drops">Whether features are left out.</param>
    public void Fill(ReadOnlySpan<byte> window, ulong index, bool drops)
    {
        Features.Clear();
        bool plain = drops && random.UniformAt(index) < config.PlainShare;
        // One draw for the window, then a cheap sequence from it: a counter-based draw per feature would take most of the training's time.
        ulong state = random.At(index) | 1;
        uint words = drops ? (uint)(config.DroppedWords * uint.MaxValue) : 0, sequences = drops ? (uint)(config.DroppedSequences * uint.MaxValue) : 0;
        var scanner = new TextScanner(window, _buffer);
        int mixed = 0;
        while (scanner.MoveNext())
        {
            if (scanner.IsCyrillic != cyrillic) continue;
            if (scanner.IsMixedCase) mixed++;
            int count = WordFeatures.Write(plain ? Plain(scanner.Word) : scanner.Word, _written);
            for (int i = 0; i < count; i++)
            {
                state = state * 6364136223846793005 + 1442695040888963407;
                if ((uint)(state >> 32) >= (i == 0 ? words : sequences)) Features.Add(_written[i]);
            }
        }

        if (cyrillic) return;
        int signs = SignCounts.Of(scanner.Counts, mixed).Write(_written);
        for (int i = 0; i < signs; i++) Features.Add(_written[i]);
    }

    private ReadOnlySpan<byte> Plain(ReadOnlySpan<byte> word)
    {
        for (int i = 0; i < word.Length; i++) _plain[i] = LetterCodes.Plain(word[i]);
        return _plain.AsSpan(0, word.Length);
    }
}
