using OpenEuroLLM.Privacy.Rights;

namespace OpenEuroLLM.Corpus.Extraction;

/// <summary>What a page says about itself in its head, its attributes and its embedded data; gathered while the tree is built.</summary>
internal sealed class PageFacts
{
    private const int MaximumLicenses = 16;
    private const int MaximumValueBytes = 4096;
    private const int MaximumDataBlocks = 64;
    private const int MaximumStatements = 32;

    private static readonly (byte[] Name, Fact Fact, int Rank)[] _metas =
    [
        ("og:title"u8.ToArray(), Fact.Title, 3), ("twitter:title"u8.ToArray(), Fact.Title, 1), ("dc.title"u8.ToArray(), Fact.Title, 2), ("headline"u8.ToArray(), Fact.Title, 2),
        ("article:published_time"u8.ToArray(), Fact.Date, 9), ("og:published_time"u8.ToArray(), Fact.Date, 8), ("datepublished"u8.ToArray(), Fact.Date, 8),
        ("dcterms.issued"u8.ToArray(), Fact.Date, 7), ("dcterms.created"u8.ToArray(), Fact.Date, 7), ("dcterms.date"u8.ToArray(), Fact.Date, 7), ("dc.date.issued"u8.ToArray(), Fact.Date, 7),
        ("dc.date"u8.ToArray(), Fact.Date, 7), ("citation_publication_date"u8.ToArray(), Fact.Date, 7), ("citation_date"u8.ToArray(), Fact.Date, 7), ("parsely-pub-date"u8.ToArray(), Fact.Date, 6),
        ("sailthru.date"u8.ToArray(), Fact.Date, 6), ("publish-date"u8.ToArray(), Fact.Date, 6), ("publishdate"u8.ToArray(), Fact.Date, 6), ("publication_date"u8.ToArray(), Fact.Date, 6),
        ("pubdate"u8.ToArray(), Fact.Date, 6), ("date"u8.ToArray(), Fact.Date, 5), ("og:updated_time"u8.ToArray(), Fact.Date, 1), ("article:modified_time"u8.ToArray(), Fact.Date, 1),
        ("description"u8.ToArray(), Fact.Description, 2), ("og:description"u8.ToArray(), Fact.Description, 3), ("twitter:description"u8.ToArray(), Fact.Description, 1),
        ("og:url"u8.ToArray(), Fact.Url, 1), ("og:locale"u8.ToArray(), Fact.Language, 1), ("content-language"u8.ToArray(), Fact.Language, 2), ("dc.language"u8.ToArray(), Fact.Language, 2),
        ("dcterms.license"u8.ToArray(), Fact.License, 1), ("dc.rights.license"u8.ToArray(), Fact.License, 1),
    ];

    private readonly string?[] values = new string?[Enum.GetValues<Fact>().Length];
    private readonly int[] ranks = new int[Enum.GetValues<Fact>().Length];
    private readonly List<string> licenses = [];
    private readonly List<(int Start, int Length)> linkedData = [];
    private readonly List<RightsStatement> statements = [];

    private enum Fact
    {
        Title, Date, Description, Url, Language, License, PageTitle,
    }

    /// <summary>The title for other sites, as in og:title.</summary>
    public string? Title => values[(int)Fact.Title];

    /// <summary>The content of the title element.</summary>
    public string? PageTitle => values[(int)Fact.PageTitle];

    /// <summary>The date of publication as written.</summary>
    public string? Date => values[(int)Fact.Date];

    /// <summary>The summary for search engines.</summary>
    public string? Description => values[(int)Fact.Description];

    /// <summary>The address that the page calls its own.</summary>
    public string? Url => values[(int)Fact.Url];

    /// <summary>The declared language as written.</summary>
    public string? Language => values[(int)Fact.Language];

    /// <summary>Addresses of licences that the page names.</summary>
    public IReadOnlyList<string> Licenses => licenses;

    /// <summary>Where linked data (JSON-LD) lies in the page.</summary>
    public IReadOnlyList<(int Start, int Length)> LinkedData => linkedData;

    /// <summary>What the page says about its use.</summary>
    public IReadOnlyList<RightsStatement> Statements => statements;

    /// <summary>Forgets the last page.</summary>
    public void Clear()
    {
        Array.Clear(values);
        Array.Clear(ranks);
        licenses.Clear();
        linkedData.Clear();
        statements.Clear();
    }

