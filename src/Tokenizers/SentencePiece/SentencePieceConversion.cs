using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>SentencePiece models in the form of <c>tokenizer.json</c>, as other programs write and read them.</summary>
/// <remarks>Ids are the same on ordinary text. The two definitions differ where (1) rules of several lengths begin at one place: the longest is taken here,
/// the shortest there; (2) a text begins with a space or <c>▁</c>: there no dummy one is added then; (3) two ways to merge one piece overlap, or sums of scores
/// are equal but for rounding in single precision; (4) a user-defined piece is cut out before the text is normalized; (5) the unknown piece is decoded.</remarks>
internal static class SentencePieceConversion
{
    private const string Mark = "▁";

    /// <summary>The parts of the nearest <c>tokenizer.json</c>.</summary>
    /// <param name="parts">The parts of a SentencePiece model.</param>
    /// <exception cref="UserErrorException">That format cannot say what the model does.</exception>
    public static TokenizerParts ToJson(TokenizerParts parts)
    {
        var vocabulary = ((SentencePieceSettings)parts.Model).Vocabulary;
        var file = vocabulary.File;
        Require(!file.Training.WhitespaceAsSuffix, "has its spaces behind words");
        Require(file.Normalization.EscapeWhitespaces, "keeps spaces as they are");
        Require(file.Pieces.All(piece => piece.Kind != SentencePieceKind.Unused), "has unused pieces");
        Require(file.Denormalization is not { CharacterMap.Length: > 0 }, "has rules for decoded text");
        ModelSettings model = file.Training.Algorithm switch
        {
            SentencePieceAlgorithm.Unigram => new UnigramSettings([.. file.Pieces.Select(piece => new UnigramPiece(piece.Text, piece.Score))], vocabulary.UnknownId, file.Training.ByteFallback),
            SentencePieceAlgorithm.Word => new WordLevelSettings(Tokens(), vocabulary.UnknownId, Encoding.UTF8.GetString(file.Pieces[vocabulary.UnknownId].Text)),
            _ => new BpeSettings(Tokens(), Merges(vocabulary), vocabulary.UnknownId, FuseUnknown: true, ByteFallback: file.Training.ByteFallback),
        };
        var added = file.Pieces.Select((piece, id) => (piece, id)).Where(item => item.piece.Kind is SentencePieceKind.Control or SentencePieceKind.Unknown or SentencePieceKind.UserDefined)
            .Select(item => new AddedToken(item.id, Encoding.UTF8.GetString(item.piece.Text), Special: item.piece.Kind != SentencePieceKind.UserDefined));
        return new TokenizerParts(model, [.. added], Normalizer(file.Normalization), PreTokenizer(file), parts.PostProcessor, Decoder(file.Normalization));

        List<byte[]?> Tokens() => [.. file.Pieces.Select(piece => piece.Text)];

        static void Require(bool fits, string what)
        {
            if (!fits)
                throw new UserErrorException($"The SentencePiece model {what}, which tokenizer.json cannot say. Keep its .model file.");
        }
    }

    private static NormalizerSequence? Normalizer(SentencePieceNormalization normalization)
    {
        var steps = new List<INormalizer>();
        if (normalization.CharacterMap.Length > 0)
            steps.Add(new PrecompiledNormalizer(CharacterMap.Parse(normalization.CharacterMap, "The SentencePiece model")));
        if (normalization.RemoveExtraWhitespaces)
        {
            steps.Add(new StripNormalizer(Left: true, Right: true));
            steps.Add(new ReplaceNormalizer(new TextPattern(" {2,}", SplitPatterns.Compile(" {2,}", "Replace")), " "u8.ToArray()));
        }
        return steps.Count == 0 ? null : new NormalizerSequence(steps);
    }

    private static MetaspacePreTokenizer PreTokenizer(SentencePieceFile file)
    {
        // A split is free where no piece reaches over it, and readers are faster with it.
        bool splits = file.Training.Algorithm == SentencePieceAlgorithm.Word
            || (file.Training.Algorithm == SentencePieceAlgorithm.Unigram && !file.Pieces.Any(piece => Encoding.UTF8.GetString(piece.Text).LastIndexOf('▁') > 0));
        return new MetaspacePreTokenizer(Mark, file.Normalization.AddDummyPrefix ? PrependScheme.First : PrependScheme.Never, splits);
    }

    private static DecoderSequence Decoder(SentencePieceNormalization normalization)
    {
        var steps = new List<IDecoder> { new ReplaceDecoder(new TextPattern(Mark, null), " "u8.ToArray()), new ByteFallbackDecoder(), new FuseDecoder() };
        if (normalization.AddDummyPrefix)
            steps.Add(new StripDecoder(" "u8.ToArray(), Start: 1, Stop: 0));
        return new DecoderSequence(steps);
    }

    /// <summary>The merges of all pieces, best first; of one piece those with the longest left part first.</summary>
    private static List<Merge> Merges(SentencePieceVocabulary vocabulary)
    {
        var pieces = vocabulary.File.Pieces;
        if (vocabulary.File.Training.Algorithm != SentencePieceAlgorithm.Bpe)
            return [];
        return [.. SentencePieceMerges.Of(vocabulary).Where(merge => merge.Left < pieces.Count && merge.Right < pieces.Count)
            .OrderByDescending(merge => pieces[merge.Merged].Score).ThenBy(merge => pieces[merge.Left].Text.Length)];
    }
}
