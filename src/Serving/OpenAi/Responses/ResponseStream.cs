using System.Text.Json;
using Microsoft.AspNetCore.Http;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.OpenAi.Responses;

/// <summary>A response as the dialect's numbered events: the response, its items one after the other with their parts, its end.</summary>
/// <param name="response">Where to.</param>
/// <param name="engine">What answers.</param>
/// <param name="answer">The JSON of the response.</param>
/// <param name="output">What takes the events of the engine.</param>
/// <param name="keep">Makes the complete response's JSON and keeps it where that was asked for.</param>
internal sealed class ResponseStream(HttpResponse response, IInferenceEngine engine, ResponseAnswer answer, ResponseOutput output, Func<Task<byte[]>> keep) : IAnswerStream
{
    private readonly EventStream events = new(response);
    private int number;
    private int scored;

    public async Task BeginAsync()
    {
        await events.StartAsync().ConfigureAwait(false);
        await SendAsync("response.created", WriteBegun).ConfigureAwait(false);
        await SendAsync("response.in_progress", WriteBegun).ConfigureAwait(false);
    }

    public async Task SendAsync(GenerationEvent happened)
    {
        foreach (OutputChange change in output.Add(happened))
        {
            await (change.Step switch
            {
                OutputStep.Opened => OpenAsync(change.Item),
                OutputStep.Grown => GrowAsync(change.Item, change.Piece),
                _ => CloseAsync(change.Item),
            }).ConfigureAwait(false);
        }
    }

    public Task PingAsync() => events.PingAsync();

    public async Task EndAsync()
    {
        output.RequireEnd();
        // Whoever reads the last event may go on from the response at once: it is kept before.
        byte[] whole = await keep().ConfigureAwait(false);
        await SendAsync("response." + ResponseAnswer.StatusOf(output), json =>
        {
            json.WritePropertyName("response");
            json.WriteRawValue(whole, skipInputValidation: true);
        }).ConfigureAwait(false);
    }

    public async Task FailAsync(ApiError error)
    {
        await SendAsync("error", json =>
        {
            json.WriteString("code", error.Code);
            json.WriteString("message", error.Message);
            json.WriteString("param", error.Field);
        }).ConfigureAwait(false);
        await SendAsync("response.failed", json =>
        {
            json.WritePropertyName("response");
            answer.WriteFailed(json, output, error);
        }).ConfigureAwait(false);
    }

    private async Task OpenAsync(OutputItem item)
    {
        scored = 0;
        await SendAsync("response.output_item.added", item, json => WriteItem(json, item.AsBegun())).ConfigureAwait(false);
        if (item.Call is null) await SendPartAsync("response.content_part.added", item, "").ConfigureAwait(false);
    }

    private Task GrowAsync(OutputItem item, string piece) => SendAsync(DeltaOf(item) + ".delta", item, json =>
    {
        WriteItemId(json, item);
        json.WriteString("delta", piece);
        if (item.Kind != ResponseItem.Message.Kind) return;
        WriteScored(json, item.Scored.Skip(scored));
        scored = item.Scored.Count;
    });

    private async Task CloseAsync(OutputItem item)
    {
        string whole = item.Text.ToString();
        await SendAsync(DeltaOf(item) + ".done", item, json =>
        {
            WriteItemId(json, item);
            if (item.Call is { } call) json.WriteString("name", call.Name);
            json.WriteString(item.Call is null ? "text" : "arguments", whole);
            if (item.Kind == ResponseItem.Message.Kind) WriteScored(json, item.Scored);
        }).ConfigureAwait(false);
        if (item.Call is null) await SendPartAsync("response.content_part.done", item, whole).ConfigureAwait(false);
        await SendAsync("response.output_item.done", item, json => WriteItem(json, item.AsItem())).ConfigureAwait(false);
    }

    private static string DeltaOf(OutputItem item) => item.Kind switch
    {
        ResponseItem.Message.Kind => "response.output_text",
        ResponseItem.Reasoning.Kind => "response.reasoning_text",
        _ => "response.function_call_arguments",
    };

    private Task SendPartAsync(string type, OutputItem item, string text) => SendAsync(type, item, json =>
    {
        WriteItemId(json, item);
        json.WritePropertyName("part");
        if (item.Kind == ResponseItem.Message.Kind) ResponseItem.Message.WriteOutputText(json, engine, text, text.Length > 0 ? item.Scored : null);
        else ResponseItem.Reasoning.WritePart(json, text);
    });

    private void WriteBegun(Utf8JsonWriter json)
    {
        json.WritePropertyName("response");
        answer.WriteBegun(json);
    }

    private void WriteItem(Utf8JsonWriter json, ResponseItem item)
    {
        json.WritePropertyName("item");
        item.Write(json, engine);
    }

    private static void WriteItemId(Utf8JsonWriter json, OutputItem item)
    {
        json.WriteString("item_id", item.Id);
        if (item.Call is null) json.WriteNumber("content_index", 0);
    }

    private void WriteScored(Utf8JsonWriter json, IEnumerable<GenerationEvent.Token> tokens)
    {
        json.WriteStartArray("logprobs");
        TokenTexts.WriteScored(json, engine, tokens);
        json.WriteEndArray();
    }

    private Task SendAsync(string type, OutputItem item, Action<Utf8JsonWriter> write) => SendAsync(type, json =>
    {
        json.WriteNumber("output_index", item.Index);
        write(json);
    });

    private Task SendAsync(string type, Action<Utf8JsonWriter> write) => events.SendAsync(json =>
    {
        json.WriteStartObject();
        json.WriteString("type", type);
        json.WriteNumber("sequence_number", number++);
        write(json);
        json.WriteEndObject();
    }, type);
}
