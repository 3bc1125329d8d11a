namespace OpenEuroLLM.Tokenizers;

/// <summary>A SentencePiece model as its file describes it.</summary>
/// <param name="Vocabulary">The model.</param>
internal sealed record SentencePieceSettings(SentencePieceVocabulary Vocabulary) : ModelSettings([.. Vocabulary.File.Pieces.Select(piece => piece.Text)])
{
    // Control pieces are never found in text by these models, so there is nothing to leave out.
    public override ITokenModel Build(IReadOnlySet<int> reserved) => Vocabulary.File.Training.Algorithm switch
    {
        SentencePieceAlgorithm.Unigram => new SentencePieceUnigramModel(Vocabulary),
        SentencePieceAlgorithm.Bpe => new SentencePieceBpeModel(Vocabulary),
        SentencePieceAlgorithm.Word => new SentencePieceWordModel(Vocabulary),
        SentencePieceAlgorithm.Character => new SentencePieceCharacterModel(Vocabulary),
        _ => throw new InvalidOperationException($"The algorithm {Vocabulary.File.Training.Algorithm} has no model."),
    };
}
