using System.Security.Cryptography;
using System.Text.Json;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.OpenAi;

/// <summary>The JSON of one answer to <c>POST /v1/chat/completions</c>, whole or in chunks; id, moment and model are the same throughout.</summary>
internal sealed class ChatAnswer(ModelInfo model, DateTimeOffset created)
{
    private readonly string id = "chatcmpl-" + RandomNumberGenerator.GetHexString(32, lowercase: true);

    /// <summary>Names the weights: equal fingerprints, requests and seeds give equal answers.</summary>
    private readonly string fingerprint = "fp_" + model.Fingerprint;

    /// <summary>Writes the whole answer.</summary>
    public void Write(Utf8JsonWriter json, IReadOnlyList<(string Text, FinishReason Reason)> choices, Usage usage)
    {
        Begin(json, "chat.completion");
        for (int choice = 0; choice < choices.Count; choice++)
        {
            json.WriteStartObject();
            json.WriteNumber("index", choice);
            json.WriteStartObject("message");
            json.WriteString("role", "assistant");
            json.WriteString("content", choices[choice].Text);
            json.WriteNull("refusal");
            json.WriteEndObject();
            json.WriteNull("logprobs");
            json.WriteString("finish_reason", NameOf(choices[choice].Reason));
            json.WriteEndObject();
        }
        json.WriteEndArray();
        WriteUsage(json, usage);
        json.WriteEndObject();
    }

    /// <summary>Writes a chunk about one choice: its role, a piece of text, or its end.</summary>
    public void WriteChunk(Utf8JsonWriter json, int choice, bool includeUsage, bool first = false, string? text = null, FinishReason? reason = null)
    {
        Begin(json, "chat.completion.chunk");
        json.WriteStartObject();
        json.WriteNumber("index", choice);
        json.WriteStartObject("delta");
        if (first) json.WriteString("role", "assistant");
        if (first || text is not null) json.WriteString("content", text ?? "");
        json.WriteEndObject();
        json.WriteNull("logprobs");
        if (reason is FinishReason known) json.WriteString("finish_reason", NameOf(known));
        else json.WriteNull("finish_reason");
        json.WriteEndObject();
        json.WriteEndArray();
        if (includeUsage) json.WriteNull("usage");
        json.WriteEndObject();
    }

    /// <summary>Writes the chunk with the token counts.</summary>
    public void WriteUsageChunk(Utf8JsonWriter json, Usage usage)
    {
        Begin(json, "chat.completion.chunk");
        json.WriteEndArray();
        WriteUsage(json, usage);
        json.WriteEndObject();
    }

    /// <summary>Opens the object and its list of choices.</summary>
    private void Begin(Utf8JsonWriter json, string kind)
    {
        json.WriteStartObject();
        json.WriteString("id", id);
        json.WriteString("object", kind);
        json.WriteNumber("created", created.ToUnixTimeSeconds());
        json.WriteString("model", model.Name);
        json.WriteString("system_fingerprint", fingerprint);
        json.WriteStartArray("choices");
    }

    private static void WriteUsage(Utf8JsonWriter json, Usage usage)
    {
        json.WriteStartObject("usage");
        json.WriteNumber("prompt_tokens", usage.PromptTokens);
        json.WriteNumber("completion_tokens", usage.CompletionTokens);
        json.WriteNumber("total_tokens", usage.PromptTokens + usage.CompletionTokens);
        json.WriteStartObject("prompt_tokens_details");
        json.WriteNumber("cached_tokens", 0);
        json.WriteEndObject();
        json.WriteStartObject("completion_tokens_details");
        json.WriteNumber("reasoning_tokens", 0);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static string NameOf(FinishReason reason) => reason switch
    {
        FinishReason.Stop => "stop",
        FinishReason.Length => "length",
        _ => throw new InvalidOperationException($"No name is known for the finish reason {reason}."),
    };
}
