using System.Runtime.InteropServices;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Puts a text in the place of every match of a pattern, token by token.</summary>
internal sealed record ReplaceDecoder(TextPattern Pattern, byte[] Content) : IDecoder
{
    public DecoderStream Begin(DecoderStream next) => Pattern.Regex is null && Pattern.Text.Length > 0 ? new TextStream(Pattern.Text.ToArray(), Content, next) : new Stream(this, next);

    public byte[] Inside(byte[] token)
    {
        var text = new AlignedText(token);
        new ReplaceNormalizer(Pattern, Content).Normalize(text);
        return text.Bytes.ToArray();
    }

    private sealed class Stream(ReplaceDecoder decoder, DecoderStream next) : WholeTokenStream(next)
    {
        protected override void Decode(ReadOnlySpan<byte> token) => Pass(decoder.Inside(token.ToArray()));
    }

    /// <summary>A text can be looked for while a token is still coming in; held back is what may be the beginning of a match.</summary>
    private sealed class TextStream(byte[] pattern, byte[] content, DecoderStream next) : DecoderStream
    {
        private readonly List<byte> _held = [];

        public override void Write(ReadOnlySpan<byte> part)
        {
            if (_held.Count > 0)
            {
                _held.AddRange(part);
                part = CollectionsMarshal.AsSpan(_held).ToArray();
                _held.Clear();
            }
            while (part.IndexOf(pattern) is int found and >= 0)
            {
                next.Write(part[..found]);
                next.Write(content);
                part = part[(found + pattern.Length)..];
            }
            int open = Math.Min(pattern.Length - 1, part.Length);
            while (!part[^open..].SequenceEqual(pattern.AsSpan(0, open)))
                open--;
            next.Write(part[..^open]);
            _held.AddRange(part[^open..]);
        }

        public override void EndToken()
        {
            next.Write(CollectionsMarshal.AsSpan(_held));
            _held.Clear();
            next.EndToken();
        }

        public override void End() => next.End();
    }
}
