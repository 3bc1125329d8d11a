namespace OpenEuroLLM.Tokenizers;

/// <summary><c>\p{N}</c>: each number is a match, as the pre-tokenizer <c>Digits{individual_digits}</c> finds them.</summary>
internal sealed class SingleNumbers : ISplitPattern
{
    public static readonly SingleNumbers Instance = new();

    private SingleNumbers()
    {
    }

    public bool TryMatch(ReadOnlySpan<byte> text, int from, out int start, out int end)
    {
        start = CharacterClasses.SkipOthers(text, from, CharacterClass.Number);
        end = start;
        if (start == text.Length)
            return false;
        CharacterClasses.Read(text, start, out int length);
        end = start + length;
        return true;
    }
}
