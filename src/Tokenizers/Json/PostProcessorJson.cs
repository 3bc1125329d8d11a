using System.Text.Json;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The post-processors as they stand in <c>tokenizer.json</c>.</summary>
internal static class PostProcessorJson
{
    private const string Known = "TemplateProcessing, ByteLevel, BertProcessing, RobertaProcessing, Sequence";
    private const int MostTypeId = 255;

    public static IPostProcessor Read(JsonPart part)
    {
        switch (part.Type)
        {
            case "TemplateProcessing":
                return ReadTemplate(part.Allow("single", "pair", "special_tokens"));
            case "ByteLevel":
                part.Allow("add_prefix_space", "trim_offsets", "use_regex");
                return new ByteLevelPostProcessor(part.Flag("add_prefix_space"), part.Flag("trim_offsets"), part.Flag("use_regex", absent: true));
            case "BertProcessing":
                part.Allow("sep", "cls");
                return new BertProcessing(part.NamedToken("sep"), part.NamedToken("cls"));
            case "RobertaProcessing":
                part.Allow("sep", "cls", "trim_offsets", "add_prefix_space");
                return new RobertaProcessing(part.NamedToken("sep"), part.NamedToken("cls"), part.Flag("trim_offsets"), part.Flag("add_prefix_space"));
            case "Sequence":
                var sequence = new PostProcessorSequence([.. part.Allow("processors").List("processors").Select(Read)]);
                return sequence.Steps.Count(step => step.AddsTokens) <= 1 ? sequence
                    : throw part.Refuse($"{part.Name} has more than one step that adds tokens, whose order means nothing; expected at most one");
            default:
                throw part.RefuseType(Known);
        }
    }

    public static void Write(Utf8JsonWriter json, IPostProcessor processor)
    {
        json.WriteStartObject();
        switch (processor)
        {
            case TemplateProcessing template:
                WriteTemplate(json, template);
                break;
            case ByteLevelPostProcessor bytes:
                ByteLevelJson.Write(json, bytes.AddPrefixSpace, bytes.TrimOffsets, bytes.UseRegex);
                break;
            case BertProcessing bert:
                json.WriteString("type", "BertProcessing");
                WriteToken(json, "sep", bert.Separator);
                WriteToken(json, "cls", bert.Start);
                break;
            case RobertaProcessing roberta:
                json.WriteString("type", "RobertaProcessing");
                WriteToken(json, "sep", roberta.Separator);
                WriteToken(json, "cls", roberta.Start);
                json.WriteBoolean("trim_offsets", roberta.TrimOffsets);
                json.WriteBoolean("add_prefix_space", roberta.AddPrefixSpace);
                break;
            case PostProcessorSequence sequence:
                json.WriteString("type", "Sequence");
                json.WriteStartArray("processors");
                foreach (var step in sequence.Steps)
                    Write(json, step);
                json.WriteEndArray();
                break;
            default:
                throw new ArgumentException($"{processor.GetType().Name} has no form in tokenizer.json.", nameof(processor));
        }
        json.WriteEndObject();
    }

    private static TemplateProcessing ReadTemplate(JsonPart part)
    {
        var special = part.Part("special_tokens");
        var tokens = new List<TemplateToken>();
        foreach (var property in special.Allow([.. Names(special)]).Element.EnumerateObject())
        {
            var token = special.Part(property.Name).Allow("id", "ids", "tokens");
            int[] ids = [.. token.List("ids").Select(item => item.Element.ValueKind == JsonValueKind.Number && item.Element.TryGetInt32(out int id) && id is >= 0 and <= JsonPart.MaximumId ? id
                : throw item.Refuse($"{item.Name} is {JsonPart.Shown(item.Element.ToString())}; expected a token id"))];
            string[] contents = [.. token.List("tokens").Select(item => item.Element.ValueKind == JsonValueKind.String ? item.Element.GetString()!
                : throw item.Refuse($"{item.Name} is {JsonPart.Shown(item.Element.ToString())}; expected a text"))];
            tokens.Add(new TemplateToken(property.Name, ids, contents));
        }
        var names = tokens.Select(token => token.Name).ToHashSet(StringComparer.Ordinal);
        var template = new TemplateProcessing(Pieces("single"), Pieces("pair"), tokens);
        if (template.Single.Any(piece => piece.Special is null && piece.Sequence != 0))
            throw part.Refuse($"{part.Name}.single names the sequence B; expected A only");
        if (!template.Pair.Any(piece => piece is { Special: null, Sequence: 0 }) || !template.Pair.Any(piece => piece is { Special: null, Sequence: 1 }))
            throw part.Refuse($"{part.Name}.pair does not use both sequences; expected A and B");
        return template;

        List<TemplatePiece> Pieces(string key) => [.. part.List(key).Select(item => Piece(item.Allow("Sequence", "SpecialToken")))];

        TemplatePiece Piece(JsonPart item)
        {
            if (item.Optional("Sequence") is { } sequence)
                return new TemplatePiece(null, sequence.Allow("id", "type_id").Text("id") switch
                {
                    "A" => 0,
                    "B" => 1,
                    var other => throw item.Refuse($"{item.Name} names the sequence '{JsonPart.Shown(other)}'; expected A or B"),
                }, sequence.Number("type_id", 0, MostTypeId));
            var token = item.Part("SpecialToken").Allow("id", "type_id");
            string name = token.Text("id");
            return names.Contains(name) ? new TemplatePiece(name, 0, token.Number("type_id", 0, MostTypeId))
                : throw item.Refuse($"{item.Name} names '{JsonPart.Shown(name)}', which special_tokens has not");
        }
    }

    private static IEnumerable<string> Names(JsonPart part) => part.Element.ValueKind == JsonValueKind.Object ? part.Element.EnumerateObject().Select(property => property.Name) : [];

    private static void WriteTemplate(Utf8JsonWriter json, TemplateProcessing template)
    {
        json.WriteString("type", "TemplateProcessing");
        WritePieces("single", template.Single);
        WritePieces("pair", template.Pair);
        json.WriteStartObject("special_tokens");
        foreach (var token in template.SpecialTokens)
        {
            json.WriteStartObject(token.Name);
            json.WriteString("id", token.Name);
            json.WriteStartArray("ids");
            foreach (int id in token.Ids)
                json.WriteNumberValue(id);
            json.WriteEndArray();
            json.WriteStartArray("tokens");
            foreach (string content in token.Tokens)
                json.WriteStringValue(content);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndObject();

        void WritePieces(string key, IReadOnlyList<TemplatePiece> pieces)
        {
            json.WriteStartArray(key);
            foreach (var piece in pieces)
            {
                json.WriteStartObject();
                json.WriteStartObject(piece.Special is null ? "Sequence" : "SpecialToken");
                json.WriteString("id", piece.Special ?? (piece.Sequence == 0 ? "A" : "B"));
                json.WriteNumber("type_id", piece.TypeId);
                json.WriteEndObject();
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
    }

    private static void WriteToken(Utf8JsonWriter json, string key, NamedToken token)
    {
        json.WriteStartArray(key);
        json.WriteStringValue(token.Content);
        json.WriteNumberValue(token.Id);
        json.WriteEndArray();
    }
}
