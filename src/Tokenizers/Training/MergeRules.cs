using System.Text;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Which tokens may be learnt.</summary>
/// <param name="forbidden">Texts that must not become tokens.</param>
/// <param name="longestTokenBytes">Longer tokens are not made.</param>
/// <param name="longestSpaceRun">Tokens of more spaces than this are not made; null for no limit.</param>
internal sealed class MergeRules(IEnumerable<string> forbidden, int longestTokenBytes = int.MaxValue, int? longestSpaceRun = null)
{
    private readonly HashSet<string> _forbidden = [.. forbidden.Select(text => ByteAlphabet.ToText(Encoding.UTF8.GetBytes(text)))];

    /// <param name="token">The bytes of the token.</param>
    /// <param name="text">The same in the byte alphabet.</param>
    public bool Allows(ReadOnlySpan<byte> token, string text) =>
        token.Length <= longestTokenBytes && !_forbidden.Contains(text)
        && !(token.Length > longestSpaceRun && token.IndexOfAnyExcept((byte)' ') < 0);
}
