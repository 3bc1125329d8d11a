using System.Buffers;
using System.Text;

namespace OpenEuroLLM.Tokenizers;

/// <summary>A token that is matched as a whole before text is split.</summary>
/// <param name="Id">The token.</param>
/// <param name="Content">What is looked for in text.</param>
/// <param name="Special">Whether it stands for structure: text becomes it only where the caller allows it, and decoding can leave it out.</param>
/// <param name="SingleWord">Whether it is matched only where no letter or digit stands beside it.</param>
/// <param name="LeftStrip">Whether it swallows the white space before it.</param>
/// <param name="RightStrip">Whether it swallows the white space after it.</param>
/// <param name="Normalized">Whether it is looked for, normalized, in normalized text; otherwise as it is in the text as it is.</param>
internal sealed record AddedToken(
    int Id, string Content, bool Special, bool SingleWord = false, bool LeftStrip = false, bool RightStrip = false, bool Normalized = false)
{
    /// <summary>The most bytes of a content; matching takes at most so many steps for a byte of text.</summary>
    public const int LongestContentBytes = 1024;
}

/// <summary>A stretch of text between added tokens, or one of them.</summary>
/// <param name="Start">Its first byte.</param>
/// <param name="End">The byte after its last.</param>
/// <param name="Id">The token; null for text.</param>
internal readonly record struct AddedTokenSpan(int Start, int End, int? Id);

/// <summary>Finds added tokens in text: the leftmost, and of several at one place the longest. First those that are looked for in the text as it is;
/// then, in what is left and is normalized by then, the others.</summary>
internal sealed class AddedTokens
{
    private readonly Matcher _raw, _normalized;
    private readonly Lazy<Matcher> _written;   // the first kind and every control token, for text of which parts are trusted

    /// <param name="all">The tokens; of two with equal contents the special one, then the first, is found.</param>
    /// <param name="normalizer">The tokenizer's normalizer, or null.</param>
    public AddedTokens(IReadOnlyList<AddedToken> all, INormalizer? normalizer = null)
    {
        All = all;
        var bySpecial = all.OrderByDescending(token => token.Special).ToList();
        _raw = new Matcher([.. bySpecial.Where(token => !token.Normalized).Select(token => (token, Encoding.UTF8.GetBytes(token.Content)))]);
        _normalized = new Matcher([.. bySpecial.Where(token => token.Normalized).Select(token => (token, Normalize(token.Content)))]);

        _written = new Lazy<Matcher>(() => new Matcher([.. bySpecial.Where(token => token.Special || !token.Normalized).Select(token => (token, Encoding.UTF8.GetBytes(token.Content)))]));

        byte[] Normalize(string content)
        {
            var text = new AlignedText(Encoding.UTF8.GetBytes(content));
            normalizer?.Normalize(text);
            return text.Bytes.ToArray();
        }
    }

    public IReadOnlyList<AddedToken> All { get; }

    /// <summary>Whether text can become a token of the first kind.</summary>
    public bool MatchesRaw(ControlPlaces control) => Raw(control).CanMatch(control.Any);

    /// <summary>Whether text can become a token of the second kind.</summary>
    public bool MatchesNormalized(bool allowSpecial) => _normalized.CanMatch(allowSpecial);

    /// <summary>Cuts text that is not normalized yet.</summary>
    /// <param name="text">The text.</param>
    /// <param name="control">Where special tokens are matched; elsewhere their contents stay text, and nothing else is found inside them. Where only parts of the
    /// text are meant, special tokens of the second kind are matched here too, as they are written: a normal form has no places of its own.</param>
    /// <param name="spans">Receives tokens and what lies between them, in order.</param>
    public void SplitRaw(ReadOnlySpan<byte> text, ControlPlaces control, List<AddedTokenSpan> spans) => Raw(control).Split(text, control, spans);

    /// <summary>Cuts normalized text; see <see cref="SplitRaw"/>.</summary>
    public void SplitNormalized(ReadOnlySpan<byte> text, bool allowSpecial, List<AddedTokenSpan> spans) =>
        _normalized.Split(text, ControlPlaces.Of(allowSpecial), spans);

