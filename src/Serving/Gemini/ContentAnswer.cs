using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.Gemini;

/// <summary>The JSON of one answer to <c>generateContent</c>, whole or in pieces.</summary>
internal sealed class ContentAnswer(IInferenceEngine engine, ContentRequest request)
{
    private readonly string id = RandomNumberGenerator.GetHexString(24, lowercase: true);

    public void Write(Utf8JsonWriter json, Answers answers)
    {
        Begin(json);
        for (int choice = 0; choice < answers.Count; choice++)
        {
            Answer answer = answers[choice];
            WriteCandidate(json, choice, parts =>
            {
                if (request.Thoughts && answer.Reasoning.Length > 0) WriteThought(parts, answer.Reasoning.ToString());
                if (answer.Text.Length > 0 || answer.Calls.Count == 0) WriteText(parts, answer.Text.ToString());
                foreach (GenerationEvent.ToolCall call in answer.Calls) WriteCall(parts, call);
            }, answer);
        }
        End(json, answers);
    }

    /// <summary>Writes a piece: what an event brings, and with the last end the counts.</summary>
    public void WritePiece(Utf8JsonWriter json, GenerationEvent happened, Answers answers, bool last)
    {
        Begin(json);
        WriteCandidate(json, happened.Choice, parts =>
        {
            if (happened is GenerationEvent.Text text) WriteText(parts, text.Value);
            if (happened is GenerationEvent.Reasoning thought) WriteThought(parts, thought.Value);
            if (happened is GenerationEvent.ToolCall call) WriteCall(parts, call);
            if (happened is GenerationEvent.Finished) WriteText(parts, "");
        }, answers[happened.Choice]);
        End(json, last ? answers : null);
    }

    private static void Begin(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteStartArray("candidates");
    }

    private void End(Utf8JsonWriter json, Answers? answers)
    {
        json.WriteEndArray();
        if (answers is not null)
        {
            Usage usage = answers.Usage();
            json.WriteStartObject("usageMetadata");
            json.WriteNumber("promptTokenCount", usage.PromptTokens);
            json.WriteNumber("candidatesTokenCount", usage.CompletionTokens - answers.ReasoningTokens);
            json.WriteNumber("thoughtsTokenCount", answers.ReasoningTokens);
            json.WriteNumber("cachedContentTokenCount", usage.CachedTokens);
            json.WriteNumber("totalTokenCount", usage.PromptTokens + usage.CompletionTokens);
            json.WriteEndObject();
        }
        json.WriteString("modelVersion", engine.Info.Name);
        json.WriteString("responseId", id);
        json.WriteEndObject();
    }

    private void WriteCandidate(Utf8JsonWriter json, int choice, Action<Utf8JsonWriter> parts, Answer answer)
    {
        json.WriteStartObject();
        json.WriteStartObject("content");
        json.WriteString("role", "model");
        json.WriteStartArray("parts");
        parts(json);
        json.WriteEndArray();
        json.WriteEndObject();
        if (answer.End is { } end)
        {
            json.WriteString("finishReason", end.Reason == FinishReason.Length ? "MAX_TOKENS" : "STOP");
            if (request.Generation.Logprobs is not null) WriteLogprobs(json, answer.Scored.Take(answer.Certain));
        }
        json.WriteNumber("index", choice);
        json.WriteEndObject();
    }

    private void WriteLogprobs(Utf8JsonWriter json, IEnumerable<GenerationEvent.Token> scored)
    {
        json.WriteStartObject("logprobsResult");
        json.WriteStartArray("chosenCandidates");
        foreach (GenerationEvent.Token token in scored) WriteToken(json, token.Id, token.Likelihood!.LogProbability);
        json.WriteEndArray();
        json.WriteStartArray("topCandidates");
        foreach (GenerationEvent.Token token in scored)
        {
            json.WriteStartObject();
            json.WriteStartArray("candidates");
            foreach (TokenAlternative other in token.Likelihood!.Alternatives) WriteToken(json, other.Id, other.LogProbability);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteToken(Utf8JsonWriter json, int token, double logProbability)
    {
        json.WriteStartObject();
        json.WriteString("token", Encoding.UTF8.GetString(engine.TokenBytes(token)));
        json.WriteNumber("tokenId", token);
        json.WriteNumber("logProbability", double.IsFinite(logProbability) ? logProbability : -9999);
        json.WriteEndObject();
    }

    private static void WriteText(Utf8JsonWriter json, string text)
    {
        json.WriteStartObject();
        json.WriteString("text", text);
        json.WriteEndObject();
    }

    private static void WriteThought(Utf8JsonWriter json, string text)
    {
        json.WriteStartObject();
        json.WriteString("text", text);
        json.WriteBoolean("thought", true);
        json.WriteEndObject();
    }

    private static void WriteCall(Utf8JsonWriter json, GenerationEvent.ToolCall call)
    {
        json.WriteStartObject();
        json.WriteStartObject("functionCall");
        json.WriteString("id", call.Id);
        json.WriteString("name", call.Name);
        json.WritePropertyName("args");
        json.WriteRawValue(call.Arguments);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}

/// <summary>Pieces of an answer as events, or as the entries of one JSON array.</summary>
internal sealed class ContentStream(HttpResponse response, ContentRequest request, ContentAnswer answer, bool asEvents) : IAnswerStream
{
    private readonly EventStream events = new(response);
    private readonly Answers answers = new(request.Generation.Choices);
    private int open = request.Generation.Choices;
    private bool begun;

    public Task BeginAsync()
    {
        if (asEvents) return events.StartAsync();
        response.ContentType = "application/json";
        return WriteAsync("[");
    }

    public async Task SendAsync(GenerationEvent happened)
    {
        answers.Add(happened);
        if (happened is GenerationEvent.Token || (happened is GenerationEvent.Reasoning && !request.Thoughts)) return;
        if (happened is GenerationEvent.Finished) open--;
        await SendAsync(json => answer.WritePiece(json, happened, answers, last: open == 0)).ConfigureAwait(false);
    }

    public Task PingAsync() => asEvents ? events.PingAsync() : WriteAsync("\n");

    public Task EndAsync()
    {
        answers.Usage();
        return asEvents ? Task.CompletedTask : WriteAsync("]");
    }

    public async Task FailAsync(ApiError error)
    {
        await SendAsync(json => GeminiError.Write(json, error)).ConfigureAwait(false);
        if (!asEvents) await WriteAsync("]").ConfigureAwait(false);
    }

    private async Task SendAsync(Action<Utf8JsonWriter> write)
    {
        if (asEvents)
        {
            await events.SendAsync(write).ConfigureAwait(false);
            return;
        }
        using var piece = new MemoryStream();
        using (var json = new Utf8JsonWriter(piece, JsonBody.Form)) write(json);
        await WriteAsync((begun ? ",\n" : "") + Encoding.UTF8.GetString(piece.GetBuffer(), 0, (int)piece.Length)).ConfigureAwait(false);
        begun = true;
    }

    private async Task WriteAsync(string text)
    {
        await response.WriteAsync(text, response.HttpContext.RequestAborted).ConfigureAwait(false);
        await response.Body.FlushAsync(response.HttpContext.RequestAborted).ConfigureAwait(false);
    }
}
