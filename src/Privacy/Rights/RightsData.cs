using System.Collections.Frozen;
using System.Text.Json;

namespace OpenEuroLLM.Privacy.Rights;

/// <summary>The lists that the parsers work with. They are data (<c>Data/rights-*.json</c>), each with a version: crawlers and keys come and go.</summary>
internal static class RightsData
{
    /// <summary>Raised whenever a parser reads something in another way.</summary>
    private const string ParserVersion = "1";

    private static readonly JsonElement Agents = Load("rights-agents");
    private static readonly JsonElement Protocols = Load("rights-protocols");
    private static readonly JsonElement Phrases = Load("rights-phrases");

    /// <summary>Version of parsers and lists, for ledgers: <c>rights 1, agents 2026-11-25, ...</c>.</summary>
    public static string Version { get; } = $"rights {ParserVersion}, agents {VersionOf(Agents)}, protocols {VersionOf(Protocols)}, phrases {VersionOf(Phrases)}";

    /// <summary>Product tokens of crawlers that collect training data.</summary>
    public static IReadOnlyList<string> TrainingAgents { get; } = Strings(Agents, "training");

    /// <summary>The same for searching, in any case.</summary>
    public static FrozenSet<string> TrainingAgentSet { get; } = TrainingAgents.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>Keys of robots.txt by their meaning.</summary>
    public static FrozenDictionary<string, RobotsKey> RobotsKeys { get; } = Enum.GetValues<RobotsKey>().Where(key => key != RobotsKey.Unknown)
        .SelectMany(key => Strings(Protocols, "robotsKeys", key.ToString().ToLowerInvariant()).Select(name => KeyValuePair.Create(name, key)))
        .ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>Content-Usage: keys about training, and older ones of which only a denial counts.</summary>
    public static (FrozenSet<string> Training, FrozenSet<string> OlderDeny, string Allow, string Deny) ContentUsage { get; } =
        (Set("contentUsage", "training"), Set("contentUsage", "olderDeny"), Text("contentUsage", "allow"), Text("contentUsage", "deny"));

    /// <summary>Content-Signal: keys about training and their values.</summary>
    public static (FrozenSet<string> Training, string Allow, string Deny) ContentSignal { get; } = (Set("contentSignal", "training"), Text("contentSignal", "allow"), Text("contentSignal", "deny"));

    /// <summary>X-Robots-Tag and its like.</summary>
    public static (FrozenSet<string> Deny, FrozenSet<string> Images, FrozenSet<string> WithValue, FrozenSet<string> Known) RobotsTag { get; } =
        (Set("robotsTag", "deny"), Set("robotsTag", "images"), Set("robotsTag", "withValue"), Set("robotsTag", "known"));

    /// <summary>trust.txt.</summary>
    public static (string Key, string Allow, string Deny) Trust { get; } = (Text("trust", "key"), Text("trust", "allow"), Text("trust", "deny"));

    /// <summary>RSL: usages that cover training, and payments that cost nothing.</summary>
    public static (FrozenSet<string> Training, FrozenSet<string> WithoutPayment) Rsl { get; } = (Set("rsl", "training"), Set("rsl", "withoutPayment"));

    /// <summary>C2PA: assertions and their entries.</summary>
    public static (FrozenSet<string> Assertions, FrozenSet<string> Entries, FrozenSet<string> Deny, FrozenSet<string> Allow) C2pa { get; } =
        (Set("c2pa", "assertions"), Set("c2pa", "entries"), Set("c2pa", "deny"), Set("c2pa", "allow"));

    /// <summary>Values of the PLUS data-mining property, without their address.</summary>
    public static (FrozenSet<string> Deny, FrozenSet<string> Allow) DataMining { get; } = (Set("dataMining", "deny"), Set("dataMining", "allow"));

    /// <summary>Headers of a response that may hold a statement.</summary>
    public static FrozenSet<string> Headers { get; } = Strings(Protocols, "headers").ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>Names of <c>meta</c> elements that may hold one; those of training agents do as well.</summary>
    public static FrozenSet<string> Metas { get; } = Strings(Protocols, "metas").Concat(TrainingAgents).ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>By language: what is spoken of, and the words that forbid it.</summary>
    public static IReadOnlyList<(string Language, string[] Subjects, string[] Bans)> BanPhrases { get; } = [.. Phrases.GetProperty("languages").EnumerateObject()
        .Select(language => (language.Name, Strings(language.Value, "subject"), Strings(language.Value, "ban")))];

    private static JsonElement Load(string name)
    {
        using Stream stream = typeof(RightsData).Assembly.GetManifestResourceStream($"privacy/{name}.json") ?? throw new InvalidOperationException($"{name}.json is not in the assembly.");
        using JsonDocument document = JsonDocument.Parse(stream);
        return document.RootElement.Clone();
    }

    private static string VersionOf(JsonElement list) => list.GetProperty("version").GetString()!;

    private static FrozenSet<string> Set(string section, string name) => Strings(Protocols.GetProperty(section), name).ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private static string Text(string section, string name) => Protocols.GetProperty(section).GetProperty(name).GetString()!;

    private static string[] Strings(JsonElement parent, params ReadOnlySpan<string> names)
    {
        foreach (string name in names) parent = parent.GetProperty(name);
        return [.. parent.EnumerateArray().Select(item => item.GetString()!)];
    }
}

/// <summary>What a key of robots.txt means.</summary>
internal enum RobotsKey
{
    /// <summary>Nothing that is known.</summary>
    Unknown,

    /// <summary>Names a crawler.</summary>
    Agent,

    /// <summary>Paths that may be fetched.</summary>
    Allow,

    /// <summary>Paths that may not.</summary>
    Disallow,

    /// <summary>Content-Usage.</summary>
    Usage,

    /// <summary>Content-Signal.</summary>
    Signal,

    /// <summary>Address of an RSL licence.</summary>
    License,

    /// <summary>Known, and of no concern here.</summary>
    Other,
}
