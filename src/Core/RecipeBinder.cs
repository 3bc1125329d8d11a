using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace OpenEuroLLM.Core;

/// <summary>Compares a recipe's tree with the metadata of its records and collects every violation.</summary>
internal sealed class RecipeBinder
{
    private static readonly JsonSerializerOptions _display = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly Dictionary<string, string> _overridden = [];

    public List<string> Violations { get; } = [];

    /// <summary>Lays one <c>a.b[0].c=value</c> over the tree, making the sections that are absent.</summary>
    public void Override(JsonObject root, string setting)
    {
        int equals = setting.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0)
        {
            Violations.Add($"override '{setting}' has no value; expected key=value, such as training.seed=2.");
            return;
        }

        string path = setting[..equals].Replace("[", ".", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal), value = setting[(equals + 1)..];
        string[] keys = path.Split('.');
        JsonNode node = root;
        string walked = "";
        for (int i = 0; i < keys.Length; i++)
        {
            bool last = i == keys.Length - 1;
            JsonNode? next;
            if (node is JsonArray list)
            {
                if (!int.TryParse(keys[i], NumberStyles.None, CultureInfo.InvariantCulture, out int index) || index >= list.Count)
                {
                    Violations.Add($"override '{setting}': {walked} is a list of {list.Count}; expected an index from 0 to {list.Count - 1}.");
                    return;
                }

                if (last) list[index] = ValueOf(value);
                next = list[index];
                walked += $"[{keys[i]}]";
            }
            else if (node is JsonObject item)
            {
                if (last) item[keys[i]] = ValueOf(value);
                else if (item[keys[i]] is null) item[keys[i]] = new JsonObject();
                next = item[keys[i]];
                walked += walked.Length == 0 ? keys[i] : "." + keys[i];
            }
            else
            {
                Violations.Add($"override '{setting}': {walked} is {Show(node)}; expected a section.");
                return;
            }

            if (!last) node = next!;
        }

