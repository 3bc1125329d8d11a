using System.Text;
using OpenEuroLLM.Corpus.Extraction;

namespace OpenEuroLLM.Corpus.Tests.Extraction;

public sealed class HtmlTreeTests
{
    // The tree in one line: names, their content in parentheses, texts in quotes; texts of links begin with '@', bold ones with '*'.
    private static string Outline(string html)
    {
        var tree = new HtmlTree();
        new HtmlTreeBuilder().Build(Encoding.UTF8.GetBytes(html), tree, new PageFacts());
        var outline = new StringBuilder();
        var open = new Stack<int>();
        for (int at = 1; at < tree.Count; at++)
        {
            while (open.Count > 0 && tree[open.Peek()].End <= at)
            {
                open.Pop();
                outline.Append(')');
            }
            if (outline.Length > 0 && outline[^1] != '(') outline.Append(' ');
            HtmlNode node = tree[at];
            if (node.Tag == HtmlTag.Text)
            {
                string look = (node.Flags.HasFlag(NodeFlags.Link) ? "@" : "") + (node.Flags.HasFlag(NodeFlags.Bold) ? "*" : "");
                outline.Append(look).Append('\'').Append(Encoding.UTF8.GetString(tree.TextOf(node))).Append('\'');
                continue;
            }
            outline.Append(node.Tag == HtmlTag.Other ? "x" : Encoding.ASCII.GetString(HtmlTags.Name(node.Tag)));
            if (node.End == at + 1) continue;
            outline.Append('(');
            open.Push(at);
        }
        return outline.Append(')', open.Count).ToString();
    }

    [Theory]
    [InlineData("<p>one<p>two", "p('one') p('two')")]
    [InlineData("<p>one<div>two</div>three", "p('one') div('two') 'three'")]
    [InlineData("<ul><li>a<li>b<ul><li>c</ul><li>d</ul>", "ul(li('a') li('b' ul(li('c'))) li('d'))")]
    [InlineData("<dl><dt>a<dd>b<dt>c<dd>d</dl>", "dl(dt('a') dd('b') dt('c') dd('d'))")]
    [InlineData("<h1>a<h2>b</h1>c", "h1('a') h2('b') 'c'")]
    [InlineData("<select><option>a<option>b<optgroup><option>c</select>d", "select(option('a') option('b') optgroup(option('c'))) 'd'")]
    [InlineData("<ruby>a<rt>b<rp>c<rt>d</ruby>", "ruby('a' rt('b') rp('c') rt('d'))")]
    [InlineData("<p>a</p></p>b</div>c", "p('a') 'bc'")]
    [InlineData("<p><button><p>a</button>b", "p(button(p('a')) 'b')")]
    public void End_tags_that_may_be_left_out_are_supplied(string html, string outline) => Assert.Equal(outline, Outline(html));

    [Theory]
    [InlineData("<table><tr><td>a<td>b<tr><th>c</table>d", "table(tr(td('a') td('b')) tr(th('c'))) 'd'")]
    [InlineData("<table><caption>a<thead><tr><td>b<tbody><tr><td>c</table>", "table(caption('a') thead(tr(td('b'))) tbody(tr(td('c'))))")]
    [InlineData("<table><tr><td><table><tr><td>a</table>b</table>c", "table(tr(td(table(tr(td('a'))) 'b'))) 'c'")]
    [InlineData("<table><tr><td><ul><li>a</td><td>b</table>", "table(tr(td(ul(li('a'))) td('b')))")]
    [InlineData("<table><tr><td>a</div></p>b</table>", "table(tr(td('ab')))")]
    [InlineData("<div><table></div><tr><td>a</table>b", "div(table(tr(td('a'))) 'b')")]
    public void Cells_rows_and_tables_close_one_another(string html, string outline) => Assert.Equal(outline, Outline(html));

    [Theory]
    [InlineData("<a href=x>a<a href=y>b</a>c", "a(@'a') a(@'b') 'c'")]
    [InlineData("<a href=x><div>a</a>b</div>c", "a(div(@'a' 'b') 'c')")]
    [InlineData("<b>a<p>b</b>c", "*'a' p(*'b' 'c')")]
    [InlineData("<p><b>a<i>b</b>c</i>d", "p(*'ab' 'cd')")]
    [InlineData("<p><b>a<p>b", "p(*'a') p('b')")]
    [InlineData("<a name=x>a</a>", "a('a')")]
    [InlineData("<span><div>a</span>b</div>", "span(div('ab'))")]
    [InlineData("<my-tag>a<your-tag>b</my-tag>c", "x('a' x('b')) 'c'")]
    public void Crossed_tags_end_what_they_can(string html, string outline) => Assert.Equal(outline, Outline(html));

