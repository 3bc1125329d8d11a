using System.Text.Json;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Serving;

/// <summary>What becomes of a field of a request.</summary>
internal enum FieldUse
{
    /// <summary>It is read.</summary>
    Read,

    /// <summary>It has no effect on the answer here; the response header names it.</summary>
    Ignored,

    /// <summary>It asks for something this version does not do: refused, unless its value asks for nothing.</summary>
    Unsupported,
}

/// <summary>All fields that an object of a request may hold. A field that is in no table is refused: it is a slip of the pen more
/// often than not, and an answer that silently left it out would look as if it had been obeyed.</summary>
internal sealed class FieldTable
{
    private readonly Dictionary<string, (FieldUse Use, Func<JsonElement, bool>? AsksNothing)> fields = new(StringComparer.Ordinal);

    /// <summary>Adds fields that are read.</summary>
    public FieldTable Read(params string[] names) => Add(FieldUse.Read, null, names);

    /// <summary>Adds fields without effect.</summary>
    public FieldTable Ignored(params string[] names) => Add(FieldUse.Ignored, null, names);

    /// <summary>Adds fields of features that do not exist yet, with the values that ask for nothing (null always does).</summary>
    public FieldTable Unsupported(Func<JsonElement, bool> asksNothing, params string[] names) => Add(FieldUse.Unsupported, asksNothing, names);

    /// <summary>Checks the names in an object; <paramref name="where"/> is its path with a final dot, or empty for the request itself.</summary>
    public void Check(JsonElement value, string where, ICollection<string> ignored)
    {
        foreach (JsonProperty property in value.EnumerateObject())
        {
            if (!fields.TryGetValue(property.Name, out var field)) throw Unknown(property.Name, where);
            if (property.Value.ValueKind == JsonValueKind.Null) continue;
            if (field.Use == FieldUse.Ignored) ignored.Add(IgnoredName(where, property.Name));
            if (field.Use == FieldUse.Unsupported && !field.AsksNothing!(property.Value))
                throw ApiException.Unsupported(where + property.Name, $"'{where}{property.Name}' is not available in this version; leave it out.");
        }
    }

    private FieldTable Add(FieldUse use, Func<JsonElement, bool>? asksNothing, string[] names)
    {
        foreach (string name in names) fields.Add(name, (use, asksNothing));
        return this;
    }

    private ApiException Unknown(string name, string where)
    {
        // The distance to every known name is computed letter by letter: a name of megabytes gets no suggestion.
        string? closest = name.Length <= 64 ? SuggestedName.Closest(name, fields.Keys) : null;
        string hint = closest is null ? "leave it out." : $"did you mean '{where}{closest}'?";
        string shown = where + RequestBody.Shown(name);
        return new ApiException(400, "unknown_parameter", $"Field '{shown}' is unknown; {hint}", shown);
    }

    /// <summary>The path without list positions: the header names a field once, however many messages have it.</summary>
    private static string IgnoredName(string where, string name)
    {
        int bracket = where.IndexOf('[', StringComparison.Ordinal);
        return (bracket < 0 ? where : where[..bracket] + ".") + name;
    }
}
