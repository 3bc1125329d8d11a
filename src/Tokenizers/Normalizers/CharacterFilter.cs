using System.Text;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Removes or replaces single characters. A byte that is no part of valid UTF-8 stays.</summary>
internal abstract class CharacterFilter : INormalizer
{
    /// <summary>A character is left out.</summary>
    protected const int Removed = -1;

    public void Normalize(AlignedText text)
    {
        AlignedText.Edit? edit = null;
        var bytes = text.Bytes;
        int kept = 0;
        for (int position = 0; position < bytes.Length;)
        {
            int start = position;
            position += Characters.Read(bytes, position, out int value);
            int target = value < 0 ? value : Map(value);
            if (target == value)
                continue;
            edit ??= text.BeginEdit();
            edit.Keep(kept, start);
            if (target != Removed)
                edit.Append(new Rune(target), start, position);
            kept = position;
        }
        if (edit is null)
            return;
        edit.Keep(kept, text.Length);
        edit.Commit();
    }

    /// <summary>What stands for a character: itself, another, or <see cref="Removed"/>.</summary>
    protected abstract int Map(int value);
}

/// <summary>Removes combining marks; text is usually decomposed before.</summary>
internal sealed class StripAccents : CharacterFilter
{
    protected override int Map(int value) => value >= 0x300 && Characters.IsMark(value) ? Removed : value;
}

/// <summary>The cleaning of machine-translation corpora: controls are removed, breaks and invisible characters become spaces.</summary>
internal sealed class NmtNormalizer : CharacterFilter
{
    protected override int Map(int value) => value switch
    {
        (>= 0x01 and <= 0x08) or 0x0B or (>= 0x0E and <= 0x1F) or 0x7F or 0x8F or 0x9F => Removed,
        0x09 or 0x0A or 0x0C or 0x0D or 0x1680 or (>= 0x200B and <= 0x200F) or 0x2028 or 0x2029 or 0x2581 or 0xFEFF or 0xFFFD => ' ',
        _ => value,
    };
}
