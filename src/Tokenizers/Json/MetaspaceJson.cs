using System.Text.Json;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The fields of Metaspace, the same for pre-tokenizer and decoder. Older files say <c>add_prefix_space</c> instead of <c>prepend_scheme</c>.</summary>
internal static class MetaspaceJson
{
    public static (string Replacement, PrependScheme Prepend, bool Splits) Read(JsonPart part)
    {
        part.Allow("replacement", "prepend_scheme", "split", "add_prefix_space", "str_rep");
        bool? prefix = part.Has("add_prefix_space") ? part.Flag("add_prefix_space") : null;
        var prepend = part.OptionalText("prepend_scheme") switch
        {
            "first" => PrependScheme.First,
            "always" => PrependScheme.Always,
            "never" => PrependScheme.Never,
            null => prefix == false ? PrependScheme.Never : PrependScheme.Always,
            var other => throw part.Refuse($"{part.Name}.prepend_scheme is '{JsonPart.Shown(other)}'; expected first, always or never"),
        };
        if (prefix == false && prepend != PrependScheme.Never)
            throw part.Refuse($"{part.Name} has add_prefix_space false and another prepend_scheme than never; expected one of them");
        return (part.Character("replacement"), prepend, part.Flag("split", absent: true));
    }

    public static void Write(Utf8JsonWriter json, string replacement, PrependScheme prepend, bool splits)
    {
        json.WriteString("type", "Metaspace");
        json.WriteString("replacement", replacement);
        json.WriteString("prepend_scheme", prepend switch { PrependScheme.First => "first", PrependScheme.Always => "always", _ => "never" });
        json.WriteBoolean("split", splits);
    }
}
