namespace OpenEuroLLM.Inference.Tests;

/// <summary>Answers as the publishers of models document them, in our own words, read by the format that the published template shows.</summary>
public sealed class PublishedAnswerTests
{
    private const string Call = "{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Łódź\"}}", Made = "call get_weather {\"city\": \"Łódź\"}";
    private const string Parameters = "{\"name\": \"get_weather\", \"parameters\": {\"city\": \"Łódź\"}}";

    // The name of a published template without '.jinja', what its model answers, and what is read.
    public static TheoryData<string, string, string> Answers => new()
    {
        { "Qwen-Qwen2.5-7B-Instruct", "<tool_call>\n" + Call + "\n</tool_call>", Made },
        { "Qwen-Qwen3-0.6B", "<think>\nI look.\n</think>\n\n<tool_call>\n" + Call + "\n</tool_call>\n<tool_call>\n" + Call + "\n</tool_call>", "think I look.|" + Made + "|" + Made },
        { "Qwen-QwQ-32B", "<think>\nI look.\n</think>\n\nCold.", "think I look.|say Cold." },
        { "meta-llama-Llama-3.1-8B-Instruct", Parameters, Made },
        { "meta-llama-Llama-3.1-8B-Instruct", "<|python_tag|>" + Parameters, Made },
        { "meta-llama-Llama-3.2-3B-Instruct", Parameters, Made },
        { "meta-llama-Llama-3.3-70B-Instruct", "{\"type\": \"function\", \"name\": \"get_weather\", \"parameters\": {\"city\": \"Łódź\"}}", Made },
        { "mistralai-Mistral-Nemo-Instruct-2407", "[TOOL_CALLS][{\"name\": \"f\", \"arguments\": {}, \"id\": \"abcdef012\"}]", "call#abcdef012 f {}" },
        { "Mistral-Small-3.2-24B-Instruct-2506", "[TOOL_CALLS]f[CALL_ID]abcdef012[ARGS]{\"a\": 1}", "call#abcdef012 f {\"a\": 1}" },
        { "unsloth-mistral-Devstral-Small-2507", "Done.[TOOL_CALLS]f[ARGS]{\"a\": 1}[TOOL_CALLS]g[ARGS]{}", "say Done.|call f {\"a\": 1}|call g {}" },
        { "mistralai-Ministral-3-14B-Reasoning-2512", "[THINK]I look.[/THINK][TOOL_CALLS]f[ARGS]{}", "think I look.|call f {}" },
        { "Apertus-8B-Instruct", "<|inner_prefix|>I look.<|tools_prefix|>[{\"f\": {\"a\": 1}}]<|tools_suffix|>Then.<|inner_suffix|>Cold.", "think I look.|call f {\"a\": 1}|think Then.|say Cold." },
        { "Apertus-8B-Instruct", "<|tools_prefix|>[{\"f\": {\"a\": 1}}, {\"g\": {}}]<|tools_suffix|>", "call f {\"a\": 1}|call g {}" },
        { "HuggingFaceTB-SmolLM3-3B", "<think>\nI look.\n</think>\nCold.", "think I look.|say Cold." },
        { "Bielik-11B-v3.0-Instruct", "<think>I look.</think><tool_call>\n" + Call + "\n</tool_call>", "think I look.|" + Made },
        { "ollama-phi4-mini_3.8b", "<|tool_call|>[" + Call + "]<|/tool_call|>", Made },
        { "ollama-phi4-reasoning_14b", "<think>I look.</think>Cold.", "think I look.|say Cold." },
        { "ibm-granite-granite-3.3-2B-Instruct", "<|tool_call|>[" + Call + "]", Made },
        { "ibm-granite-granite-4.0", "<tool_call>\n" + Call + "\n</tool_call>", Made },
        { "NousResearch-Hermes-3-Llama-3.1-8B-tool_use", "<tool_call>\n" + Call + "\n</tool_call>", Made },
        { "deepseek-ai-DeepSeek-R1-Distill-Llama-8B", "<think>\nI look.\n</think>\n\nCold.", "think I look.|say Cold." },
        { "google-gemma-2-2b-it", "<think>plain", "say <think>plain" },
        { "olmo3-think", "<think>I look.</think>\n<function_calls>f(a=1)</function_calls>", "think I look.|call f {\"a\":1}" },
        { "ollama-olmo2_7b", "<tool_call>plain", "say <tool_call>plain" },
        { "microsoft-Phi-3.5-mini-instruct", "{\"name\": \"plain\"}", "say {\"name\": \"plain\"}" },
    };

    [Theory, MemberData(nameof(Answers))]
    public void Documented_answers_are_read_by_the_format_of_the_published_template(string name, string answer, string expected)
    {
        string? folder = Environment.GetEnvironmentVariable("OELLM_PUBLISHED_TEMPLATES");
        Assert.SkipWhen(folder is null, "needs a folder of published templates in OELLM_PUBLISHED_TEMPLATES");
        string file = Path.Combine(folder!, name + ".jinja");
        Assert.SkipUnless(File.Exists(file), $"{folder} has no {name}.jinja");
        var format = AnswerFormat.Of(File.ReadAllText(file));
        Assert.Equal(expected, AnswerReaderTests.Read(format, [answer]));
        Assert.Equal(expected, AnswerReaderTests.Read(format, answer.Select(unit => unit.ToString())));
    }
}
