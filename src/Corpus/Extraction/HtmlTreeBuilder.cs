namespace OpenEuroLLM.Corpus.Extraction;

/// <summary>Builds the tree of a page as the HTML standard does where it matters for reading: implied end tags, scopes, stray and crossed tags. Elements are never moved: what the standard takes out of a
/// table stays in it, and a link crossed by a block ends for the text alone. Nothing recurses and the open elements are few, so that deep pages cost no more than flat ones.</summary>
internal sealed class HtmlTreeBuilder
{
    /// <summary>Elements opened deeper than this become part of the one above.</summary>
    public const int MaximumDepth = 512;

    private readonly int[] openNodes = new int[MaximumDepth];
    private readonly HtmlTag[] openTags = new HtmlTag[MaximumDepth];
    private readonly uint[] openHashes = new uint[MaximumDepth];
    private readonly int[] openCount = new int[HtmlTags.Count];
    private readonly HtmlAttributes attributes = new();
    private HtmlTree tree = null!;
    private PageFacts facts = null!;
    private int depth;
    private int tooDeep;
    private int link; // place of the link among the open elements; 0: none
    private int bold;
    private bool afterSpace;
    private bool spacePending;
    private bool bodySeen;
    private readonly bool[] missingEnds = new bool[HtmlTags.Count];

    /// <summary>Reads a page.</summary>
    /// <param name="html">Valid UTF-8.</param>
    /// <param name="target">Receives the nodes.</param>
    /// <param name="pageFacts">Receives what the page says about itself.</param>
    /// <returns>False where the page has more nodes than <see cref="HtmlTree.MaximumNodes"/>: it is cut there.</returns>
    public bool Build(ReadOnlySpan<byte> html, HtmlTree target, PageFacts pageFacts)
    {
        (tree, facts) = (target, pageFacts);
        target.Clear();
        Array.Clear(openCount);
        Array.Clear(missingEnds);
        (depth, tooDeep, link, bold) = (0, 0, 0, 0);
        (afterSpace, spacePending, bodySeen) = (true, false, false);
        Open(HtmlTag.Html, 0, PageHints.None);
        var tokens = new HtmlTokenizer(html, attributes);
        bool whole = true;
        for (HtmlTokenKind kind; (kind = tokens.Read(InForeign)) != HtmlTokenKind.End;)
        {
            if (kind == HtmlTokenKind.Text) AddText(html.Slice(tokens.Start, tokens.Length));
            else if (kind == HtmlTokenKind.StartTag) StartTag(ref tokens, html);
            else if (kind == HtmlTokenKind.EndTag) EndTag(tokens.Tag, tokens.NameHash);
            if (target.Count < HtmlTree.MaximumNodes) continue;
            whole = false;
            break;
        }
        PopTo(0);
        return whole;
    }

    private bool InForeign => openCount[(int)HtmlTag.Svg] + openCount[(int)HtmlTag.Math] > 0 && openCount[(int)HtmlTag.ForeignObject] == 0;

    private HtmlTag Current => openTags[depth - 1];

    private bool IsOpen(HtmlTag tag) => openCount[(int)tag] > 0;

    private void StartTag(ref HtmlTokenizer tokens, ReadOnlySpan<byte> html)
    {
        HtmlTag tag = tokens.Tag;
        if (InForeign && !LeaveForeign(tag))
        {
            if (tag is HtmlTag.Script or HtmlTag.Style) SkipRaw(ref tokens, tag, html);
            else if (!tokens.SelfClosing) Open(tag, tokens.NameHash, PageHints.None);
            return;
        }
        facts.Tag(tag, attributes, html);
        if (tag is HtmlTag.Html or HtmlTag.Frameset) return;
        if (tag == HtmlTag.Head)
        {
            if (!bodySeen && depth == 1) Open(tag, 0, PageHints.None);
            return;
        }
        if (Current == HtmlTag.Head && !HtmlTags.Is(tag, TagTraits.Head)) PopTo(depth - 1);
        if (HtmlTags.Is(tag, TagTraits.Raw) && SkipRaw(ref tokens, tag, html)) return;
        if (!HtmlTags.Is(tag, TagTraits.Head)) bodySeen = true;
        if (HtmlTags.Is(tag, TagTraits.Style))
        {
            if (tag is HtmlTag.B or HtmlTag.Strong) bold++;
            return;
        }
        if (tag == HtmlTag.Body && IsOpen(HtmlTag.Body)) return;
        CloseImplied(tag);
        if (HtmlTags.Is(tag, TagTraits.Void))
        {
            AddVoid(tag);
            return;
        }
        if ((tag == HtmlTag.Form && IsOpen(HtmlTag.Form)) || (tag is HtmlTag.Svg or HtmlTag.Math && tokens.SelfClosing)) return;
        PageHints hints = tag == HtmlTag.Body ? PageHints.None : HintTable.Of(attributes, html);
        bool opened = Open(tag, tokens.NameHash, hints);
        if (opened && tag == HtmlTag.A && attributes.Has(HtmlAttribute.Href)) link = depth - 1;
    }

