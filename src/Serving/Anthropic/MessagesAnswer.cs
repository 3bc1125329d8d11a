using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.Anthropic;

/// <summary>The JSON of one answer to <c>POST /v1/messages</c>.</summary>
internal sealed class MessagesAnswer(ModelInfo model)
{
    private readonly string id = "msg_" + RandomNumberGenerator.GetHexString(24, lowercase: true);

    /// <summary>Writes the whole answer: what was thought, what was said, the calls.</summary>
    public void Write(Utf8JsonWriter json, Answer answer)
    {
        Begin(json);
        if (answer.Reasoning.Length > 0) WriteBlock(json, "thinking", block => WriteThinking(block, answer.Reasoning.ToString()));
        if (answer.Text.Length > 0) WriteBlock(json, "text", block => block.WriteString("text", answer.Text.ToString()));
        foreach (GenerationEvent.ToolCall call in answer.Calls)
        {
            WriteBlock(json, "tool_use", block =>
            {
                WriteCall(block, call);
                block.WritePropertyName("input");
                block.WriteRawValue(call.Arguments);
            });
        }
        json.WriteEndArray();
        WriteEnd(json, answer);
        json.WriteStartObject("usage");
        WriteUsage(json, answer.End!.Usage);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>Writes the answer as it is before anything was said.</summary>
    public void WriteEmpty(Utf8JsonWriter json, int promptTokens)
    {
        Begin(json);
        json.WriteEndArray();
        json.WriteNull("stop_reason");
        json.WriteNull("stop_sequence");
        json.WriteStartObject("usage");
        WriteUsage(json, new Usage(promptTokens, 0));
        json.WriteEndObject();
        json.WriteEndObject();
    }

    public static void WriteEnd(Utf8JsonWriter json, Answer answer)
    {
        GenerationEvent.Finished end = answer.End!;
        json.WriteString("stop_reason", end switch
        {
            { Reason: FinishReason.Length } => "max_tokens",
            { StopText: not null } => "stop_sequence",
            _ => answer.Calls.Count > 0 ? "tool_use" : "end_turn",
        });
        json.WriteString("stop_sequence", end.StopText);
    }

    /// <summary>The counts; tokens from the cache stand beside the others here, not among them.</summary>
    public static void WriteUsage(Utf8JsonWriter json, Usage usage)
    {
        json.WriteNumber("input_tokens", usage.PromptTokens - usage.CachedTokens);
        json.WriteNumber("cache_creation_input_tokens", 0);
        json.WriteNumber("cache_read_input_tokens", usage.CachedTokens);
        json.WriteNumber("output_tokens", usage.CompletionTokens);
    }

    /// <summary>The fields of a call but its input.</summary>
    public static void WriteCall(Utf8JsonWriter json, GenerationEvent.ToolCall call)
    {
        json.WriteString("id", call.Id);
        json.WriteString("name", call.Name);
        json.WriteStartObject("caller"); // the model itself, and no program that it wrote
        json.WriteString("type", "direct");
        json.WriteEndObject();
    }

    public static void WriteThinking(Utf8JsonWriter json, string text)
    {
        json.WriteString("thinking", text);
        json.WriteString("signature", ""); // nothing is encrypted here, so there is nothing to sign
    }

    private void Begin(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("id", id);
        json.WriteString("type", "message");
        json.WriteString("role", "assistant");
        json.WriteString("model", model.Name);
        json.WriteStartArray("content");
    }

    private static void WriteBlock(Utf8JsonWriter json, string type, Action<Utf8JsonWriter> write)
    {
        json.WriteStartObject();
        json.WriteString("type", type);
        write(json);
        json.WriteEndObject();
    }
}

/// <summary>An answer as Anthropic's sequence of events: the message, its blocks one after the other, its end.</summary>
/// <param name="context">The request.</param>
/// <param name="answer">The JSON.</param>
/// <param name="promptTokens">Tokens of the prompt, told before it is known how many of them the cache has.</param>
internal sealed class MessagesStream(HttpContext context, MessagesAnswer answer, int promptTokens) : IAnswerStream
{
    private readonly EventStream events = new(context.Response);
    private readonly Answer whole = new();
    private string? open;
    private int index = -1;

    public async Task BeginAsync()
    {
        await events.StartAsync().ConfigureAwait(false);
        await SendAsync("message_start", json =>
        {
            json.WritePropertyName("message");
            answer.WriteEmpty(json, promptTokens);
        }).ConfigureAwait(false);
    }

    public async Task SendAsync(GenerationEvent happened)
    {
        whole.Add(happened);
        switch (happened)
        {
            case GenerationEvent.Text text:
                await OpenAsync("text", json => json.WriteString("text", "")).ConfigureAwait(false);
                await SendDeltaAsync("text_delta", "text", text.Value).ConfigureAwait(false);
                break;
            case GenerationEvent.Reasoning thought:
                await OpenAsync("thinking", json => MessagesAnswer.WriteThinking(json, "")).ConfigureAwait(false);
                await SendDeltaAsync("thinking_delta", "thinking", thought.Value).ConfigureAwait(false);
                break;
            case GenerationEvent.ToolCall call:
                await CloseAsync().ConfigureAwait(false);
                await OpenAsync("tool_use", json =>
                {
                    MessagesAnswer.WriteCall(json, call);
                    json.WriteStartObject("input");
                    json.WriteEndObject();
                }).ConfigureAwait(false);
                await SendDeltaAsync("input_json_delta", "partial_json", call.Arguments).ConfigureAwait(false);
                await CloseAsync().ConfigureAwait(false);
                break;
        }
    }

    public Task PingAsync() => SendAsync("ping", _ => { });

    public async Task EndAsync()
    {
        if (whole.End is null) throw new InvalidOperationException("The engine ended without finishing the answer.");
        await CloseAsync().ConfigureAwait(false);
        await SendAsync("message_delta", json =>
        {
            json.WriteStartObject("delta");
            MessagesAnswer.WriteEnd(json, whole);
            json.WriteEndObject();
            json.WriteStartObject("usage");
            MessagesAnswer.WriteUsage(json, whole.End.Usage);
            json.WriteEndObject();
        }).ConfigureAwait(false);
        await SendAsync("message_stop", _ => { }).ConfigureAwait(false);
    }

    public Task FailAsync(ApiError error) => events.SendAsync(json => AnthropicError.Write(json, error, context.TraceIdentifier), "error");

    private async Task OpenAsync(string type, Action<Utf8JsonWriter> write)
    {
        if (open == type) return;
        await CloseAsync().ConfigureAwait(false);
        open = type;
        index++;
        await SendAsync("content_block_start", json =>
        {
            json.WriteNumber("index", index);
            json.WriteStartObject("content_block");
            json.WriteString("type", type);
            write(json);
            json.WriteEndObject();
        }).ConfigureAwait(false);
        if (index == 0) await PingAsync().ConfigureAwait(false); // where clients have learned to expect the first
    }

    private async Task CloseAsync()
    {
        if (open is null) return;
        open = null;
        await SendAsync("content_block_stop", json => json.WriteNumber("index", index)).ConfigureAwait(false);
    }

    private Task SendDeltaAsync(string type, string field, string value) => SendAsync("content_block_delta", json =>
    {
        json.WriteNumber("index", index);
        json.WriteStartObject("delta");
        json.WriteString("type", type);
        json.WriteString(field, value);
        json.WriteEndObject();
    });

    private Task SendAsync(string type, Action<Utf8JsonWriter> write) => events.SendAsync(json =>
    {
        json.WriteStartObject();
        json.WriteString("type", type);
        write(json);
        json.WriteEndObject();
    }, type);
}
