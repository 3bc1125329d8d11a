namespace OpenEuroLLM.Tokenizers;

/// <summary>Puts a text before every text that is not empty. It stands for the first character, as other programs have it.</summary>
internal sealed record PrependNormalizer(byte[] Content) : INormalizer
{
    public void Normalize(AlignedText text) => Apply(text, Content);

    public static void Apply(AlignedText text, ReadOnlySpan<byte> content)
    {
        if (text.Length == 0)
            return;
        var edit = text.BeginEdit();
        edit.Append(content, 0, Characters.Read(text.Bytes, 0, out _));
        edit.Keep(0, text.Length);
        edit.Commit();
    }
}
