namespace OpenEuroLLM.Privacy.Rights;

/// <summary>The ways in which a site or page says what may be done with it, and what the user of the program says beside them.</summary>
public enum RightsProtocol
{
    /// <summary><c>robots.txt</c>: a Disallow for a crawler that collects training data (RFC 9309).</summary>
    Robots,

    /// <summary><c>Content-Usage</c> in robots.txt, header or head (IETF aipref drafts).</summary>
    ContentUsage,

    /// <summary><c>Content-Signal</c> in robots.txt.</summary>
    ContentSignal,

    /// <summary>The TDM Reservation Protocol: <c>/.well-known/tdmrep.json</c>, headers, head.</summary>
    TdmRep,

    /// <summary>The header <c>X-Robots-Tag</c>.</summary>
    RobotsTag,

    /// <summary>The head's <c>meta name="robots"</c>.</summary>
    MetaRobots,

    /// <summary><c>/ai.txt</c>.</summary>
    AiText,

    /// <summary>Really Simple Licensing 1.0.</summary>
    Rsl,

    /// <summary>A C2PA or CAWG assertion about training and data mining.</summary>
    C2pa,

    /// <summary>The PLUS data-mining property of IPTC metadata.</summary>
    DataMining,

    /// <summary><c>/trust.txt</c>.</summary>
    TrustText,

    /// <summary>A sentence of the page that forbids training or mining: recorded, never decisive.</summary>
    PlainLanguage,

    /// <summary>The user's list of domains that are left out.</summary>
    Blocklist,

    /// <summary>The user's rules about licences.</summary>
    License,
}

/// <summary>What one statement says about training.</summary>
public enum RightsRuling
{
    /// <summary>Nothing.</summary>
    Unset,

    /// <summary>Training is allowed.</summary>
    Allow,

    /// <summary>Training is reserved.</summary>
    Deny,

    /// <summary>Something that a person should look at; it decides nothing.</summary>
    Flag,
}

/// <summary>Names in recipes, counts and ledgers.</summary>
public static class RightsNames
{
    private static readonly string[] Protocols =
        ["robots", "content-usage", "content-signal", "tdmrep", "x-robots-tag", "meta-robots", "ai-txt", "rsl", "c2pa", "data-mining", "trust-txt", "plain-language", "blocklist", "licence"];

    private static readonly string[] Kinds = ["robots", "tdmrep", "ai-txt", "trust-txt", "rsl", "tdm-policy"];

    /// <summary>The names of all protocols, in the order in which a reason is chosen.</summary>
    public static IReadOnlyList<string> All => Protocols;

    /// <summary>The name of a protocol: <c>tdmrep</c>.</summary>
    public static string Of(RightsProtocol protocol) => Protocols[(int)protocol];

    /// <summary>The name of a ruling: <c>deny</c>.</summary>
    public static string Of(RightsRuling ruling) => ruling switch { RightsRuling.Allow => "allow", RightsRuling.Deny => "deny", RightsRuling.Flag => "flag", _ => "unset" };

    /// <summary>The name of a kind of file: <c>robots</c>.</summary>
    public static string OfKind(SiteFileKind kind) => Kinds[(int)kind];

    /// <summary>The kind of a name; null when there is none.</summary>
    public static SiteFileKind? FindKind(string? name)
    {
        int index = Array.IndexOf(Kinds, name);
        return index < 0 ? null : (SiteFileKind)index;
    }

    /// <summary>The protocol of a name; null when there is none.</summary>
    public static RightsProtocol? Find(string name)
    {
        int index = Array.IndexOf(Protocols, name);
        return index < 0 ? null : (RightsProtocol)index;
    }
}
