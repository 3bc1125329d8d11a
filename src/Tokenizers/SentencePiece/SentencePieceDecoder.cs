using System.Buffers;
using System.Text;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Turns the texts of pieces back into text as SentencePiece does: marks as spaces without the dummy one at the beginning, bytes as characters,
/// the unknown piece as its surface.</summary>
internal sealed class SentencePieceDecoder(SentencePieceVocabulary vocabulary, SentencePieceNormalizer? denormalizer) : IDecoder
{
    private static ReadOnlySpan<byte> Mark => "▁"u8;

    private readonly bool _dropsFirstSpace = vocabulary.File.Normalization.AddDummyPrefix || vocabulary.File.Normalization.RemoveExtraWhitespaces;
    private readonly byte[] _unknownSurface = vocabulary.File.Training.UnknownSurface ?? " ⁇ "u8.ToArray();

    public DecoderStream Begin(DecoderStream next) => new Stream(this, denormalizer is null ? next : new Denormalized(denormalizer, next));

    public byte[] Inside(byte[] token)
    {
        bool atBegin = false;
        return KindOf(token) switch
        {
            SentencePieceKind.Byte => [SentencePieceVocabulary.ByteOf(token)!.Value],
            SentencePieceKind.Unknown => _unknownSurface,
            SentencePieceKind.Control => token,
            _ => Surface(token, ref atBegin),
        };
    }

    private SentencePieceKind KindOf(ReadOnlySpan<byte> token) => vocabulary.Find(token) is int id ? vocabulary.File.Pieces[id].Kind : SentencePieceKind.Control;

    private byte[] Surface(ReadOnlySpan<byte> piece, ref bool atBegin)
    {
        if (atBegin && piece.StartsWith(Mark))
        {
            piece = piece[Mark.Length..];
            // Without the removal of extra spaces the dummy one is the only one that goes.
            atBegin = vocabulary.File.Normalization.RemoveExtraWhitespaces;
        }
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

    private sealed class Stream(SentencePieceDecoder decoder, DecoderStream next) : WholeTokenStream(next)
    {
        private readonly List<byte> _bytes = [];
        private bool _atBegin = decoder._dropsFirstSpace;

        protected override void Decode(ReadOnlySpan<byte> token)
        {
            var kind = decoder.KindOf(token);
            if (kind == SentencePieceKind.Byte)
            {
                _bytes.Add(SentencePieceVocabulary.ByteOf(token)!.Value);
                WriteCharacters(complete: false);
                return;
            }
            WriteCharacters(complete: true);
            if (kind == SentencePieceKind.Unknown)
                WriteText(decoder._unknownSurface);
            else if (kind == SentencePieceKind.Control)
                WriteText(token);
            else
                WriteText(decoder.Surface(token, ref _atBegin));
        }

        public override void End()
        {
            WriteCharacters(complete: true);
            Next.End();
        }

        private void WriteText(ReadOnlySpan<byte> text)
        {
            _atBegin &= text.IsEmpty;
            Pass(text);
        }

        /// <summary>Writes the characters that byte pieces make; each byte that makes none is a U+FFFD.</summary>
        private void WriteCharacters(bool complete)
        {
            var rest = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_bytes);
            int done = 0;
            while (done < rest.Length)
            {
                var status = Rune.DecodeFromUtf8(rest[done..], out _, out int length);
                if (status == OperationStatus.NeedMoreData && !complete)
                    break;
                bool valid = status == OperationStatus.Done;
                WriteText(valid ? rest[done..(done + length)] : "\uFFFD"u8);
                done += valid ? length : 1;
            }
            _bytes.RemoveRange(0, done);
        }
    }

    /// <summary>Rules over the text as a whole, which is held back to its end.</summary>
    private sealed class Denormalized(SentencePieceNormalizer denormalizer, DecoderStream next) : DecoderStream
    {
        private readonly ArrayBufferWriter<byte> _text = new();

        public override void Write(ReadOnlySpan<byte> part) => _text.Write(part);

        public override void EndToken()
        {
        }

        public override void End()
        {
            var text = new AlignedText(_text.WrittenSpan);
            denormalizer.Normalize(text);
            next.Write(text.Bytes);
            next.EndToken();
            next.End();
        }
    }
}
