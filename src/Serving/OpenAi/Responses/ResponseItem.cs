using System.Text.Json;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.OpenAi.Responses;

/// <summary>One entry of a conversation in this dialect: what somebody said, what the model thought, a call of a tool, or what the tool answered.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Status">One of <see cref="Statuses"/>.</param>
internal abstract record ResponseItem(string Id, string Status)
{
    public const string InProgress = "in_progress", Completed = "completed", Incomplete = "incomplete";

    public static IReadOnlyList<string> Statuses { get; } = [InProgress, Completed, Incomplete];

    protected abstract string Type { get; }

    /// <summary>Writes the item; likelihoods need the engine's texts of tokens, null is enough for an item without.</summary>
    public void Write(Utf8JsonWriter json, IInferenceEngine? engine = null)
    {
        json.WriteStartObject();
        json.WriteString("id", Id);
        json.WriteString("type", Type);
        WriteFields(json, engine);
        json.WriteString("status", Status);
        json.WriteEndObject();
    }

    protected abstract void WriteFields(Utf8JsonWriter json, IInferenceEngine? engine);

    /// <summary>A message.</summary>
    /// <param name="Id">Its name.</param>
    /// <param name="Status">How far it has come.</param>
    /// <param name="Role">Who speaks, in Inference's words: system, user or assistant.</param>
    /// <param name="Texts">The parts of what is said.</param>
    /// <param name="Scored">The tokens of the only part with their likelihood; null when they were not asked for.</param>
    public sealed record Message(string Id, string Status, string Role, IReadOnlyList<string> Texts, IReadOnlyList<GenerationEvent.Token>? Scored = null) : ResponseItem(Id, Status)
    {
        public const string Kind = "msg";

        protected override string Type => "message";

        /// <summary>Writes one part of an assistant's message.</summary>
        public static void WriteOutputText(Utf8JsonWriter json, IInferenceEngine? engine, string text, IReadOnlyList<GenerationEvent.Token>? scored)
        {
            json.WriteStartObject();
            json.WriteString("type", "output_text");
            json.WriteString("text", text);
            json.WriteStartArray("annotations");
            json.WriteEndArray();
            json.WriteStartArray("logprobs");
            if (scored is not null) TokenTexts.WriteScored(json, engine!, scored);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        protected override void WriteFields(Utf8JsonWriter json, IInferenceEngine? engine)
        {
            json.WriteString("role", Role);
            json.WriteStartArray("content");
            foreach (string text in Texts)
            {
                if (Role == "assistant") WriteOutputText(json, engine, text, Scored);
                else WriteText(json, "input_text", text);
            }
            json.WriteEndArray();
        }
    }

    /// <summary>What the model thought before it answered.</summary>
    public sealed record Reasoning(string Id, string Status, string Text) : ResponseItem(Id, Status)
    {
        public const string Kind = "rs";

        protected override string Type => "reasoning";

        public static void WritePart(Utf8JsonWriter json, string text) => WriteText(json, "reasoning_text", text);

        protected override void WriteFields(Utf8JsonWriter json, IInferenceEngine? engine)
        {
            json.WriteStartArray("summary");
            json.WriteEndArray();
            json.WriteStartArray("content");
            if (Text.Length > 0) WritePart(json, Text);
            json.WriteEndArray();
        }
    }

    /// <summary>A call of a tool; arguments are the text of a JSON object.</summary>
    public sealed record FunctionCall(string Id, string Status, string CallId, string Name, string Arguments) : ResponseItem(Id, Status)
    {
        public const string Kind = "fc";

        protected override string Type => "function_call";

        protected override void WriteFields(Utf8JsonWriter json, IInferenceEngine? engine)
        {
            json.WriteString("call_id", CallId);
            json.WriteString("name", Name);
            json.WriteString("arguments", Arguments);
        }
    }

    /// <summary>What a tool answered.</summary>
    public sealed record FunctionOutput(string Id, string Status, string CallId, string Output) : ResponseItem(Id, Status)
    {
        public const string Kind = "fco";

        protected override string Type => "function_call_output";

        protected override void WriteFields(Utf8JsonWriter json, IInferenceEngine? engine)
        {
            json.WriteString("call_id", CallId);
            json.WriteString("output", Output);
        }
    }

    /// <summary>An item that is kept here already.</summary>
    /// <param name="Id">The name of that item.</param>
    /// <param name="Where">The place in the request, for errors.</param>
    public sealed record Reference(string Id, string Where) : ResponseItem(Id, Completed)
    {
        protected override string Type => "item_reference";

        protected override void WriteFields(Utf8JsonWriter json, IInferenceEngine? engine) { }
    }

    private static void WriteText(Utf8JsonWriter json, string type, string text)
    {
        json.WriteStartObject();
        json.WriteString("type", type);
        json.WriteString("text", text);
        json.WriteEndObject();
    }
}
