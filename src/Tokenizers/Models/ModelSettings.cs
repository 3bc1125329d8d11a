using System.Text;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The model of a tokenizer as its file describes it: every token and rule, whether they are ever used or not.</summary>
/// <param name="Tokens">The text of each token by id (UTF-8), as it stands in the vocabulary; null where the id is no token.</param>
internal abstract record ModelSettings(IReadOnlyList<byte[]?> Tokens)
{
    /// <summary>Makes the model.</summary>
    /// <param name="reserved">Ids that text never becomes: the control tokens that stand in the vocabulary too.</param>
    public abstract ITokenModel Build(IReadOnlySet<int> reserved);

    protected byte[]?[] Without(IReadOnlySet<int> reserved) => [.. Tokens.Select((text, id) => reserved.Contains(id) ? null : text)];
}

/// <summary>Byte-pair encoding over characters.</summary>
/// <param name="Tokens">See <see cref="ModelSettings"/>.</param>
/// <param name="Merges">In order of rank, no pair twice.</param>
/// <param name="UnknownId">The token of a character without one, or null.</param>
/// <param name="ContinuingSubwordPrefix">See <see cref="TextBpeSettings"/>; null for none, as the others.</param>
/// <param name="EndOfWordSuffix">See there.</param>
/// <param name="FuseUnknown">See there.</param>
/// <param name="ByteFallback">See there.</param>
/// <param name="IgnoreMerges">See there.</param>
internal sealed record BpeSettings(
    IReadOnlyList<byte[]?> Tokens, IReadOnlyList<Merge> Merges, int? UnknownId = null, string? ContinuingSubwordPrefix = null, string? EndOfWordSuffix = null,
    bool FuseUnknown = false, bool ByteFallback = false, bool IgnoreMerges = false) : ModelSettings(Tokens)
{
    /// <summary>The same for a byte-level model, whose tokens are written in the byte alphabet.</summary>
    public static BpeSettings Of(BpeModel model) =>
        new([.. model.Tokens.Select(token => token is null ? null : Encoding.UTF8.GetBytes(ByteAlphabet.ToText(token)))], model.Merges, IgnoreMerges: model.IgnoreMerges);

    public override ITokenModel Build(IReadOnlySet<int> reserved) =>
        new TextBpeModel(Without(reserved), UsableMerges(reserved),
            new TextBpeSettings(UnknownId, Encoding.UTF8.GetBytes(ContinuingSubwordPrefix ?? ""), Encoding.UTF8.GetBytes(EndOfWordSuffix ?? ""), FuseUnknown, ByteFallback, IgnoreMerges));

    /// <summary>The merges whose result is no control token.</summary>
    public IReadOnlyList<Merge> UsableMerges(IReadOnlySet<int> reserved) =>
        reserved.Count == 0 ? Merges : [.. Merges.Where(merge => !reserved.Contains(merge.Merged) && !reserved.Contains(merge.Left) && !reserved.Contains(merge.Right))];

    /// <summary>The byte-level model, or null where this is none: its tokens are no bytes, some byte has none, or something is special.</summary>
    /// <param name="reserved">See <see cref="Build"/>.</param>
    /// <param name="words">Where words end.</param>
    public BpeModel? ToByteLevel(IReadOnlySet<int> reserved, WordSplitter words)
    {
        if (!string.IsNullOrEmpty(ContinuingSubwordPrefix) || !string.IsNullOrEmpty(EndOfWordSuffix))
            return null;
        byte[]?[] tokens = new byte[]?[Tokens.Count];
        bool[] single = new bool[256];
        for (int id = 0; id < tokens.Length; id++)
        {
            if (Tokens[id] is not { } text || reserved.Contains(id))
                continue;
            if (ByteAlphabet.ToBytes(Encoding.UTF8.GetString(text)) is not { Length: > 0 } bytes)
                return null;
            tokens[id] = bytes;
            if (bytes.Length == 1)
                single[bytes[0]] = true;
        }
        return Array.TrueForAll(single, known => known) ? new BpeModel(tokens, UsableMerges(reserved), IgnoreMerges, words) : null;
    }
}

/// <summary>Unigram.</summary>
/// <param name="Pieces">The tokens by id.</param>
/// <param name="UnknownId">The token of what no other covers, or null.</param>
/// <param name="ByteFallback">Whether that becomes byte tokens.</param>
internal sealed record UnigramSettings(IReadOnlyList<UnigramPiece> Pieces, int? UnknownId, bool ByteFallback) : ModelSettings([.. Pieces.Select(piece => piece.Text)])
{
    // A piece without text is found nowhere; its score still counts when the lowest is looked for.
    public override ITokenModel Build(IReadOnlySet<int> reserved) =>
        new UnigramModel([.. Pieces.Select((piece, id) => reserved.Contains(id) ? piece with { Text = [] } : piece)], UnknownId, ByteFallback);
}

/// <summary>WordPiece.</summary>
/// <param name="Tokens">See <see cref="ModelSettings"/>.</param>
/// <param name="UnknownId">The token of a word that cannot be covered.</param>
/// <param name="ContinuingSubwordPrefix">What begins tokens inside a word.</param>
/// <param name="LongestWordCharacters">A longer word is unknown.</param>
internal sealed record WordPieceSettings(IReadOnlyList<byte[]?> Tokens, int UnknownId, string ContinuingSubwordPrefix, int LongestWordCharacters) : ModelSettings(Tokens)
{
    public override ITokenModel Build(IReadOnlySet<int> reserved) =>
        new WordPieceModel(Without(reserved), UnknownId, Encoding.UTF8.GetBytes(ContinuingSubwordPrefix), LongestWordCharacters);
}

/// <summary>One token a word.</summary>
/// <param name="Tokens">See <see cref="ModelSettings"/>.</param>
/// <param name="UnknownId">The token of other words; null refuses them.</param>
/// <param name="Unknown">Its content as the file has it, even where no token is so called.</param>
internal sealed record WordLevelSettings(IReadOnlyList<byte[]?> Tokens, int? UnknownId, string Unknown) : ModelSettings(Tokens)
{
    public override ITokenModel Build(IReadOnlySet<int> reserved) => new WordLevelModel(Without(reserved), UnknownId);
}