        _overridden[walked] = value;
    }

    /// <summary>Compares a node with the metadata of its type; the result is what the platform's reader can take as it is.</summary>
    public JsonNode? Bind(JsonNode? node, JsonTypeInfo type, string path)
    {
        if (node is null || IsFreeForm(type.Type)) return node?.DeepClone();
        return type.Kind switch
        {
            JsonTypeInfoKind.Object => BindObject(node, type, path),
            JsonTypeInfoKind.Enumerable => BindList(node, type, path),
            JsonTypeInfoKind.Dictionary => BindDictionary(node, type, path),
            _ => BindLeaf(node, type, path),
        };
    }

    private JsonObject? BindObject(JsonNode node, JsonTypeInfo type, string path)
    {
        if (node is not JsonObject item) return Refuse<JsonObject>(path, node, "an object");
        var bound = new JsonObject();
        string? discriminator = type.PolymorphismOptions?.TypeDiscriminatorPropertyName;
        if (discriminator is not null)
        {
            var derived = Choose(item, type, discriminator, path);
            if (derived is null) return null;
            bound[discriminator] = item[discriminator]!.DeepClone(); // first, as the platform's reader wants it
            type = derived;
        }

        var known = type.Properties.Where(property => property.AssociatedParameter is not null || property.Set is not null).ToList();
        foreach (var (key, value) in item)
        {
            if (key == discriminator) continue;
            string childPath = path.Length == 0 ? key : $"{path}.{key}";
            var property = known.Find(candidate => candidate.Name == key);
            if (property is null)
            {
                Violations.Add($"{childPath} is unknown{SuggestedName.Hint(key, [.. known.Select(candidate => candidate.Name)])}");
                continue;
            }

            if (value is null)
            {
                if (AllowsNull(property)) bound[key] = null;
                else Refuse<JsonNode>(childPath, null, Expected(property.PropertyType));
                continue;
            }

            int before = Violations.Count;
            var result = Bind(value, type.Options.GetTypeInfo(property.PropertyType), childPath);
            if (Violations.Count == before) CheckAttributes(property, result, childPath);
            bound[key] = result;
        }

        foreach (var property in known)
        {
            bool required = property.IsRequired || property.AssociatedParameter is { HasDefaultValue: false, IsNullable: false };
            if (required && !item.ContainsKey(property.Name))
                Violations.Add($"{(path.Length == 0 ? "" : path + ".")}{property.Name} is missing; expected {Expected(property.PropertyType)}.");
        }

        return bound;
    }

    private JsonTypeInfo? Choose(JsonObject item, JsonTypeInfo type, string discriminator, string path)
    {
        var choices = type.PolymorphismOptions!.DerivedTypes.ToDictionary(choice => choice.TypeDiscriminator!.ToString()!, choice => choice.DerivedType);
        string place = path.Length == 0 ? "" : path + ".";
        if (item[discriminator] is not JsonValue value || value.GetValueKind() != JsonValueKind.String)
        {
            Violations.Add($"{place}{discriminator} is missing; expected one of: {string.Join(", ", choices.Keys)}.");
            return null;
        }

        string name = value.GetValue<string>();
        if (choices.TryGetValue(name, out var chosen)) return type.Options.GetTypeInfo(chosen);
        string suggestion = SuggestedName.Closest(name, choices.Keys) is string closest ? $"; did you mean '{closest}'?" : ".";
        Violations.Add($"{(path.Length == 0 ? "" : path + ": ")}{discriminator} '{name}' is unknown{suggestion} Known: {string.Join(", ", choices.Keys)}.");
        return null;
    }

    private JsonArray? BindList(JsonNode node, JsonTypeInfo type, string path)
    {
        if (node is not JsonArray list) return Refuse<JsonArray>(path, node, "a list");
        var element = type.Options.GetTypeInfo(type.ElementType!);
        var bound = new JsonArray();
        for (int i = 0; i < list.Count; i++)
        {
            if (list[i] is null && type.ElementType!.IsValueType) Refuse<JsonNode>($"{path}[{i}]", null, Expected(type.ElementType));
            bound.Add(Bind(list[i], element, $"{path}[{i}]"));
        }

        return bound;
    }

    private JsonObject? BindDictionary(JsonNode node, JsonTypeInfo type, string path)
    {
        if (node is not JsonObject item) return Refuse<JsonObject>(path, node, "an object");
        var element = type.Options.GetTypeInfo(type.ElementType!);
        var bound = new JsonObject();
        foreach (var (key, value) in item) bound[key] = Bind(value, element, $"{path}.{key}");
        return bound;
    }

    private JsonNode? BindLeaf(JsonNode node, JsonTypeInfo type, string path)
    {
        var target = Nullable.GetUnderlyingType(type.Type) ?? type.Type;
        if (target == typeof(string) && _overridden.TryGetValue(path, out string? text)) node = JsonValue.Create(text); // seed=2 is text where text is wanted
        if (IsWhole(target) && node is JsonValue number && number.GetValueKind() == JsonValueKind.Number
            && decimal.TryParse(number.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out decimal whole) && decimal.IsInteger(whole))
            node = JsonNode.Parse(whole.ToString("0", CultureInfo.InvariantCulture))!; // 2e8 and 1.0 are whole numbers
        try
        {
            object? value = node.Deserialize(type);
            if (value is double d && !double.IsFinite(d)) return Refuse<JsonNode>(path, node, Expected(type.Type));
            if (target.IsEnum && node.GetValueKind() == JsonValueKind.Number) return Refuse<JsonNode>(path, node, $"one of: {string.Join(", ", EnumNames(type))}");
            return node.DeepClone();
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException)
        {
            if (!target.IsEnum) return Refuse<JsonNode>(path, node, Expected(type.Type));
            string[] names = EnumNames(type);
            string hint = node.GetValueKind() == JsonValueKind.String && SuggestedName.Closest(node.GetValue<string>(), names) is string name ? $" (did you mean '{name}'?)" : "";
            return Refuse<JsonNode>(path, node, $"one of: {string.Join(", ", names)}{hint}");
        }
    }

    private void CheckAttributes(JsonPropertyInfo property, JsonNode? value, string path)
    {
        if (value is null) return;
        foreach (var attribute in property.AttributeProvider?.GetCustomAttributes(typeof(ValidationAttribute), inherit: true).Cast<ValidationAttribute>() ?? [])
        {
            string? expected = Violated(attribute, value);
            if (expected is not null) Refuse<JsonNode>(path, value, expected);
        }
    }

    // What was expected, when the value violates the attribute; null when it does not.
    private static string? Violated(ValidationAttribute attribute, JsonNode value)
    {
        int? length = value switch
        {
            JsonArray list => list.Count,
            JsonValue text when text.GetValueKind() == JsonValueKind.String => text.GetValue<string>().Length,
            _ => null,
        };
        string items = value is JsonArray ? "entries" : "characters";
        return attribute switch
        {
            RangeAttribute range => ViolatedRange(range, double.Parse(value.ToJsonString(), CultureInfo.InvariantCulture)),
            MinLengthAttribute minimum => length < minimum.Length ? $"at least {minimum.Length} {items}" : null,
            MaxLengthAttribute maximum => length > maximum.Length ? $"at most {maximum.Length} {items}" : null,
            LengthAttribute both => length < both.MinimumLength || length > both.MaximumLength ? $"{both.MinimumLength} to {both.MaximumLength} {items}" : null,
            StringLengthAttribute both => length < both.MinimumLength || length > both.MaximumLength ? $"{both.MinimumLength} to {both.MaximumLength} {items}" : null,
            AllowedValuesAttribute allowed => allowed.IsValid(Plain(value)) ? null : $"one of: {string.Join(", ", allowed.Values)}",
            RegularExpressionAttribute pattern => pattern.IsValid(Plain(value)) ? null : $"text of the form {pattern.Pattern}",
            _ => throw new NotSupportedException($"The recipe reader does not know {attribute.GetType().Name}."),
        };
    }

    private static string? ViolatedRange(RangeAttribute range, double number)
    {
        double minimum = Convert.ToDouble(range.Minimum, CultureInfo.InvariantCulture), maximum = Convert.ToDouble(range.Maximum, CultureInfo.InvariantCulture);
        bool above = range.MinimumIsExclusive ? number > minimum : number >= minimum, below = range.MaximumIsExclusive ? number < maximum : number <= maximum;
        if (above && below) return null;
        return $"{(range.MinimumIsExclusive ? "more than " : "")}{Show(minimum)} to {(range.MaximumIsExclusive ? "less than " : "")}{Show(maximum)}";
    }

    private static object Plain(JsonNode value) => value.GetValueKind() switch
    {
        JsonValueKind.String => value.GetValue<string>(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => value.ToJsonString().Contains('.', StringComparison.Ordinal) ? double.Parse(value.ToJsonString(), CultureInfo.InvariantCulture) : int.Parse(value.ToJsonString(), CultureInfo.InvariantCulture),
    };

    private T? Refuse<T>(string path, JsonNode? found, string expected) where T : class
    {
        Violations.Add($"{(path.Length == 0 ? "the recipe" : path)} is {Show(found)}; expected {expected}.");
        return null;
    }

    private static string Show(JsonNode? node)
    {
        if (node is null) return "null";
        if (node is JsonObject) return "an object";
        if (node is JsonArray) return "a list";
        string text = node.ToJsonString(_display);
        return text.Length <= 60 ? text : text[..57] + "...";
    }

    // 1e-8, not 1E-08.
    private static string Show(double number)
    {
        string text = number.ToString("R", CultureInfo.InvariantCulture);
        int exponent = text.IndexOf('E', StringComparison.Ordinal);
        return exponent < 0 ? text : $"{text[..exponent]}e{int.Parse(text.AsSpan(exponent + 1), CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture)}";
    }

    private static string Expected(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type == typeof(string)) return "text in quotes";
        if (type == typeof(bool)) return "true or false";
        if (IsWhole(type)) return type == typeof(byte) || type == typeof(ushort) || type == typeof(uint) || type == typeof(ulong) ? "a whole number, not negative" : "a whole number";
        if (type == typeof(double) || type == typeof(float) || type == typeof(decimal)) return "a number";
        if (type.IsEnum) return "a name";
        return typeof(System.Collections.IEnumerable).IsAssignableFrom(type) ? "a list" : "an object";
    }

    private static bool IsWhole(Type type) =>
        type == typeof(int) || type == typeof(long) || type == typeof(uint) || type == typeof(ulong)
        || type == typeof(short) || type == typeof(ushort) || type == typeof(byte) || type == typeof(sbyte);

    private static bool IsFreeForm(Type type) => typeof(JsonNode).IsAssignableFrom(type) || type == typeof(JsonElement) || type == typeof(object);

    private static bool AllowsNull(JsonPropertyInfo property) =>
        property.PropertyType.IsValueType ? Nullable.GetUnderlyingType(property.PropertyType) is not null
        : property.AssociatedParameter?.IsNullable ?? property.IsSetNullable;

    private static string[] EnumNames(JsonTypeInfo type)
    {
        var target = Nullable.GetUnderlyingType(type.Type) ?? type.Type;
        var values = Enum.GetValuesAsUnderlyingType(target);
        var info = type.Options.GetTypeInfo(target);
        return [.. values.Cast<object>().Select(value => JsonSerializer.SerializeToNode(Enum.ToObject(target, value), info)!.ToString())];
    }

    private static JsonNode? ValueOf(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return JsonValue.Create(text); // no JSON: plain text
        }
    }
}
