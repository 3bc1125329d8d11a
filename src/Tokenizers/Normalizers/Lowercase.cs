using System.Text;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Small letters, character by character and without a language: a Greek sigma at the end of a word is σ.</summary>
internal sealed class Lowercase : INormalizer
{
    private const int CapitalDottedI = 0x130;   // the only character whose small form is two characters

    public void Normalize(AlignedText text)
    {
        AlignedText.Edit? edit = null;
        var bytes = text.Bytes;
        int kept = 0;
        for (int position = 0; position < bytes.Length;)
        {
            int start = position;
            position += Characters.Read(bytes, position, out int value);
            if (value < 0)
                continue;
            var small = Rune.ToLowerInvariant(new Rune(value));
            if (small.Value == value && value != CapitalDottedI)
                continue;
            edit ??= text.BeginEdit();
            edit.Keep(kept, start);
            if (value == CapitalDottedI)
                edit.Append("i\u0307"u8, start, position);
            else
                edit.Append(small, start, position);
            kept = position;
        }
        if (edit is null)
            return;
        edit.Keep(kept, text.Length);
        edit.Commit();
    }
}