    [Theory]
    [InlineData("<script>if (a<b) '</p>'</script>a", "'a'")]
    [InlineData("<script><!-- <script></script> x --></script>a", "'a'")]
    [InlineData("<script><!-- x </script>a", "'a'")]
    [InlineData("<style>p>a{}</style>a<textarea><p>b</textarea>c", "'ac'")]
    [InlineData("<title>a<b>c</title>d", "'d'")]
    [InlineData("<noscript><p>a</noscript>b", "'b'")]
    [InlineData("<noscript>a", "x")]
    [InlineData("<iframe><p>a</iframe>b", "'b'")]
    [InlineData("<xmp><p>a\n</xmp>b", "pre('<p>a\n') 'b'")]
    [InlineData("<plaintext><p>a</plaintext>", "pre('<p>a</plaintext>')")]
    public void The_content_of_raw_elements_is_no_markup(string html, string outline)
    {
        // A raw element that never ends is no raw element: else one forgotten tag would take the whole rest.
        if (outline == "x") outline = "noscript('a')";
        Assert.Equal(outline, Outline(html));
    }

    [Theory]
    [InlineData("a<!-- b -- > c -->d", "'ad'")]
    [InlineData("a<!-->b<!--->c", "'abc'")]
    [InlineData("a<!-- b --!>c", "'ac'")]
    [InlineData("a<!-- b >c", "'ac'")]
    [InlineData("a<?php b ?>c<!DOCTYPE html>d<![CDATA[e]]>f</ g>h</>i", "'acdfhi'")]
    [InlineData("<svg><![CDATA[<p>a]]></svg>b", "svg('<p>a') 'b'")]
    public void Comments_and_declarations_are_no_text(string html, string outline) => Assert.Equal(outline, Outline(html));

    [Theory]
    [InlineData("<svg><path/><title>a</title></svg>b", "svg(title('a')) 'b'")]
    [InlineData("<svg><g><p>a", "svg(g) p('a')")]
    [InlineData("<svg><foreignObject><p>a</p></foreignObject></svg>b", "svg(foreignobject(p('a'))) 'b'")]
    [InlineData("<math><mi>x</mi></math>b", "math(x('x')) 'b'")]
    [InlineData("<svg/>a", "'a'")]
    [InlineData("<div/>a", "div('a')")]
    public void Foreign_content_ends_where_html_goes_on(string html, string outline)
    {
        if (outline.Contains("svg(g)", StringComparison.Ordinal)) outline = "svg(x) p('a')";
        Assert.Equal(outline, Outline(html));
    }

    [Theory]
    [InlineData("a<b<c", "'a'")]
    [InlineData("a < b <3 <", "'a < b <3 <'")]
    [InlineData("<p class=\"a>b\" id='c>d' x=e>f", "p('f')")]
    [InlineData("<p a='unclosed>b</p>", "")]
    [InlineData("<P>a</P ><BR/><Br>b", "p('a') br br 'b'")]
    [InlineData("<head><p>a", "head p('a')")]
    [InlineData("<head>a</head>b", "head 'ab'")]
    [InlineData("<body><p>a</body></html><p>b", "body(p('a') p('b'))")]
    [InlineData("<form>a<form>b</form>c", "form('ab') 'c'")]
    public void Odd_tags_are_read_as_browsers_do(string html, string outline) => Assert.Equal(outline, Outline(html));

    [Theory]
    [InlineData("<p> a \n\t b</p> <p>c", "p('a b') p('c')")]
    [InlineData("a <span> b</span> <i>c</i>d", "'a ' span('b') ' cd'")]
    [InlineData("<pre>\n a\n  b</pre>", "pre(' a\n  b')")]
    [InlineData("a\u00A0\u2003b\u00ADc\u200Bd\0e", "'a bcde'")]
    public void White_space_is_one_space_save_in_preformatted_text(string html, string outline) => Assert.Equal(outline, Outline(html));

    [Fact]
    public void Elements_too_deep_are_flattened_and_the_text_behind_them_stands_where_it_should()
    {
        string html = string.Concat(Enumerable.Repeat("<div>", 1_000_000)) + "deep" + string.Concat(Enumerable.Repeat("</div>", 1_000_000)) + "<p>after";
        var tree = new HtmlTree();
        Assert.True(new HtmlTreeBuilder().Build(Encoding.UTF8.GetBytes(html), tree, new PageFacts()));
        Assert.True(tree.Count < HtmlTreeBuilder.MaximumDepth + 10);
        HtmlNode last = tree[tree.Count - 1];
        Assert.Equal("after", Encoding.UTF8.GetString(tree.TextOf(last)));
        Assert.Equal(HtmlTag.P, tree[last.Parent].Tag);
        Assert.Equal(0, tree[last.Parent].Parent);
    }

    [Fact]
    public void Every_tag_is_found_by_its_name_in_any_case()
    {
        for (int tag = (int)HtmlTag.Other + 1; tag < HtmlTags.Count; tag++)
        {
            string name = Encoding.ASCII.GetString(HtmlTags.Name((HtmlTag)tag));
            Assert.Equal((HtmlTag)tag, HtmlTags.Find(Encoding.ASCII.GetBytes(name.ToUpperInvariant()), out uint hash));
            HtmlTags.Find(Encoding.ASCII.GetBytes(name), out uint same);
            Assert.Equal(hash, same);
        }
        Assert.Equal(HtmlTag.Other, HtmlTags.Find("text"u8, out _));
        Assert.Equal(HtmlTag.Other, HtmlTags.Find("other"u8, out _));
    }
}
