namespace OpenEuroLLM.Tokenizers;

/// <summary>Puts a text in the place of every match of a pattern.</summary>
internal sealed record ReplaceNormalizer(TextPattern Pattern, byte[] Content) : INormalizer
{
    public void Normalize(AlignedText text)
    {
        var matches = new List<(int Start, int End)>();
        Pattern.FindAll(text.Bytes, matches);
        if (matches.Count == 0)
            return;
        var edit = text.BeginEdit();
        int kept = 0;
        foreach (var (start, end) in matches)
        {
            edit.Keep(kept, start);
            edit.Append(Content, start, end);
            kept = end;
        }
        edit.Keep(kept, text.Length);
        edit.Commit();
    }
}
