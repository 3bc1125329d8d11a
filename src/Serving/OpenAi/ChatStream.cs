using System.Text.Json;
using Microsoft.AspNetCore.Http;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.OpenAi;

/// <summary>A chat completion as chunks.</summary>
internal sealed class ChatStream(HttpResponse response, ChatRequest request, ChatAnswer answer) : IAnswerStream
{
    private readonly EventStream events = new(response);
    private readonly Answers answers = new(request.Generation.Choices);
    private readonly int[] scored = new int[request.Generation.Choices];

    public async Task BeginAsync()
    {
        await events.StartAsync().ConfigureAwait(false);
        for (int choice = 0; choice < answers.Count; choice++)
        {
            int index = choice;
            await events.SendAsync(json => answer.WriteChunk(json, index, request.IncludeUsage, delta =>
            {
                delta.WriteString("role", "assistant");
                delta.WriteString("content", "");
            })).ConfigureAwait(false);
        }
    }

    public async Task SendAsync(GenerationEvent happened)
    {
        answers.Add(happened);
        switch (happened)
        {
            case GenerationEvent.Text text:
                await SendAsync(text.Choice, delta => delta.WriteString("content", text.Value)).ConfigureAwait(false);
                break;
            case GenerationEvent.Reasoning thought:
                await SendAsync(thought.Choice, delta => delta.WriteString("reasoning_content", thought.Value)).ConfigureAwait(false);
                break;
            case GenerationEvent.ToolCall call:
                int index = answers[call.Choice].Calls.Count - 1;
                // Clients expect a first fragment with the name, and arguments from the second on.
                await SendAsync(call.Choice, delta => WriteFragment(delta, index, () => ChatAnswer.WriteCall(delta, call, ""))).ConfigureAwait(false);
                await SendAsync(call.Choice, delta => WriteFragment(delta, index, () =>
                {
                    delta.WriteStartObject("function");
                    delta.WriteString("arguments", call.Arguments);
                    delta.WriteEndObject();
                })).ConfigureAwait(false);
                break;
            case GenerationEvent.Finished:
                await SendAsync(happened.Choice, delta: null, ChatAnswer.ReasonOf(answers[happened.Choice])).ConfigureAwait(false);
                break;
        }
    }

    public Task PingAsync() => events.PingAsync();

    public async Task EndAsync()
    {
        answers.Usage(); // an engine that left an answer open is a defect, whether or not somebody asked for counts
        if (request.IncludeUsage) await events.SendAsync(json => answer.WriteUsageChunk(json, answers)).ConfigureAwait(false);
        await events.DoneAsync().ConfigureAwait(false);
    }

    public Task FailAsync(ApiError error) => events.SendAsync(json => OpenAiError.Write(json, error));

    private Task SendAsync(int choice, Action<Utf8JsonWriter>? delta, string? reason = null)
    {
        IEnumerable<GenerationEvent.Token>? certain = null;
        if (request.Generation.Logprobs is not null)
        {
            Answer whole = answers[choice];
            certain = whole.Scored[scored[choice]..whole.Certain];
            scored[choice] = whole.Certain;
        }
        return events.SendAsync(json => answer.WriteChunk(json, choice, request.IncludeUsage, delta, certain, reason));
    }

    private static void WriteFragment(Utf8JsonWriter delta, int index, Action write)
    {
        delta.WriteStartArray("tool_calls");
        delta.WriteStartObject();
        delta.WriteNumber("index", index);
        write();
        delta.WriteEndObject();
        delta.WriteEndArray();
    }
}