    private Matcher Raw(ControlPlaces control) => control.IsLimited ? _written.Value : _raw;

    private sealed class Matcher
    {
        private readonly AddedToken[] _tokens;
        private readonly ByteTrie _trie;
        private readonly SearchValues<byte> _firstBytes;
        private readonly bool _anyOrdinary;

        public Matcher(IReadOnlyList<(AddedToken Token, byte[] Bytes)> tokens)
        {
            _tokens = [.. tokens.Select(token => token.Token)];
            // The trie keeps the last of equal ones.
            _trie = new ByteTrie(tokens.Select((token, i) => (token.Bytes, i)).Reverse());
            _firstBytes = SearchValues.Create([.. tokens.Where(token => token.Bytes.Length > 0).Select(token => token.Bytes[0]).Distinct()]);
            _anyOrdinary = _tokens.Any(token => !token.Special);
        }

        public bool CanMatch(bool allowSpecial) => _anyOrdinary || (allowSpecial && _tokens.Length > 0);

        public void Split(ReadOnlySpan<byte> text, ControlPlaces control, List<AddedTokenSpan> spans)
        {
            int written = 0, position = 0, whiteSpaceEnd = 0;
            while (CanMatch(control.Any) && text[position..].IndexOfAny(_firstBytes) is int skipped and >= 0)
            {
                position += skipped;
                var (index, length) = _trie.LongestPrefix(text[position..]);
                if (index < 0)
                {
                    position++;
                    continue;
                }
                if (_tokens[index].Special && control.IsLimited && !control.Holds(position, position + length))
                {
                    // What goes over a border is no control token, but the shorter one before the border, or the one behind it, may be.
                    int trusted = control.EndAt(position);
                    if (trusted >= 0) (index, length) = _trie.LongestPrefix(text[position..trusted]);
                    if (trusted >= 0 ? index < 0 : control.BeginsBetween(position, position + length))
                    {
                        position++;
                        continue;
                    }
                }
                var token = _tokens[index];
                var (start, end) = (position, position + length);
                position = end;
                if ((token.Special && !control.Holds(start, end)) || (token.SingleWord && (EndsInWord(text[..start]) || BeginsWithWord(text[end..]))))
                    continue;
                if (token.LeftStrip)
                    start = written < start ? written + TrimmedEnd(text[written..start]) : written;
                if (token.RightStrip)
                    end = whiteSpaceEnd = end < whiteSpaceEnd ? whiteSpaceEnd : end + WhiteSpaceAtStart(text[end..]);
                // White space that the token before has swallowed can be a token itself: then it stands for these bytes too.
                if (written < start)
                    spans.Add(new AddedTokenSpan(written, start, null));
                spans.Add(new AddedTokenSpan(start, end, token.Id));
                written = end;
            }
            if (written != text.Length)
                spans.Add(new AddedTokenSpan(written, text.Length, null));
        }

        private static bool EndsInWord(ReadOnlySpan<byte> text)
        {
            if (text.IsEmpty)
                return false;
            Characters.Read(text, Characters.LastBefore(text, text.Length), out int value);
            return Characters.IsWord(value);
        }

        private static bool BeginsWithWord(ReadOnlySpan<byte> text)
        {
            if (text.IsEmpty)
                return false;
            Characters.Read(text, 0, out int value);
            return Characters.IsWord(value);
        }

        private static int TrimmedEnd(ReadOnlySpan<byte> text)
        {
            int end = text.Length;
            while (end > 0)
            {
                int last = Characters.LastBefore(text, end);
                Characters.Read(text, last, out int value);
                if (!Characters.IsWhiteSpace(value))
                    break;
                end = last;
            }
            return end;
        }

        private static int WhiteSpaceAtStart(ReadOnlySpan<byte> text)
        {
            int start = 0;
            while (start < text.Length)
            {
                int length = Characters.Read(text, start, out int value);
                if (!Characters.IsWhiteSpace(value))
                    break;
                start += length;
            }
            return start;
        }
    }
}
