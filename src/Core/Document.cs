using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OpenEuroLLM.Core;

/// <summary>One text with its origin: a line of a <c>.jsonl</c> file.</summary>
/// <param name="Id">Unique within its source.</param>
/// <param name="Text">The text itself.</param>
/// <param name="Lang">Canonical language code, as in the language catalogue.</param>
/// <param name="Source">Name of the collection.</param>
/// <param name="License">Licence of the text.</param>
/// <param name="Url">Where it was found.</param>
/// <param name="Date">When it was published or fetched, ISO 8601.</param>
/// <param name="Metadata">Anything else; <c>messages: [{role, content}]</c> marks a chat.</param>
public sealed record Document(
    string Id, string Text, string Lang, string Source, string License, string? Url = null, string? Date = null, JsonObject? Metadata = null)
{
    private static readonly string[] _fields = ["id", "text", "lang", "source", "license", "url", "date", "metadata"];
    private static readonly JsonWriterOptions _writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Reads one line.</summary>
    /// <param name="jsonLine">The line as UTF-8, without its line feed.</param>
    /// <param name="where">File and line, for the error message: <c>corpus.jsonl:17</c>.</param>
    /// <exception cref="UserErrorException">The line is no document; the message names the place and the field.</exception>
    public static Document Parse(ReadOnlySpan<byte> jsonLine, string where)
    {
        var values = new string?[_fields.Length];
        JsonObject? metadata = null;
        int seen = 0;
        string field = "";
        try
        {
            var reader = new Utf8JsonReader(jsonLine);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) throw Refuse(where, "the line is not a JSON object");
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                field = reader.GetString()!;
                int index = Array.IndexOf(_fields, field);
                if (index < 0) throw Refuse(where, $"field '{field}' is unknown{SuggestedName.Hint(field, _fields)} Other data belongs under metadata", end: "");
                if ((seen & (1 << index)) != 0) throw Refuse(where, $"field '{field}' appears twice");
                seen |= 1 << index;
                reader.Read();
                bool optional = index >= 5;
                if (optional && reader.TokenType == JsonTokenType.Null) continue;
                if (field == "metadata")
                {
                    if (reader.TokenType != JsonTokenType.StartObject) throw Refuse(where, $"field 'metadata' is {Describe(reader.TokenType)}; expected an object");
                    int start = (int)reader.TokenStartIndex;
                    reader.Skip();
                    metadata = StrictJson.Parse(jsonLine[start..(int)reader.BytesConsumed]);
                }
                else
                {
                    values[index] = reader.TokenType == JsonTokenType.String
                        ? reader.GetString()
                        : throw Refuse(where, $"field '{field}' is {Describe(reader.TokenType)}; expected a string");
                }
            }

            if (reader.Read()) throw Refuse(where, "text follows the object");
        }
        catch (JsonException exception)
        {
            throw Refuse(where, field == "metadata" ? $"field 'metadata' is not valid ({exception.Message.TrimEnd('.')})" : $"the line is not valid JSON at byte {exception.BytePositionInLine}", cause: exception);
        }
        catch (InvalidOperationException exception) // invalid UTF-8 or half of a surrogate pair
        {
            throw Refuse(where, $"field '{field}' is not valid Unicode", cause: exception);
        }

        for (int i = 0; i < 5; i++)
            if (values[i] is null) throw Refuse(where, $"field '{_fields[i]}' is missing");
        return new Document(values[0]!, values[1]!, values[2]!, values[3]!, values[4]!, values[5], values[6], metadata);
    }

    /// <summary>Writes the document as one object, fields in the order of the constructor, absent ones left out.</summary>
    public void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("id", Id);
        writer.WriteString("text", Text);
        writer.WriteString("lang", Lang);
        writer.WriteString("source", Source);
        writer.WriteString("license", License);
        if (Url is not null) writer.WriteString("url", Url);
        if (Date is not null) writer.WriteString("date", Date);
        if (Metadata is not null)
        {
            writer.WritePropertyName("metadata");
            Metadata.WriteTo(writer);
        }

        writer.WriteEndObject();
    }

    /// <summary>The document as UTF-8, letters unescaped, without a line feed at the end.</summary>
    public byte[] ToJsonLine()
    {
        var buffer = new ArrayBufferWriter<byte>(Text.Length + 256);
        using (var writer = new Utf8JsonWriter(buffer, _writing)) WriteTo(writer);
        return buffer.WrittenSpan.ToArray();
    }

    private static UserErrorException Refuse(string where, string what, string end = "; mend or remove the line.", Exception? cause = null) =>
        new($"{where}: {what}{(end.Length == 0 ? "." : end)}", cause);

    private static string Describe(JsonTokenType token) => token switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "a list",
        JsonTokenType.Number => "a number",
        JsonTokenType.True or JsonTokenType.False => "true or false",
        JsonTokenType.Null => "null",
        _ => "a string",
    };
}
