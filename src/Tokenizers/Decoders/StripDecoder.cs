using System.Runtime.InteropServices;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Removes up to so many of one character from both ends of each token.</summary>
/// <param name="Character">The character, as UTF-8.</param>
/// <param name="Start">The most that are removed from the beginning.</param>
/// <param name="Stop">The most that are removed from the end.</param>
internal sealed record StripDecoder(byte[] Character, int Start, int Stop) : IDecoder
{
    public DecoderStream Begin(DecoderStream next) => new Stream(this, next);

    public byte[] Inside(byte[] token)
    {
        var text = new DecodedText();
        var stream = Begin(text);
        stream.Write(token);
        stream.EndToken();
        return text.Text.ToArray();
    }

    private sealed class Stream(StripDecoder decoder, DecoderStream next) : DecoderStream
    {
        private readonly List<byte> _held = [];
        private int _mayBeRemoved = decoder.Start;

        public override void Write(ReadOnlySpan<byte> part)
        {
            byte[] character = decoder.Character;
            if (_held.Count > 0)
            {
                _held.AddRange(part);
                part = CollectionsMarshal.AsSpan(_held).ToArray();
                _held.Clear();
            }
            for (; _mayBeRemoved > 0 && part.StartsWith(character); _mayBeRemoved--)
                part = part[character.Length..];
            if (_mayBeRemoved > 0 && character.AsSpan().StartsWith(part))
            {
                _held.AddRange(part);
                return;
            }
            _mayBeRemoved = 0;
            int end = part.Length;
            for (int count = 0; count < decoder.Stop && part[..end].EndsWith(character); count++)
                end -= character.Length;
            next.Write(part[..end]);
            _held.AddRange(part[end..]);
        }

        public override void EndToken()
        {
            // Held is a piece of the character, which is text, or whole ones at the end, which are not.
            if (_held.Count < decoder.Character.Length)
                next.Write(CollectionsMarshal.AsSpan(_held));
            _held.Clear();
            _mayBeRemoved = decoder.Start;
            next.EndToken();
        }

        public override void End() => next.End();
    }
}
