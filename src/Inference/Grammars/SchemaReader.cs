using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace OpenEuroLLM.Inference.Grammars;

/// <summary>Reads schemas into shapes: follows references, joins <c>allOf</c>, and refuses what cannot be kept.</summary>
internal sealed class SchemaReader(JsonElement root, bool strict, Automaton automaton)
{
    private static readonly HashSet<string> Annotations = new(StringComparer.Ordinal)
    {
        "$schema", "$id", "$anchor", "$comment", "$defs", "definitions", "title", "description", "default", "examples", "example", "deprecated", "readOnly", "writeOnly",
        "contentEncoding", "contentMediaType", "discriminator", "externalDocs",
    };

    private readonly Dictionary<string, Dictionary<string, JsonElement>> _members = new(StringComparer.Ordinal);

    /// <summary>Adds what a schema demands.</summary>
    /// <exception cref="SchemaException">It is malformed, not supported, or too much.</exception>
    public void Read(SchemaPlace place, SchemaShape shape, int depth = 0)
    {
        var (schema, pointer) = place;
        automaton.Spend(40, pointer);
        if (depth > automaton.Limits.SchemaDepth)
            throw new SchemaException(pointer, $"references and combinations lie more than {automaton.Limits.SchemaDepth} deep in each other, or lead back to themselves.");
        if (schema.ValueKind == JsonValueKind.True) return;
        if (schema.ValueKind == JsonValueKind.False)
        {
            shape.Types = ValueTypes.None;
            return;
        }

        if (schema.ValueKind != JsonValueKind.Object) throw new SchemaException(pointer, $"found {Kind(schema)}; expected a schema (an object, true or false).");
        CheckStrict(place);
        ReadTypes(place, shape);
        foreach (var keyword in schema.EnumerateObject()) ReadKeyword(place, keyword.Name, keyword.Value, $"{pointer}/{Escaped(keyword.Name)}", shape, depth);
    }

    /// <summary>What a reference leads to.</summary>
    public SchemaPlace Resolve(JsonElement reference, string pointer)
    {
        string text = Text(reference, pointer);
        if (text != "#" && !text.StartsWith("#/", StringComparison.Ordinal))
            throw new SchemaException(pointer, $"'{Shown(text)}' is not supported; expected a reference inside the schema ('#' or '#/$defs/...').");
        string path = Uri.UnescapeDataString(text)[1..], walked = "";
        var found = root;
        foreach (string step in path.Split('/').Skip(1))
        {
            automaton.Spend(4 + (step.Length + walked.Length) / 16, pointer);
            string name = step.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            bool exists = found.ValueKind switch
            {
                JsonValueKind.Object => Members(found, walked).TryGetValue(name, out found),
                JsonValueKind.Array => int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int index) && index < found.GetArrayLength() && Take(ref found, index),
                _ => false,
            };
            if (!exists) throw new SchemaException(pointer, $"'{Shown(text)}' leads nowhere; expected the place of a schema.");
            walked += "/" + step;
        }

        return new SchemaPlace(found, path);

