using System.Globalization;
using System.Text.Unicode;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Makes text of runs of byte tokens (<c>&lt;0x41&gt;</c>). A run that is not valid UTF-8 as a whole becomes a U+FFFD for each of its bytes, so it is
/// held back until it ends.</summary>
internal sealed record ByteFallbackDecoder : IDecoder
{
    public DecoderStream Begin(DecoderStream next) => new Stream(next);

    public byte[] Inside(byte[] token) => ByteOf(token) is byte value ? [value] : token;

    /// <summary>The byte that a token stands for, or null.</summary>
    public static byte? ByteOf(ReadOnlySpan<byte> token)
    {
        if (token.Length != 6 || !token.StartsWith("<0x"u8) || token[5] != (byte)'>')
            return null;
        return byte.TryParse(token[3..5], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte value) ? value : null;
    }

    private sealed class Stream(DecoderStream next) : WholeTokenStream(next)
    {
        private readonly List<byte> _run = [];

        protected override void Decode(ReadOnlySpan<byte> token)
        {
            if (ByteOf(token) is byte value)
            {
                _run.Add(value);
                return;
            }
            EndRun();
            Pass(token);
        }

        public override void End()
        {
            EndRun();
            Next.End();
        }

        private void EndRun()
        {
            if (_run.Count == 0)
                return;
            var bytes = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_run);
            if (Utf8.IsValid(bytes))
                Pass(bytes);
            else
                for (int i = 0; i < bytes.Length; i++)
                    Pass("\uFFFD"u8);
            _run.Clear();
        }
    }
}
