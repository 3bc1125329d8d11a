using System.Text;
using OpenEuroLLM.Privacy.Rights;

namespace OpenEuroLLM.Privacy.Tests.Rights;

/// <summary>Says what sites say, for the tests.</summary>
internal static class Sites
{
    public static readonly DateTimeOffset Spring = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero), Summer = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero), Autumn = new(2026, 9, 1, 12, 0, 0, TimeSpan.Zero);

    public static SiteFile File(string url, string content, DateTimeOffset? fetched = null, int status = 200, string? location = null) => File(url, Encoding.UTF8.GetBytes(content), fetched, status, location);

    public static SiteFile File(string url, byte[] content, DateTimeOffset? fetched = null, int status = 200, string? location = null)
    {
        WebAddress address = WebAddress.Parse(url)!.Value;
        string? type = url.EndsWith(".xml", StringComparison.Ordinal) ? "application/rsl+xml" : url.EndsWith(".json", StringComparison.Ordinal) ? "application/json" : "text/plain";
        SiteFileKind kind = SiteFile.KindOf(address, type, content) ?? SiteFileKind.Rsl;
        return SiteFile.Of(address, url, kind, fetched ?? Spring, status, location, content)!;
    }

    public static PoliciesInMemory Of(params SiteFile[] files)
    {
        var policies = new PoliciesInMemory();
        foreach (SiteFile file in files) policies.Add(file);
        return policies;
    }

    public static RightsVerdict Judge(string url, PolicySource? source, RightsPolicy? policy = null, DateTimeOffset? fetched = null, string[]? licenses = null, params RightsStatement[] said) =>
        new RightsJudge(policy ?? RightsPolicy.Default, source).Judge(url, new PageRights(fetched, said), licenses);

    public static RightsStatement Header(string name, string value) => RightsStatement.OfHeader(name, value)!.Value;

    public static RightsStatement Meta(string name, string value) => RightsStatement.OfMeta(name, value);

    /// <summary>The one signal of a protocol.</summary>
    public static RightsSignal Only(this RightsVerdict verdict, RightsProtocol protocol) => Assert.Single(verdict.Signals, signal => signal.Protocol == protocol);
}
