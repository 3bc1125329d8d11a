using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The bytes of <c>tokenizer.json</c>. Whatever would change ids and is not known here is refused by name: ids that are almost right make a
/// model quietly worse. Nesting is bounded by the JSON reader (64), lists by the size of the file.</summary>
internal static class TokenizerJson
{
    private const int MostIndented = 32_768;

    public static readonly JsonWriterOptions Writing = new()
    {
        Indented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Reads a tokenizer.</summary>
    /// <param name="json">The file's bytes.</param>
    /// <param name="where">The file's path, for messages.</param>
    /// <param name="configuration">The bytes of <c>tokenizer_config.json</c>, kept for writing back.</param>
    public static Tokenizer Parse(ReadOnlyMemory<byte> json, string where, byte[]? configuration = null) => new(ParseParts(json, where), configuration);

    /// <summary>Reads the parts of a tokenizer.</summary>
    public static TokenizerParts ParseParts(ReadOnlyMemory<byte> json, string where)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false });
            return Read(new JsonPart(where, "", document.RootElement));
        }
        // The second comes from text that is no valid Unicode.
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new UserErrorException($"{where}: is not valid JSON: {error.Message.ReplaceLineEndings(" ")}", error);
        }
    }

    /// <summary>Writes a tokenizer: indented, one token and one merge a line; a large one without indentation, which would be a third of the file.</summary>
    public static byte[] Write(Tokenizer tokenizer)
    {
        var parts = tokenizer.Parts.Model is SentencePieceSettings ? SentencePieceConversion.ToJson(tokenizer.Parts) : tokenizer.Parts;
        var buffer = new ArrayBufferWriter<byte>(1 << 20);
        using (var json = new Utf8JsonWriter(buffer, Writing with { Indented = parts.Model.Tokens.Count <= MostIndented }))
        {
            json.WriteStartObject();
            json.WriteString("version", "1.0");
            WriteKept(json, "truncation", parts.Truncation);
            WriteKept(json, "padding", parts.Padding);
            AddedTokenJson.Write(json, parts.Added);
            WriteComponent(json, "normalizer", parts.Normalizer, NormalizerJson.Write);
            WriteComponent(json, "pre_tokenizer", parts.PreTokenizer, PreTokenizerJson.Write);
            WriteComponent(json, "post_processor", parts.PostProcessor, PostProcessorJson.Write);
            WriteComponent(json, "decoder", parts.Decoder, DecoderJson.Write);
            ModelJson.Write(json, parts.Model);
            json.WriteEndObject();
        }
        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The post-processor that makes other programs start a text with a control token.</summary>
    public static IPostProcessor StartingWith(string content, int id) => TemplateProcessing.StartingWith(content, id);

    private static TokenizerParts Read(JsonPart root)
    {
        if (root.Element.ValueKind != JsonValueKind.Object)
            throw root.Refuse("the file is no object");
        root.Allow("version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "model");
        if (root.Text("version") is var version && version != "1.0")
            throw root.Refuse($"version is '{JsonPart.Shown(version)}'; expected '1.0'");
        var model = ModelJson.Read(root.Part("model"));
        return new TokenizerParts(
            model, AddedTokenJson.Read(root, model.Tokens),
            root.Optional("normalizer") is { } normalizer ? NormalizerJson.Read(normalizer) : null,
            root.Optional("pre_tokenizer") is { } preTokenizer ? PreTokenizerJson.Read(preTokenizer) : null,
            root.Optional("post_processor") is { } postProcessor ? PostProcessorJson.Read(postProcessor) : null,
            root.Optional("decoder") is { } decoder ? DecoderJson.Read(decoder) : null,
            root.Optional("truncation")?.Allow("direction", "max_length", "strategy", "stride").Element.GetRawText(),
            root.Optional("padding")?.Allow("strategy", "direction", "pad_to_multiple_of", "pad_id", "pad_type_id", "pad_token").Element.GetRawText());
    }

    private static void WriteKept(Utf8JsonWriter json, string key, string? raw)
    {
        json.WritePropertyName(key);
        if (raw is null)
        {
            json.WriteNullValue();
            return;
        }
        using var parsed = JsonDocument.Parse(raw);
        parsed.WriteTo(json);
    }

    private static void WriteComponent<T>(Utf8JsonWriter json, string key, T? component, Action<Utf8JsonWriter, T> write)
        where T : class
    {
        json.WritePropertyName(key);
        if (component is null)
            json.WriteNullValue();
        else
            write(json, component);
    }
}
