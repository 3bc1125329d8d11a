using System.Text.Json;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.OpenAi.Responses;

/// <summary>The JSON of one response, while it comes into being and at the end.</summary>
/// <param name="engine">What answers.</param>
/// <param name="id">The response's name.</param>
/// <param name="request">The request.</param>
/// <param name="generation">What the engine was given.</param>
/// <param name="created">When the request was taken.</param>
/// <param name="dropped">Items of the conversation that the model did not see.</param>
internal sealed class ResponseAnswer(IInferenceEngine engine, ResponseId id, ResponseRequest request, GenerationRequest generation, DateTimeOffset created, int dropped)
{
    /// <summary>The response as it is before anything was generated.</summary>
    public void WriteBegun(Utf8JsonWriter json) => Write(json, ResponseItem.InProgress, null, null, null);

    /// <summary>The complete response.</summary>
    public void WriteEnded(Utf8JsonWriter json, ResponseOutput output, DateTimeOffset now) => Write(json, StatusOf(output), output, null, now);

    /// <summary>The response whose answer stays incomplete because of an error.</summary>
    public void WriteFailed(Utf8JsonWriter json, ResponseOutput output, ApiError error) => Write(json, "failed", output, error, null);

    public static string StatusOf(ResponseOutput output) => output.End!.Reason == FinishReason.Length ? ResponseItem.Incomplete : ResponseItem.Completed;

    private void Write(Utf8JsonWriter json, string status, ResponseOutput? output, ApiError? error, DateTimeOffset? ended)
    {
        ResponseSettings settings = request.Settings;
        json.WriteStartObject();
        json.WriteString("id", id.ToString());
        json.WriteString("object", "response");
        json.WriteNumber("created_at", created.ToUnixTimeSeconds());
        json.WriteString("status", status);
        json.WriteBoolean("background", false);
        if (ended is { } moment && status == ResponseItem.Completed) json.WriteNumber("completed_at", moment.ToUnixTimeSeconds());
        else json.WriteNull("completed_at");
        WriteError(json, error);
        WriteIncomplete(json, status);
        json.WriteString("instructions", settings.Instructions);
        WriteNumber(json, "max_output_tokens", request.Generation.MaxTokens);
        json.WriteStartObject("metadata");
        foreach ((string name, string value) in settings.Metadata) json.WriteString(name, value);
        json.WriteEndObject();
        json.WriteString("model", engine.Info.Name);
        json.WriteStartArray("output");
        foreach (OutputItem item in output?.Items ?? []) item.AsItem().Write(json, engine);
        json.WriteEndArray();
        json.WriteBoolean("parallel_tool_calls", settings.Tools.Parallel);
        json.WriteString("previous_response_id", settings.Previous);
        json.WriteString("prompt_cache_key", request.Generation.CacheSalt);
        json.WriteStartObject("reasoning");
        json.WriteString("effort", settings.Effort);
        json.WriteNull("summary");
        json.WriteEndObject();
        json.WriteString("safety_identifier", settings.SafetyIdentifier);
        json.WriteString("service_tier", "default");
        json.WriteBoolean("store", settings.Store);
        json.WriteNumber("temperature", generation.Sampling!.Temperature);
        WriteFormat(json, settings.Format);
        settings.Tools.Write(json);
        json.WriteNumber("top_logprobs", request.Generation.Logprobs ?? 0);
        json.WriteNumber("top_p", generation.Sampling.TopP);
        json.WriteString("truncation", settings.Truncates ? "auto" : "disabled");
        if (settings.Truncates) json.WriteNumber("dropped_items", dropped);
        if (output?.End is { } end) WriteUsage(json, end.Usage, output.ReasoningTokens);
        else json.WriteNull("usage");
        json.WriteString("user", settings.User);
        json.WriteEndObject();
    }

    /// <summary>The names that this dialect has for what ends a response early.</summary>
    private static void WriteError(Utf8JsonWriter json, ApiError? error)
    {
        if (error is null)
        {
            json.WriteNull("error");
            return;
        }
        json.WriteStartObject("error");
        json.WriteString("code", error.Status switch
        {
            429 => "rate_limit_exceeded",
            >= 500 => "server_error",
            _ => "invalid_prompt",
        });
        json.WriteString("message", error.Message);
        json.WriteEndObject();
    }

    private static void WriteIncomplete(Utf8JsonWriter json, string status)
    {
        if (status != ResponseItem.Incomplete)
        {
            json.WriteNull("incomplete_details");
            return;
        }
        json.WriteStartObject("incomplete_details");
        json.WriteString("reason", "max_output_tokens");
        json.WriteEndObject();
    }

    private static void WriteFormat(Utf8JsonWriter json, string? format)
    {
        json.WriteStartObject("text");
        json.WritePropertyName("format");
        json.WriteRawValue(format ?? """{"type":"text"}""");
        json.WriteEndObject();
    }

    private static void WriteUsage(Utf8JsonWriter json, Usage usage, int reasoningTokens)
    {
        json.WriteStartObject("usage");
        json.WriteNumber("input_tokens", usage.PromptTokens);
        json.WriteStartObject("input_tokens_details");
        json.WriteNumber("cached_tokens", usage.CachedTokens);
        json.WriteNumber("cache_write_tokens", 0); // nobody pays for writing here
        json.WriteEndObject();
        json.WriteNumber("output_tokens", usage.CompletionTokens);
        json.WriteStartObject("output_tokens_details");
        json.WriteNumber("reasoning_tokens", reasoningTokens);
        json.WriteEndObject();
        json.WriteNumber("total_tokens", usage.PromptTokens + usage.CompletionTokens);
        json.WriteEndObject();
    }

    private static void WriteNumber(Utf8JsonWriter json, string name, int? value)
    {
        if (value is int number) json.WriteNumber(name, number);
        else json.WriteNull(name);
    }
}
