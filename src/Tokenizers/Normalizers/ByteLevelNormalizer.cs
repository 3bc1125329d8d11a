namespace OpenEuroLLM.Tokenizers;

/// <summary>Writes each byte as its printable character.</summary>
internal sealed class ByteLevelNormalizer : INormalizer
{
    public void Normalize(AlignedText text) => Apply(text);

    public static void Apply(AlignedText text)
    {
        var edit = text.BeginEdit();
        var bytes = text.Bytes;
        Span<byte> character = stackalloc byte[2];
        for (int i = 0; i < bytes.Length; i++)
        {
            int value = ByteAlphabet.ToCharacter(bytes[i]);
            if (value < 0x80)
            {
                edit.Keep(i, i + 1);
                continue;
            }
            (character[0], character[1]) = ((byte)(0xC0 | (value >> 6)), (byte)(0x80 | (value & 0x3F)));
            edit.Append(character, i, i + 1);
        }
        edit.Commit();
    }
}
