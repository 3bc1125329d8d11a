namespace OpenEuroLLM.Corpus.Archives;

/// <summary>How a file is packed.</summary>
internal enum Packing
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>gzip, in one member or several.</summary>
    Gzip,

    /// <summary>Zstandard, in one frame or several.</summary>
    Zstandard,
}