    private void AddVoid(HtmlTag tag)
    {
        if (tag is not (HtmlTag.Br or HtmlTag.Hr or HtmlTag.Img)) return;
        tree.Add(tag, LookOfText(), openNodes[depth - 1], PageHints.None);
        if (tag != HtmlTag.Img) BreakLine();
    }

    // The text of scripts and the like is no text of the page; what they tell about it is kept.
    private bool SkipRaw(ref HtmlTokenizer tokens, HtmlTag tag, ReadOnlySpan<byte> html)
    {
        if (tag == HtmlTag.Plaintext)
        {
            tokens.ReadRest();
            AddPreformatted(html.Slice(tokens.Start, tokens.Length));
            return true;
        }
        // A search for an end tag that failed once need not be made again: that would be quadratic.
        if (missingEnds[(int)tag]) return false;
        if (!tokens.ReadRawText(tag))
        {
            missingEnds[(int)tag] = true;
            if (tag is HtmlTag.Script or HtmlTag.Style) tokens.ReadRest();
            return tag is HtmlTag.Script or HtmlTag.Style;
        }
        ReadOnlySpan<byte> content = html.Slice(tokens.Start, tokens.Length);
        if (tag == HtmlTag.Xmp) AddPreformatted(content);
        else facts.RawText(tag, tokens.Start, tokens.Length, attributes, html);
        return true;
    }

    private void AddPreformatted(ReadOnlySpan<byte> content)
    {
        Open(HtmlTag.Pre, 0, PageHints.None);
        AddText(content);
        PopTo(depth - 1);
    }

    private bool LeaveForeign(HtmlTag tag)
    {
        if (!HtmlTags.Is(tag, TagTraits.LeavesForeign)) return false;
        int at = depth - 1;
        while (at > 0 && openTags[at] is not (HtmlTag.Svg or HtmlTag.Math)) at--;
        while (at > 1 && openTags[at - 1] is HtmlTag.Svg or HtmlTag.Math) at--;
        if (at > 0) PopTo(at);
        return !InForeign;
    }

    private void CloseImplied(HtmlTag tag)
    {
        if (HtmlTags.Is(tag, TagTraits.ClosesParagraph) && IsOpen(HtmlTag.P)) CloseInScope(HtmlTag.P, buttonBorder: true);
        switch (tag)
        {
            case >= HtmlTag.H1 and <= HtmlTag.H6 when HtmlTags.Is(Current, TagTraits.Heading):
            case HtmlTag.Option or HtmlTag.Optgroup when Current == HtmlTag.Option:
                PopTo(depth - 1);
                break;
            case HtmlTag.Li:
                CloseItem(HtmlTag.Li, HtmlTag.Li);
                break;
            case HtmlTag.Dd or HtmlTag.Dt:
                CloseItem(HtmlTag.Dd, HtmlTag.Dt);
                break;
            case HtmlTag.A:
                EndTag(HtmlTag.A, 0);
                break;
            case HtmlTag.Button:
                CloseInScope(HtmlTag.Button, buttonBorder: false);
                break;
            case HtmlTag.Rb or HtmlTag.Rp or HtmlTag.Rt or HtmlTag.Rtc when Current is HtmlTag.Rb or HtmlTag.Rp or HtmlTag.Rt:
                PopTo(depth - 1);
                break;
            case HtmlTag.Table when Current is HtmlTag.Table or HtmlTag.Tbody or HtmlTag.Thead or HtmlTag.Tfoot or HtmlTag.Tr:
                EndTag(HtmlTag.Table, 0);
                break;
            case HtmlTag.Td or HtmlTag.Th:
                CloseTablePart(HtmlTag.Td, HtmlTag.Th, HtmlTag.Th, HtmlTag.Caption);
                break;
            case HtmlTag.Tr:
                CloseTablePart(HtmlTag.Tr, HtmlTag.Td, HtmlTag.Th, HtmlTag.Caption);
                break;
            case HtmlTag.Tbody or HtmlTag.Thead or HtmlTag.Tfoot or HtmlTag.Caption or HtmlTag.Colgroup:
                CloseTablePart(HtmlTag.Tbody, HtmlTag.Thead, HtmlTag.Tfoot, HtmlTag.Caption);
                CloseTablePart(HtmlTag.Tr, HtmlTag.Td, HtmlTag.Th, HtmlTag.Caption);
                break;
        }
    }

