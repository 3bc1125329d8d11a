namespace OpenEuroLLM.Tokenizers;

/// <summary>Which pieces get a replacement character before them.</summary>
internal enum PrependScheme
{
    /// <summary>The piece that begins the text.</summary>
    First,

    /// <summary>No piece.</summary>
    Never,

    /// <summary>Every piece.</summary>
    Always,
}

/// <summary>Writes spaces as a visible character, as SentencePiece does, and splits before each.</summary>
/// <param name="Replacement">The character, usually U+2581, as UTF-8.</param>
/// <param name="Prepend">Which pieces get one before them that have none.</param>
/// <param name="Splits">Whether to split before each.</param>
internal sealed record MetaspacePreTokenizer(string Replacement, PrependScheme Prepend, bool Splits) : IPreTokenizer
{
    private readonly TextPattern _replacement = new(Replacement, null);
    private readonly ReplaceNormalizer _visibleSpaces = new(new TextPattern(" ", null), System.Text.Encoding.UTF8.GetBytes(Replacement));

    public void Split(AlignedText piece, List<AlignedText> pieces)
    {
        if (piece.Bytes.Contains((byte)' '))
            _visibleSpaces.Normalize(piece);
        bool prepends = Prepend == PrependScheme.Always || (Prepend == PrependScheme.First && piece.SourceStart == 0);
        if (prepends && !piece.Bytes.StartsWith(_replacement.Text))
            PrependNormalizer.Apply(piece, _replacement.Text);
        if (Splits)
            Tokenizers.Splits.At(piece, _replacement).AppendTo(pieces, SplitBehavior.MergedWithNext);
        else if (piece.Length > 0)
            pieces.Add(piece);
    }
}
