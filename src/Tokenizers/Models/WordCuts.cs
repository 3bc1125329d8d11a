using System.Text.Unicode;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Where text can be cut at its <c>▁</c> marks because no token reaches over the place: what is left and right of it is then encoded as if
/// it stood alone.</summary>
internal sealed class WordCuts
{
    private static ReadOnlySpan<byte> Mark => "▁"u8;

    private readonly bool _beforeMarks;
    private readonly bool _afterMarks;

    /// <param name="tokens">All tokens that are found in text.</param>
    public WordCuts(IEnumerable<byte[]> tokens)
    {
        _beforeMarks = _afterMarks = true;
        foreach (byte[] token in tokens)
        {
            _beforeMarks &= !Reaches(token, markBefore: false);
            _afterMarks &= !Reaches(token, markBefore: true);
            if (!Utf8.IsValid(token))
                _beforeMarks = _afterMarks = false;
        }
    }

    /// <summary>Whether there are such places at all.</summary>
    public bool Any => _beforeMarks || _afterMarks;

    /// <summary>The end of the part that begins at a place; at least one byte, the end of the text when there is no cut.</summary>
    public int End(ReadOnlySpan<byte> text, int start)
    {
        if (!Any)
            return text.Length;
        for (int place = start + 1; place < text.Length; place++)
        {
            int skipped = text[place..].IndexOf(Mark[0]);
            if (skipped < 0)
                return text.Length;
            place += skipped;
            if (!text[place..].StartsWith(Mark))
                continue;
            if (_beforeMarks && !text[start..place].EndsWith(Mark))
                return place;
            if (!_beforeMarks && !text[(place + Mark.Length)..].StartsWith(Mark))
                return place + Mark.Length;
        }
        return text.Length;
    }

    /// <summary>Whether a token holds a mark beside another character, in this order.</summary>
    private static bool Reaches(ReadOnlySpan<byte> token, bool markBefore)
    {
        for (int place = token.IndexOf(Mark); place >= 0 && place < token.Length; place++)
        {
            if (!token[place..].StartsWith(Mark))
                continue;
            var beside = markBefore ? token[(place + Mark.Length)..] : token[..place];
            if (beside.Length > 0 && !(markBefore ? beside.StartsWith(Mark) : beside.EndsWith(Mark)))
                return true;
        }
        return false;
    }
}
