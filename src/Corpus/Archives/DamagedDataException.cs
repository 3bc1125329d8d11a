namespace OpenEuroLLM.Corpus.Archives;

/// <summary>Data that cannot be read on: damaged, cut short, or more than the limits allow. The caller knows the place.</summary>
/// <param name="reason">The name it is counted under.</param>
/// <param name="message">What was found, as a part of a sentence.</param>
internal sealed class DamagedDataException(string reason, string message) : Exception(message)
{
    /// <summary>Reason of data that are not of their format.</summary>
    public const string Damaged = "damaged";

    /// <summary>Reason of data that end before their time.</summary>
    public const string CutShort = "cut-short";

    /// <summary>Reason of data that unpack to far more than themselves.</summary>
    public const string Bomb = "bomb";

    /// <summary>The name it is counted under.</summary>
    public string Reason => reason;
}