    /// <summary>Takes what a start tag tells.</summary>
    public void Tag(HtmlTag tag, HtmlAttributes attributes, ReadOnlySpan<byte> html)
    {
        switch (tag)
        {
            case HtmlTag.Html:
                if (attributes.Has(HtmlAttribute.Lang)) Keep(Fact.Language, 3, attributes.Value(HtmlAttribute.Lang, html));
                break;
            case HtmlTag.Meta:
                Meta(attributes, html);
                break;
            case HtmlTag.Link:
                ReadOnlySpan<byte> relation = attributes.Value(HtmlAttribute.Rel, html);
                if (AsciiWord.EqualsIgnoreCase(relation, "canonical"u8)) Keep(Fact.Url, 2, attributes.Value(HtmlAttribute.Href, html));
                else if (AsciiWord.Contains(relation, "license"u8))
                {
                    ReadOnlySpan<byte> license = attributes.Value(HtmlAttribute.Href, html);
                    if (RightsStatement.IsRslType(attributes.Value(HtmlAttribute.Type, html))) Say(license, RightsStatement.OfLink);
                    else License(license);
                }
                break;
            case HtmlTag.A:
                ReadOnlySpan<byte> target = attributes.Value(HtmlAttribute.Href, html);
                if (AsciiWord.EqualsIgnoreCase(attributes.Value(HtmlAttribute.Rel, html), "license"u8) || IsLicense(target)) License(target);
                break;
            case HtmlTag.Time:
                if (attributes.Has(HtmlAttribute.DateTime)) Keep(Fact.Date, RankOfTime(attributes, html), attributes.Value(HtmlAttribute.DateTime, html));
                break;
        }
    }

    /// <summary>Takes the content of an element that is no text of the page.</summary>
    public void RawText(HtmlTag tag, int start, int length, HtmlAttributes attributes, ReadOnlySpan<byte> html)
    {
        if (tag == HtmlTag.Title) Keep(Fact.PageTitle, 1, html.Slice(start, length));
        else if (tag == HtmlTag.Script && html.Slice(start, length).IndexOf("training-mining"u8) >= 0)
        {
            foreach (RightsStatement statement in EmbeddedMarkers.OfJson(html.Slice(start, length).ToArray()))
                if (statements.Count < MaximumStatements) statements.Add(statement);
        }
        else if (tag == HtmlTag.Script && linkedData.Count < MaximumDataBlocks && AsciiWord.EqualsIgnoreCase(AsciiWord.Trim(attributes.Value(HtmlAttribute.Type, html)), "application/ld+json"u8))
            linkedData.Add((start, length));
    }

    /// <summary>Adds the address of a licence.</summary>
    public void AddLicense(string address)
    {
        if (address.Length > 0 && licenses.Count < MaximumLicenses && !licenses.Contains(address)) licenses.Add(address);
    }

    // A time in the text may be any; one that is called the date of an entry is the page's.
    private static int RankOfTime(HtmlAttributes attributes, ReadOnlySpan<byte> html)
    {
        if (AsciiWord.EqualsIgnoreCase(attributes.Value(HtmlAttribute.ItemProp, html), "datepublished"u8)) return 4;
        ReadOnlySpan<byte> names = attributes.Value(HtmlAttribute.Class, html);
        return AsciiWord.Contains(names, "publish"u8) || AsciiWord.Contains(names, "date"u8) ? 2 : 0;
    }

    private void Meta(HtmlAttributes attributes, ReadOnlySpan<byte> html)
    {
        ReadOnlySpan<byte> name = attributes.Value(HtmlAttribute.Property, html);
        if (name.IsEmpty) name = attributes.Value(HtmlAttribute.Name, html);
        if (name.IsEmpty) name = attributes.Value(HtmlAttribute.ItemProp, html);
        if (name.IsEmpty) name = attributes.Value(HtmlAttribute.HttpEquiv, html);
        if (name.IsEmpty) return;
        if (RightsStatement.IsMeta(name)) Say(attributes.Value(HtmlAttribute.Content, html), NamedBy(name));
        foreach (var meta in _metas)
        {
            if (!AsciiWord.EqualsIgnoreCase(name, meta.Name)) continue;
            ReadOnlySpan<byte> content = attributes.Value(HtmlAttribute.Content, html);
            if (meta.Fact == Fact.License) License(content);
            else Keep(meta.Fact, meta.Rank, content);
            return;
        }
    }

    private static Func<string, RightsStatement> NamedBy(ReadOnlySpan<byte> name)
    {
        string text = System.Text.Encoding.ASCII.GetString(name);
        return content => RightsStatement.OfMeta(text, content);
    }

    private void Say(ReadOnlySpan<byte> value, Func<string, RightsStatement> statement)
    {
        if (value.Length <= 4 * RightsStatement.LongestValue && statements.Count < MaximumStatements) statements.Add(statement(HtmlText.Attribute(value)));
    }

    private static bool IsLicense(ReadOnlySpan<byte> address) =>
        address.IndexOf("creativecommons.org/licenses/"u8) >= 0 || address.IndexOf("creativecommons.org/publicdomain/"u8) >= 0;

    private void License(ReadOnlySpan<byte> address)
    {
        if (address.Length is > 0 and <= MaximumValueBytes) AddLicense(HtmlText.Attribute(address));
    }

    // The first of the best rank counts.
    private void Keep(Fact fact, int rank, ReadOnlySpan<byte> value)
    {
        if (rank <= ranks[(int)fact]) return;
        if (value.Length > MaximumValueBytes) value = Cut(value);
        string text = HtmlText.Attribute(value);
        if (text.Length == 0) return;
        (values[(int)fact], ranks[(int)fact]) = (text, rank);
    }

    private static ReadOnlySpan<byte> Cut(ReadOnlySpan<byte> value)
    {
        int end = MaximumValueBytes;
        while (end > 0 && (value[end] & 0xC0) == 0x80) end--;
        return value[..end];
    }
}
