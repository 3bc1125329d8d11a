namespace OpenEuroLLM.Tokenizers;

/// <summary>Splits where the script changes; a space belongs to every script, and kana to Han.</summary>
internal sealed record UnicodeScriptsPreTokenizer : IPreTokenizer
{
    private const int LongVowelMark = 0x30FC, Han = 0x4E00;

    public void Split(AlignedText piece, List<AlignedText> pieces)
    {
        int start = -1;
        int? last = null;
        var bytes = piece.Bytes;
        for (int position = 0; position < bytes.Length;)
        {
            int length = Characters.Read(bytes, position, out int value);
            int script = value == ' ' ? ScriptTable.Any : ScriptTable.Of(value == LongVowelMark ? Han : value);
            if (script != ScriptTable.Any && last != ScriptTable.Any && last != script)
            {
                if (start >= 0)
                    pieces.Add(piece.Slice(start, position));
                start = position;
            }
            if (script != ScriptTable.Any)
                last = script;
            position += length;
        }
        // As other programs have it: what stands before the first character of a script belongs to no piece.
        if (start >= 0)
            pieces.Add(piece.Slice(start, piece.Length));
    }
}
