using System.Text;

namespace OpenEuroLLM.Tokenizers;

/// <summary>One of the normalization forms NFC, NFD, NFKC and NFKD.</summary>
/// <remarks>The text is taken in stretches that cannot change each other, so that most are kept without being looked at twice, and each changed one
/// knows what it came from. A stretch of thousands of combining marks, which no language has, is normalized in parts.</remarks>
internal sealed class UnicodeForm : INormalizer
{
    private const int LongestStretchBytes = 4096;
    private const byte Known = 1, BeginsStretch = 2, Stays = 4;

    public static readonly UnicodeForm Nfc = new(NormalizationForm.FormC), Nfd = new(NormalizationForm.FormD),
        Nfkc = new(NormalizationForm.FormKC), Nfkd = new(NormalizationForm.FormKD);

    private readonly NormalizationForm _form;
    private readonly Lazy<byte[]> _traits = new(() => new byte[0x110000]);   // of each character, filled in when it is met first

    private UnicodeForm(NormalizationForm form) => _form = form;

    /// <summary>Whether the text is in this form already.</summary>
    public bool Holds(ReadOnlySpan<byte> text) => NextChange(text, 0, out _, out _) is null;

    public void Normalize(AlignedText text)
    {
        AlignedText.Edit? edit = null;
        int kept = 0, position = 0;
        while (NextChange(text.Bytes, position, out int start, out int end) is { } changed)
        {
            edit ??= text.BeginEdit();
            edit.Keep(kept, start);
            edit.Append(changed, start, end);
            kept = position = end;
        }
        if (edit is null)
            return;
        edit.Keep(kept, text.Length);
        edit.Commit();
    }

    /// <summary>The next stretch that is written in another way in this form, and how; null when there is none.</summary>
    private byte[]? NextChange(ReadOnlySpan<byte> text, int position, out int start, out int end)
    {
        byte[] traits = _traits.Value;
        start = end = position;
        while (position < text.Length)
        {
            int ascii = text[position..].IndexOfAnyInRange((byte)0x80, (byte)0xFF);
            if (ascii < 0)
                return null;
            start = position + ascii;
            int length = Characters.Read(text, start, out int first);
            if (first < 0)
            {
                position = start + 1;
                continue;
            }
            bool stays = (Traits(first) & Stays) != 0;
            end = start + length;
            if (ascii > 0 && (Traits(first) & BeginsStretch) == 0)
                (start, stays) = (start - 1, false);
            while (end < text.Length && end - start < LongestStretchBytes)
            {
                length = Characters.Read(text, end, out int next);
                if (next < 0x80 || (Traits(next) & BeginsStretch) != 0)
                    break;
                end += length;
                stays = false;
            }
            position = end;
            if (stays)
                continue;
            byte[] normalized = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(text[start..end]).Normalize(_form));
            if (!text[start..end].SequenceEqual(normalized))
                return normalized;
        }
        return null;

        int Traits(int value)
        {
            // Two threads that meet a character at once write the same byte.
            if (traits[value] == 0)
                traits[value] = Find(value);
            return traits[value];
        }
    }

    private byte Find(int value)
    {
        string text = new Rune(value).ToString();
        int first = Rune.GetRuneAt(text.Normalize(NormalizationForm.FormKD), 0).Value;
        byte traits = Known;
        if (!JoinsPrevious(value) && !JoinsPrevious(first))
            traits |= BeginsStretch;
        if (text.Normalize(_form) == text)
            traits |= Stays;
        return traits;
    }

    /// <summary>Whether a character may be moved before, or become one with, the character before it: marks, and of the others the vowels and final
    /// consonants of Hangul and the vowels of Kirat Rai.</summary>
    private static bool JoinsPrevious(int value) =>
        Characters.IsMark(value) || value is (>= 0x1160 and <= 0x11FF) or (>= 0xD7B0 and <= 0xD7FF) or (>= 0x16D63 and <= 0x16D6A);
}
