using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Turns the texts of pieces back into text as SentencePiece does: marks as spaces without the dummy one at the beginning, bytes as characters,
/// the unknown piece as its surface.</summary>
internal sealed class SentencePieceDecoder(SentencePieceVocabulary vocabulary, SentencePieceNormalizer? denormalizer) : IDecoder
{
    private static ReadOnlySpan<byte> Mark => "▁"u8;

    private readonly byte[] _unknownSurface = vocabulary.File.Training.UnknownSurface ?? " ⁇ "u8.ToArray();

    public DecoderStream Begin(DecoderStream next) => new Stream(this, denormalizer is null ? next : new DenormalizingStream(denormalizer, next));

    public byte[] Inside(byte[] token) => KindOf(token) is SentencePieceKind.Byte ? [SentencePieceVocabulary.ByteOf(token)!.Value] : Surface(token, KindOf(token));

    private bool StripsMark => vocabulary.File.Normalization.AddDummyPrefix || StripsAllMarks;

    private bool StripsAllMarks => vocabulary.File.Normalization.RemoveExtraWhitespaces;

    private byte[] Surface(ReadOnlySpan<byte> token, SentencePieceKind kind) => kind switch
    {
        SentencePieceKind.Unknown => _unknownSurface,
        SentencePieceKind.Control => token.ToArray(),
        _ => WithSpaces(token),
    };

    private static byte[] WithSpaces(ReadOnlySpan<byte> piece)
    {
        var surface = new ArrayBufferWriter<byte>(piece.Length + 1);
        for (int mark = piece.IndexOf(Mark); mark >= 0; mark = piece.IndexOf(Mark))
        {
            surface.Write(piece[..mark]);
            surface.Write(" "u8);
            piece = piece[(mark + Mark.Length)..];
        }
        surface.Write(piece);
        return surface.WrittenSpan.ToArray();
    }

    private SentencePieceKind KindOf(ReadOnlySpan<byte> token) => vocabulary.Find(token) is int id ? vocabulary.File.Pieces[id].Kind : SentencePieceKind.Control;

    private sealed class Stream(SentencePieceDecoder decoder, DecoderStream next) : WholeTokenStream(next)
    {
        private readonly List<byte> _bytes = [];
        private bool _atBegin = decoder.StripsMark;
        private bool _anyText;

        protected override void Decode(ReadOnlySpan<byte> token)
        {
            var kind = decoder.KindOf(token);
            if (kind == SentencePieceKind.Byte)
            {
                _bytes.Add(SentencePieceVocabulary.ByteOf(token)!.Value);
                WriteCharacters(isEnd: false);
                return;
            }
            WriteCharacters(isEnd: true);
            _atBegin &= !_anyText;
            if (kind is SentencePieceKind.Normal or SentencePieceKind.UserDefined or SentencePieceKind.Unused && _atBegin && token.StartsWith(Mark))
            {
                token = token[Mark.Length..];
                // Without the removal of extra spaces the dummy one is the only one that goes.
                _atBegin = decoder.StripsAllMarks;
            }
            WriteText(decoder.Surface(token, kind));
        }

        public override void End()
        {
            WriteCharacters(isEnd: true);
            base.End();
        }

        private void WriteText(ReadOnlySpan<byte> text)
        {
            _anyText |= text.Length > 0;
            Pass(text);
        }

        private void WriteCharacters(bool isEnd)
        {
            while (_bytes.Count > 0)
            {
                var bytes = CollectionsMarshal.AsSpan(_bytes);
                var status = Rune.DecodeFromUtf8(bytes, out _, out int length);
                if (status == OperationStatus.NeedMoreData && !isEnd)
                    return;
                length = status == OperationStatus.Done ? length : 1;
                WriteText(status == OperationStatus.Done ? bytes[..length] : "\uFFFD"u8);
                _bytes.RemoveRange(0, length);
            }
        }
    }

    /// <summary>Rules that work on the whole text have to wait for its end.</summary>
    private sealed class DenormalizingStream(SentencePieceNormalizer denormalizer, DecoderStream next) : DecoderStream
    {
        private readonly ArrayBufferWriter<byte> _text = new();

        public override void Write(ReadOnlySpan<byte> part) => _text.Write(part);

        public override void EndToken()
        {
        }

        public override void End()
        {
            var normalized = new ArrayBufferWriter<byte>();
            denormalizer.Normalize(_text.WrittenSpan, normalized);
            next.Write(normalized.WrittenSpan);
            next.EndToken();
            next.End();
        }
    }
}
