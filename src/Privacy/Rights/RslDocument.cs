using System.Text;
using System.Xml;

namespace OpenEuroLLM.Privacy.Rights;

/// <summary>A document of Really Simple Licensing 1.0: licences for parts of a site.</summary>
/// <remarks>Source: rslstandard.org. Of several licences for the same content one that prohibits training reserves it; otherwise one that permits it without payment allows it.
/// Who holds a licence tells that apart (<see cref="RightsPolicy"/>).</remarks>
internal sealed class RslDocument
{
    /// <summary>The media type of such documents.</summary>
    public const string MediaType = "application/rsl+xml";

    private const string Namespace = "https://rslstandard.org/rsl";
    private const int MostContents = 10_000;
    private const int MostLicenses = 10_000;

    private readonly List<Content> _contents = [];
    private int _licenses;
    private License? _open;
    private StringBuilder? _text;

    private RslDocument() { }

    /// <summary>What is wrong with the document; null when nothing is. Nothing of a broken document counts.</summary>
    public string? Problem { get; private set; }

    private sealed record Content(string? Host, PathPattern Pattern, string Address)
    {
        public List<License> Licenses { get; } = [];
    }

    private sealed class License
    {
        public List<string>? Permits { get; set; }

        public List<string> Prohibits { get; } = [];

        public List<string> Payments { get; } = [];

        public bool CostsMoney => Payments.Count > 0 && !Payments.Exists(RightsData.Rsl.WithoutPayment.Contains);

        public bool Prohibited => Prohibits.Exists(RightsData.Rsl.Training.Contains);

        public bool? Permitted => Permits?.Exists(RightsData.Rsl.Training.Contains);

        public override string ToString() => string.Join("; ", new[]
        {
            Permits is null ? "" : $"permits {string.Join(' ', Permits)}", Prohibits.Count == 0 ? "" : $"prohibits {string.Join(' ', Prohibits)}",
            Payments.Count == 0 ? "" : $"payment {string.Join(' ', Payments)}",
        }.Where(part => part.Length > 0));
    }

    /// <summary>Reads a document; of one that is too large or broken the problem is told.</summary>
    public static RslDocument Parse(ReadOnlyMemory<byte> xml)
    {
        var document = new RslDocument();
        bool isRsl = false;
        document.Problem = BoundedXml.Read(xml, reader =>
        {
            if (reader.NamespaceURI == Namespace)
            {
                isRsl |= reader.LocalName == "rsl";
                document.Visit(reader);
            }
            else if (reader.NodeType is XmlNodeType.Text or XmlNodeType.CDATA) document._text?.Append(reader.Value.AsSpan(0, Math.Min(reader.Value.Length, 1024)));
        });
        if (document.Problem is null && !isRsl) document.Problem = "no RSL document";
        if (document.Problem is not null) document._contents.Clear();
        return document;
    }

    /// <summary>What the document says about training on a page; null when it does not speak of it.</summary>
    /// <param name="page">The page.</param>
    /// <param name="path">Its path in its one spelling.</param>
    public (RightsRuling Ruling, string Raw)? Find(WebAddress page, ReadOnlySpan<byte> path)
    {
        (RightsRuling Ruling, string Raw)? best = null;
        int longest = -1;
        foreach (Content content in _contents)
        {
            if ((content.Host is not null && content.Host != page.Host) || content.Pattern.Length < longest || !content.Pattern.Matches(path)) continue;
            RightsRuling ruling = Rule(content.Licenses);
            if (content.Pattern.Length == longest && ruling != RightsRuling.Deny) continue;
            longest = content.Pattern.Length;
            best = (ruling, $"content {content.Address}: {(content.Licenses.Count == 0 ? "no licence" : string.Join(" | ", content.Licenses.Take(16)))}");
        }
        return best;
    }

    private static RightsRuling Rule(List<License> licenses)
    {
        if (licenses.Count == 0) return RightsRuling.Unset;
        if (licenses.Exists(license => license.Prohibited)) return RightsRuling.Deny;
        if (licenses.Exists(license => license is { Permitted: true, CostsMoney: false })) return RightsRuling.Allow;
        return licenses.Exists(license => license is { Permitted: null, CostsMoney: false }) ? RightsRuling.Unset : RightsRuling.Deny;
    }

    private void Visit(XmlReader reader)
    {
        bool begins = reader.NodeType == XmlNodeType.Element, ends = reader.NodeType == XmlNodeType.EndElement;
        switch (reader.LocalName)
        {
            case "content" when begins && _contents.Count < MostContents:
                _contents.Add(ContentOf(reader.GetAttribute("url")?.Trim() ?? ""));
                _open = null;
                break;
            case "license" when begins && _contents.Count > 0 && _licenses++ < MostLicenses:
                _open = new License();
                _contents[^1].Licenses.Add(_open);
                break;
            case "permits" or "prohibits" when begins && _open is not null && reader.GetAttribute("type") is "usage":
                _text = reader.IsEmptyElement ? null : new StringBuilder();
                if (reader.IsEmptyElement && reader.LocalName == "permits") _open.Permits ??= [];
                break;
            case "permits" or "prohibits" when ends && _text is not null && _open is not null:
                string[] usages = _text.ToString().Split((char[])[' ', '\t', '\r', '\n', ','], StringSplitOptions.RemoveEmptyEntries);
                if (reader.LocalName == "permits") (_open.Permits ??= []).AddRange(usages);
                else _open.Prohibits.AddRange(usages);
                _text = null;
                break;
            case "payment" when begins:
                _open?.Payments.Add(reader.GetAttribute("type")?.Trim() ?? "unnamed");
                break;
        }
    }

    /// <summary>An absolute address holds for its own site, one without a host for the site that names the document.</summary>
    private static Content ContentOf(string address)
    {
        WebAddress? absolute = WebAddress.Parse(address);
        string path = absolute?.Path ?? (address.Length == 0 || address[0] is '/' or '*' ? address : "/" + address);
        return new Content(absolute?.Host, PathPattern.Parse(Encoding.UTF8.GetBytes(path)), address.Length == 0 ? "(all)" : address);
    }
}
