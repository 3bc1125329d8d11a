using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Reporting;

/// <summary>How much text.</summary>
/// <param name="Documents">Number of documents.</param>
/// <param name="Bytes">Their text, in bytes of UTF-8.</param>
/// <param name="Tokens">Their tokens; 0 where the corpus was built without a tokenizer.</param>
public readonly record struct Amount(long Documents, long Bytes, long Tokens)
{
    /// <summary>What a count of a manifest says.</summary>
    public static Amount Of(ManifestCount count) => new(count.Documents, count.Bytes, count.Tokens);

    /// <summary>Both together.</summary>
    public static Amount operator +(Amount one, Amount other) => new(one.Documents + other.Documents, one.Bytes + other.Bytes, one.Tokens + other.Tokens);

    /// <summary>The first without the second.</summary>
    public static Amount operator -(Amount one, Amount other) => new(one.Documents - other.Documents, one.Bytes - other.Bytes, one.Tokens - other.Tokens);

    /// <summary>All together.</summary>
    public static Amount Sum(IEnumerable<Amount> amounts) => amounts.Aggregate(default(Amount), (sum, amount) => sum + amount);

    internal bool IsNegative => Documents < 0 || Bytes < 0 || Tokens < 0;
}
