namespace OpenEuroLLM.Models;

/// <summary>Sizes of a decoder to be made, whatever its family.</summary>
/// <param name="Layers">Decoder layers.</param>
/// <param name="Width">Numbers of a token's state.</param>
/// <param name="Heads">Query heads.</param>
/// <param name="KeyValueHeads">Key/value heads; divides <paramref name="Heads"/>.</param>
/// <param name="Hidden">Inner width of the feed-forward part.</param>
/// <param name="VocabularySize">Tokens known, special ones included.</param>
/// <param name="ContextLength">Longest sequence, in tokens.</param>
public sealed record ModelSizes(int Layers, int Width, int Heads, int KeyValueHeads, int Hidden, int VocabularySize, int ContextLength)
{
    /// <summary>Numbers of one head; even. The width over the heads where nothing else is said.</summary>
    public int HeadDimension { get; init; } = Width / Heads;

    /// <summary>Whether the embedding serves as output head too; null: as in the published models.</summary>
    public bool? TiedHead { get; init; }
}

/// <summary>What follows from an architecture for the sizes of a new model.</summary>
/// <param name="IsGated">The feed-forward part has a gate: three matrices where others have two.</param>
/// <param name="SharesKeys">Several query heads may share a key/value head.</param>
public sealed record ModelHabits(bool IsGated = true, bool SharesKeys = true);
