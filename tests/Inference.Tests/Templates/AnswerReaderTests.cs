using OpenEuroLLM.Core;

namespace OpenEuroLLM.Inference.Tests;

public sealed class AnswerReaderTests
{
    private static AnswerFormat FormatOf(string family) => AnswerFormat.Of(File.ReadAllText(Path.Combine(TemplateFiles.Folder, "Families", family + ".jinja")));

    // One line per event, neighbours of one kind joined: 'say', 'think' or 'call NAME ARGUMENTS'.
    internal static string Read(AnswerFormat format, IEnumerable<string> pieces, bool thinks = false)
    {
        var reader = new AnswerReader(format, thinks);
        var parts = new List<AnswerPart>();
        foreach (string piece in pieces) reader.Push(piece, parts);
        reader.Finish(parts);
        var told = new List<(string Kind, string Text)>();
        foreach (var part in parts)
        {
            var (kind, text) = part switch
            {
                AnswerPart.Said said => ("say", said.Value),
                AnswerPart.Thought thought => ("think", thought.Value),
                AnswerPart.Called call => ($"call{(call.Id is null ? "" : "#" + call.Id)} {call.Name}", call.Arguments),
                _ => ("", ""),
            };
            Assert.True(text.Length > 0);
            if (part is not AnswerPart.Called && told.Count > 0 && told[^1].Kind == kind) told[^1] = (kind, told[^1].Text + text);
            else told.Add((kind, text));
        }
        return string.Join('|', told.Select(part => part.Kind + " " + part.Text));
    }

    public static TheoryData<string, string, string> Answers => new()
    {
        { "qwen3", "Hello", "say Hello" },
        { "qwen3", "<think>\nhm\n</think>\n\nFour.", "think hm|say Four." },
        { "qwen3", "<think>\n\n</think>\n\nFour.", "say Four." },
        { "qwen3", "<think>never ends", "think never ends" },
        { "qwen3", "a < b <thin", "say a < b <thin" },
        { "qwen3", "I look.\n<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": [1, \"</tool_call>\"]}}\n</tool_call>", "say I look.|call f {\"a\": [1, \"</tool_call>\"]}" },
        { "qwen3", "<tool_call>{\"name\": \"f\", \"arguments\": {}}</tool_call>\n<tool_call>{\"name\": \"g\", \"arguments\": {}}</tool_call>", "call f {}|call g {}" },
        { "qwen3", "<think>t</think><tool_call>\n{\"name\": \"f\", \"arguments\": {}}\n</tool_call>\nDone", "think t|call f {}|say Done" },
        { "qwen3", "<tool_call>\n{\"name\": \"f\", \"arguments\": {}}", "call f {}" },
        { "qwen3", "<tool_call>\n{\"name\": \"f\", \"argum", "say <tool_call>\n{\"name\": \"f\", \"argum" },
        { "qwen3", "<tool_call>not json</tool_call>", "say <tool_call>not json</tool_call>" },
        { "qwen3", "<tool_call>{\"name\": 1}</tool_call> x", "say <tool_call>{\"name\": 1}</tool_call> x" },
        { "qwen3", "<tool_call>x<tool_call>{\"name\": \"f\", \"arguments\": {}}</tool_call>", "say <tool_call>x|call f {}" },
        { "qwen3", "<tool_call>{\"name\": \"f\", \"arguments\": \"{\\\"a\\\": 1}\"}</tool_call>", "call f {\"a\": 1}" },
        { "qwen3", "<tool_call>{\"name\": \"f\", \"arguments\": [1]}</tool_call>", "say <tool_call>{\"name\": \"f\", \"arguments\": [1]}</tool_call>" },
        { "qwen2.5", "\n\nkept\n\n", "say \n\nkept\n\n" },
        { "openeurollm", "<tool_call>{\"name\":\"f\",\"arguments\":{\"s\":\"ł}\\\"\"}}</tool_call>", "call f {\"s\":\"ł}\\\"\"}" },
        { "smollm3", "<think>a</think>\n<tool_call>{\"name\": \"f\", \"arguments\": {}}</tool_call>", "think a|call f {}" },
        { "smollm3", "<code>f(a=1, b='x')</code>", "call f {\"a\":1,\"b\":\"x\"}" },
        { "llama3.1", "{\"name\": \"f\", \"parameters\": {\"a\": 1}}", "call f {\"a\": 1}" },
        { "llama3.1", " \n{\"name\": \"f\", \"parameters\": null}", "call f {}" },
        { "llama3.1", "<|python_tag|>{\"name\": \"f\", \"parameters\": {}}", "call f {}" },
        { "llama3.1", "{\"answer\": 4}", "say {\"answer\": 4}" },
        { "llama3.1", "{\"name\": \"f\", ", "say {\"name\": \"f\", " },
        { "llama3.1", "Use {\"name\": \"f\", \"parameters\": {}}", "say Use {\"name\": \"f\", \"parameters\": {}}" },
        { "llama3.2", "{}", "say {}" },
        { "mistral-v3", "[TOOL_CALLS] [{\"name\": \"f\", \"arguments\": {\"a\": 1}, \"id\": \"abcdEF123\"}, {\"name\": \"g\", \"arguments\": {}}]", "call#abcdEF123 f {\"a\": 1}|call g {}" },
        { "mistral-v3", "[TOOL_CALLS] [{\"name\": \"f\"}]", "say [TOOL_CALLS] [{\"name\": \"f\"}]" },
        { "mistral-v3", "[TOOL_CALLS] []", "say [TOOL_CALLS] []" },
        { "mistral-tekken", "I call[TOOL_CALLS]f[ARGS]{\"a\": 1}[TOOL_CALLS]g[CALL_ID]abc[ARGS]{}", "say I call|call f {\"a\": 1}|call#abc g {}" },
        { "mistral-tekken", "[TOOL_CALLS][{\"name\": \"f\", \"arguments\": {}}]", "call f {}" },
        { "mistral-tekken", "[TOOL_CALLS]f and nothing", "say [TOOL_CALLS]f and nothing" },
        { "apertus", "<|tools_prefix|>[{\"f\": {\"a\": 1}}, {\"g\": {}}]<|tools_suffix|>", "call f {\"a\": 1}|call g {}" },
        { "apertus", "<|tools_prefix|>[{\"f\": {}, \"g\": {}}]<|tools_suffix|>", "say <|tools_prefix|>[{\"f\": {}, \"g\": {}}]<|tools_suffix|>" },
        { "apertus", "<|inner_prefix|>a<|tools_prefix|>[{\"f\": {}}]<|tools_suffix|>b<|inner_suffix|>c", "think a|call f {}|think b|say c" },
        { "apertus", "<|inner_prefix|>a<|tools_prefix|>[{\"f\": {}}]", "think a|call f {}" },
        { "apertus", "<|inner_prefix|>a<|tools_prefix|>no<|inner_suffix|>c", "think a<|tools_prefix|>no|say c" },
        { "apertus", "a<|tools_prefix|>[{\"f\": {}}]<|tools_suffix|>c", "say a|call f {}|say c" },
        { "qwen3", "<think>a<tool_call>\n{\"name\": \"f\", \"arguments\": {}}\n</tool_call></think>b", "think a<tool_call>\n{\"name\": \"f\", \"arguments\": {}}\n</tool_call>|say b" },
        { "olmo3", "<function_calls>\nget_weather(city='Łódź', days=2, x=None, l=[1, 2.5, {'k': \"v\"}], t=True)\nnow()\n</function_calls>", "call get_weather {\"city\":\"Łódź\",\"days\":2,\"x\":null,\"l\":[1,2.5,{\"k\":\"v\"}],\"t\":true}|call now {}" },
        { "olmo3", "<function_calls>[f(a=1), g(b=\"q\\\"\\n\")]</function_calls>", "call f {\"a\":1}|call g {\"b\":\"q\\\"\\n\"}" },
        { "olmo3", "<function_calls>__import__('os').system('x')</function_calls>", "say <function_calls>__import__('os').system('x')</function_calls>" },
        { "olmo3", "<function_calls>f(1)</function_calls>", "say <function_calls>f(1)</function_calls>" },
        { "olmo3", "<function_calls>f(a=b)</function_calls>", "say <function_calls>f(a=b)</function_calls>" },
        { "olmo3", "<function_calls>f(a=1)", "call f {\"a\":1}" },
        { "phi4-mini", "functools[{\"name\": \"f\", \"arguments\": {\"a\": 1}}]", "call f {\"a\": 1}" },
        { "phi4-mini", "Use functools in Python.", "say Use functools in Python." },
        { "phi4-mini-system", "<|tool_call|>[{\"name\": \"f\", \"arguments\": {\"a\": 1}}, {\"name\": \"g\", \"arguments\": {}}]<|/tool_call|>", "call f {\"a\": 1}|call g {}" },
        { "phi4-mini-system", "functools[{\"name\": \"f\", \"arguments\": {}}]", "call f {}" },
        { "phi4-mini-system", "<|tool_call|>none<|/tool_call|>", "say <|tool_call|>none<|/tool_call|>" },
        { "gemma3", "<think>x</think>", "say <think>x</think>" },
    };

    [Theory, MemberData(nameof(Answers))]
    public void Answers_are_read_by_the_marks_of_their_family(string family, string answer, string expected)
    {
        var format = FormatOf(family);
        Assert.Equal(expected, Read(format, [answer]));
        Assert.Equal(expected, Read(format, answer.Select(unit => unit.ToString())));
    }

    [Theory, MemberData(nameof(Answers))]
    public void However_an_answer_is_cut_its_events_are_the_same(string family, string answer, string expected)
    {
        var format = FormatOf(family);
        var random = new CounterRandom(7, (ulong)answer.Length);
        ulong index = 0;
        for (int round = 0; round < 50; round++)
        {
            var pieces = new List<string>();
            for (int at = 0; at < answer.Length;)
            {
                int length = Math.Min(answer.Length - at, 1 + (int)random.Below(index++, 12));
                pieces.Add(answer.Substring(at, length));
                at += length;
            }
            Assert.Equal(expected, Read(format, pieces));
        }
    }

    [Fact]
    public void Random_sequences_of_marks_and_text_give_the_same_events_however_they_are_cut_and_lose_nothing()
    {
        string[] bits = ["<think>", "</think>", "<tool_call>", "</tool_call>", "{\"name\": \"f\", \"arguments\": {}}", "{", "}", "[", "]", "\"", "\\", "\n", "\n\n", " ", "a", "ł", "<", "<t", "</", "<tool_", "think>"];
        var format = FormatOf("qwen3");
        var random = new CounterRandom(11, 0);
        ulong index = 0;
        for (int round = 0; round < 2000; round++)
        {
            string answer = string.Concat(Enumerable.Range(0, 1 + (int)random.Below(index++, 14)).Select(_ => bits[random.Below(index++, (uint)bits.Length)]));
            bool thinks = random.Below(index++, 4) == 0;
            string whole = Read(format, [answer], thinks);
            Assert.Equal(whole, Read(format, answer.Select(unit => unit.ToString()), thinks));
            Assert.Equal(answer.Count(unit => unit == 'ł'), Kept(whole).Count(unit => unit == 'ł'));
        }

        // Without the words that the joined events are shown with.
        static string Kept(string shown) => string.Concat(shown.Split('|').Select(part => part.StartsWith("say ", StringComparison.Ordinal) ? part[4..] : part.StartsWith("think ", StringComparison.Ordinal) ? part[6..] : ""));
    }

    [Fact]
    public void A_prompt_that_opens_the_reasoning_begins_in_it() =>
        Assert.Equal("think a|say b", Read(FormatOf("olmo3"), ["a</think>", "\n\nb"], thinks: true));

    [Fact]
    public void A_call_without_an_end_is_bounded_and_comes_out_as_text()
    {
        var reader = new AnswerReader(FormatOf("qwen3"), thinks: false);
        var parts = new List<AnswerPart>();
        reader.Push("<tool_call>{\"name\": \"", parts);
        for (int i = 0; i < 300; i++) reader.Push(new string('x', 1024), parts);
        Assert.NotEmpty(parts);
        reader.Finish(parts);
        Assert.Equal(300 * 1024 + "<tool_call>{\"name\": \"".Length, parts.Sum(part => ((AnswerPart.Said)part).Value.Length));
    }

    [Fact]
    public void A_family_without_marks_is_plain()
    {
        Assert.True(AnswerFormat.Of(ChatTemplate.Text).IsPlain);
        Assert.True(FormatOf("gemma2").IsPlain);
    }

    [Fact]
    public void Events_of_an_engine_become_reasoning_and_calls_with_ids_that_repeat()
    {
        using var folder = new TestFolder();
        List<GenerationEvent> Read()
        {
            var answers = new ChatAnswers(FormatOf("qwen3"), folder.Tokenizer, [1, 2, 3], 2);
            GenerationEvent[] events = [new GenerationEvent.Token(1, 5), new GenerationEvent.Text(1, "<think>a</think>b<tool_call>{\"name\": \"f\", \"argum"),
                new GenerationEvent.Text(0, "plain"), new GenerationEvent.Text(1, "ents\": {}}</tool_call>"), new GenerationEvent.Finished(1, FinishReason.Stop, new Usage(3, 4))];
            return [.. events.SelectMany(answers.Read)];
        }
        var told = Read();
        Assert.Equal(told, Read());
        var call = Assert.Single(told.OfType<GenerationEvent.ToolCall>());
        Assert.Equal((1, "f", "{}", 9), (call.Choice, call.Name, call.Arguments, call.Id.Length));
        Assert.Equal(new GenerationEvent.Reasoning(1, "a"), told[1]);
        Assert.IsType<GenerationEvent.Finished>(told[^1]);
    }
}
