using System.Text.Json;
using Microsoft.Extensions.AI;
using OpenEuroLLM.Inference;
using ChatMessage = Microsoft.Extensions.AI.ChatMessage;

namespace OpenEuroLLM.Chat.Tests;

public sealed class RequestTranslationTests
{
    private static readonly ModelInfo Model = new("test", new Lazy<string>(""), 100, 100, CanChat: true, new Sampling(Temperature: 0.6, TopK: 20));

    private static GenerationInput.Messages Of(ChatOptions? options, params ChatMessage[] messages) =>
        Assert.IsType<GenerationInput.Messages>(RequestTranslation.Of(messages, options, Model).Input);

    [Fact]
    public void A_call_and_its_results_become_turns()
    {
        var input = Of(null,
            new ChatMessage(ChatRole.User, "Weather in Rīga and Valletta?"),
            new ChatMessage(ChatRole.Assistant,
            [
                new TextReasoningContent("Two calls."),
                new FunctionCallContent("a", "weather", new Dictionary<string, object?> { ["city"] = "Rīga", ["days"] = 2 }),
                new FunctionCallContent("b", "weather", new Dictionary<string, object?> { ["city"] = JsonDocument.Parse("\"Valletta\"").RootElement }),
            ]),
            new ChatMessage(ChatRole.Tool, [new FunctionResultContent("a", "rain"), new FunctionResultContent("b", JsonDocument.Parse("{\"sky\":\"blue\"}").RootElement)]));
        Assert.Equal(["user", "assistant", "tool", "tool"], input.Items.Select(turn => turn.Role));
        Assert.Equal("Two calls.", input.Items[1].Reasoning);
        Assert.Equal([("a", "weather"), ("b", "weather")], input.Items[1].ToolCalls!.Select(call => (call.Id, call.Name)));
        Assert.Equal("Rīga", JsonDocument.Parse(input.Items[1].ToolCalls![0].Arguments).RootElement.GetProperty("city").GetString());
        Assert.Equal(2, JsonDocument.Parse(input.Items[1].ToolCalls![0].Arguments).RootElement.GetProperty("days").GetInt32());
        Assert.Equal([("a", "rain"), ("b", "{\"sky\":\"blue\"}")], input.Items.Skip(2).Select(turn => (turn.ToolCallId!, turn.Content)));
    }

    [Fact]
    public void Functions_are_shown_with_their_schema_and_none_hides_them()
    {
        var function = AIFunctionFactory.Create((string city) => city, "weather", "Tells the weather.");
        var tool = Assert.Single(Of(new ChatOptions { Tools = [function] }, new ChatMessage(ChatRole.User, "?")).Tools!);
        Assert.Equal(("weather", "Tells the weather."), (tool.Name, tool.Description));
        Assert.True(JsonDocument.Parse(tool.Parameters!).RootElement.GetProperty("properties").TryGetProperty("city", out _));
        Assert.Null(Of(new ChatOptions { Tools = [function], ToolMode = ChatToolMode.None }, new ChatMessage(ChatRole.User, "?")).Tools);
        Assert.Throws<NotSupportedException>(() => Of(new ChatOptions { Tools = [function], ToolMode = ChatToolMode.RequireAny }, new ChatMessage(ChatRole.User, "?")));
    }

    [Fact]
    public void Settings_that_are_left_out_are_the_models_own()
    {
        var plain = RequestTranslation.Of([new ChatMessage(ChatRole.User, "?")], new ChatOptions(), Model).Sampling!;
        Assert.Equal((0.6, 20, 1.0), (plain.Temperature, plain.TopK, plain.TopP));
        var set = RequestTranslation.Of([new ChatMessage(ChatRole.User, "?")], new ChatOptions
        {
            Temperature = 0.25f,
            TopK = 5,
            TopP = 0.5f,
            Seed = 9,
            PresencePenalty = 1,
            FrequencyPenalty = 0.5f,
            MaxOutputTokens = 3,
            StopSequences = ["."],
            Instructions = "Be brief.",
            AdditionalProperties = new() { ["min_p"] = 0.125, ["repetition_penalty"] = 1.5f, ["template_arguments"] = "{\"enable_thinking\":false}" },
        }, Model);
        Assert.Equal(new Sampling(0.25, 5, 0.5, 1.5, 9, MinP: 0.125, PresencePenalty: 1, FrequencyPenalty: 0.5), set.Sampling);
        Assert.Equal((3, "."), (set.MaxTokens!.Value, Assert.Single(set.Stop!)));
        var input = Assert.IsType<GenerationInput.Messages>(set.Input);
        Assert.Equal(("system", "Be brief.", "{\"enable_thinking\":false}"), (input.Items[0].Role, input.Items[0].Content, input.TemplateArguments));
    }

    [Fact]
    public void Arguments_of_a_call_come_back_as_json() =>
        Assert.Equal("Rīga", ((JsonElement)RequestTranslation.Arguments("{\"city\":\"Rīga\"}")["city"]!).GetString());
}
