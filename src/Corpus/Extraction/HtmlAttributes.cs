namespace OpenEuroLLM.Corpus.Extraction;

/// <summary>The attributes that mean something here.</summary>
internal enum HtmlAttribute
{
    Class, Id, Style, Role, ItemProp, Href, Rel, Name, Property, Content, DateTime, Lang, Type, Hidden, AriaHidden, HttpEquiv, ShadowRootMode, Open,
}

/// <summary>Where the values of the current tag's attributes lie in the page; only those of <see cref="HtmlAttribute"/> are kept, so that a tag with a million attributes costs nothing.</summary>
internal sealed class HtmlAttributes
{
    private static readonly byte[][] _names =
    [
        "class"u8.ToArray(), "id"u8.ToArray(), "style"u8.ToArray(), "role"u8.ToArray(), "itemprop"u8.ToArray(), "href"u8.ToArray(), "rel"u8.ToArray(), "name"u8.ToArray(),
        "property"u8.ToArray(), "content"u8.ToArray(), "datetime"u8.ToArray(), "lang"u8.ToArray(), "type"u8.ToArray(), "hidden"u8.ToArray(), "aria-hidden"u8.ToArray(),
        "http-equiv"u8.ToArray(), "shadowrootmode"u8.ToArray(), "open"u8.ToArray(),
    ];

    private readonly int[] starts = new int[_names.Length];
    private readonly int[] lengths = new int[_names.Length];
    private uint present;

    /// <summary>Forgets the last tag's attributes.</summary>
    public void Clear() => present = 0;

    /// <summary>Whether none of the kept attributes is there.</summary>
    public bool IsEmpty => present == 0;

    /// <summary>Whether an attribute is there.</summary>
    public bool Has(HtmlAttribute attribute) => (present & (1u << (int)attribute)) != 0;

    /// <summary>Its value as written, with character references; empty where it is absent.</summary>
    public ReadOnlySpan<byte> Value(HtmlAttribute attribute, ReadOnlySpan<byte> html) =>
        Has(attribute) ? html.Slice(starts[(int)attribute], lengths[(int)attribute]) : [];

    /// <summary>Keeps an attribute if its name is known; the first of several equal names counts.</summary>
    public void Add(ReadOnlySpan<byte> name, int valueStart, int valueLength)
    {
        if (Find(name) is not int attribute || (present & (1u << attribute)) != 0) return;
        present |= 1u << attribute;
        starts[attribute] = valueStart;
        lengths[attribute] = valueLength;
    }

    private static int? Find(ReadOnlySpan<byte> name)
    {
        if (name.Length is < 2 or > 14) return null;
        byte first = AsciiWord.Lower(name[0]);
        for (int at = 0; at < _names.Length; at++)
            if (_names[at][0] == first && AsciiWord.EqualsIgnoreCase(name, _names[at])) return at;
        return null;
    }
}
