using System.Globalization;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Inference.Tests.Grammars;

/// <summary>Schemas of all kinds by a number, each with valid values.</summary>
internal sealed class RandomSchema(ulong seed)
{
    private static readonly (string Pattern, string[] Texts)[] _patterns =
    [
        ("^[a-z]{2,5}-\\d+$", ["ab-1", "hello-42"]), ("^(foo|bar)*$", ["", "foobar"]), ("ž", ["kůže ž", "ž"]), ("^\\w+(?:\\.\\w+)?$", ["a", "a_1.b"]), ("^[^\"\\\\]{1,4}$", ["ëé", "a b"]),
    ];

    private static readonly (string Format, string Text)[] _formats =
    [
        ("date", "2024-02-29"), ("date-time", "1999-12-31T23:59:59.5+02:00"), ("uuid", "00000000-0000-4000-8000-0123456789ab"), ("ipv4", "192.168.0.255"),
        ("ipv6", "fe80::1"), ("email", "jana.novak@urad.example.eu"), ("duration", "P1Y2M3DT4H5M6S"), ("hostname", "www.europa.eu"), ("time", "08:15:00Z"), ("uri", "https://europa.eu/a?b=%C3#c"),
    ];

    private static readonly string[] _texts = ["", "a", "žluťoučký kůň", "line\nbreak", "say \"hi\" \\ / \t", "😀", "\u0001", "{\"a\":1}", "<think>", "ab", "abc, d: [1]"];

    private readonly CounterRandom _random = new(seed, 7);
    private ulong _drawn;

    public int Next(int below) => (int)(_random.UniformAt(_drawn++) * below);

    public JsonNode Schema()
    {
        var schema = Schema(3);
        if (Next(4) > 0 || schema["$ref"] is not null) return schema;
        return new JsonObject
        {
            ["$defs"] = new JsonObject { ["tree"] = Tree(), ["part"] = schema },
            ["type"] = "object",
            ["properties"] = new JsonObject { ["tree"] = new JsonObject { ["$ref"] = "#/$defs/tree" }, ["part"] = new JsonObject { ["$ref"] = "#/$defs/part" } },
            ["required"] = new JsonArray("part"),
            ["additionalProperties"] = false,
        };
    }

    /// <summary>A valid value.</summary>
    public JsonNode? Value(JsonNode schema, JsonNode root, int depth = 0)
    {
        if (schema["$ref"] is { } reference) return Value(root["$defs"]![reference.GetValue<string>().Split('/')[^1]]!, root, depth + 1);
        if (schema["const"] is { } only) return only.DeepClone();
        if (schema["enum"] is JsonArray allowed) return allowed[Next(allowed.Count)]?.DeepClone();
        if ((schema["anyOf"] ?? schema["oneOf"]) is JsonArray branches) return Value(depth > 4 ? branches[0]! : branches[Next(branches.Count)]!, root, depth + 1);
        if (schema["allOf"] is JsonArray parts) return Value(parts[1]!, root, depth + 1);
        var type = schema["type"] is JsonArray types ? types[Next(types.Count)]!.GetValue<string>() : schema["type"]!.GetValue<string>();
        return type switch
        {
            "null" => null,
            "boolean" => Next(2) == 0,
            "integer" or "number" => Number(schema, type == "integer"),
            "string" => Text(schema),
            "array" => List(schema, root, depth),
            _ => Record(schema, root, depth),
        };
    }

    private JsonObject Schema(int depth)
    {
        switch (Next(depth == 0 ? 5 : 10))
        {
            case 0: return new JsonObject { ["type"] = Next(2) == 0 ? "boolean" : new JsonArray("null", "integer") };
            case 1: return NumberSchema();
            case 2: return TextSchema();
            case 3: return new JsonObject { ["enum"] = new JsonArray("a", "ab", "abc", null, 12, 1.5, true, "žlutý \"k\"", new JsonArray(1, "x"), new JsonObject { ["k"] = 1 }) };
            case 4: return new JsonObject { ["const"] = Next(2) == 0 ? "only" : -7 };
            case 5: return ListSchema(depth);
            case 6: return new JsonObject { ["anyOf"] = new JsonArray(new JsonObject { ["type"] = "null" }, Schema(depth - 1), Schema(depth - 1)) };
            case 7:
                return new JsonObject
                {
                    ["oneOf"] = new JsonArray(Tagged("circle", Schema(depth - 1)), Tagged("square", Schema(depth - 1)), new JsonObject { ["type"] = "null" }),
                };
            case 8:
                var record = RecordSchema(depth);
                record["additionalProperties"] = false;
                return new JsonObject { ["allOf"] = new JsonArray(new JsonObject { ["type"] = new JsonArray("object", "string") }, record) };
            default: return RecordSchema(depth);
        }
    }

    private static JsonObject Tree() => new()
    {
        ["type"] = "object",
        ["properties"] = new JsonObject { ["next"] = new JsonObject { ["anyOf"] = new JsonArray(new JsonObject { ["type"] = "null" }, new JsonObject { ["$ref"] = "#/$defs/tree" }) } },
        ["required"] = new JsonArray("next"),
        ["additionalProperties"] = false,
    };

