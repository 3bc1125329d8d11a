using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Inference.Grammars;

namespace OpenEuroLLM.Inference.Tests.Grammars;

public sealed class AnswerFormTests
{
    private static readonly ToolDefinition[] _tools =
    [
        new("weather", null, """{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer","minimum":1,"maximum":9}},"required":["city","days"],"additionalProperties":false}""", Strict: true),
        new("now"),
        new("loose", null, """{"type":"object","not":{}}"""),
    ];

    private static readonly (CallMarks Marks, string One, string Two)[] _notations =
    [
        (new("<tool_call>", "</tool_call>", CallNotation.Json), "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\":\"Łódź\", \"days\":3}}\n</tool_call>", "<tool_call>{\"name\":\"now\",\"arguments\":{}}</tool_call>"),
        (AnswerFormat.ListedCalls, "<|tool_call|>[{\"name\":\"weather\",\"arguments\":{\"city\":\"a\",\"days\":1}}]<|/tool_call|>", ""),
        (new("[TOOL_CALLS]", null, CallNotation.Json), "[TOOL_CALLS][{\"name\":\"loose\",\"arguments\":{\"x\":[1]}}]", ""),
        (new("[TOOL_CALLS]", null, CallNotation.NameAndArguments), "[TOOL_CALLS]weather[ARGS]{\"city\":\"a\",\"days\":9}", "[TOOL_CALLS]now[ARGS]{}"),
        (new("<|tools_prefix|>", "<|tools_suffix|>", CallNotation.JsonByName), "<|tools_prefix|>[{\"now\": {}}]<|tools_suffix|>", ""),
        (new("", null, CallNotation.Json), "{\"name\": \"weather\", \"parameters\": {\"city\": \"a\", \"days\": 3}}", ""),
    ];

    [Fact]
    public void Forced_calls_are_written_in_the_notation_of_the_family_and_read_back()
    {
        foreach (var (marks, one, two) in _notations)
        {
            foreach (bool asControl in (bool[])[false, true])
            {
                var form = new AnswerForm(null, new CallsForm(marks, _tools, Required: true, Several: true), new ReasoningForm("<think>", "</think>", IsOpen: false));
                var grammar = new TestGrammar(form, bytesOfMark: mark => BytesOf(mark, marks, asControl));
                foreach (string text in (string[])[one, one + (two.Length > 0 ? "\n" + two : ""), "<think>Is it \"cold\"? {</think>\n\n" + one])
                {
                    Assert.True(grammar.AfterTokens(Bytes(text, marks, asControl), new CounterRandom(1, 1)) is { MayEnd: true }, $"{marks}: {text}");
                    Assert.Contains(Read(marks, text), part => part is AnswerPart.Called);
                    Assert.DoesNotContain(Read(marks, text), part => part is AnswerPart.Said);
                }

                Assert.False(grammar.Start.MayEnd);
                Assert.Null(grammar.After(grammar.Start, "I would"u8));
                Assert.False(grammar.Accepts(Bytes(one.Replace("weather", "nothing", StringComparison.Ordinal).Replace("now", "nothing", StringComparison.Ordinal).Replace("loose", "nothing", StringComparison.Ordinal), marks, asControl)));
                if (one.Contains("weather", StringComparison.Ordinal)) Assert.False(grammar.Accepts(Bytes(one.Replace("days", "hours", StringComparison.Ordinal), marks, asControl)));
            }
        }
    }

    [Fact]
    public void Text_stays_free_around_calls_that_must_be_right()
    {
        foreach (var (marks, one, two) in _notations.Where(notation => notation.Marks.Open.Length > 0))
        {
            foreach (bool asControl in (bool[])[false, true])
            {
                var form = new AnswerForm(null, new CallsForm(marks, _tools, Required: false, Several: true), null);
                var grammar = new TestGrammar(form, bytesOfMark: mark => BytesOf(mark, marks, asControl));
                foreach (string text in (string[])["", "Žádné volání.", "<tool <|tool [TOOL_ <<", "Let me see. " + one + " And " + one + two + "."])
                    Assert.True(grammar.AfterTokens(Bytes(text, marks, asControl), new CounterRandom(2, 1)) is { MayEnd: true }, $"{marks}: {text}");
                Assert.False(grammar.Accepts(Bytes("See " + marks.Open + "nothing", marks, asControl)));
                Assert.Null(grammar.After(grammar.Start, Bytes("See " + marks.Open + "nothing", marks, asControl)));
            }
        }
    }

