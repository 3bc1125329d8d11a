namespace OpenEuroLLM.Tokenizers;

/// <summary>What training may hold.</summary>
/// <param name="Bytes">Memory altogether, in bytes.</param>
/// <param name="SpillFolder">Where counted words lie that do not fit; made when needed and removed in the end.</param>
/// <param name="TableBytes">What the table of words of each thread may hold; null takes a part of all memory.</param>
internal sealed record TrainingMemory(long Bytes, string SpillFolder, long? TableBytes = null)
{
    /// <summary>4 GB, and the system's folder for temporary files.</summary>
    public static TrainingMemory Default => new(BpeTrainer.DefaultMemoryBytes, Path.Combine(Path.GetTempPath(), FormattableString.Invariant($"oellm-words-{Guid.NewGuid():N}")));
}
