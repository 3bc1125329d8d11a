using System.Text;
using System.Text.Unicode;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Reads and writes SentencePiece <c>.model</c> files (a protobuf message). Fields that are not known here are kept.</summary>
internal static class SentencePieceFormat
{
    private const int LongestPiece = 1 << 16;
    private const int MostPieces = 1 << 24;

    // The numbers of the fields.
    private const int FilePiece = 1, FileTraining = 2, FileNormalization = 3, FileDenormalization = 5;
    private const int PieceText = 1, PieceScore = 2, PieceKind = 3;
    private const int TrainingAlgorithm = 3, TrainingSize = 4, TrainingSuffix = 24, TrainingByteFallback = 35, TrainingUnknown = 40, TrainingBegin = 41, TrainingEnd = 42,
        TrainingPadding = 43, TrainingSurface = 44;
    private const int NormalizationName = 1, NormalizationMap = 2, NormalizationPrefix = 3, NormalizationExtra = 4, NormalizationEscape = 5;

    /// <summary>Reads a file.</summary>
    /// <param name="bytes">Its bytes.</param>
    /// <param name="where">Its name, for messages.</param>
    /// <exception cref="UserErrorException">It is damaged, or no such file.</exception>
    public static SentencePieceFile Read(ReadOnlySpan<byte> bytes, string where)
    {
        var pieces = new List<SentencePiece>();
        var (training, normalization, denormalization, other) = (new ProtobufWriter(), new ProtobufWriter(), (ProtobufWriter?)null, new ProtobufWriter());
        var reader = new ProtobufReader(bytes, where);
        while (reader.Read())
        {
            switch (reader.Number)
            {
                case FilePiece:
                    if (pieces.Count == MostPieces)
                        throw new UserErrorException($"{where}: the model has more than {MostPieces} pieces; expected at most as many.");
                    pieces.Add(ReadPiece(reader.AsBytes(), $"{where}: piece {pieces.Count}"));
                    break;
                // A message that stands there in parts is the parts one after another.
                case FileTraining:
                    training.WriteRaw(reader.AsBytes());
                    break;
                case FileNormalization:
                    normalization.WriteRaw(reader.AsBytes());
                    break;
                case FileDenormalization:
                    (denormalization ??= new ProtobufWriter()).WriteRaw(reader.AsBytes());
                    break;
                default:
                    other.WriteRaw(reader.Raw);
                    break;
            }
        }
        if (pieces.Count == 0)
            throw new UserErrorException($"{where}: the model has no pieces. Is it a SentencePiece model?");
        return new SentencePieceFile(pieces, ReadTraining(training.Message, $"{where}: trainer_spec"), ReadNormalization(normalization.Message, $"{where}: normalizer_spec"),
            denormalization is null ? null : ReadNormalization(denormalization.Message, $"{where}: denormalizer_spec"), Rest(other));
    }

    /// <summary>The bytes of a file; equal contents give equal bytes.</summary>
    public static byte[] Write(SentencePieceFile file)
    {
        var writer = new ProtobufWriter();
        foreach (var piece in file.Pieces)
        {
            var message = new ProtobufWriter();
            message.WriteBytes(PieceText, piece.Text);
            message.WriteSingle(PieceScore, piece.Score);
            if (piece.Kind != SentencePieceKind.Normal)
                message.WriteInteger(PieceKind, (int)piece.Kind);
            message.WriteRaw(piece.Other);
            writer.WriteBytes(FilePiece, message.Message);
        }
        writer.WriteBytes(FileTraining, WriteTraining(file));
        writer.WriteBytes(FileNormalization, WriteNormalization(file.Normalization));
        if (file.Denormalization is not null)
            writer.WriteBytes(FileDenormalization, WriteNormalization(file.Denormalization));
        writer.WriteRaw(file.Other);
        return writer.Message.ToArray();
    }

    private static SentencePiece ReadPiece(ReadOnlySpan<byte> message, string where)
    {
        byte[]? text = null;
        float score = 0;
        int kind = (int)SentencePieceKind.Normal;
        var other = new ProtobufWriter();
        var reader = new ProtobufReader(message, where);
        while (reader.Read())
        {
            switch (reader.Number)
            {
                case PieceText:
                    text = reader.AsBytes().Length <= LongestPiece ? reader.Content.ToArray()
                        : throw new UserErrorException($"{where} has {reader.Content.Length} bytes; expected at most {LongestPiece}.");
                    break;
                case PieceScore:
                    score = reader.AsSingle();
                    break;
                case PieceKind:
                    kind = reader.AsInteger();
                    break;
                default:
                    other.WriteRaw(reader.Raw);
                    break;
            }
        }
        if (text is null or { Length: 0 })
            throw new UserErrorException($"{where} is empty; expected text.");
        if (!Utf8.IsValid(text))
            throw new UserErrorException($"{where} is no valid UTF-8: '{Encoding.UTF8.GetString(text.AsSpan(0, Math.Min(text.Length, 60)))}'.");
        if (!float.IsFinite(score))
            throw new UserErrorException($"{where} ('{Encoding.UTF8.GetString(text.AsSpan(0, Math.Min(text.Length, 60)))}') has the score {score}; expected a finite number.");
        if (kind is < (int)SentencePieceKind.Normal or > (int)SentencePieceKind.Byte)
            throw new UserErrorException($"{where} has the type {kind}; expected 1 to 6.");
        return new SentencePiece(text, score, (SentencePieceKind)kind, Rest(other));
    }

