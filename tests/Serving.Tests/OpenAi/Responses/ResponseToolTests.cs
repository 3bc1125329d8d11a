using System.Text.Json;
using OpenEuroLLM.Inference;
using static OpenEuroLLM.Serving.Tests.OpenAi.Responses.ResponseEvents;

namespace OpenEuroLLM.Serving.Tests.OpenAi.Responses;

/// <summary>Items as turns: calls, outputs, thoughts and references.</summary>
public sealed class ResponseToolTests : IAsyncLifetime
{
    private const string Weather = """{"type":"function","name":"weather","description":"Počasí","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}""";

    private readonly ScriptedEngine engine = new() { Info = new ScriptedEngine().Info with { SupportsTools = true, SupportsReasoning = true } };
    private RunningServer server = null!;

    public async ValueTask InitializeAsync() => server = await RunningServer.StartAsync(engine);

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task Calls_and_their_outputs_go_to_the_model_and_back()
    {
        var answer = engine.Script;
        engine.Script = (_, _) => ScriptedEngine.Events(
            new GenerationEvent.Reasoning(0, "Kde?"), new GenerationEvent.Text(0, "Podívám se."),
            new GenerationEvent.ToolCall(0, "call_1", "weather", """{"city":"Brno"}"""), new GenerationEvent.ToolCall(0, "call_2", "weather", """{"city":"Praha"}"""),
            new GenerationEvent.Finished(0, FinishReason.Stop, new Usage(5, 5)));
        JsonElement first = await server.RespondAsync($$"""{"model":"test-model","input":"Počasí?","tools":[{{Weather}}],"tool_choice":"auto"}""");
        engine.Script = answer;

        Assert.Equal("""[{"type":"function","name":"weather","description":"Počasí","parameters":{"type":"object","properties":{"city":{"type":"string"}}},"strict":false}]""", first.GetProperty("tools").GetRawText());
        const string outputs = """{"type":"function_call_output","call_id":"call_2","output":"slunce"},{"type":"function_call_output","call_id":"call_1","output":[{"type":"input_text","text":"dé"},{"type":"input_text","text":"šť"}]}""";
        JsonElement chained = await server.RespondAsync($$"""{"model":"test-model","previous_response_id":"{{IdOf(first)}}","input":[{{outputs}}],"tools":[{{Weather}}]}""");
        string items = first.GetProperty("output").GetRawText()[1..^1];
        await server.RespondAsync($$"""{"model":"test-model","input":[{"role":"user","content":"Počasí?"},{{items}},{{outputs}}],"tools":[{{Weather}}]}""");
        string references = string.Join(',', first.GetProperty("output").EnumerateArray().Select(item => $$"""{"type":"item_reference","id":"{{IdOf(item)}}"}"""));
        await server.RespondAsync($$"""{"model":"test-model","input":[{"role":"user","content":"Počasí?"},{{references}},{{outputs}}],"tools":[{{Weather}}]}""");

        Assert.Equal(IdOf(first), chained.GetProperty("previous_response_id").GetString());
        GenerationInput.Messages[] inputs = [.. engine.Requests.Select(request => (GenerationInput.Messages)request.Input)];
        foreach (GenerationInput.Messages input in inputs[1..])
        {
            Assert.Equal(["user", "assistant", "tool", "tool"], input.Items.Select(message => message.Role));
            ChatMessage assistant = input.Items[1];
            Assert.Equal(("Podívám se.", "Kde?"), (assistant.Content, assistant.Reasoning));
            Assert.Equal([new ToolCall("call_1", "weather", """{"city":"Brno"}"""), new ToolCall("call_2", "weather", """{"city":"Praha"}""")], assistant.ToolCalls!);
            Assert.Equal([("slunce", "call_2", "weather"), ("déšť", "call_1", "weather")], input.Items.Skip(2).Select(message => (message.Content, message.ToolCallId, message.Name)));
            Assert.Equal("weather", Assert.Single(input.Tools!).Name);
        }
    }

    [Fact]
    public async Task Tools_are_not_shown_when_none_may_be_called()
    {
        JsonElement response = await server.RespondAsync($$"""{"model":"test-model","input":"a","tools":[{{Weather}}],"tool_choice":"none"}""");

        Assert.Null(((GenerationInput.Messages)engine.Requests.Single().Input).Tools);
        Assert.Equal("none", response.GetProperty("tool_choice").GetString());
        Assert.Equal(1, response.GetProperty("tools").GetArrayLength());
    }

    [Fact]
    public async Task Messages_of_the_assistant_in_a_row_stay_apart_and_developers_are_the_system()
    {
        await server.RespondAsync(
            """
            {"model":"test-model","input":[{"role":"developer","content":"a"},{"type":"message","role":"assistant","content":[{"type":"output_text","text":"b","annotations":[]}],"id":"msg_1","status":"completed"},
            {"role":"assistant","content":"c"},{"role":"user","content":[{"type":"input_text","text":"d"},{"type":"input_text","text":"e"}]}]}
            """);

        Assert.Equal([new ChatMessage("system", "a"), new ChatMessage("assistant", "b"), new ChatMessage("assistant", "c"), new ChatMessage("user", "de")],
            ((GenerationInput.Messages)engine.Requests.Single().Input).Items);
    }

    [Fact]
    public async Task A_model_whose_template_shows_no_tools_refuses_them()
    {
        await using RunningServer plain = await RunningServer.StartAsync(new ScriptedEngine());

        ReceivedError tools = await plain.ErrorAsync($$"""{"model":"test-model","input":"a","tools":[{{Weather}}]}""");
        ReceivedError effort = await plain.ErrorAsync("""{"model":"test-model","input":"a","reasoning":{"effort":"high"}}""");

        Assert.Equal((400, "unsupported_parameter", "tools"), (tools.Status, tools.Code, tools.Field));
        Assert.Equal((400, "unsupported_parameter", "reasoning.effort"), (effort.Status, effort.Code, effort.Field));
    }
}
