namespace OpenEuroLLM.Corpus.Archives;

/// <summary>What a record holds.</summary>
internal enum WarcRecordType
{
    /// <summary>A type this reader does not know.</summary>
    Other,

    /// <summary>About the archive.</summary>
    WarcInfo,

    /// <summary>What was sent to a server.</summary>
    Request,

    /// <summary>What a server answered: an HTTP message where the URI is one of HTTP.</summary>
    Response,

    /// <summary>A file without the message it came in.</summary>
    Resource,

    /// <summary>About another record.</summary>
    Metadata,

    /// <summary>A page that had not changed.</summary>
    Revisit,

    /// <summary>Another record in another form, such as its text.</summary>
    Conversion,

    /// <summary>A later part of another record.</summary>
    Continuation,
}

/// <summary>A header line of a record or message.</summary>
internal readonly record struct HeaderField(string Name, string Value);

/// <summary>One record of a web archive.</summary>
/// <param name="Type">What it holds.</param>
/// <param name="Headers">Its header lines in their order.</param>
/// <param name="Offset">Where it lies in the file: its own place, or the start of the packed member it begins in.</param>
/// <param name="Block">Its content; valid until the next record is read.</param>
internal sealed record WarcRecord(WarcRecordType Type, IReadOnlyList<HeaderField> Headers, long Offset, ReadOnlyMemory<byte> Block)
{
    /// <summary>Its own identity, such as <c>&lt;urn:uuid:...&gt;</c>.</summary>
    public string? Id => Header("WARC-Record-ID");

    /// <summary>When it was made, as written.</summary>
    public string? Date => Header("WARC-Date");

    /// <summary>Media type of the block, with its parameters.</summary>
    public string? ContentType => Header("Content-Type");

    /// <summary>What it was fetched from, without the angle brackets that some tools put around it; absent where it has none.</summary>
    public string? TargetUri
    {
        get
        {
            string? uri = Header("WARC-Target-URI")?.Trim();
            if (uri is ['<', .., '>']) uri = uri[1..^1].Trim();
            return string.IsNullOrEmpty(uri) ? null : uri;
        }
    }

    /// <summary>The first header of a name, in any case; null where there is none.</summary>
    public string? Header(string name) => HeaderLines.Find(Headers, name);
}
