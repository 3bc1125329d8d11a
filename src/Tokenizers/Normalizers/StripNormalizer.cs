namespace OpenEuroLLM.Tokenizers;

/// <summary>Removes white space from the ends.</summary>
internal sealed record StripNormalizer(bool Left, bool Right) : INormalizer
{
    public void Normalize(AlignedText text)
    {
        var bytes = text.Bytes;
        int start = 0, end = bytes.Length;
        while (Left && start < end)
        {
            int length = Characters.Read(bytes, start, out int value);
            if (!Characters.IsWhiteSpace(value))
                break;
            start += length;
        }
        while (Right && end > start)
        {
            int last = Characters.LastBefore(bytes, end);
            Characters.Read(bytes, last, out int value);
            if (!Characters.IsWhiteSpace(value))
                break;
            end = last;
        }
        if (start == 0 && end == bytes.Length)
            return;
        var edit = text.BeginEdit();
        edit.Keep(start, end);
        edit.Commit();
    }
}