    // Closes the outermost of these parts of the innermost table.
    private void CloseTablePart(HtmlTag first, HtmlTag second, HtmlTag third, HtmlTag fourth)
    {
        int found = 0;
        for (int at = depth - 1; at > 0 && openTags[at] is not (HtmlTag.Table or HtmlTag.Template); at--)
            if (openTags[at] == first || openTags[at] == second || openTags[at] == third || openTags[at] == fourth) found = at;
        if (found > 0) PopTo(found);
    }

    private void CloseItem(HtmlTag first, HtmlTag second)
    {
        if (openCount[(int)first] + openCount[(int)second] == 0) return;
        for (int at = depth - 1; at > 0; at--)
        {
            HtmlTag tag = openTags[at];
            if (tag == first || tag == second)
            {
                PopTo(at);
                return;
            }
            if (HtmlTags.Is(tag, TagTraits.Special) && tag is not (HtmlTag.Address or HtmlTag.Div or HtmlTag.P)) return;
        }
    }

    private bool CloseInScope(HtmlTag tag, bool buttonBorder)
    {
        if (!IsOpen(tag)) return false;
        for (int at = depth - 1; at > 0; at--)
        {
            if (openTags[at] == tag)
            {
                PopTo(at);
                return true;
            }
            if (HtmlTags.Is(openTags[at], TagTraits.ScopeBorder) || (buttonBorder && openTags[at] == HtmlTag.Button)) return false;
        }
        return false;
    }

    private void EndTag(HtmlTag tag, uint hash)
    {
        if (tooDeep > 0 && !HtmlTags.Is(tag, TagTraits.Style | TagTraits.Void))
        {
            tooDeep--;
            BreakLine();
            return;
        }
        if (HtmlTags.Is(tag, TagTraits.Style))
        {
            if (tag is HtmlTag.B or HtmlTag.Strong && bold > 0) bold--;
            return;
        }
        switch (tag)
        {
            case HtmlTag.Html or HtmlTag.Body:
                return;
            case HtmlTag.Br:
                AddVoid(HtmlTag.Br);
                return;
            case HtmlTag.P:
                if (!CloseInScope(HtmlTag.P, buttonBorder: true)) BreakLine();
                return;
            case >= HtmlTag.H1 and <= HtmlTag.H6:
                CloseHeading();
                return;
            case HtmlTag.A when link > 0 && CrossesBlock(link):
                link = 0;
                return;
            case HtmlTag.Form:
                if (Current == HtmlTag.Form) PopTo(depth - 1);
                return;
            case HtmlTag.Table or HtmlTag.Tbody or HtmlTag.Thead or HtmlTag.Tfoot or HtmlTag.Tr or HtmlTag.Td or HtmlTag.Th or HtmlTag.Caption:
                CloseInTable(tag);
                return;
        }
        if (!IsOpen(tag)) return;
        if (HtmlTags.Is(tag, TagTraits.Special))
        {
            CloseInScope(tag, buttonBorder: false);
            return;
        }
        for (int at = depth - 1; at > 0; at--)
        {
            if (openTags[at] == tag && (tag != HtmlTag.Other || openHashes[at] == hash))
            {
                PopTo(at);
                return;
            }
            if (HtmlTags.Is(openTags[at], TagTraits.Special)) return;
        }
    }

