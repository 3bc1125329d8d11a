using System.Globalization;
using System.Text;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The replacement rules that SentencePiece compiles into its models.</summary>
/// <param name="Map">The rules.</param>
/// <remarks>What a reader sees as one character is looked up as a whole when it is short, else each code point; and of the rules that begin it the
/// shortest is taken. That is how the readers of <c>tokenizer.json</c> have it; SentencePiece itself takes the longest rule at every place.</remarks>
internal sealed record PrecompiledNormalizer(CharacterMap Map) : INormalizer
{
    private const int LongestLookup = 5;

    public void Normalize(AlignedText text)
    {
        AlignedText.Edit? edit = null;
        int kept = 0, start = 0;
        var elements = StringInfo.GetTextElementEnumerator(Encoding.UTF8.GetString(text.Bytes));
        while (elements.MoveNext())
        {
            int end = start + Encoding.UTF8.GetByteCount(elements.GetTextElement());
            if (end - start > LongestLookup || !TryReplace(start, end))
                for (int position = start; position < end;)
                {
                    int next = position + Characters.Read(text.Bytes, position, out _);
                    TryReplace(position, next);
                    position = next;
                }
            start = end;
        }
        if (edit is null)
            return;
        edit.Keep(kept, text.Length);
        edit.Commit();

        bool TryReplace(int from, int to)
        {
            if (!Map.TryShortestMatch(text.Bytes[from..to], out _, out var replacement))
                return false;
            edit ??= text.BeginEdit();
            edit.Keep(kept, from);
            edit.Append(replacement, from, to);
            kept = to;
            return true;
        }
    }
}
