using System.Text.Json;
using OpenEuroLLM.Inference;
using static OpenEuroLLM.Serving.RequestFields;

namespace OpenEuroLLM.Serving;

/// <summary>What requests say about the form of answers, as far as dialects say it alike.</summary>
internal static class AnswerForms
{
    private static readonly FieldTable TypeFields = new FieldTable().Read("type");
    private static readonly FieldTable FormatFields = new FieldTable().Read("type", "json_schema");
    private static readonly FieldTable NamedFields = new FieldTable().Read("name", "description", "schema", "strict");
    private static readonly FieldTable FlatFields = new FieldTable().Read("type", "name", "description", "schema", "strict");

    /// <summary>A format whose schema lies in a <c>json_schema</c> of its own: OpenAI's chat and text completions.</summary>
    /// <param name="owner">The object that has the format.</param>
    /// <param name="name">The format's field.</param>
    /// <param name="ignored">Receives fields without effect.</param>
    public static Grammar? Read(JsonElement owner, string name, ICollection<string> ignored)
    {
        if (Object(owner, name) is not JsonElement format) return null;
        string where = name + ".";
        switch (RequiredText(format, "type", where))
        {
            case "text":
                TypeFields.Check(format, where, ignored);
                return null;
            case "json_object":
                TypeFields.Check(format, where, ignored);
                return new Grammar.JsonObject();
            case "json_schema":
                FormatFields.Check(format, where, ignored);
                JsonElement named = Object(format, "json_schema", where) ?? throw ApiException.Invalid(where + "json_schema", $"'{where}json_schema' is missing.");
                where += "json_schema.";
                NamedFields.Check(named, where, ignored);
                RequiredText(named, "name", where);
                return OfSchema(named, where);
            case var other:
                throw ApiException.Invalid(where + "type", $"'{where}type' is '{RequestBody.Shown(other)}'; expected text, json_object or json_schema.");
        }
    }

    /// <summary>A format that has its schema itself: Anthropic's, and that of OpenAI's Responses.</summary>
    /// <param name="owner">The object that has the format.</param>
    /// <param name="name">The format's field.</param>
    /// <param name="where">The path of the owner with a final dot, or empty.</param>
    /// <param name="ignored">Receives fields without effect.</param>
    public static Grammar? ReadFlat(JsonElement owner, string name, string where, ICollection<string> ignored)
    {
        if (Object(owner, name, where) is not JsonElement format) return null;
        where += name + ".";
        switch (RequiredText(format, "type", where))
        {
            case "text":
                TypeFields.Check(format, where, ignored);
                return null;
            case "json_object":
                TypeFields.Check(format, where, ignored);
                return new Grammar.JsonObject();
            case "json_schema":
                FlatFields.Check(format, where, ignored);
                return OfSchema(format, where);
            case var other:
                throw ApiException.Invalid(where + "type", $"'{where}type' is '{RequestBody.Shown(other)}'; expected text, json_object or json_schema.");
        }
    }

    /// <summary>What <c>tool_choice</c> and <c>parallel_tool_calls</c> of OpenAI's dialects say; the flag tells whether the model sees the tools.</summary>
    /// <param name="body">The request.</param>
    /// <param name="ignored">Receives fields without effect.</param>
    public static (bool Shown, ToolUse? Use) ReadToolChoice(JsonElement body, ICollection<string> ignored)
    {
        bool several = Flag(body, "parallel_tool_calls") ?? true;
        ToolUse? usual = several ? null : new ToolUse(Several: false);
        if (Value(body, "tool_choice") is not JsonElement choice || IsText(choice, "auto")) return (true, usual);
        if (IsText(choice, "none")) return (false, null);
        if (IsText(choice, "required")) return (true, new ToolUse(Required: true, Several: several));
        if (choice.ValueKind != JsonValueKind.Object)
            throw ApiException.Invalid("tool_choice", "'tool_choice' must be \"none\", \"auto\", \"required\", or an object that names tools.");
        const string where = "tool_choice.";
        switch (RequiredText(choice, "type", where))
        {
            case "function":
                ChoiceFields.Check(choice, where, ignored);
                return (true, new ToolUse(true, [ReadName(choice, where, ignored)], Several: false));
            case "allowed_tools":
                AllowedFields.Check(choice, where, ignored);
                string inner = where;
                JsonElement allowed = choice;
                if (Object(choice, "allowed_tools", where) is JsonElement nested) (allowed, inner) = (nested, where + "allowed_tools.");
                AllowedFields.Check(allowed, inner, ignored);
                bool required = RequiredText(allowed, "mode", inner) switch
                {
                    "auto" => false,
                    "required" => true,
                    string other => throw ApiException.Invalid(inner + "mode", $"'{inner}mode' is '{RequestBody.Shown(other)}'; expected auto or required."),
                };
                JsonElement list = List(allowed, "tools", inner) ?? throw ApiException.Invalid(inner + "tools", $"'{inner}tools' is missing.");
                var names = new List<string>();
                foreach (JsonElement tool in list.EnumerateArray())
                {
                    string each = FormattableString.Invariant($"{inner}tools[{names.Count}]");
                    RequireObject(tool, each);
                    if (RequiredText(tool, "type", each + ".") != "function") throw ApiException.Unsupported(each + ".type", $"'{each}.type' must be 'function' here.");
                    ChoiceFields.Check(tool, each + ".", ignored);
                    names.Add(ReadName(tool, each + ".", ignored));
                }
                if (names.Count == 0) throw ApiException.Invalid(inner + "tools", $"'{inner}tools' is empty; expected at least one tool.");
                return (true, new ToolUse(required, names, several));
            case var other:
                throw ApiException.Unsupported(where + "type", $"'{where}type' is '{RequestBody.Shown(other)}'; this server takes function and allowed_tools.");
        }
    }

    private static readonly FieldTable ChoiceFields = new FieldTable().Read("type", "function", "name");
    private static readonly FieldTable AllowedFields = new FieldTable().Read("type", "allowed_tools", "mode", "tools");
    private static readonly FieldTable FunctionNameFields = new FieldTable().Read("name");

    // Chat completions name a function inside of an object, Responses beside the type.
    private static string ReadName(JsonElement owner, string where, ICollection<string> ignored)
    {
        if (Object(owner, "function", where) is not JsonElement function) return RequiredText(owner, "name", where);
        FunctionNameFields.Check(function, where + "function.", ignored);
        return RequiredText(function, "name", where + "function.");
    }

    private static Grammar.JsonSchema OfSchema(JsonElement owner, string where)
    {
        JsonElement schema = Object(owner, "schema", where) ?? throw ApiException.Invalid(where + "schema", $"'{where}schema' is missing.");
        return new Grammar.JsonSchema(schema.GetRawText(), Flag(owner, "strict", where) ?? false);
    }
}
