using System.Text.Json;
using System.Text.RegularExpressions;

namespace OpenEuroLLM.Inference.Tests.Grammars;

/// <summary>JSON Schema by its definition, one keyword after the other, for what the tests use; shares nothing with the compiler.</summary>
internal static class PlainValidator
{
    public static bool IsValid(JsonElement schema, JsonElement value, JsonElement root)
    {
        if (schema.ValueKind is JsonValueKind.True or JsonValueKind.False) return schema.ValueKind == JsonValueKind.True;
        foreach (var keyword in schema.EnumerateObject())
            if (!Holds(keyword.Name, keyword.Value, schema, value, root)) return false;
        return true;
    }

    private static bool Holds(string keyword, JsonElement given, JsonElement schema, JsonElement value, JsonElement root)
    {
        switch (keyword)
        {
            case "$defs": return true;
            case "$ref": return IsValid(Resolve(given.GetString()!, root), value, root);
            case "type": return given.ValueKind == JsonValueKind.Array ? given.EnumerateArray().Any(type => IsOf(type.GetString()!, value)) : IsOf(given.GetString()!, value);
            case "enum": return given.EnumerateArray().Any(other => JsonElement.DeepEquals(other, value));
            case "const": return JsonElement.DeepEquals(given, value);
            case "anyOf": return given.EnumerateArray().Any(branch => IsValid(branch, value, root));
            case "oneOf": return given.EnumerateArray().Count(branch => IsValid(branch, value, root)) == 1;
            case "allOf": return given.EnumerateArray().All(branch => IsValid(branch, value, root));
        }

        return value.ValueKind switch
        {
            JsonValueKind.String => HoldsForText(keyword, given, value.GetString()!),
            JsonValueKind.Number => HoldsForNumber(keyword, given, value.GetDouble()),
            JsonValueKind.Array => HoldsForList(keyword, given, schema, value, root),
            JsonValueKind.Object => HoldsForRecord(keyword, given, schema, value, root),
            _ => true,
        };
    }

    private static bool HoldsForText(string keyword, JsonElement given, string text) => keyword switch
    {
        "minLength" => text.EnumerateRunes().Count() >= given.GetInt32(),
        "maxLength" => text.EnumerateRunes().Count() <= given.GetInt32(),
        "pattern" => Regex.IsMatch(text, given.GetString()!, RegexOptions.ECMAScript),
        "format" => given.GetString() switch
        {
            "date" => DateOnly.TryParseExact(text, "yyyy-MM-dd", out _),
            "date-time" => DateTimeOffset.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out _),
            "uuid" => Guid.TryParseExact(text, "D", out _),
            "ipv4" or "ipv6" => System.Net.IPAddress.TryParse(text, out _),
            "email" => System.Net.Mail.MailAddress.TryCreate(text, out _),
            "uri" => Uri.TryCreate(text, UriKind.Absolute, out _),
            "duration" => text.StartsWith('P') && text.Any(char.IsAsciiDigit) && !text.EndsWith('T'),
            "hostname" => Uri.CheckHostName(text) != UriHostNameType.Unknown,
            "time" => DateTimeOffset.TryParse("2000-01-01T" + text, System.Globalization.CultureInfo.InvariantCulture, out _),
            var other => throw new NotSupportedException(other),
        },
        _ => true,
    };

    private static bool HoldsForNumber(string keyword, JsonElement given, double number) => keyword switch
    {
        "minimum" => number >= given.GetDouble(),
        "maximum" => number <= given.GetDouble(),
        "exclusiveMinimum" => number > given.GetDouble(),
        "exclusiveMaximum" => number < given.GetDouble(),
        _ => true,
    };

    private static bool HoldsForList(string keyword, JsonElement given, JsonElement schema, JsonElement list, JsonElement root) => keyword switch
    {
        "minItems" => list.GetArrayLength() >= given.GetInt32(),
        "maxItems" => list.GetArrayLength() <= given.GetInt32(),
        "prefixItems" => given.EnumerateArray().Zip(list.EnumerateArray()).All(pair => IsValid(pair.First, pair.Second, root)),
        "items" => list.EnumerateArray().Skip(schema.TryGetProperty("prefixItems", out var first) ? first.GetArrayLength() : 0).All(item => IsValid(given, item, root)),
        _ => true,
    };

    private static bool HoldsForRecord(string keyword, JsonElement given, JsonElement schema, JsonElement record, JsonElement root) => keyword switch
    {
        "required" => given.EnumerateArray().All(name => record.TryGetProperty(name.GetString()!, out _)),
        "properties" => record.EnumerateObject().All(property => !given.TryGetProperty(property.Name, out var inner) || IsValid(inner, property.Value, root)),
        "additionalProperties" => record.EnumerateObject().All(property =>
            (schema.TryGetProperty("properties", out var named) && named.TryGetProperty(property.Name, out _)) || IsValid(given, property.Value, root)),
        _ => true,
    };

    private static bool IsOf(string type, JsonElement value) => (type, value.ValueKind) switch
    {
        ("null", JsonValueKind.Null) or ("boolean", JsonValueKind.True or JsonValueKind.False) or ("string", JsonValueKind.String) or ("array", JsonValueKind.Array) or
            ("object", JsonValueKind.Object) or ("number", JsonValueKind.Number) => true,
        ("integer", JsonValueKind.Number) => value.GetDouble() == Math.Floor(value.GetDouble()),
        _ => false,
    };

    private static JsonElement Resolve(string reference, JsonElement root) =>
        reference.Split('/').Skip(1).Aggregate(root, (found, step) => found.GetProperty(step));
}
