using System.Text.Json;

namespace OpenEuroLLM.Inference.Grammars;

/// <summary>The types of JSON values.</summary>
[Flags]
internal enum ValueTypes
{
    None = 0,
    Null = 1,
    Boolean = 2,
    Whole = 4,
    Fractional = 8,
    Number = Whole | Fractional,
    Text = 16,
    List = 32,
    Record = 64,
    All = 127,
}

/// <summary>A subschema and where it stands.</summary>
internal readonly record struct SchemaPlace(JsonElement Element, string Pointer);

/// <summary>What several schemas demand of one value together: the conjunction of their keywords.</summary>
internal sealed class SchemaShape
{
    public ValueTypes Types { get; set; } = ValueTypes.All;

    /// <summary>Types that keywords speak of; they are meant where no type is named.</summary>
    public ValueTypes Implied { get; set; }

    /// <summary>The values allowed, by their compact form; null for all.</summary>
    public Dictionary<string, JsonElement>? Values { get; set; }

    /// <summary>How long the texts of all values were that were allowed and restricted.</summary>
    public int ValueLength { get; set; }

    public List<IReadOnlyList<SchemaPlace>> Alternatives { get; private init; } = [];

    public List<string> Order { get; private init; } = [];

    public Dictionary<string, List<SchemaPlace>> Properties { get; private init; } = new(StringComparer.Ordinal);

    public HashSet<string> Required { get; private init; } = new(StringComparer.Ordinal);

    /// <summary>What each schema says of the properties that it does not name.</summary>
    public List<(HashSet<string> Named, SchemaPlace Others)> Additional { get; private init; } = [];

    public List<(IReadOnlyList<SchemaPlace> First, SchemaPlace? Others)> Items { get; private init; } = [];

    public int MinItems { get; set; }

    public int? MaxItems { get; set; }

    public int MinLength { get; set; }

    public int? MaxLength { get; set; }

    public List<(string Pattern, string Pointer)> Patterns { get; private init; } = [];

    public NumberRange Range { get; set; }

    /// <summary>The types that a valid value can have; more than it has in truth where alternatives say so.</summary>
    public ValueTypes PossibleTypes => Values is null ? Types : Values.Values.Aggregate(ValueTypes.None, (all, value) => all | TypeOf(value)) & Types;

    /// <summary>The allowed values so that equal ones are equal texts; null where that cannot be told.</summary>
    public HashSet<string>? ValueKeys()
    {
        var keys = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (text, value) in Values ?? [])
        {
            if (value.ValueKind is JsonValueKind.Array or JsonValueKind.Object) return null;
            if (value.ValueKind != JsonValueKind.Number) keys.Add(text);
            else if (value.TryGetDecimal(out decimal number)) keys.Add((number / 1.0000000000000000000000000000m).ToString(System.Globalization.CultureInfo.InvariantCulture));
            else return null;
        }

        return keys;
    }

    /// <summary>Whether an object with a certain property is never valid.</summary>
    public bool Forbids(string name) =>
        (Properties.TryGetValue(name, out var places) && places.Any(place => place.Element.ValueKind == JsonValueKind.False)) ||
        Additional.Any(rule => !rule.Named.Contains(name) && rule.Others.Element.ValueKind == JsonValueKind.False);

    /// <summary>The type of a value.</summary>
    public static ValueTypes TypeOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => ValueTypes.Null,
        JsonValueKind.True or JsonValueKind.False => ValueTypes.Boolean,
        JsonValueKind.Number => value.TryGetDecimal(out decimal number) && number == Math.Floor(number) ? ValueTypes.Whole : ValueTypes.Fractional,
        JsonValueKind.String => ValueTypes.Text,
        JsonValueKind.Array => ValueTypes.List,
        _ => ValueTypes.Record,
    };

    /// <summary>About how much a copy takes.</summary>
    public int Size => 8 + Order.Count + Required.Count + Additional.Count + Items.Count + Patterns.Count + Alternatives.Count + Properties.Count;

    /// <summary>Whether nothing was demanded beside the alternatives.</summary>
    public bool IsFree => Types == ValueTypes.All && Implied == ValueTypes.None && Values is null;

    /// <summary>Whether a keyword speaks of more than types and values.</summary>
    public bool HasDetails => Implied != ValueTypes.None;

    public SchemaShape CopyWithoutFirstAlternatives() => new()
    {
        Types = Types,
        Implied = Implied,
        Values = Values,
        ValueLength = ValueLength,
        Alternatives = [.. Alternatives.Skip(1)],
        Order = [.. Order],
        Properties = Properties.ToDictionary(pair => pair.Key, pair => pair.Value.ToList(), StringComparer.Ordinal),
        Required = new(Required, StringComparer.Ordinal),
        Additional = [.. Additional],
        Items = [.. Items],
        MinItems = MinItems,
        MaxItems = MaxItems,
        MinLength = MinLength,
        MaxLength = MaxLength,
        Patterns = [.. Patterns],
        Range = Range,
    };
}
