using System.Runtime.CompilerServices;

namespace OpenEuroLLM.Tokenizers;

/// <summary>A split pattern that is matched by hand over UTF-8. Each word begins where the one before it ends: these patterns leave nothing out.</summary>
internal abstract class WordScanner : WordSplitter, ISplitPattern
{
    /// <summary>The end of the word that starts at a position inside the text.</summary>
    public abstract int WordEnd(ReadOnlySpan<byte> text, int start);

    public bool TryMatch(ReadOnlySpan<byte> text, int from, out int start, out int end)
    {
        start = from;
        end = from < text.Length ? WordEnd(text, from) : from;
        return from < text.Length;
    }
}

/// <summary>Where words end.</summary>
internal interface IWordRule
{
    static abstract int WordEnd(ReadOnlySpan<byte> text, int start);
}

/// <summary>A scanner that is compiled for its rule.</summary>
internal sealed class WordScanner<TRule> : WordScanner where TRule : struct, IWordRule
{
    public static readonly WordScanner<TRule> Instance = new();

    private WordScanner()
    {
    }

    public override int WordEnd(ReadOnlySpan<byte> text, int start) => TRule.WordEnd(text, start);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Split<TReceiver>(ReadOnlySpan<byte> text, ref TReceiver receiver)
    {
        for (int start = 0; start < text.Length;)
        {
            int end = TRule.WordEnd(text, start);
            receiver.Receive(text[start..end]);
            start = end;
        }
    }
}
