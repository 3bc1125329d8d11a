namespace OpenEuroLLM.Tokenizers;

/// <summary>Splits at digits: each one by itself, or in runs.</summary>
internal sealed record DigitsPreTokenizer(bool Individual) : IPreTokenizer
{
    public void Split(AlignedText piece, List<AlignedText> pieces) =>
        Splits.At(piece, Characters.IsNumber).AppendTo(pieces, Individual ? SplitBehavior.Isolated : SplitBehavior.Contiguous);
}

/// <summary>Splits at punctuation.</summary>
internal sealed record PunctuationPreTokenizer(SplitBehavior Behavior) : IPreTokenizer
{
    public void Split(AlignedText piece, List<AlignedText> pieces) => Splits.At(piece, Characters.IsPunctuation).AppendTo(pieces, Behavior);
}

/// <summary>Splits at white space, which is dropped.</summary>
internal sealed record WhiteSpaceSplitPreTokenizer : IPreTokenizer
{
    public void Split(AlignedText piece, List<AlignedText> pieces) => Splits.At(piece, Characters.IsWhiteSpace).AppendTo(pieces, SplitBehavior.Removed);
}

/// <summary>Splits at one character, which is dropped.</summary>
/// <param name="Delimiter">A Unicode scalar value.</param>
internal sealed record CharacterDelimiterPreTokenizer(int Delimiter) : IPreTokenizer
{
    public void Split(AlignedText piece, List<AlignedText> pieces) => Splits.At(piece, value => value == Delimiter).AppendTo(pieces, SplitBehavior.Removed);
}

/// <summary>The pre-tokenizer of BERT: splits at white space, which is dropped, and around each punctuation mark.</summary>
internal sealed record BertPreTokenizer : IPreTokenizer
{
    public void Split(AlignedText piece, List<AlignedText> pieces)
    {
        var words = new List<AlignedText>();
        Splits.At(piece, Characters.IsWhiteSpace).AppendTo(words, SplitBehavior.Removed);
        foreach (var word in words)
            Splits.At(word, Characters.IsPunctuation).AppendTo(pieces, SplitBehavior.Isolated);
    }
}
