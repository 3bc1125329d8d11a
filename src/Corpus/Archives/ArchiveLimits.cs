namespace OpenEuroLLM.Corpus.Archives;

/// <summary>What is read of an archive at most, whatever it claims to hold.</summary>
/// <param name="HeaderBytes">The header lines of a record or of an HTTP message together.</param>
/// <param name="Headers">The number of header lines.</param>
/// <param name="RecordBytes">The block of a record; a longer one is skipped and counted.</param>
/// <param name="PayloadBytes">The body of a response after its encodings are undone.</param>
/// <param name="Ratio">Unpacked bytes for a packed one, beyond <paramref name="RatioFreeBytes"/>: more is taken for a bomb.</param>
/// <param name="RatioFreeBytes">Unpacked bytes of a member that are allowed at any ratio.</param>
/// <param name="WindowLog">The largest window of a Zstandard frame, as a power of two.</param>
/// <param name="DictionaryBytes">The dictionary of a Zstandard archive, unpacked.</param>
internal sealed record ArchiveLimits(
    int HeaderBytes = 64 << 10, int Headers = 256, int RecordBytes = 32 << 20, int PayloadBytes = 32 << 20, int Ratio = 500, long RatioFreeBytes = 16L << 20,
    int WindowLog = 27, int DictionaryBytes = 16 << 20)
{
    /// <summary>The limits used where nothing else is asked for.</summary>
    public static ArchiveLimits Default { get; } = new();

    /// <exception cref="DamagedDataException">The data unpack to more than is allowed.</exception>
    public void CheckRatio(long packed, long unpacked)
    {
        if (unpacked > RatioFreeBytes && unpacked / Ratio > packed) throw new DamagedDataException(DamagedDataException.Bomb, $"the data unpack to more than {Ratio} times their size");
    }
}
