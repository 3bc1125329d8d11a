namespace OpenEuroLLM.Tokenizers;

/// <summary>Splits by several patterns one after the other: matches and what lies between them are cut again by the next.</summary>
internal sealed class SplitChain(ISplitPattern[] patterns) : WordSplitter
{
    public override void Split<TReceiver>(ReadOnlySpan<byte> text, ref TReceiver receiver) => Split(text, 0, ref receiver);

    private void Split<TReceiver>(ReadOnlySpan<byte> text, int step, ref TReceiver receiver) where TReceiver : struct, IWordReceiver, allows ref struct
    {
        if (step == patterns.Length)
        {
            receiver.Receive(text);
            return;
        }
        if (step + 1 == patterns.Length && patterns[step] is WordScanner last)
        {
            last.Split(text, ref receiver);
            return;
        }
        int done = 0;
        for (int from = 0; from < text.Length && patterns[step].TryMatch(text, from, out int start, out int end);)
        {
            if (start > done)
                Split(text[done..start], step + 1, ref receiver);
            if (end > start)
                Split(text[start..end], step + 1, ref receiver);
            done = from = end;
            if (end > start || end == text.Length)
                continue;
            CharacterClasses.Read(text, end, out int length);   // an empty match cuts too, and the search goes on behind the next character
            from += length;
        }
        if (done < text.Length)
            Split(text[done..], step + 1, ref receiver);
    }
}
