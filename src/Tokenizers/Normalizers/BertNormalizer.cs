using System.Globalization;
using System.Text;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The normalizer of BERT: controls removed, white space made spaces, Chinese characters set apart, accents removed, small letters.</summary>
/// <param name="CleanText">Whether controls are removed and white space becomes spaces.</param>
/// <param name="SeparateChinese">Whether each Chinese character stands between spaces.</param>
/// <param name="StripAccents">Whether accents are removed; null: where letters are made small.</param>
/// <param name="Lowercase">Whether letters are made small.</param>
internal sealed record BertNormalizer(bool CleanText, bool SeparateChinese, bool? StripAccents, bool Lowercase) : INormalizer
{
    private static readonly Cleaning Cleaner = new();
    private static readonly Accents AccentRemover = new();
    private static readonly Lowercase SmallLetters = new();

    public void Normalize(AlignedText text)
    {
        if (CleanText)
            Cleaner.Normalize(text);
        if (SeparateChinese)
            Separate(text);
        if (StripAccents ?? Lowercase)
        {
            UnicodeForm.Nfd.Normalize(text);
            AccentRemover.Normalize(text);
        }
        if (Lowercase)
            SmallLetters.Normalize(text);
    }

    private static void Separate(AlignedText text)
    {
        AlignedText.Edit? edit = null;
        var bytes = text.Bytes;
        int kept = 0;
        for (int position = 0; position < bytes.Length;)
        {
            int start = position;
            position += Characters.Read(bytes, position, out int value);
            if (!IsChinese(value))
                continue;
            edit ??= text.BeginEdit();
            edit.Keep(kept, start);
            edit.Append(" "u8, start, position);
            edit.Keep(start, position);
            edit.Append(" "u8, start, position);
            kept = position;
        }
        if (edit is null)
            return;
        edit.Keep(kept, text.Length);
        edit.Commit();
    }

    private static bool IsChinese(int value) => value is (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x20000 and <= 0x2A6DF) or (>= 0x2A700 and <= 0x2B81F)
        or (>= 0x2B920 and <= 0x2CEAF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x2F800 and <= 0x2FA1F);

    private sealed class Cleaning : CharacterFilter
    {
        protected override int Map(int value)
        {
            if (value is '\t' or '\n' or '\r')
                return ' ';
            if (value is 0 or 0xFFFD || Characters.Category(value) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse)
                return Removed;
            return Rune.IsWhiteSpace(new Rune(value)) ? ' ' : value;
        }
    }

    private sealed class Accents : CharacterFilter
    {
        protected override int Map(int value) => value >= 0x300 && Characters.IsNonSpacingMark(value) ? Removed : value;
    }
}
