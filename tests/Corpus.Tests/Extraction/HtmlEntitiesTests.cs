using System.Net;
using System.Text;
using OpenEuroLLM.Corpus.Extraction;

namespace OpenEuroLLM.Corpus.Tests.Extraction;

public sealed class HtmlEntitiesTests
{
    private static string Decode(string html)
    {
        byte[] source = Encoding.UTF8.GetBytes(html), target = new byte[HtmlText.MaximumBytes(source.Length)];
        bool afterSpace = false;
        return Encoding.UTF8.GetString(target, 0, HtmlText.Decode(source, target, keepSpace: true, ref afterSpace));
    }

    [Theory]
    [InlineData("&amp;&lt;&gt;&quot;&apos;", "&<>\"'")]
    [InlineData("&auml;&Auml;&szlig;&#228;&#xE4;&#XE4;", "äÄßäää")]
    [InlineData("&eacute &eacutex &ampx", "é éx &x")]
    [InlineData("&hellip;&mdash;&euro;&ldquo;&rdquo;&bdquo;", "…—€“”„")]
    [InlineData("&NotEqualTilde;&fjlig;&CounterClockwiseContourIntegral;", "≂̸fj∳")]
    [InlineData("&notin;&notit;&not", "∉¬it;¬")]
    [InlineData("&unknown; &; &# &#x &#; a&b &hellip", "&unknown; &; &# &#x &#; a&b &hellip")]
    public void Names_and_numbers_stand_for_their_characters(string html, string text) => Assert.Equal(text, Decode(html));

    [Theory]
    [InlineData("&#128;&#150;&#x93;&#148;", "€–“”")]
    [InlineData("&#0;&#xD800;&#x110000;&#99999999999999999999;", "\uFFFD\uFFFD\uFFFD\uFFFD")]
    [InlineData("&#x1F600;&#65;", "😀A")]
    public void Numbers_that_are_no_characters_are_read_as_browsers_do(string html, string text) => Assert.Equal(text, Decode(html));

    [Theory]
    [InlineData("a?b=1&copy=2", "a?b=1&copy=2")]
    [InlineData("a?b=1&amp;copy=2 &copy;&copy", "a?b=1&copy=2 ©©")]
    [InlineData("  x \n y  ", "x y")]
    public void In_attributes_a_name_without_semicolon_needs_an_end(string value, string text) => Assert.Equal(text, HtmlText.Attribute(Encoding.UTF8.GetBytes(value)));

    [Fact]
    public void The_names_agree_with_the_platform_s_smaller_list()
    {
        int known = 0;
        foreach (string name in Names())
        {
            string theirs = WebUtility.HtmlDecode($"&{name};");
            // HTML 5 moved the angle brackets to other characters than HTML 4 had.
            if (name is "lang" or "rang") continue;
            if (theirs.StartsWith('&') || string.IsNullOrWhiteSpace(theirs) || theirs[0] is '\u00AD' or '\u200B') continue;
            known++;
            Assert.Equal(theirs, Decode($"&{name};"));
        }
        Assert.InRange(known, 240, 260);
        Assert.Equal(2125, Names().Count());
    }

    [Fact]
    public void No_reference_becomes_longer_than_the_room_kept_for_it()
    {
        byte[] target = new byte[HtmlEntities.LongestReplacement];
        foreach (string name in Names())
        {
            byte[] reference = Encoding.ASCII.GetBytes($"&{name};");
            Assert.Equal(reference.Length, HtmlEntities.Read(reference, inAttribute: false, target, out int written));
            byte[] many = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat($"&{name};", 1000)));
            Assert.True(written * 1000 <= HtmlText.MaximumBytes(many.Length), name);
        }
    }

    private static IEnumerable<string> Names() => ExtractionData.Lines("entities.txt").SelectMany(line => line.Split(' ').Skip(1)).Select(name => name.TrimStart('!'));
}
