using System.Collections.Frozen;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Privacy.Rights;

/// <summary>The user's rules: which statements count, since when, and what lifts them.</summary>
public sealed class RightsPolicy
{
    private readonly FrozenSet<RightsProtocol>? _honoured;

    /// <param name="honour">Names of the protocols that count; null: all. What the others say is recorded as a flag.</param>
    /// <param name="alsoDenied">Directives of X-Robots-Tag and meta robots that are taken for reservations although they are none: <c>noindex</c>, <c>none</c>, <c>noarchive</c>.</param>
    /// <exception cref="UserErrorException">A protocol is unknown.</exception>
    public RightsPolicy(IReadOnlyList<string>? honour = null, IReadOnlyList<string>? alsoDenied = null)
    {
        AlsoDenied = (alsoDenied ?? []).ToFrozenSet(StringComparer.OrdinalIgnoreCase);
        if (honour is null) return;
        _honoured = honour.Select(name => RightsNames.Find(name) ?? throw new UserErrorException($"honour: protocol '{name}' is unknown{SuggestedName.Hint(name, [.. RightsNames.All])}")).ToFrozenSet();
    }

    /// <summary>All protocols count, nothing is lifted.</summary>
    public static RightsPolicy Default { get; } = new();

    /// <summary>Whether what a site says now holds for the pages fetched earlier too; otherwise for those fetched since.</summary>
    public bool Retroactive { get; init; } = true;

    /// <summary>Days after which an error of the server no longer closes a site (RFC 9309 allows this after 30); null: never.</summary>
    public int? ServerErrorDays { get; init; }

    /// <summary>Domains that are left out.</summary>
    public DomainList? Blocklist { get; init; }

    /// <summary>Domains for whose texts a licence is held, which lifts what they reserve; the note names the licence.</summary>
    public DomainList? HeldLicenses { get; init; }

    /// <summary>Patterns of licences of which a document must have one; empty: any.</summary>
    public IReadOnlyList<string> KeepLicenses { get; init; } = [];

    /// <summary>Patterns of licences whose documents are left out.</summary>
    public IReadOnlyList<string> DropLicenses { get; init; } = [];

    /// <summary>Patterns of licences that lift what a site or page reserves.</summary>
    public IReadOnlyList<string> OverridingLicenses { get; init; } = [];

    internal FrozenSet<string> AlsoDenied { get; }

    internal bool Honours(RightsProtocol protocol) => _honoured?.Contains(protocol) ?? true;
}
