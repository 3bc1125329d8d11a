using OpenEuroLLM.Core;

namespace OpenEuroLLM.Evaluation.Tests;

public sealed class ExaminationItemTests
{
    [Fact]
    public void Reads_a_multiple_choice_item()
    {
        var item = ExaminationItem.Parse(
            """{"id":"en/capital/AT/0","language":"en","relation":"capital","kind":"unseen","context":"The capital of Austria is","choices":[" Rome."," Vienna."],"answer":1}""",
            "examination.jsonl:1");
        Assert.Equal(("en/capital/AT/0", "en", "capital", ItemKind.Unseen), (item.Id, item.Language, item.Relation, item.Kind));
        Assert.Equal(("The capital of Austria is", 1), (item.Context, item.Answer));
        Assert.Equal([" Rome.", " Vienna."], item.Choices);
    }

    [Fact]
    public void Reads_a_question()
    {
        var item = ExaminationItem.Parse(
            """{"id":"x","language":"en","relation":"capital","kind":"generated","question":"Which?","expected":"Vienna","questionTrained":true}""", "examination.jsonl:1");
        Assert.Equal((ItemKind.Generated, "Which?", "Vienna"), (item.Kind, item.Question, item.Expected));
    }

    [Theory]
    [InlineData("[]", "not a JSON object")]
    [InlineData("{", "not valid JSON")]
    [InlineData("""{"id":"a","id":"b"}""", "not valid JSON")]
    [InlineData("""{"id":"a","language":"en","relation":"r","kind":"heard"}""", "kind is 'heard'; expected seen, unseen or generated")]
    [InlineData("""{"id":"a","language":7,"relation":"r","kind":"seen"}""", "language is 7; expected a text")]
    [InlineData("""{"id":"a","language":"en","relation":"r","kind":"generated","question":"q"}""", "expected is missing")]
    [InlineData("""{"id":"a","language":"en","relation":"r","kind":"seen","context":"c","choices":["a"],"answer":0}""", "at least two different texts")]
    [InlineData("""{"id":"a","language":"en","relation":"r","kind":"seen","context":"c","choices":["a","a"],"answer":0}""", "at least two different texts")]
    [InlineData("""{"id":"a","language":"en","relation":"r","kind":"seen","context":"c","choices":["a","b"],"answer":2}""", "answer is 2; expected 0 to 1")]
    [InlineData("""{"id":"a","language":"en","relation":"r","kind":"seen","choices":["a","b"],"answer":1}""", "context is missing")]
    public void A_malformed_line_is_an_error_that_names_the_place(string line, string message)
    {
        var error = Assert.Throws<UserErrorException>(() => ExaminationItem.Parse(line, "examination.jsonl:17"));
        Assert.StartsWith("examination.jsonl:17: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }
}
