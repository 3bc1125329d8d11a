using System.Text.Json;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>An object of a tokenizer's file, read with messages that say where it stands. What is not known is refused by name: ids that are almost right
/// make a model quietly worse.</summary>
/// <param name="file">The file's path.</param>
/// <param name="name">Where the object stands in it.</param>
/// <param name="element">The object.</param>
internal sealed class JsonPart(string file, string name, JsonElement element)
{
    /// <summary>The highest id that is read.</summary>
    public const int MaximumId = (1 << 24) - 1;

    private const int ShownCharacters = 80;

    public string Name => name;

    /// <summary>The file and the place in it, for messages of others.</summary>
    public string Place => $"{file}: {name}";

    public JsonElement Element => element;

    /// <summary>What the component is.</summary>
    public string Type => element.ValueKind == JsonValueKind.Object && element.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String
        ? type.GetString()! : element.ValueKind == JsonValueKind.Null ? "null" : "(no type)";

    public UserErrorException Refuse(string what) => new($"{file}: {what.ReplaceLineEndings(" ")}.");

    /// <summary>An error of a component that is not known here.</summary>
    public UserErrorException RefuseType(string known) => Refuse($"{name} '{Shown(Type)}' is not known here; known: {known}");

    /// <summary>Refuses fields that are not known, and what is no object.</summary>
    public JsonPart Allow(params ReadOnlySpan<string> known)
    {
        if (element.ValueKind != JsonValueKind.Object)
            throw Refuse($"{name} is no object");
        foreach (var property in element.EnumerateObject())
            if (!known.Contains(property.Name) && property.Name != "type")
                throw Refuse($"{name} has the field '{Shown(property.Name)}', which is not known here; known: {string.Join(", ", known)}");
        return this;
    }

    public bool Has(string key) => element.ValueKind == JsonValueKind.Object && element.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null;

    /// <summary>A part that is there.</summary>
    public JsonPart Part(string key) => Optional(key) ?? throw Missing(key, "an object");

    /// <summary>A part, or null.</summary>
    public JsonPart? Optional(string key) => Has(key) ? new JsonPart(file, PlaceOf(key), element.GetProperty(key)) : null;

    /// <summary>The items of a list.</summary>
    public IEnumerable<JsonPart> List(string key)
    {
        var list = Value(key, JsonValueKind.Array, "a list");
        int index = 0;
        foreach (var item in list.EnumerateArray())
            yield return new JsonPart(file, $"{PlaceOf(key)}[{index++}]", item);
    }

    public string Text(string key) => Value(key, JsonValueKind.String, "a text").GetString()!;

    /// <summary>A text, or the default where it is absent.</summary>
    public string Text(string key, string absent) => Has(key) ? Text(key) : absent;

    /// <summary>A text, or null where it is absent.</summary>
    public string? OptionalText(string key) => Has(key) ? Text(key) : null;

    /// <summary>A text of exactly one character.</summary>
    public string Character(string key)
    {
        string text = Text(key);
        return text.EnumerateRunes().Count() == 1 ? text : throw Refuse($"{PlaceOf(key)} is '{Shown(text)}'; expected one character");
    }

    public bool Flag(string key)
    {
        var value = element.ValueKind == JsonValueKind.Object && element.TryGetProperty(key, out var found) ? found : default;
        return value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Missing(key, "true or false");
    }

    /// <summary>A flag, or the default where it is absent.</summary>
    public bool Flag(string key, bool absent) => Has(key) ? Flag(key) : absent;

    /// <summary>A whole number within bounds.</summary>
    public int Number(string key, int lowest, int highest)
    {
        var value = Value(key, JsonValueKind.Number, $"a whole number from {lowest} to {highest}");
        return value.TryGetInt32(out int number) && number >= lowest && number <= highest ? number
            : throw Refuse($"{PlaceOf(key)} is {Shown(value.ToString())}; expected a whole number from {lowest} to {highest}");
    }

    public int Id(string key) => Number(key, 0, MaximumId);

    /// <summary>A list of two: a token's content and its id.</summary>
    public NamedToken NamedToken(string key)
    {
        var pair = Value(key, JsonValueKind.Array, "a token and its id");
        return pair.GetArrayLength() == 2 && pair[0].ValueKind == JsonValueKind.String && pair[1].ValueKind == JsonValueKind.Number
            && pair[1].TryGetInt32(out int id) && id is >= 0 and <= MaximumId ? new NamedToken(pair[0].GetString()!, id)
            : throw Refuse($"{PlaceOf(key)} is {Shown(pair.ToString())}; expected a token and its id");
    }

    /// <summary>A name of an enumeration.</summary>
    public T Choice<T>(string key)
        where T : struct, Enum
    {
        string text = Text(key);
        foreach (var value in Enum.GetValues<T>())
            if (string.Equals(value.ToString(), text, StringComparison.Ordinal))
                return value;
        throw Refuse($"{PlaceOf(key)} is '{Shown(text)}'; expected {string.Join(", ", Enum.GetNames<T>())}");
    }

    /// <summary>A pattern: <c>{"String": …}</c> or <c>{"Regex": …}</c>.</summary>
    public TextPattern Pattern(string key)
    {
        var part = Part(key);
        part.Allow("String", "Regex");
        if (part.OptionalText("String") is { } text && !part.Has("Regex"))
            return new TextPattern(text, null);
        if (part.OptionalText("Regex") is { } regex && !part.Has("String"))
            return new TextPattern(regex, SplitPatterns.Compile(regex, part.Place));
        throw Refuse($"{part.Name} is {Shown(part.Element.ToString())}; expected a String or a Regex");
    }

    /// <summary>A value for a message: its beginning, without line breaks.</summary>
    public static string Shown(string value) => value.Length <= ShownCharacters ? value.ReplaceLineEndings(" ") : value[..ShownCharacters].ReplaceLineEndings(" ") + "…";

    private string PlaceOf(string key) => name.Length == 0 ? key : $"{name}.{key}";

    private JsonElement Value(string key, JsonValueKind kind, string expected) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(key, out var value) && value.ValueKind == kind ? value : throw Missing(key, expected);

    private UserErrorException Missing(string key, string expected)
    {
        bool present = element.ValueKind == JsonValueKind.Object && element.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null;
        return Refuse($"{PlaceOf(key)} is {(present ? Shown(element.GetProperty(key).ToString()) : "missing")}; expected {expected}");
    }
}