    private static JsonObject Tagged(string kind, JsonNode value) => new()
    {
        ["type"] = "object",
        ["properties"] = new JsonObject { ["kind"] = new JsonObject { ["const"] = kind }, ["value"] = value },
        ["required"] = new JsonArray("kind", "value"),
        ["additionalProperties"] = false,
    };

    private JsonObject NumberSchema()
    {
        var schema = new JsonObject { ["type"] = Next(2) == 0 ? "integer" : "number" };
        double low = Next(400) - 200, high = low + Next(1500);
        if (schema["type"]!.GetValue<string>() == "number") (low, high) = (low + Next(8) / 8.0, high + 1 + Next(8) / 8.0);
        if (Next(3) > 0) schema["minimum"] = low;
        if (Next(3) > 0) schema[Next(2) == 0 ? "maximum" : "exclusiveMaximum"] = high + 1;
        return schema;
    }

    private JsonValue Number(JsonNode schema, bool whole)
    {
        double low = schema["minimum"]?.GetValue<double>() ?? -1000, high = (schema["maximum"] ?? schema["exclusiveMaximum"])?.GetValue<double>() ?? low + 2000;
        double value = low + (high - low) * _random.UniformAt(_drawn++);
        return JsonValue.Create(Math.Clamp(whole ? (decimal)Math.Floor(value) : Math.Round((decimal)value, Next(6)), (decimal)Math.Ceiling(low), (decimal)Math.Floor(high) - 1));
    }

    private JsonObject TextSchema()
    {
        var schema = new JsonObject { ["type"] = "string" };
        switch (Next(4))
        {
            case 0: schema["pattern"] = _patterns[Next(_patterns.Length)].Pattern; break;
            case 1: schema["format"] = _formats[Next(_formats.Length)].Format; break;
            case 2: (schema["minLength"], schema["maxLength"]) = (Next(3), 3 + Next(40)); break;
        }
        return schema;
    }

    private JsonNode Text(JsonNode schema)
    {
        if (schema["pattern"] is { } pattern) return _patterns.First(one => one.Pattern == pattern.GetValue<string>()).Texts[Next(2)];
        if (schema["format"] is { } format) return _formats.First(one => one.Format == format.GetValue<string>()).Text;
        string text = _texts[Next(_texts.Length)];
        if (schema["minLength"] is not { } least) return text;
        var runes = (text + "éé").EnumerateRunes().Take(Math.Max(least.GetValue<int>(), Next(schema["maxLength"]!.GetValue<int>() + 1)));
        return string.Concat(runes.Select(rune => rune.ToString()));
    }

    private JsonObject ListSchema(int depth)
    {
        var schema = new JsonObject { ["type"] = "array" };
        if (Next(3) == 0) schema["prefixItems"] = new JsonArray(Schema(depth - 1), Schema(depth - 1));
        if (schema["prefixItems"] is null || Next(2) == 0) schema["items"] = Schema(depth - 1);
        if (Next(2) == 0) schema["minItems"] = Next(3);
        if (Next(2) == 0) schema["maxItems"] = 2 + Next(3);
        return schema;
    }

    private JsonArray List(JsonNode schema, JsonNode root, int depth)
    {
        int least = schema["minItems"]?.GetValue<int>() ?? 0, most = schema["maxItems"]?.GetValue<int>() ?? least + 3;
        var list = new JsonArray();
        for (int count = Math.Max(least, depth > 6 ? 0 : Next(most + 1)); list.Count < count;)
        {
            var item = schema["prefixItems"] is JsonArray first && list.Count < first.Count ? first[list.Count]! : schema["items"];
            list.Add(item is null ? JsonValue.Create(1) : Value(item, root, depth + 1));
        }
        return list;
    }

    private JsonObject RecordSchema(int depth)
    {
        var properties = new JsonObject();
        var required = new JsonArray();
        foreach (string name in (string[])["name", "naïve \"key\"", "n", "été"])
        {
            if (Next(3) == 0) continue;
            properties[name] = Schema(depth - 1);
            if (Next(2) == 0) required.Add(name);
        }

        var schema = new JsonObject { ["type"] = "object", ["properties"] = properties, ["required"] = required };
        if (Next(3) == 0) schema["additionalProperties"] = Next(2) == 0 ? false : Schema(depth - 1);
        return schema;
    }

    private JsonObject Record(JsonNode schema, JsonNode root, int depth)
    {
        var record = new JsonObject();
        string[] required = [.. schema["required"]!.AsArray().Select(name => name!.GetValue<string>())];
        foreach (var (name, property) in schema["properties"]!.AsObject())
            if (required.Contains(name) || (depth < 5 && Next(2) == 0)) record[name] = Value(property!, root, depth + 1);
        if (schema["additionalProperties"] is JsonObject others)
            for (int i = Next(3); i > 0; i--) record[string.Create(CultureInfo.InvariantCulture, $"more{i}")] = Value(others, root, depth + 1);
        return record;
    }
}
