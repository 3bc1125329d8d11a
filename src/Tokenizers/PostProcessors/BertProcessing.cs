namespace OpenEuroLLM.Tokenizers;

/// <summary>BERT's <c>[CLS] A [SEP] B [SEP]</c>; the second text and its separator are segment 1.</summary>
internal sealed record BertProcessing(NamedToken Separator, NamedToken Start) : IPostProcessor
{
    public IEnumerable<bool> Trimmings => [];

    public bool AddsTokens => true;

    public IEnumerable<PlacedToken> Process(IReadOnlyList<IReadOnlyList<PlacedToken>> sequences, bool addSpecial)
    {
        for (int i = 0; i < sequences.Count; i++)
        {
            if (addSpecial && i == 0)
                yield return Start.Place(0);
            foreach (var token in sequences[i])
                yield return token with { TypeId = i };
            if (addSpecial)
                yield return Separator.Place(i);
        }
    }
}

/// <summary>RoBERTa's <c>&lt;s&gt; A &lt;/s&gt;&lt;/s&gt; B &lt;/s&gt;</c>, all of segment 0.</summary>
internal sealed record RobertaProcessing(NamedToken Separator, NamedToken Start, bool TrimOffsets, bool AddPrefixSpace) : IPostProcessor
{
    public IEnumerable<bool> Trimmings => TrimOffsets ? [AddPrefixSpace] : [];

    public bool AddsTokens => true;

    public IEnumerable<PlacedToken> Process(IReadOnlyList<IReadOnlyList<PlacedToken>> sequences, bool addSpecial) =>
        sequences.SelectMany((tokens, i) =>
        {
            var content = tokens.Select(token => token with { TypeId = 0 });
            return addSpecial ? content.Prepend((i == 0 ? Start : Separator).Place(0)).Append(Separator.Place(0)) : content;
        });
}
