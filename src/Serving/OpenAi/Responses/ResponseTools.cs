using System.Text.Json;
using OpenEuroLLM.Inference;
using static OpenEuroLLM.Serving.RequestFields;

namespace OpenEuroLLM.Serving.OpenAi.Responses;

/// <summary>The tools of a request, as the engine takes them and as the response repeats them.</summary>
/// <param name="Functions">The tools.</param>
/// <param name="Choice">Which may be called, as the request says it in JSON.</param>
/// <param name="Parallel">Whether several may be called at once, as the request says it.</param>
internal sealed record ResponseTools(FunctionTools Functions, string Choice, bool Parallel)
{
    public static ResponseTools Read(JsonElement body, ModelInfo model, ICollection<string> ignored) =>
        new(FunctionTools.Read(body, nested: false, model, ignored), Value(body, "tool_choice")?.GetRawText() ?? "\"auto\"", Flag(body, "parallel_tool_calls") ?? true);

    public void Write(Utf8JsonWriter json)
    {
        json.WritePropertyName("tool_choice");
        json.WriteRawValue(Choice);
        json.WriteStartArray("tools");
        foreach (ToolDefinition tool in Functions.All)
        {
            json.WriteStartObject();
            json.WriteString("type", "function");
            json.WriteString("name", tool.Name);
            json.WriteString("description", tool.Description);
            json.WritePropertyName("parameters");
            json.WriteRawValue(tool.Parameters ?? "null");
            json.WriteBoolean("strict", tool.Strict);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }
}
