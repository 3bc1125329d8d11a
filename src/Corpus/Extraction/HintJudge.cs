namespace OpenEuroLLM.Corpus.Extraction;

/// <summary>Drops the elements whose names say that they are no text, as far as the page as a whole bears that out.</summary>
internal sealed class HintJudge
{
    private const PageHints Unwanted = PageHints.Navigation | PageHints.Comments | PageHints.Related | PageHints.Share | PageHints.Footer | PageHints.Sidebar | PageHints.Consent
        | PageHints.Advert | PageHints.Subscribe | PageHints.Hidden | PageHints.Dialog | PageHints.Widget | PageHints.Tool;

    private const PageHints Small = PageHints.Author | PageHints.Tags | PageHints.Date | PageHints.Caption;

    // Readers' comments may be longer than the text, and so may what is hidden: there the text need only be worth something without them.
    private const PageHints Certain = PageHints.Comments | PageHints.Hidden;
    private const int EnoughWithoutCertain = 300;
    private const int SmallCharacters = 300;
    private const int CaptionCharacters = 150;
    private const int KeptNodes = 1 << 18;

    private NodeMarks marks = null!;
    private PageHints[] absolved = []; // hints that mean something else inside an element
    private int[] scopes = []; // the article or main element around each element

    /// <summary>Drops elements by their hints.</summary>
    public void Judge(HtmlTree tree, NodeMarks nodeMarks)
    {
        marks = nodeMarks;
        ReadOnlySpan<HtmlNode> nodes = tree.Nodes;
        if (absolved.Length < nodes.Length || absolved.Length > KeptNodes)
        {
            int size = Math.Max(4096, nodes.Length);
            (absolved, scopes) = (new PageHints[size], new int[size]);
        }
        int total = marks.Sums[0].Worth;
        PageHints meaningless = MeaninglessHints(nodes);
        for (int at = 0; at < nodes.Length;)
        {
            ref readonly HtmlNode node = ref nodes[at];
            if (node.Tag == HtmlTag.Text)
            {
                at++;
                continue;
            }
            if (node.Tag is HtmlTag.Pre or HtmlTag.Code)
            {
                at = node.End; // there, names are those of a programming language's parts
                continue;
            }
            int scope = scopes[node.Parent];
            scopes[at] = IsScope(node) ? at : at == 0 ? 0 : scope;
            PageHints inherited = at == 0 ? meaningless : absolved[node.Parent];
            PageHints hints = HintsOf(node) & ~inherited;
            ref readonly NodeSums sum = ref marks.Sums[at];
            bool drop;
            if ((hints & Unwanted) != 0)
            {
                // A name that would take most of the page's sentences away means something else here, for everything inside.
                int rest = marks.Sums[scope].Worth - sum.Worth;
                drop = sum.Worth * 2 <= total || ((hints & Certain) != 0 && rest >= EnoughWithoutCertain) || (IsAside(node.Tag) && rest * 3 >= sum.Worth);
                if (!drop) inherited |= hints & Unwanted;
            }
            else
            {
                // A caption that is a sentence tells something; a credit or a name does not.
                int most = (hints & Small) == PageHints.Caption ? CaptionCharacters : SmallCharacters;
                drop = (hints & Small) != 0 && (sum.Characters < most || sum.Worth == 0) && sum.Worth * 4 <= total;
            }
            drop |= (hints & PageHints.Header) != 0 && sum.Worth * 4 <= total && !HoldsTitle(nodes, at);
            absolved[at] = inherited;
            if (drop || IsPermalink(tree, at))
            {
                marks.Drop(at, node.End);
                at = node.End;
            }
            else at++;
        }
    }

    // The head of a page holds the name of the site; that of an article its title, and often the lead.
    private static bool HoldsTitle(ReadOnlySpan<HtmlNode> nodes, int header)
    {
        for (int at = header; at < nodes[header].End; at++)
            if (HtmlTags.Is(nodes[at].Tag, TagTraits.Heading) || (nodes[at].Hints & (PageHints.Title | PageHints.Lead)) != 0) return true;
        return false;
    }

    // The sign behind a heading that links to itself.
    private static bool IsPermalink(HtmlTree tree, int at) =>
        tree[at].Tag == HtmlTag.A && tree[at].End == at + 2 && tree[at + 1].Tag == HtmlTag.Text && AsciiWord.Trim(tree.TextOf(tree[at + 1])) is var text
        && (text.SequenceEqual("#"u8) || text.SequenceEqual("¶"u8) || text.SequenceEqual("§"u8));

    // A hint that all places together would take most sentences away is a name for something else on this page.
    private PageHints MeaninglessHints(ReadOnlySpan<HtmlNode> nodes)
    {
        int total = marks.Sums[0].Worth;
        var meaningless = PageHints.None;
        for (int bit = 0; bit < 24; bit++)
        {
            var hint = (PageHints)(1 << bit);
            if ((Unwanted & hint) == 0) continue;
            int worth = 0;
            for (int at = 0; at < nodes.Length;)
            {
                bool hit = nodes[at].Tag != HtmlTag.Text && (HintsOf(nodes[at]) & hint) != 0;
                if (hit) worth += marks.Sums[at].Worth;
                at = hit ? nodes[at].End : at + 1;
            }
            bool most = worth * 4 > total * 3 && total > 0;
            if (most && ((Certain & hint) == 0 || total - worth < EnoughWithoutCertain)) meaningless |= hint;
        }
        return meaningless;
    }

    private static bool IsAside(HtmlTag tag) => tag is HtmlTag.Aside or HtmlTag.Nav or HtmlTag.Footer;

    private static bool IsScope(in HtmlNode node) => node.Tag is HtmlTag.Main or HtmlTag.Article or HtmlTag.Body;

    private static PageHints HintsOf(in HtmlNode node) => node.Tag switch
    {
        HtmlTag.Nav => node.Hints | PageHints.Navigation,
        HtmlTag.Aside => node.Hints | PageHints.Sidebar,
        HtmlTag.Footer => node.Hints | PageHints.Footer,
        HtmlTag.Header => node.Hints | PageHints.Header,
        HtmlTag.Form => node.Hints | PageHints.Widget,
        HtmlTag.Dialog => node.Hints | PageHints.Dialog,
        HtmlTag.Figcaption => node.Hints | PageHints.Caption,
        HtmlTag.Blockquote => node.Hints & ~(PageHints.Share | PageHints.Date | PageHints.Author | PageHints.Header),
        HtmlTag.Pre or HtmlTag.Html or HtmlTag.Body => PageHints.None,
        HtmlTag.P => node.Hints & ~(PageHints.Sidebar | PageHints.Navigation | PageHints.Footer | PageHints.Widget),
        _ when (node.Hints & PageHints.Body) != 0 => node.Hints & Certain,
        _ when (node.Hints & PageHints.Embed) != 0 => node.Hints & ~PageHints.Share,
        _ => node.Hints,
    };
}
