namespace OpenEuroLLM.Tokenizers;

/// <summary>One part of a template: a text or a special token.</summary>
/// <param name="Special">The special token's name; null for a text.</param>
/// <param name="Sequence">0 or 1: which text; means nothing for a special token.</param>
/// <param name="TypeId">The segment that its tokens count to.</param>
internal sealed record TemplatePiece(string? Special, int Sequence, int TypeId);

/// <summary>A special token of a template.</summary>
/// <param name="Name">Its name in the template.</param>
/// <param name="Ids">The tokens that it stands for.</param>
/// <param name="Tokens">Their contents.</param>
internal sealed record TemplateToken(string Name, IReadOnlyList<int> Ids, IReadOnlyList<string> Tokens);

/// <summary>Puts special tokens around texts as two templates say.</summary>
/// <param name="Single">For one text.</param>
/// <param name="Pair">For two.</param>
/// <param name="SpecialTokens">Every special token of the templates.</param>
internal sealed record TemplateProcessing(IReadOnlyList<TemplatePiece> Single, IReadOnlyList<TemplatePiece> Pair, IReadOnlyList<TemplateToken> SpecialTokens) : IPostProcessor
{
    private readonly Dictionary<string, TemplateToken> _byName = SpecialTokens.ToDictionary(token => token.Name, StringComparer.Ordinal);

    /// <summary>Starts every text with one control token.</summary>
    public static TemplateProcessing StartingWith(string content, int id)
    {
        var start = new TemplatePiece(content, 0, 0);
        return new([start, new(null, 0, 0)], [start, new(null, 0, 0), start with { TypeId = 1 }, new(null, 1, 1)], [new(content, [id], [content])]);
    }

    public IEnumerable<bool> Trimmings => [];

    public bool AddsTokens => true;

    public IEnumerable<PlacedToken> Process(IReadOnlyList<IReadOnlyList<PlacedToken>> sequences, bool addSpecial)
    {
        foreach (var piece in sequences.Count == 1 ? Single : Pair)
        {
            if (piece.Special is null)
            {
                foreach (var token in sequences[piece.Sequence])
                    yield return token with { TypeId = piece.TypeId };
            }
            else if (addSpecial)
            {
                foreach (int id in _byName[piece.Special].Ids)
                    yield return new PlacedToken(new EncodedToken(id, 0, 0), piece.TypeId, null);
            }
        }
    }
}