    [Fact]
    public void At_most_one_call_is_made_where_only_one_is_allowed()
    {
        var (marks, one, two) = _notations[0];
        var free = new TestGrammar(new AnswerForm(null, new CallsForm(marks, _tools, Required: false, Several: false), null));
        Assert.True(free.Accepts("Hm. " + one));
        Assert.False(free.Accepts("Hm. " + one + two));
        var forced = new TestGrammar(new AnswerForm(null, new CallsForm(marks, _tools, Required: true, Several: false), null));
        Assert.True(forced.Accepts(one));
        Assert.False(forced.Accepts(one + two));
    }

    [Theory]
    [InlineData("{\"a\":1}", true)]
    [InlineData("<think>any \u0001 thing <</think>\n{\"a\":1}", true)]
    [InlineData("<think></think>{\"a\":1}", true)]
    [InlineData("<think>never ended {\"a\":1}", false)]
    [InlineData("<think></think>{\"a\":1}<think>", false)]
    [InlineData("x</think>{\"a\":1}", false)]
    [InlineData("<tool_call>{\"name\":\"now\",\"arguments\":{}}</tool_call>", true)]
    public void A_value_comes_behind_reasoning_or_instead_of_calls(string text, bool accepted)
    {
        var form = new AnswerForm(new Grammar.JsonObject(), new CallsForm(_notations[0].Marks, _tools, Required: false, Several: true), new ReasoningForm("<think>", "</think>", IsOpen: false));
        Assert.Equal(accepted, new TestGrammar(form).Accepts(text));
        var opened = form with { Reasoning = form.Reasoning! with { IsOpen = true } };
        if (text.StartsWith("<think>", StringComparison.Ordinal)) Assert.Equal(accepted, new TestGrammar(opened).Accepts(text["<think>".Length..]));
        else Assert.False(new TestGrammar(opened).Accepts(text) && accepted);
    }

    [Fact]
    public void Marks_inside_of_a_value_are_text()
    {
        var format = new AnswerFormat(("<think>", "</think>"), [_notations[0].Marks]);
        const string value = "{\"a\":\"<think>b</think> <tool_call>{}</tool_call>\"}";
        for (int cut = 1; cut < value.Length; cut++)
        {
            var parts = new List<AnswerPart>();
            var reader = new AnswerReader(format, thinks: false, settles: true);
            foreach (string piece in (string[])["<think>hm</think>\n\n", value[..cut], value[cut..]]) reader.Push(piece, parts);
            reader.Finish(parts);
            Assert.Equal("hm", string.Concat(parts.OfType<AnswerPart.Thought>().Select(part => part.Value)));
            Assert.Equal(value, string.Concat(parts.OfType<AnswerPart.Said>().Select(part => part.Value)));
        }
    }

    private static List<AnswerPart> Read(CallMarks marks, string text)
    {
        var parts = new List<AnswerPart>();
        var reader = new AnswerReader(new AnswerFormat(("<think>", "</think>"), [marks]), thinks: false);
        reader.Push(text, parts);
        reader.Finish(parts);
        return parts;
    }

    private static string[] MarksOf(CallMarks marks) => [.. new[] { marks.Open, marks.Close ?? "", AnswerFormat.ArgumentsMark, "</think>" }.Where(mark => mark.Length > 0)];

    private static byte[] BytesOf(string mark, CallMarks marks, bool asControl) =>
        asControl && Array.IndexOf(MarksOf(marks), mark) is var id and >= 0 ? TokenTrie.BytesOfControl(256 + id) : Encoding.UTF8.GetBytes(mark);

    private static byte[] Bytes(string text, CallMarks marks, bool asControl)
    {
        var bytes = new List<byte>();
        for (int at = 0; at < text.Length;)
        {
            string? mark = asControl ? MarksOf(marks).FirstOrDefault(mark => string.CompareOrdinal(text, at, mark, 0, mark.Length) == 0) : null;
            if (mark is not null)
            {
                bytes.AddRange(BytesOf(mark, marks, asControl));
                at += mark.Length;
                continue;
            }

            int length = char.IsHighSurrogate(text[at]) ? 2 : 1;
            bytes.AddRange(Encoding.UTF8.GetBytes(text.Substring(at, length)));
            at += length;
        }

        return [.. bytes];
    }
}
