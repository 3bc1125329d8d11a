using System.Buffers;
using System.Text;

namespace OpenEuroLLM.Tokenizers;

/// <summary>A token that is matched as a whole before text is split.</summary>
internal sealed record AddedToken(int Id, string Content, bool Special);

/// <summary>Finds added tokens in text: the leftmost, and of several at one place the longest.</summary>
internal sealed class AddedTokens
{
    private readonly (byte[] Bytes, int Id)[] _longestFirst;
    private readonly SearchValues<byte> _firstBytes;

    public AddedTokens(IReadOnlyList<AddedToken> all)
    {
        All = all;
        _longestFirst = [.. all.Select(token => (Bytes: Encoding.UTF8.GetBytes(token.Content), token.Id)).OrderByDescending(token => token.Bytes.Length)];
        _firstBytes = SearchValues.Create([.. _longestFirst.Select(token => token.Bytes[0]).Distinct()]);
    }

    public IReadOnlyList<AddedToken> All { get; }

    /// <summary>The next added token in the text: its id, start and length, or null when there is none.</summary>
    public (int Id, int Start, int Length)? Find(ReadOnlySpan<byte> text)
    {
        for (int start = 0; start < text.Length; start++)
        {
            int skipped = text[start..].IndexOfAny(_firstBytes);
            if (skipped < 0)
                return null;
            start += skipped;
            foreach (var (bytes, id) in _longestFirst)
                if (text[start..].StartsWith(bytes))
                    return (id, start, bytes.Length);
        }
        return null;
    }
}
