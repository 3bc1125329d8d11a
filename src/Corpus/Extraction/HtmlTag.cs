namespace OpenEuroLLM.Corpus.Extraction;

/// <summary>The element names that the parser or the scorer treats in a way of its own; every other name is <see cref="Other"/>.</summary>
internal enum HtmlTag : byte
{
    Text, Other,
    A, Abbr, Address, Applet, Area, Article, Aside, Audio, B, Base, Basefont, Bgsound, Big, Blockquote, Body, Br, Button, Canvas, Caption, Center, Cite, Code, Col,
    Colgroup, Datalist, Dd, Del, Desc, Details, Dialog, Dir, Div, Dl, Dt, Em, Embed, Fieldset, Figcaption, Figure, Font, Footer, ForeignObject, Form, Frame, Frameset,
    H1, H2, H3, H4, H5, H6, Head, Header, Hgroup, Hr, Html, I, Iframe, Image, Img, Input, Ins, Kbd, Keygen, Label, Legend, Li, Link, Listing, Main, Map, Mark, Marquee,
    Math, Menu, Meta, Meter, Nav, Nobr, Noembed, Noframes, Noscript, Object, Ol, Optgroup, Option, Output, P, Param, Plaintext, Pre, Progress, Q, Rb, Rp, Rt, Rtc, Ruby,
    S, Samp, Script, Search, Section, Select, Small, Source, Span, Strike, Strong, Style, Sub, Summary, Sup, Svg, Table, Tbody, Td, Template, Textarea, Tfoot, Th, Thead,
    Time, Title, Tr, Track, Tt, U, Ul, Var, Video, Wbr, Xmp,
}

/// <summary>What the parsing rules ask of a tag.</summary>
[Flags]
internal enum TagTraits
{
    None = 0,

    /// <summary>Has no content and no end tag.</summary>
    Void = 1,

    /// <summary>Content is text up to the matching end tag.</summary>
    Raw = 2,

    /// <summary>Its start tag closes an open paragraph.</summary>
    ClosesParagraph = 4,

    /// <summary>A "special" element of the standard: stray end tags do not reach beyond it.</summary>
    Special = 8,

    /// <summary>A border that searches for an open element do not cross.</summary>
    ScopeBorder = 16,

    /// <summary>Begins and ends a line of text.</summary>
    Block = 32,

    /// <summary>Changes how letters look; recorded as a state of the text, not as a node.</summary>
    Style = 64,

    /// <summary>May stand in the head of a page.</summary>
    Head = 128,

    /// <summary>Its start tag ends foreign content (SVG, MathML).</summary>
    LeavesForeign = 256,

    /// <summary>A heading of any level.</summary>
    Heading = 512,
}

/// <summary>Names and traits of tags.</summary>
internal static class HtmlTags
{
    /// <summary>Number of tags.</summary>
    public const int Count = (int)HtmlTag.Xmp + 1;

    private const int TableSize = 1024;
    private static readonly TagTraits[] _traits = BuildTraits();
    private static readonly byte[][] _names = BuildNames();
    private static readonly HtmlTag[] _table = BuildTable();

    /// <summary>The traits of a tag.</summary>
    public static TagTraits Traits(HtmlTag tag) => _traits[(int)tag];

    /// <summary>Whether the tag has a trait.</summary>
    public static bool Is(HtmlTag tag, TagTraits traits) => (_traits[(int)tag] & traits) != 0;

    /// <summary>The tag's name in lower case.</summary>
    public static ReadOnlySpan<byte> Name(HtmlTag tag) => _names[(int)tag];

    /// <summary>Level of a heading, 1 to 6.</summary>
    public static int Level(HtmlTag tag) => tag - HtmlTag.H1 + 1;

    /// <summary>The tag of a name in any case; <paramref name="hash"/> tells names apart that have no tag of their own.</summary>
    public static HtmlTag Find(ReadOnlySpan<byte> name, out uint hash)
    {
        hash = AsciiWord.Hash(name);
        for (uint slot = hash % TableSize; _table[slot] != HtmlTag.Text; slot = (slot + 1) % TableSize)
            if (AsciiWord.EqualsIgnoreCase(name, _names[(int)_table[slot]])) return _table[slot];
        return HtmlTag.Other;
    }

    private static byte[][] BuildNames()
    {
        byte[][] names = new byte[Count][];
        for (int tag = 0; tag < Count; tag++)
            names[tag] = tag <= (int)HtmlTag.Other ? [] : System.Text.Encoding.ASCII.GetBytes(((HtmlTag)tag).ToString().ToLowerInvariant());
        return names;
    }

