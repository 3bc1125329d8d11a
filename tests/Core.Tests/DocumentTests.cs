using System.Text;
using System.Text.Json.Nodes;

namespace OpenEuroLLM.Core.Tests;

public sealed class DocumentTests
{
    private const string Least = """{"id":"1","text":"t","lang":"cs","source":"s","license":"CC0-1.0"}""";

    private static Document Parse(string line) => Document.Parse(Encoding.UTF8.GetBytes(line), "corpus.jsonl:17");

    [Theory]
    [InlineData(Least)]
    [InlineData("""{"id":"a/1","text":"Příliš žluťoučký κύριε \n\t\" 😀","lang":"cs","source":"s","license":"CC BY 4.0","url":"https://x.eu/?a=1&b=<2>","date":"2026-11-22","metadata":{"b":[1,2.50],"a":{"messages":[]}}}""")]
    public void Reading_and_writing_gives_the_same_line(string line) => Assert.Equal(line, Encoding.UTF8.GetString(Parse(line).ToJsonLine()).Replace("\\uD83D\\uDE00", "😀", StringComparison.Ordinal));

    [Fact]
    public void Fields_may_come_in_any_order_and_optional_ones_may_be_null()
    {
        var document = Parse("""{"license":"l","source":"s","metadata":null,"lang":"de","url":null,"text":"ä","id":"7"}""");
        Assert.Equal(new Document("7", "ä", "de", "s", "l"), document);
    }

    [Fact]
    public void Any_text_survives()
    {
        string text = string.Concat(Enumerable.Range(0, 0x3000).Select(i => (char)i)) + "\U0001F600\U00010348\uFFFD\uE000";
        Assert.Equal(text, Document.Parse(new Document("1", text, "cs", "s", "l").ToJsonLine(), "here").Text);
        Assert.DoesNotContain((byte)'\n', new Document("1", text, "cs", "s", "l", Metadata: new JsonObject { ["a"] = text }).ToJsonLine());
    }

    [Theory]
    [InlineData("[]", "the line is not a JSON object")]
    [InlineData("", "not valid JSON")]
    [InlineData("""{"id":"1" """, "not valid JSON")]
    [InlineData(Least + "{}", "not valid JSON")]
    [InlineData("""{"id":"1","text":"t","lang":"cs","source":"s"}""", "field 'license' is missing")]
    [InlineData("""{"id":"1","text":"t","lang":"cs","source":"s","license":null}""", "field 'license' is null; expected a string")]
    [InlineData("""{"id":1}""", "field 'id' is a number; expected a string")]
    [InlineData("""{"id":"1","id":"2"}""", "field 'id' appears twice")]
    [InlineData("""{"language":"cs"}""", "field 'language' is unknown")]
    [InlineData("""{"langs":"cs"}""", "did you mean 'lang'?")]
    [InlineData("""{"id":"1","metadata":[]}""", "field 'metadata' is a list; expected an object")]
    [InlineData("""{"id":"1","metadata":{"a":1,"a":2}}""", "field 'metadata' is not valid (Duplicate property 'a' encountered")]
    [InlineData("""{"id":"1","metadata":{"a":{"b":"\ud800"}}}""", "field 'metadata' is not valid (text in it is not valid Unicode)")]
    [InlineData("""{"id":"\ud800"}""", "field 'id' is not valid Unicode")]
    public void A_bad_line_is_refused_with_place_and_field(string line, string message)
    {
        string found = Assert.Throws<UserErrorException>(() => Parse(line)).Message;
        Assert.StartsWith("corpus.jsonl:17: ", found);
        Assert.Contains(message, found);
        Assert.DoesNotContain('\n', found);
    }

    [Fact]
    public void Bytes_that_are_not_UTF8_are_refused() =>
        Assert.Throws<UserErrorException>(() => Document.Parse([.. "{\"id\":\""u8, 0xFF, .. "\"}"u8], "here"));
}