    private bool CrossesBlock(int from)
    {
        for (int at = depth - 1; at > from; at--)
            if (HtmlTags.Is(openTags[at], TagTraits.Special)) return true;
        return false;
    }

    private void CloseHeading()
    {
        for (int at = depth - 1; at > 0; at--)
        {
            if (HtmlTags.Is(openTags[at], TagTraits.Heading))
            {
                PopTo(at);
                return;
            }
            if (HtmlTags.Is(openTags[at], TagTraits.ScopeBorder)) return;
        }
    }

    private void CloseInTable(HtmlTag tag)
    {
        if (!IsOpen(tag)) return;
        for (int at = depth - 1; at > 0; at--)
        {
            if (openTags[at] == tag)
            {
                PopTo(at);
                return;
            }
            if (openTags[at] is HtmlTag.Table or HtmlTag.Template) return;
        }
    }

    private bool Open(HtmlTag tag, uint hash, PageHints hints)
    {
        if (HtmlTags.Is(tag, TagTraits.Block)) BreakLine();
        if (depth == MaximumDepth)
        {
            tooDeep++;
            return false;
        }
        int parent = depth == 0 ? 0 : openNodes[depth - 1];
        openNodes[depth] = tree.Add(tag, NodeFlags.None, parent, hints);
        openTags[depth] = tag;
        openHashes[depth++] = hash;
        openCount[(int)tag]++;
        return true;
    }

    private void PopTo(int place)
    {
        while (depth > place)
        {
            HtmlTag tag = openTags[--depth];
            openCount[(int)tag]--;
            tree[openNodes[depth]].End = tree.Count;
            if (HtmlTags.Is(tag, TagTraits.Block)) BreakLine();
            if (tag is HtmlTag.Td or HtmlTag.Th or HtmlTag.P or HtmlTag.Li) bold = 0; // a forgotten </b> ends with its paragraph
        }
        if (link >= depth) link = 0;
        if (depth < MaximumDepth) tooDeep = 0;
    }

    private void BreakLine()
    {
        afterSpace = true;
        spacePending = false;
    }

    private NodeFlags LookOfText() =>
        (link > 0 ? NodeFlags.Link : 0) | (bold > 0 ? NodeFlags.Bold : 0)
        | (openCount[(int)HtmlTag.Pre] + openCount[(int)HtmlTag.Listing] > 0 ? NodeFlags.Preformatted : 0);

    private void AddText(ReadOnlySpan<byte> source)
    {
        NodeFlags flags = LookOfText();
        bool preformatted = (flags & NodeFlags.Preformatted) != 0;
        if (!preformatted && IsBlank(source))
        {
            spacePending |= source.Length > 0 && !afterSpace;
            return;
        }
        if (Current == HtmlTag.Head) PopTo(depth - 1);
        if (preformatted && tree.Nodes[^1].Tag is HtmlTag.Pre or HtmlTag.Listing && source[0] is (byte)'\n' or (byte)'\r') source = source[(source.StartsWith("\r\n"u8) ? 2 : 1)..];
        int parent = openNodes[depth - 1];
        int last = tree.Count - 1;
        bool joins = tree[last].Tag == HtmlTag.Text && tree[last].Parent == parent && tree[last].Flags == flags;
        Span<byte> room = tree.TextRoom(HtmlText.MaximumBytes(source.Length) + 1);
        int written = 0;
        if (spacePending)
        {
            room[written++] = (byte)' ';
            (spacePending, afterSpace) = (false, true);
        }
        written += HtmlText.Decode(source, room[written..], preformatted, ref afterSpace);
        if (written == 0) return;
        int node = joins ? last : tree.Add(HtmlTag.Text, flags, parent, PageHints.None);
        tree[node].TextLength += written;
        tree.TextLength += written;
        bodySeen = true;
    }

    private static bool IsBlank(ReadOnlySpan<byte> text)
    {
        foreach (byte value in text)
            if (!AsciiWord.IsSpace(value)) return false;
        return true;
    }
}