    private static SentencePieceTraining ReadTraining(ReadOnlySpan<byte> message, string where)
    {
        var training = new SentencePieceTraining();
        var other = new ProtobufWriter();
        var reader = new ProtobufReader(message, where);
        while (reader.Read())
        {
            switch (reader.Number)
            {
                case TrainingAlgorithm:
                    if (reader.AsInteger() is < (int)SentencePieceAlgorithm.Unigram or > (int)SentencePieceAlgorithm.Character)
                        throw new UserErrorException($"{where}: model_type is {reader.AsInteger()}; expected 1 (Unigram), 2 (BPE), 3 (word) or 4 (character).");
                    training = training with { Algorithm = (SentencePieceAlgorithm)reader.AsInteger() };
                    break;
                case TrainingSize or TrainingUnknown:
                    // Both follow from the pieces.
                    _ = reader.AsInteger();
                    break;
                case TrainingSuffix:
                    training = training with { WhitespaceAsSuffix = reader.AsBoolean() };
                    break;
                case TrainingByteFallback:
                    training = training with { ByteFallback = reader.AsBoolean() };
                    break;
                case TrainingBegin:
                    training = training with { BeginId = reader.AsInteger() };
                    break;
                case TrainingEnd:
                    training = training with { EndId = reader.AsInteger() };
                    break;
                case TrainingPadding:
                    training = training with { PaddingId = reader.AsInteger() };
                    break;
                case TrainingSurface:
                    training = training with { UnknownSurface = reader.AsBytes().ToArray() };
                    break;
                default:
                    other.WriteRaw(reader.Raw);
                    break;
            }
        }
        return training with { Other = Rest(other) };
    }

    private static ReadOnlySpan<byte> WriteTraining(SentencePieceFile file)
    {
        var training = file.Training;
        var writer = new ProtobufWriter();
        writer.WriteInteger(TrainingAlgorithm, (int)training.Algorithm);
        writer.WriteInteger(TrainingSize, file.Pieces.Count);
        writer.WriteBoolean(TrainingSuffix, training.WhitespaceAsSuffix);
        writer.WriteBoolean(TrainingByteFallback, training.ByteFallback);
        for (int id = 0; id < file.Pieces.Count; id++)
            if (file.Pieces[id].Kind == SentencePieceKind.Unknown)
                writer.WriteInteger(TrainingUnknown, id);
        writer.WriteInteger(TrainingBegin, training.BeginId);
        writer.WriteInteger(TrainingEnd, training.EndId);
        writer.WriteInteger(TrainingPadding, training.PaddingId);
        if (training.UnknownSurface is not null)
            writer.WriteBytes(TrainingSurface, training.UnknownSurface);
        writer.WriteRaw(training.Other);
        return writer.Message;
    }

    private static SentencePieceNormalization ReadNormalization(ReadOnlySpan<byte> message, string where)
    {
        var normalization = new SentencePieceNormalization([], []);
        var other = new ProtobufWriter();
        var reader = new ProtobufReader(message, where);
        while (reader.Read())
        {
            switch (reader.Number)
            {
                case NormalizationName:
                    normalization = normalization with { Name = reader.AsBytes().ToArray() };
                    break;
                case NormalizationMap:
                    normalization = normalization with { CharacterMap = reader.AsBytes().ToArray() };
                    break;
                case NormalizationPrefix:
                    normalization = normalization with { AddDummyPrefix = reader.AsBoolean() };
                    break;
                case NormalizationExtra:
                    normalization = normalization with { RemoveExtraWhitespaces = reader.AsBoolean() };
                    break;
                case NormalizationEscape:
                    normalization = normalization with { EscapeWhitespaces = reader.AsBoolean() };
                    break;
                default:
                    other.WriteRaw(reader.Raw);
                    break;
            }
        }
        return normalization with { Other = Rest(other) };
    }

    private static ReadOnlySpan<byte> WriteNormalization(SentencePieceNormalization normalization)
    {
        var writer = new ProtobufWriter();
        writer.WriteBytes(NormalizationName, normalization.Name);
        writer.WriteBytes(NormalizationMap, normalization.CharacterMap);
        writer.WriteBoolean(NormalizationPrefix, normalization.AddDummyPrefix);
        writer.WriteBoolean(NormalizationExtra, normalization.RemoveExtraWhitespaces);
        writer.WriteBoolean(NormalizationEscape, normalization.EscapeWhitespaces);
        writer.WriteRaw(normalization.Other);
        return writer.Message;
    }

    private static byte[]? Rest(ProtobufWriter other) => other.Message.Length == 0 ? null : other.Message.ToArray();
}
