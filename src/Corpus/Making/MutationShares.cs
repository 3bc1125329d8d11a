using System.ComponentModel.DataAnnotations;

namespace OpenEuroLLM.Corpus.Making;

/// <summary>What of a made corpus is not a good text of its own: shares of all documents, together at most 1.</summary>
/// <param name="ExactCopies">The text of an earlier document under another address.</param>
/// <param name="NearCopies">The text of an earlier document with single words replaced: a Jaccard similarity of 0.8 to 0.9 over sequences of five words.</param>
/// <param name="UrlCopies">A text of its own under the address of an earlier document, with a tracking parameter.</param>
/// <param name="Mojibake">A text as UTF-8 that was read as Windows-1252.</param>
/// <param name="WrongLanguages">A text that says it is in another language.</param>
/// <param name="Short">A few words.</param>
/// <param name="Junk">The same words, lists of numbers and signs over and over.</param>
/// <param name="Boilerplate">Good texts with the lines behind them that their site puts behind all of its texts: a share of the good ones.</param>
public sealed record MutationShares(
    [property: Range(0.0, 1.0)] double ExactCopies = 0.06,
    [property: Range(0.0, 1.0)] double NearCopies = 0.05,
    [property: Range(0.0, 1.0)] double UrlCopies = 0.02,
    [property: Range(0.0, 1.0)] double Mojibake = 0.02,
    [property: Range(0.0, 1.0)] double WrongLanguages = 0.02,
    [property: Range(0.0, 1.0)] double Short = 0.04,
    [property: Range(0.0, 1.0)] double Junk = 0.03,
    [property: Range(0.0, 1.0)] double Boilerplate = 0.25)
{
    /// <summary>Good documents only.</summary>
    public static MutationShares None { get; } = new(0, 0, 0, 0, 0, 0, 0, 0);

    /// <summary>The kinds with the ends of their shares, one after the other from 0; what is beyond the last is good.</summary>
    internal IReadOnlyList<(MadeKind Kind, double End)> Ends()
    {
        var ends = new List<(MadeKind, double)>();
        double end = 0;
        foreach ((MadeKind kind, double share) in new[]
        {
            (MadeKind.ExactCopy, ExactCopies), (MadeKind.NearCopy, NearCopies), (MadeKind.UrlCopy, UrlCopies), (MadeKind.Mojibake, Mojibake),
            (MadeKind.WrongLanguage, WrongLanguages), (MadeKind.Short, Short), (MadeKind.Junk, Junk),
        })
            ends.Add((kind, end += share));
        return end <= 1 ? ends : throw new ArgumentException("The shares are together more than 1.");
    }
}

/// <summary>What a made document is.</summary>
public enum MadeKind
{
    /// <summary>A text of its own.</summary>
    Good,

    /// <summary>The text of an earlier one.</summary>
    ExactCopy,

    /// <summary>Nearly the text of an earlier one.</summary>
    NearCopy,

    /// <summary>The address of an earlier one.</summary>
    UrlCopy,

    /// <summary>UTF-8 read as Windows-1252.</summary>
    Mojibake,

    /// <summary>Of another language than it says.</summary>
    WrongLanguage,

    /// <summary>A few words.</summary>
    Short,

    /// <summary>No running text.</summary>
    Junk,
}
