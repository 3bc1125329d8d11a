using System.Security.Cryptography;
using System.Text.Json;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.OpenAi;

/// <summary>The JSON of one answer to <c>POST /v1/chat/completions</c>, whole or in chunks; id, moment and model are the same throughout.</summary>
internal sealed class ChatAnswer(IInferenceEngine engine, DateTimeOffset created)
{
    private readonly string id = "chatcmpl-" + RandomNumberGenerator.GetHexString(32, lowercase: true);

    /// <summary>Writes the whole answer.</summary>
    public void Write(Utf8JsonWriter json, Answers answers, bool logprobs)
    {
        Begin(json, "chat.completion");
        for (int choice = 0; choice < answers.Count; choice++)
        {
            Answer answer = answers[choice];
            json.WriteStartObject();
            json.WriteNumber("index", choice);
            json.WriteStartObject("message");
            json.WriteString("role", "assistant");
            if (answer.Text.Length == 0 && answer.Calls.Count > 0) json.WriteNull("content");
            else json.WriteString("content", answer.Text.ToString());
            if (answer.Reasoning.Length > 0) json.WriteString("reasoning_content", answer.Reasoning.ToString());
            json.WriteNull("refusal");
            if (answer.Calls.Count > 0)
            {
                json.WriteStartArray("tool_calls");
                foreach (GenerationEvent.ToolCall call in answer.Calls)
                {
                    json.WriteStartObject();
                    WriteCall(json, call, call.Arguments);
                    json.WriteEndObject();
                }
                json.WriteEndArray();
            }
            json.WriteEndObject();
            WriteLogprobs(json, logprobs ? answer.Scored.Take(answer.Certain) : null);
            json.WriteString("finish_reason", ReasonOf(answer));
            json.WriteEndObject();
        }
        json.WriteEndArray();
        WriteUsage(json, answers);
        json.WriteEndObject();
    }

    /// <summary>Writes a chunk about one choice.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="choice">The choice.</param>
    /// <param name="includeUsage">Whether the stream ends with the token counts, so that all other chunks have none.</param>
    /// <param name="delta">What is new.</param>
    /// <param name="scored">The tokens that became certain, or null when none were asked for.</param>
    /// <param name="reason">Why the answer ended, or null.</param>
    public void WriteChunk(
        Utf8JsonWriter json, int choice, bool includeUsage, Action<Utf8JsonWriter>? delta, IEnumerable<GenerationEvent.Token>? scored = null, string? reason = null)
    {
        Begin(json, "chat.completion.chunk");
        json.WriteStartObject();
        json.WriteNumber("index", choice);
        json.WriteStartObject("delta");
        delta?.Invoke(json);
        json.WriteEndObject();
        WriteLogprobs(json, scored);
        json.WriteString("finish_reason", reason);
        json.WriteEndObject();
        json.WriteEndArray();
        if (includeUsage) json.WriteNull("usage");
        json.WriteEndObject();
    }

    /// <summary>Writes the chunk with the token counts.</summary>
    public void WriteUsageChunk(Utf8JsonWriter json, Answers answers)
    {
        Begin(json, "chat.completion.chunk");
        json.WriteEndArray();
        WriteUsage(json, answers);
        json.WriteEndObject();
    }

    /// <summary>The fields of a call, without braces.</summary>
    public static void WriteCall(Utf8JsonWriter json, GenerationEvent.ToolCall call, string arguments)
    {
        json.WriteString("id", call.Id);
        json.WriteString("type", "function");
        json.WriteStartObject("function");
        json.WriteString("name", call.Name);
        json.WriteString("arguments", arguments);
        json.WriteEndObject();
    }

    /// <summary>Why an answer ended, in this dialect's words.</summary>
    public static string ReasonOf(Answer answer) => answer.End!.Reason switch
    {
        FinishReason.Stop => answer.Calls.Count > 0 ? "tool_calls" : "stop",
        FinishReason.Length => "length",
        FinishReason other => throw new InvalidOperationException($"No name is known for the finish reason {other}."),
    };

    /// <summary>Names the weights: equal fingerprints, requests and seeds give equal answers.</summary>
    public static string FingerprintOf(ModelInfo model) => "fp_" + model.Fingerprint;

    public static void WriteUsage(Utf8JsonWriter json, Answers answers)
    {
        Usage usage = answers.Usage();
        WriteUsage(json, usage.PromptTokens, usage.CompletionTokens, usage.CachedTokens, answers.ReasoningTokens);
    }

    public static void WriteUsage(Utf8JsonWriter json, int promptTokens, int completionTokens, int cachedTokens, int reasoningTokens)
    {
        json.WriteStartObject("usage");
        json.WriteNumber("prompt_tokens", promptTokens);
        json.WriteNumber("completion_tokens", completionTokens);
        json.WriteNumber("total_tokens", promptTokens + completionTokens);
        json.WriteStartObject("prompt_tokens_details");
        json.WriteNumber("cached_tokens", cachedTokens);
        json.WriteEndObject();
        json.WriteStartObject("completion_tokens_details");
        json.WriteNumber("reasoning_tokens", reasoningTokens);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>Opens the object and its list of choices.</summary>
    private void Begin(Utf8JsonWriter json, string kind)
    {
        json.WriteStartObject();
        json.WriteString("id", id);
        json.WriteString("object", kind);
        json.WriteNumber("created", created.ToUnixTimeSeconds());
        json.WriteString("model", engine.Info.Name);
        json.WriteString("system_fingerprint", FingerprintOf(engine.Info));
        json.WriteStartArray("choices");
    }

    private void WriteLogprobs(Utf8JsonWriter json, IEnumerable<GenerationEvent.Token>? scored)
    {
        if (scored is null)
        {
            json.WriteNull("logprobs");
            return;
        }
        json.WriteStartObject("logprobs");
        json.WriteStartArray("content");
        TokenTexts.WriteScored(json, engine, scored);
        json.WriteEndArray();
        json.WriteNull("refusal");
        json.WriteEndObject();
    }
}
