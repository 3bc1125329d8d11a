using OpenEuroLLM.Corpus.Deduplication;

namespace OpenEuroLLM.Corpus.Tests.Deduplication;

public sealed class RepeatedLinesTests
{
    private static List<LinePart> Parts(string text, LineUnit unit = LineUnit.Line, int leastCharacters = 5)
    {
        var parts = new List<LinePart>();
        RepeatedLines.Add(text, unit, leastCharacters, parts);
        return parts;
    }

    [Fact]
    public void Lines_are_compared_by_their_words()
    {
        List<LinePart> parts = Parts("  Αποδοχή όλων των «cookies»!  \nsomething else\n\nαποδοχή ΌΛΩΝ των cookies\nαποδοχή των όλων cookies");
        Assert.Equal([2, 32, 48, 73], parts.Select(part => part.Start));
        Assert.Equal(parts[0].Key, parts[2].Key);
        Assert.Equal(3, parts.Select(part => part.Key).Distinct().Count());
    }

    [Fact]
    public void Paragraphs_are_parted_by_empty_lines() =>
        Assert.Equal(["first line\nsecond line", "third line"], Parts("first line\nsecond line\n \t\n\nthird line\n", LineUnit.Paragraph)
            .Select(part => "first line\nsecond line\n \t\n\nthird line\n".Substring(part.Start, part.Length)));

    [Theory]
    [InlineData("four", 5, 0)]
    [InlineData("12 345 67 890", 5, 0)]
    [InlineData("five 5", 4, 1)]
    [InlineData("Ħarsa", 5, 1)]
    [InlineData("***\n---\n", 0, 2)]
    public void A_part_with_too_few_letters_takes_no_part(string text, int leastCharacters, int expected) =>
        Assert.Equal(expected, Parts(text, leastCharacters: leastCharacters).Count);

    [Theory]
    [InlineData("one\ntwo\nthree", "two", "one\nthree")]
    [InlineData("one\n\ntwo\n\nthree", "two", "one\n\nthree")]
    [InlineData("one\ntwo\n\nthree", "two", "one\n\nthree")]
    [InlineData("one\n\ntwo\nthree", "two", "one\n\nthree")]
    [InlineData("one\n\ntwo\nthree\n\nfour", "two three", "one\n\nfour")]
    [InlineData("one\n\ntwo\n***\nthree\n\nfour", "two three", "one\n\n***\n\nfour")]
    [InlineData("one\ntwo\n  three", "two", "one\n  three")]
    [InlineData("one\ntwo\n", "one", "two\n")]
    [InlineData("one\ntwo\n", "two", "one")]
    [InlineData("one\ntwo", "one two", "")]
    [InlineData("one\ntwo", "", "one\ntwo")]
    public void Lines_are_cut_with_their_line_feeds(string text, string cut, string expected)
    {
        string[] wanted = cut.Split(' ');
        List<LinePart> parts = [.. Parts(text, leastCharacters: 0).Where(part => wanted.Contains(text.Substring(part.Start, part.Length)))];
        Assert.Equal(expected, new UnitVerdict(null, RepeatedLines.Cuts(text, parts)).Remaining(text));
    }
}
