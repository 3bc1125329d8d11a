using System.Globalization;
using System.Text.Json;

namespace OpenEuroLLM.Serving;

/// <summary>Typed fields of a request. A field that is null counts as left out, as official clients write it. Types are checked here; ranges
/// in Inference, once for all dialects. <c>where</c> is the path of the owner with a final dot, or empty for the request itself.</summary>
internal static class RequestFields
{
    public static JsonElement? Value(JsonElement owner, string name) =>
        owner.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public static string? Text(JsonElement owner, string name, string where = "")
    {
        if (Value(owner, name) is not JsonElement value) return null;
        return value.ValueKind == JsonValueKind.String ? value.GetString() : throw ApiException.Invalid(where + name, $"'{where}{name}' must be a text.");
    }

    public static string RequiredText(JsonElement owner, string name, string where = "") =>
        Text(owner, name, where) ?? throw ApiException.Invalid(where + name, $"'{where}{name}' is missing.");

    public static bool? Flag(JsonElement owner, string name, string where = "") => Value(owner, name)?.ValueKind switch
    {
        null => null,
        JsonValueKind.False => false,
        JsonValueKind.True => true,
        _ => throw ApiException.Invalid(where + name, $"'{where}{name}' must be true or false."),
    };

    public static double? Number(JsonElement owner, string name, string where = "")
    {
        if (Value(owner, name) is not JsonElement value) return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && double.IsFinite(number)) return number;
        throw ApiException.Invalid(where + name, $"'{where}{name}' is {RequestBody.Shown(value.GetRawText())}; expected a number.");
    }

    public static int? Integer(JsonElement owner, string name, string where = "")
    {
        if (Value(owner, name) is not JsonElement value) return null;
        return IntegerOf(value) ?? throw ApiException.Invalid(where + name,
            $"'{where}{name}' is {RequestBody.Shown(value.GetRawText())}; expected an integer of at most {int.MaxValue.ToString(CultureInfo.InvariantCulture)}.");
    }

    public static int? IntegerOf(JsonElement value) => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) ? number : null;

    /// <summary>Any integer of 64 bits; a negative one keeps its bits.</summary>
    public static ulong? Seed(JsonElement owner, string name = "seed", string where = "")
    {
        if (Value(owner, name) is not JsonElement value) return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long signed)) return unchecked((ulong)signed);
        if (value.ValueKind == JsonValueKind.Number && value.TryGetUInt64(out ulong unsigned)) return unsigned;
        throw ApiException.Invalid(where + name, $"'{where}{name}' is {RequestBody.Shown(value.GetRawText())}; expected an integer of 64 bits.");
    }

    public static JsonElement? Object(JsonElement owner, string name, string where = "")
    {
        if (Value(owner, name) is not JsonElement value) return null;
        RequireObject(value, where + name);
        return value;
    }

    public static JsonElement? List(JsonElement owner, string name, string where = "")
    {
        if (Value(owner, name) is not JsonElement value) return null;
        return value.ValueKind == JsonValueKind.Array ? value : throw ApiException.Invalid(where + name, $"'{where}{name}' must be a list.");
    }

    /// <summary>A list of texts; a single text where the dialect allows it.</summary>
    public static List<string>? Texts(JsonElement owner, string name, string where = "", bool single = false)
    {
        if (Value(owner, name) is not JsonElement value) return null;
        if (single && value.ValueKind == JsonValueKind.String) return [value.GetString()!];
        if (value.ValueKind != JsonValueKind.Array || value.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.String))
            throw ApiException.Invalid(where + name, $"'{where}{name}' must be {(single ? "a text or " : "")}a list of texts.");
        return [.. value.EnumerateArray().Select(item => item.GetString()!)];
    }

    /// <summary>A list of token ids, or null when it is something else.</summary>
    public static List<int>? Ids(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() == 0) return null;
        var ids = new List<int>(value.GetArrayLength());
        foreach (JsonElement item in value.EnumerateArray())
        {
            if (IntegerOf(item) is not int id) return null;
            ids.Add(id);
        }
        return ids;
    }

    public static void RequireObject(JsonElement value, string where)
    {
        if (value.ValueKind != JsonValueKind.Object) throw ApiException.Invalid(where, $"'{where}' must be an object.");
    }

    /// <summary>The body of every request is one object.</summary>
    public static void RequireBody(JsonElement body)
    {
        if (body.ValueKind != JsonValueKind.Object) throw new ApiException(400, "invalid_json", "The body must be one JSON object.");
    }

    /// <summary>The error for tools where the model cannot see them.</summary>
    public static ApiException NoTools(string field) =>
        ApiException.Unsupported(field, $"'{field}' is not available with this model: its chat template shows no tools.");

    public static bool IsZero(JsonElement value) => value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && number == 0;

    public static bool IsFalse(JsonElement value) => value.ValueKind == JsonValueKind.False;

    public static bool IsEmpty(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.Object => value.GetPropertyCount() == 0,
        _ => false,
    };

    public static bool IsText(JsonElement value, string text) => value.ValueKind == JsonValueKind.String && value.ValueEquals(text);
}
