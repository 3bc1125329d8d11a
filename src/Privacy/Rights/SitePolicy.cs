namespace OpenEuroLLM.Privacy.Rights;

/// <summary>The files of one site that speak of the use of its pages: for each address its fetches, the newest first.</summary>
internal sealed class SitePolicy
{
    private readonly Dictionary<(SiteFileKind Kind, string Path), List<SiteVersion>> _files = [];

    /// <summary>A site of which nothing is known.</summary>
    public static SitePolicy Unknown { get; } = new();

    /// <summary>About how much memory it holds.</summary>
    public long Size { get; private set; } = 200;

    /// <summary>Whether anything is known.</summary>
    public bool IsKnown => _files.Count > 0;

    /// <summary>Joins the fetches of a site, in any order. The scheme of an address makes no difference.</summary>
    public static SitePolicy Of(IEnumerable<SiteFile> fetches)
    {
        var policy = new SitePolicy();
        var contents = new Dictionary<(SiteFileKind, string), SiteContent>();
        foreach (SiteFile fetch in fetches.OrderByDescending(fetch => fetch.Fetched).ThenByDescending(fetch => fetch.Content is not null))
        {
            if (WebAddress.Parse(fetch.Url) is not { } address) continue;
            SiteContent? content = null;
            if (fetch.Sha256 is { } hash && !contents.TryGetValue((fetch.Kind, hash), out content) && fetch.Content is { } bytes)
            {
                contents[(fetch.Kind, hash)] = content = new SiteContent(fetch.Kind, bytes);
                policy.Size += content.Size;
            }
            if (!policy._files.TryGetValue((fetch.Kind, address.Path), out List<SiteVersion>? versions)) policy._files[(fetch.Kind, address.Path)] = versions = [];
            versions.Add(new SiteVersion(fetch with { Content = null }, content));
            policy.Size += 400 + 2 * fetch.Url.Length;
        }
        return policy;
    }

    /// <summary>The fetch of a file that holds for a page; null when there is none.</summary>
    /// <param name="kind">The kind of file.</param>
    /// <param name="path">Its path.</param>
    /// <param name="page">When the page was fetched; null: now.</param>
    /// <param name="rules">Whether what a site says now holds for its older pages, and for how long an error of the server counts.</param>
    public SiteVersion? Find(SiteFileKind kind, string path, DateTimeOffset? page, RightsPolicy rules)
    {
        if (!_files.TryGetValue((kind, path), out List<SiteVersion>? versions)) return null;
        SiteVersion? inForce = rules.Retroactive || page is null ? versions[0] : versions.Find(version => version.File.Fetched <= page);
        if (inForce is not { IsError: true }) return inForce;
        // A server that fails takes nothing back: for pages of before, what it said last still holds.
        SiteVersion? readable = versions.Find(version => !version.IsError && version.File.Fetched <= inForce.File.Fetched);
        if (rules.Retroactive && readable is not null && page < inForce.File.Fetched) return readable;
        bool relaxed = rules.ServerErrorDays is { } days && page > inForce.File.Fetched.AddDays(days);
        return relaxed ? readable : inForce;
    }

    /// <summary>The same at any address of a path, for files of other names that a redirection leads to.</summary>
    public SiteVersion? FindAny(string path, DateTimeOffset? page, RightsPolicy rules)
    {
        foreach (SiteFileKind kind in Enum.GetValues<SiteFileKind>())
            if (Find(kind, path, page, rules) is { } version) return version;
        return null;
    }
}

/// <summary>One fetch of a file, with its content where it has one.</summary>
internal sealed class SiteVersion(SiteFile file, SiteContent? content)
{
    private RightsSignal? _silent;

    /// <summary>What was fetched.</summary>
    public SiteFile File => file;

    /// <summary>The content, read when it is first asked for; null where there is none.</summary>
    public SiteContent? Content => content;

    /// <summary>Whether the server failed or did not answer.</summary>
    public bool IsError => file.Status is 0 or >= 500;

    /// <summary>The evidence that the file was asked and says nothing; one object for all pages.</summary>
    public RightsSignal Silent(RightsProtocol protocol) => _silent ??= Say(protocol, RightsRuling.Unset, "");

    /// <summary>A statement of the file.</summary>
    public RightsSignal Say(RightsProtocol protocol, RightsRuling ruling, string raw, string? policy = null, string? problem = null) =>
        RightsSignal.Of(protocol, ruling, raw, file.Url, file.Fetched, file.Sha256, policy, problem);
}

/// <summary>A content, read in the way of its kind. Reading twice at the same time does no harm.</summary>
internal sealed class SiteContent(SiteFileKind kind, ReadOnlyMemory<byte> bytes)
{
    private const int BytesOfLine = 150;

    private object? _read;

    /// <summary>About how much memory it holds when it has been read: rules are lines, objects or elements.</summary>
    public long Size { get; } = 500 + 4L * bytes.Length + BytesOfLine * ((long)bytes.Span.Count((byte)'\n') + bytes.Span.Count((byte)'\r') + bytes.Span.Count((byte)'{') + bytes.Span.Count((byte)'<'));

    /// <summary>As robots.txt, or the like of it.</summary>
    public RobotsFile Robots => (RobotsFile)(_read ??= RobotsFile.Parse(bytes.Span, isAiText: kind == SiteFileKind.AiText));

    /// <summary>As tdmrep.json.</summary>
    public TdmRepFile TdmRep => (TdmRepFile)(_read ??= TdmRepFile.Parse(bytes));

    /// <summary>As RSL.</summary>
    public RslDocument Rsl => (RslDocument)(_read ??= RslDocument.Parse(bytes));

    /// <summary>As trust.txt; null when it does not speak of training.</summary>
    public (RightsRuling Ruling, string Raw)? Trust => (((RightsRuling, string)?[])(_read ??= new (RightsRuling, string)?[] { TrustFile.Read(bytes.Span) }))[0];
}