        static bool Take(ref JsonElement list, int index)
        {
            list = list[index];
            return true;
        }
    }

    // An object is gone through once, however many references lead through it.
    private Dictionary<string, JsonElement> Members(JsonElement owner, string path)
    {
        if (_members.TryGetValue(path, out var members)) return members;
        automaton.Spend(4 * owner.GetPropertyCount(), path);
        members = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var property in owner.EnumerateObject()) members[property.Name] = property.Value;
        _members.Add(path, members);
        return members;
    }

    // How much there is to go through: references lead to one place as often as the schema likes.
    private static int SizeOf(string name, JsonElement value) => (name, value.ValueKind) switch
    {
        ("properties" or "$defs" or "definitions", JsonValueKind.Object) => 16 * value.GetPropertyCount(),
        ("allOf" or "anyOf" or "oneOf" or "prefixItems", JsonValueKind.Array) => 16 * value.GetArrayLength(),
        ("enum" or "const" or "required" or "propertyOrdering", _) => 6 * JsonMarshal.GetRawUtf8Value(value).Length,
        ("type" or "pattern" or "format" or "$ref", _) => JsonMarshal.GetRawUtf8Value(value).Length,
        _ => 0, // schemas, which count themselves, and notes, which nobody reads
    };

    public static string Escaped(string name) => Shown(name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal));

    private void ReadKeyword(SchemaPlace place, string name, JsonElement value, string pointer, SchemaShape shape, int depth)
    {
        automaton.Spend(24 + (name.Length + pointer.Length) / 16 + SizeOf(name, value) * (1 + pointer.Length / 64), pointer);
        switch (name)
        {
            case "type" or "nullable" or "prefixItems":
                return; // with others
            case "$ref":
                Read(Resolve(value, pointer), shape, depth + 1);
                return;
            case "allOf":
                foreach (var part in Schemas(value, pointer)) Read(part, shape, depth + 1);
                return;
            case "anyOf":
                shape.Alternatives.Add(Schemas(value, pointer));
                return;
            case "oneOf":
                RequireDisjoint(Schemas(value, pointer), depth);
                shape.Alternatives.Add(Schemas(value, pointer));
                return;
            case "enum":
                if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() == 0) throw new SchemaException(pointer, "expected a list of at least one value.");
                Restrict(shape, value.EnumerateArray());
                return;
            case "const":
                Restrict(shape, [value]);
                return;
            case "properties":
                shape.Implied |= ValueTypes.Record;
                foreach (var property in Ordered(place, value, pointer))
                {
                    automaton.Spend(16 + property.Name.Length / 16, pointer);
                    if (!shape.Properties.TryGetValue(property.Name, out var demands))
                    {
                        shape.Properties.Add(property.Name, demands = []);
                        shape.Order.Add(property.Name);
                    }

                    demands.Add(new SchemaPlace(property.Value, $"{pointer}/{Escaped(property.Name)}"));
                }

                return;
            case "propertyOrdering": // Google's: with properties
                foreach (var ordered in List(value, pointer)) Text(ordered, pointer);
                return;
            case "required":
                shape.Implied |= ValueTypes.Record;
                foreach (var required in List(value, pointer)) shape.Required.Add(Text(required, pointer));
                return;
            case "additionalProperties":
                shape.Implied |= ValueTypes.Record;
                shape.Additional.Add((Names(place), new SchemaPlace(value, pointer)));
                return;
            case "items":
                ReadItems(place, shape);
                return;
            case "minItems":
                shape.Implied |= ValueTypes.List;
                shape.MinItems = Math.Max(shape.MinItems, Count(value, pointer));
                return;
            case "maxItems":
                shape.Implied |= ValueTypes.List;
                shape.MaxItems = Math.Min(shape.MaxItems ?? int.MaxValue, Count(value, pointer));
                return;
            case "minLength":
                shape.Implied |= ValueTypes.Text;
                shape.MinLength = Math.Max(shape.MinLength, Count(value, pointer));
                return;
            case "maxLength":
                shape.Implied |= ValueTypes.Text;
                shape.MaxLength = Math.Min(shape.MaxLength ?? int.MaxValue, Count(value, pointer));
                return;
            case "pattern":
                shape.Implied |= ValueTypes.Text;
                shape.Patterns.Add((Text(value, pointer), pointer));
                return;
            case "format":
                ReadFormat(value, pointer, shape);
                return;
            case "minimum" or "exclusiveMinimum":
                shape.Implied |= ValueTypes.Number;
                if (JsonNumbers.LowBound(Number(value, pointer), pointer) is decimal low) shape.Range = shape.Range.From(low, name == "exclusiveMinimum");
                return;
            case "maximum" or "exclusiveMaximum":
                shape.Implied |= ValueTypes.Number;
                if (JsonNumbers.HighBound(Number(value, pointer), pointer) is decimal high) shape.Range = shape.Range.To(high, name == "exclusiveMaximum");
                return;
            case "uniqueItems" when value.ValueKind == JsonValueKind.False:
                return;
        }

        if (!Annotations.Contains(name) && !name.StartsWith("x-", StringComparison.Ordinal)) throw new SchemaException(pointer, $"the keyword '{Shown(name)}' is not supported; take it out, or say it in the prompt.");
    }

    private static void ReadTypes(SchemaPlace place, SchemaShape shape)
    {
        var types = ValueTypes.All;
        if (place.Element.TryGetProperty("type", out var named))
        {
            string pointer = place.Pointer + "/type";
            types = named.ValueKind == JsonValueKind.Array && named.GetArrayLength() > 0
                ? named.EnumerateArray().Aggregate(ValueTypes.None, (all, one) => all | TypeOf(Text(one, pointer), pointer))
                : TypeOf(Text(named, pointer), pointer);
        }

        // As in OpenAPI: one more type beside the one that is named.
        if (place.Element.TryGetProperty("nullable", out var nullable) && nullable.ValueKind == JsonValueKind.True) types |= ValueTypes.Null;
        shape.Types &= types;
        if (place.Element.TryGetProperty("prefixItems", out _) && !place.Element.TryGetProperty("items", out _)) ReadItems(place, shape);
    }

    private static ValueTypes TypeOf(string name, string pointer) => name switch
    {
        "null" => ValueTypes.Null,
        "boolean" => ValueTypes.Boolean,
        "integer" => ValueTypes.Whole,
        "number" => ValueTypes.Number,
        "string" => ValueTypes.Text,
        "array" => ValueTypes.List,
        "object" => ValueTypes.Record,
        _ when name.Any(char.IsAsciiLetterUpper) && !name.Any(char.IsAsciiLetterLower) => TypeOf(name.ToLowerInvariant(), pointer), // Google's spelling
        _ => throw new SchemaException(pointer, $"'{Shown(name)}' is no type; expected null, boolean, integer, number, string, array or object."),
    };

    private static void ReadItems(SchemaPlace place, SchemaShape shape)
    {
        shape.Implied |= ValueTypes.List;
        IReadOnlyList<SchemaPlace> first = place.Element.TryGetProperty("prefixItems", out var listed) ? Schemas(listed, place.Pointer + "/prefixItems") : [];
        shape.Items.Add((first, place.Element.TryGetProperty("items", out var items) ? new SchemaPlace(items, place.Pointer + "/items") : null));
    }

    private static void ReadFormat(JsonElement value, string pointer, SchemaShape shape)
    {
        string format = Text(value, pointer);
        // The widths of numbers, from OpenAPI, say nothing that the digits do not; Google's "enum" stands beside one.
        if (format is "float" or "double" or "int64" or "enum") return;
        if (format == "int32")
        {
            shape.Range = shape.Range.From(int.MinValue, false).To(int.MaxValue, false);
            return;
        }

        string pattern = StringFormats.PatternOf(format)
            ?? throw new SchemaException(pointer, $"the format '{Shown(format)}' is not supported; expected {string.Join(", ", StringFormats.Names)}.");
        shape.Implied |= ValueTypes.Text;
        shape.Patterns.Add((pattern, pointer));
    }

    private void CheckStrict(SchemaPlace place)
    {
        if (!strict) return;
        var names = Names(place);
        bool isObject = names.Count > 0 || (place.Element.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String && type.ValueEquals("object"));
        if (!isObject) return;
        if (!place.Element.TryGetProperty("additionalProperties", out var others) || others.ValueKind != JsonValueKind.False)
            throw new SchemaException(place.Pointer, "strict needs \"additionalProperties\": false in every object.");
        if (place.Element.TryGetProperty("required", out var required) && required.ValueKind == JsonValueKind.Array)
            foreach (var name in required.EnumerateArray()) names.Remove(Text(name, place.Pointer + "/required"));
        if (names.Count > 0)
            throw new SchemaException(place.Pointer, $"strict needs every property in \"required\"; '{Shown(names.First())}' is not (allow null where it may be absent).");
    }

    private static HashSet<string> Names(SchemaPlace place) => place.Element.TryGetProperty("properties", out var properties)
        ? new(Object(properties, place.Pointer + "/properties").Select(property => property.Name), StringComparer.Ordinal) : new(StringComparer.Ordinal);

    private static void Restrict(SchemaShape shape, IEnumerable<JsonElement> allowed)
    {
        var values = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var value in allowed)
        {
            string text = JsonLiterals.Text(value);
            shape.ValueLength += text.Length;
            if (shape.Values is null || shape.Values.ContainsKey(text)) values[text] = value;
        }

        shape.Values = values;
    }

    private static IReadOnlyList<SchemaPlace> Schemas(JsonElement list, string pointer) =>
        list.ValueKind == JsonValueKind.Array && list.GetArrayLength() > 0
            ? [.. list.EnumerateArray().Select((element, i) => new SchemaPlace(element, FormattableString.Invariant($"{pointer}/{i}")))]
            : throw new SchemaException(pointer, $"found {Kind(list)}; expected a list of at least one schema.");

    private static JsonElement.ObjectEnumerator Object(JsonElement value, string pointer) =>
        value.ValueKind == JsonValueKind.Object ? value.EnumerateObject() : throw new SchemaException(pointer, $"found {Kind(value)}; expected an object.");

    private static string Text(JsonElement value, string pointer) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : throw new SchemaException(pointer, $"found {Kind(value)}; expected a text.");

    private static JsonElement.ArrayEnumerator List(JsonElement value, string pointer) =>
        value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : throw new SchemaException(pointer, $"found {Kind(value)}; expected a list of names.");

    // Google's clients write 64-bit counts as texts.
    private static int Count(JsonElement value, string pointer)
    {
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int count) && count >= 0) return count;
        if (value.ValueKind == JsonValueKind.String && int.TryParse(value.GetString(), NumberStyles.None, CultureInfo.InvariantCulture, out count)) return count;
        throw new SchemaException(pointer, "expected a whole number from 0 to 2147483647.");
    }

    private static JsonElement Number(JsonElement value, string pointer) =>
        value.ValueKind == JsonValueKind.Number ? value : throw new SchemaException(pointer, $"found {Kind(value)}; expected a number.");

    // Google's propertyOrdering says in which order properties are written.
    private static IEnumerable<JsonProperty> Ordered(SchemaPlace place, JsonElement properties, string pointer)
    {
        var given = Object(properties, pointer);
        if (!place.Element.TryGetProperty("propertyOrdering", out var ordering) || ordering.ValueKind != JsonValueKind.Array) return given;
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var name in ordering.EnumerateArray())
            if (name.ValueKind == JsonValueKind.String) places.TryAdd(name.GetString()!, places.Count);
        return given.OrderBy(property => places.GetValueOrDefault(property.Name, int.MaxValue));
    }

    // A value that is valid for two branches is not valid for oneOf, and an automaton cannot tell; so branches that could share a value are refused.
    private void RequireDisjoint(IReadOnlyList<SchemaPlace> branches, int depth)
    {
        var shapes = new SchemaShape[branches.Count];
        for (int i = 0; i < shapes.Length; i++) Read(branches[i], shapes[i] = new SchemaShape(), depth + 1);
        for (int i = 0; i < shapes.Length; i++)
        {
            for (int other = 0; other < i; other++)
            {
                if (!AreDisjoint(shapes[other], shapes[i], 0))
                    throw new SchemaException(branches[i].Pointer, $"one value could be valid here and for branch {other} of the oneOf as well, which cannot be ruled out while writing. " +
                        "Use anyOf, or let the branches differ in type, or in a required property with another const or enum.");
            }
        }
    }

    private bool AreDisjoint(SchemaShape first, SchemaShape second, int depth)
    {
        automaton.Spend(10 + (first.ValueLength + second.ValueLength) / 4, "");
        var common = first.PossibleTypes & second.PossibleTypes;
        if (common == ValueTypes.None) return true;
        if (first.Values is not null && second.Values is not null && first.ValueKeys() is { } some && second.ValueKeys() is { } others && !some.Overlaps(others)) return true;
        if ((common & ~ValueTypes.Number) == ValueTypes.None) return first.Range.IsBelow(second.Range) || second.Range.IsBelow(first.Range);
        if (common != ValueTypes.Record || depth == 4) return false;
        foreach (string name in first.Required)
        {
            automaton.Spend(1 + first.Additional.Count + second.Additional.Count, "");
            if (!second.Required.Contains(name))
            {
                if (second.Forbids(name)) return true;
                continue;
            }

            if (first.Properties.TryGetValue(name, out var one) && second.Properties.TryGetValue(name, out var other) && AreDisjoint(ShapeOf(one, depth), ShapeOf(other, depth), depth + 1)) return true;
        }

        return second.Required.Any(name => !first.Required.Contains(name) && first.Forbids(name));
    }

    private SchemaShape ShapeOf(List<SchemaPlace> places, int depth)
    {
        var shape = new SchemaShape();
        foreach (var place in places) Read(place, shape, depth + 1);
        return shape;
    }

    private static string Kind(JsonElement value) => value.ValueKind.ToString().ToLowerInvariant();

    private static string Shown(string text) => text.Length <= 80 ? text : text[..80] + "…";
}
