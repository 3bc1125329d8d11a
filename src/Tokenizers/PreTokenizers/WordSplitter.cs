namespace OpenEuroLLM.Tokenizers;

/// <summary>Cuts raw text into the words that tokens never cross; together the words are the text. Immutable.</summary>
internal abstract class WordSplitter
{
    /// <summary>Hands over the words in order.</summary>
    public abstract void Split<TReceiver>(ReadOnlySpan<byte> text, ref TReceiver receiver) where TReceiver : struct, IWordReceiver, allows ref struct;
}
