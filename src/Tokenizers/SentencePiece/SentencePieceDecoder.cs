using System.Buffers;
using System.Text;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Turns the texts of pieces back into text as SentencePiece does: marks as spaces without the dummy one at the beginning, bytes as characters,
/// the unknown piece as its surface.</summary>
internal sealed class SentencePieceDecoder(SentencePieceVocabulary vocabulary, SentencePieceNormalizer? denormalizer) : IDecoder
{
    private static ReadOnlySpan<byte> Mark => "▁"u8;

    private readonly byte[] _unknownSurface = vocabulary.File.Training.UnknownSurface ?? " ⁇ "u8.ToArray();

    public void Decode(List<byte[]> tokens)
    {
        var normalization = vocabulary.File.Normalization;
        var text = new ArrayBufferWriter<byte>();
        var bytes = new List<byte>();
        bool atBegin = normalization.AddDummyPrefix || normalization.RemoveExtraWhitespaces;
        foreach (byte[] token in tokens)
        {
            int? id = vocabulary.Find(token);
            var kind = id is null ? SentencePieceKind.Control : vocabulary.File.Pieces[id.Value].Kind;
            if (kind == SentencePieceKind.Byte)
            {
                bytes.Add(SentencePieceVocabulary.ByteOf(token)!.Value);
                continue;
            }
            WriteBytes(bytes, text);
            atBegin &= text.WrittenCount == 0;
            var surface = token.AsSpan();
            if (kind == SentencePieceKind.Unknown)
                surface = _unknownSurface;
            else if (kind != SentencePieceKind.Control)
                surface = Surface(surface, ref atBegin);
            text.Write(surface);
        }
        WriteBytes(bytes, text);
        tokens.Clear();
        tokens.Add(Denormalized(text.WrittenSpan));
    }

    private byte[] Denormalized(ReadOnlySpan<byte> text)
    {
        if (denormalizer is null)
            return text.ToArray();
        var aligned = new AlignedText(text, aligned: false);
        denormalizer.Normalize(aligned);
        return aligned.Bytes.ToArray();
    }

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

    private static void WriteBytes(List<byte> bytes, ArrayBufferWriter<byte> text)
    {
        var rest = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes);
        while (rest.Length > 0)
        {
            bool valid = Rune.DecodeFromUtf8(rest, out _, out int length) == OperationStatus.Done;
            text.Write(valid ? rest[..length] : "\uFFFD"u8);
            rest = rest[(valid ? length : 1)..];
        }
        bytes.Clear();
    }
}