    private static HtmlTag[] BuildTable()
    {
        var table = new HtmlTag[TableSize];
        for (int tag = (int)HtmlTag.Other + 1; tag < Count; tag++)
        {
            uint slot = AsciiWord.Hash(_names[tag]) % TableSize;
            while (table[slot] != HtmlTag.Text) slot = (slot + 1) % TableSize;
            table[slot] = (HtmlTag)tag;
        }
        return table;
    }

    private static TagTraits[] BuildTraits()
    {
        var traits = new TagTraits[Count];
        void Add(TagTraits trait, params ReadOnlySpan<HtmlTag> tags)
        {
            foreach (HtmlTag tag in tags) traits[(int)tag] |= trait;
        }
        Add(TagTraits.Void, HtmlTag.Area, HtmlTag.Base, HtmlTag.Basefont, HtmlTag.Bgsound, HtmlTag.Br, HtmlTag.Col, HtmlTag.Embed, HtmlTag.Frame, HtmlTag.Hr, HtmlTag.Image,
            HtmlTag.Img, HtmlTag.Input, HtmlTag.Keygen, HtmlTag.Link, HtmlTag.Meta, HtmlTag.Param, HtmlTag.Source, HtmlTag.Track, HtmlTag.Wbr);
        Add(TagTraits.Raw, HtmlTag.Script, HtmlTag.Style, HtmlTag.Textarea, HtmlTag.Title, HtmlTag.Noscript, HtmlTag.Iframe, HtmlTag.Noembed, HtmlTag.Noframes, HtmlTag.Xmp,
            HtmlTag.Plaintext);
        Add(TagTraits.Head, HtmlTag.Base, HtmlTag.Basefont, HtmlTag.Bgsound, HtmlTag.Link, HtmlTag.Meta, HtmlTag.Noframes, HtmlTag.Script, HtmlTag.Style, HtmlTag.Template,
            HtmlTag.Title, HtmlTag.Noscript);
        Add(TagTraits.ClosesParagraph, HtmlTag.Address, HtmlTag.Article, HtmlTag.Aside, HtmlTag.Blockquote, HtmlTag.Center, HtmlTag.Details, HtmlTag.Dialog, HtmlTag.Dir,
            HtmlTag.Div, HtmlTag.Dl, HtmlTag.Fieldset, HtmlTag.Figcaption, HtmlTag.Figure, HtmlTag.Footer, HtmlTag.Header, HtmlTag.Hgroup, HtmlTag.Main, HtmlTag.Menu,
            HtmlTag.Nav, HtmlTag.Ol, HtmlTag.P, HtmlTag.Search, HtmlTag.Section, HtmlTag.Summary, HtmlTag.Ul, HtmlTag.H1, HtmlTag.H2, HtmlTag.H3, HtmlTag.H4, HtmlTag.H5,
            HtmlTag.H6, HtmlTag.Pre, HtmlTag.Listing, HtmlTag.Form, HtmlTag.Li, HtmlTag.Dd, HtmlTag.Dt, HtmlTag.Plaintext, HtmlTag.Table, HtmlTag.Hr, HtmlTag.Xmp);
        Add(TagTraits.Special, HtmlTag.Address, HtmlTag.Applet, HtmlTag.Article, HtmlTag.Aside, HtmlTag.Blockquote, HtmlTag.Body, HtmlTag.Button, HtmlTag.Caption,
            HtmlTag.Center, HtmlTag.Colgroup, HtmlTag.Dd, HtmlTag.Details, HtmlTag.Dir, HtmlTag.Div, HtmlTag.Dl, HtmlTag.Dt, HtmlTag.Fieldset, HtmlTag.Figcaption,
            HtmlTag.Figure, HtmlTag.Footer, HtmlTag.Form, HtmlTag.Frameset, HtmlTag.H1, HtmlTag.H2, HtmlTag.H3, HtmlTag.H4, HtmlTag.H5, HtmlTag.H6, HtmlTag.Head,
            HtmlTag.Header, HtmlTag.Hgroup, HtmlTag.Html, HtmlTag.Li, HtmlTag.Listing, HtmlTag.Main, HtmlTag.Marquee, HtmlTag.Menu, HtmlTag.Nav, HtmlTag.Object, HtmlTag.Ol,
            HtmlTag.P, HtmlTag.Pre, HtmlTag.Search, HtmlTag.Section, HtmlTag.Select, HtmlTag.Summary, HtmlTag.Table, HtmlTag.Tbody, HtmlTag.Td, HtmlTag.Template,
            HtmlTag.Tfoot, HtmlTag.Th, HtmlTag.Thead, HtmlTag.Tr, HtmlTag.Ul);
        Add(TagTraits.ScopeBorder, HtmlTag.Applet, HtmlTag.Caption, HtmlTag.Html, HtmlTag.Table, HtmlTag.Td, HtmlTag.Th, HtmlTag.Marquee, HtmlTag.Object, HtmlTag.Template,
            HtmlTag.ForeignObject);
        Add(TagTraits.Block, HtmlTag.Address, HtmlTag.Article, HtmlTag.Aside, HtmlTag.Blockquote, HtmlTag.Body, HtmlTag.Caption, HtmlTag.Center, HtmlTag.Dd, HtmlTag.Details,
            HtmlTag.Dialog, HtmlTag.Dir, HtmlTag.Div, HtmlTag.Dl, HtmlTag.Dt, HtmlTag.Fieldset, HtmlTag.Figcaption, HtmlTag.Figure, HtmlTag.Footer, HtmlTag.Form,
            HtmlTag.Frameset, HtmlTag.H1, HtmlTag.H2, HtmlTag.H3, HtmlTag.H4, HtmlTag.H5, HtmlTag.H6, HtmlTag.Head, HtmlTag.Header, HtmlTag.Hgroup, HtmlTag.Hr, HtmlTag.Html,
            HtmlTag.Legend, HtmlTag.Li, HtmlTag.Listing, HtmlTag.Main, HtmlTag.Marquee, HtmlTag.Menu, HtmlTag.Nav, HtmlTag.Ol, HtmlTag.Optgroup, HtmlTag.Option, HtmlTag.P,
            HtmlTag.Plaintext, HtmlTag.Pre, HtmlTag.Search, HtmlTag.Section, HtmlTag.Summary, HtmlTag.Table, HtmlTag.Tbody, HtmlTag.Td, HtmlTag.Tfoot, HtmlTag.Th,
            HtmlTag.Thead, HtmlTag.Tr, HtmlTag.Ul, HtmlTag.Xmp, HtmlTag.Textarea, HtmlTag.Select, HtmlTag.Video, HtmlTag.Audio);
        Add(TagTraits.Style, HtmlTag.B, HtmlTag.Big, HtmlTag.Em, HtmlTag.Font, HtmlTag.I, HtmlTag.Nobr, HtmlTag.S, HtmlTag.Small, HtmlTag.Strike, HtmlTag.Strong, HtmlTag.Tt,
            HtmlTag.U, HtmlTag.Mark, HtmlTag.Var, HtmlTag.Cite, HtmlTag.Q);
        Add(TagTraits.LeavesForeign, HtmlTag.B, HtmlTag.Big, HtmlTag.Blockquote, HtmlTag.Body, HtmlTag.Br, HtmlTag.Center, HtmlTag.Code, HtmlTag.Dd, HtmlTag.Div, HtmlTag.Dl,
            HtmlTag.Dt, HtmlTag.Em, HtmlTag.Embed, HtmlTag.H1, HtmlTag.H2, HtmlTag.H3, HtmlTag.H4, HtmlTag.H5, HtmlTag.H6, HtmlTag.Head, HtmlTag.Hr, HtmlTag.I, HtmlTag.Img,
            HtmlTag.Li, HtmlTag.Listing, HtmlTag.Menu, HtmlTag.Meta, HtmlTag.Nobr, HtmlTag.Ol, HtmlTag.P, HtmlTag.Pre, HtmlTag.Ruby, HtmlTag.S, HtmlTag.Small, HtmlTag.Span,
            HtmlTag.Strong, HtmlTag.Strike, HtmlTag.Sub, HtmlTag.Sup, HtmlTag.Table, HtmlTag.Tt, HtmlTag.U, HtmlTag.Ul, HtmlTag.Var, HtmlTag.Article, HtmlTag.Section,
            HtmlTag.Aside, HtmlTag.Main, HtmlTag.Nav, HtmlTag.Header, HtmlTag.Footer, HtmlTag.Figure);
        Add(TagTraits.Heading, HtmlTag.H1, HtmlTag.H2, HtmlTag.H3, HtmlTag.H4, HtmlTag.H5, HtmlTag.H6);
        return traits;
    }
}
