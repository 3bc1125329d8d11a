using System.ComponentModel.DataAnnotations;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Privacy.Rights;

namespace OpenEuroLLM.Corpus;

/// <summary>Drops documents that may not be learned from: their site or the page itself reserves the rights, the user leaves the domain out, or the licence is not a wanted one. The
/// reason is the protocol: <c>robots</c>, <c>tdmrep</c>, <c>content-usage</c> and so on (<see cref="RightsNames.All"/>).</summary>
/// <param name="Policies">The store of site policies, made by <c>oellm corpus policies</c>; absent: only what pages say themselves counts.</param>
/// <param name="Blocklist">A file of domains that are left out (see <see cref="DomainList"/>).</param>
/// <param name="HeldLicenses">A file of the same form: domains for whose texts a licence is held, with its name behind the domain. It lifts what they reserve.</param>
/// <param name="KeepLicenses">Patterns of licences (names or addresses, <c>*</c> for any run) of which a document must have one; absent: any.</param>
/// <param name="DropLicenses">Patterns of licences whose documents are dropped.</param>
/// <param name="OverridingLicenses">Patterns of licences that lift what a site or page reserves.</param>
/// <param name="Honour">The protocols that count; absent: all.</param>
/// <param name="AlsoDenied">Directives of X-Robots-Tag and meta robots that are taken for reservations although they are none, such as <c>noindex</c>.</param>
/// <param name="Retroactive">Whether what a site says now holds for the pages fetched earlier too; otherwise for those fetched since.</param>
/// <param name="ServerErrorDays">Days after which a failure of the server, seen when its robots.txt was asked for, no longer closes a site; absent: never.</param>
public sealed record RightsReserved(
    string? Policies = null,
    string? Blocklist = null,
    string? HeldLicenses = null,
    IReadOnlyList<string>? KeepLicenses = null,
    IReadOnlyList<string>? DropLicenses = null,
    IReadOnlyList<string>? OverridingLicenses = null,
    IReadOnlyList<string>? Honour = null,
    IReadOnlyList<string>? AlsoDenied = null,
    bool Retroactive = true,
    [property: Range(0, 36_500)] int? ServerErrorDays = null) : Filter
{
    private const string LicenseLinks = "licenseLinks";

    /// <summary>Opened once for each step, and not a part of its value: steps with the same settings are equal.</summary>
    private static readonly ConditionalWeakTable<RightsReserved, RightsJudge> Judges = [];

    /// <inheritdoc/>
    internal override IReadOnlyList<string> Files => [.. new[] { Policies is null ? null : PolicyStore.ManifestOf(Policies), Present(Blocklist), Present(HeldLicenses) }.OfType<string>()];

    /// <inheritdoc/>
    public override Verdict Judge(Document document)
    {
        ArgumentNullException.ThrowIfNull(document);
        RightsVerdict verdict = RightsOf(document);
        LedgerEntry? entry = Entry(verdict);
        if (verdict.Reason is { } reason) return Verdict.Drop(reason).Recorded(entry);
        if (verdict.License is null && !PageRights.IsIn(document.Metadata)) return Verdict.Keep.Recorded(entry);
        JsonObject metadata = document.Metadata?.DeepClone().AsObject() ?? [];
        if (PageRights.IsIn(metadata)) metadata.Remove(PageRights.Field);   // what the verdict needed
        if (verdict.License is { } license) metadata["rightsLicense"] = license;
        return Verdict.Replace(document with { Metadata = metadata.Count > 0 ? metadata : null }).Recorded(entry);
    }

    /// <summary>What the ledger says of a document: everything that was said about it, also what denies nothing. Absent where nobody said anything.</summary>
    private static LedgerEntry? Entry(RightsVerdict verdict) => verdict.Signals.Count == 0 && !verdict.Excluded ? null : new LedgerEntry(
        JsonNode.Parse(verdict.ToJson())!.AsObject(),
        [.. verdict.Signals.Where(signal => signal.Ruling is RightsRuling.Deny or RightsRuling.Flag && !signal.IsSuperseded).Select(signal => RightsNames.Of(signal.Protocol)).Distinct()]);

    /// <summary>The verdict with everything that was said. It is given while the document still has what its page said, before <see cref="Judge"/>.</summary>
    /// <exception cref="UserErrorException">The store or a list cannot be read.</exception>
    public RightsVerdict RightsOf(Document document)
    {
        ArgumentNullException.ThrowIfNull(document);
        var links = document.Metadata?[LicenseLinks] as JsonArray;
        string[] licenses = [document.License, .. (links ?? []).Where(link => link?.GetValueKind() == System.Text.Json.JsonValueKind.String).Select(link => link!.GetValue<string>())];
        if (!Judges.TryGetValue(this, out RightsJudge? judge))
        {
            lock (Judges) judge = Judges.GetValue(this, step => step.Open());
        }
        return judge.Judge(document.Url, PageRights.Read(document.Metadata?[PageRights.Field]), licenses);
    }

    private static string? Present(string? list) =>
        list is null || File.Exists(list) ? list : throw new UserErrorException($"{list}: not found; expected a list of domains, seen from the current folder.");

    private RightsJudge Open() => new(
        new RightsPolicy(Honour, AlsoDenied)
        {
            Retroactive = Retroactive,
            ServerErrorDays = ServerErrorDays,
            Blocklist = Blocklist is null ? null : DomainList.Load(Blocklist),
            HeldLicenses = HeldLicenses is null ? null : DomainList.Load(HeldLicenses),
            KeepLicenses = KeepLicenses ?? [],
            DropLicenses = DropLicenses ?? [],
            OverridingLicenses = OverridingLicenses ?? [],
        },
        Policies is null ? null : PolicyStore.Open(Policies));
}
