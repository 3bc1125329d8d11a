namespace OpenEuroLLM.Serving;

/// <summary>What the HTTP server itself bounds, on every route. <c>docs/limits.md</c> names them all.</summary>
internal static class HttpLimits
{
    /// <summary>Most connections; one more is closed at once.</summary>
    public const int Connections = 1024;

    /// <summary>Most bytes of all headers of a request together.</summary>
    public const int HeaderBytes = 16 << 10;

    /// <summary>Most headers of a request.</summary>
    public const int Headers = 64;

    /// <summary>Longest first line of a request, in bytes.</summary>
    public const int RequestLineBytes = 8 << 10;

    /// <summary>Seconds until all headers must have come.</summary>
    public const int HeaderSeconds = 10;

    /// <summary>Seconds that a connection may stay without a request.</summary>
    public const int IdleSeconds = 130;

    /// <summary>Bytes a second at which a request body must come, after <see cref="GraceSeconds"/>.</summary>
    public const int RequestBytesPerSecond = 240;

    /// <summary>Bytes a second at which a whole answer must be read once no buffer takes more of it, or the connection is closed; counted over all bytes of the answer.</summary>
    public const int ResponseBytesPerSecond = 8 << 10;

    /// <summary>Seconds that the reader of a stream may take nothing while all buffers are full.</summary>
    public const int ReaderSeconds = 30;

    /// <summary>Seconds by which a body or an answer may be behind its rate.</summary>
    public const int GraceSeconds = 10;
}
