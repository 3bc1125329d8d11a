using System.Text;
using System.Text.Json;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The decoders as they stand in <c>tokenizer.json</c>.</summary>
internal static class DecoderJson
{
    private const string Known = "ByteLevel, Replace, ByteFallback, Fuse, Strip, Metaspace, WordPiece, BPEDecoder, CTC, Sequence";
    private const int MostStripped = 1 << 16;

    public static IDecoder Read(JsonPart part)
    {
        switch (part.Type)
        {
            case "ByteLevel":
                part.Allow("add_prefix_space", "trim_offsets", "use_regex");
                return new ByteLevelDecoder(part.Flag("add_prefix_space", absent: true), part.Flag("trim_offsets", absent: true), part.Flag("use_regex", absent: true));
            case "Replace":
                part.Allow("pattern", "content");
                return new ReplaceDecoder(part.Pattern("pattern"), Encoding.UTF8.GetBytes(part.Text("content")));
            case "ByteFallback":
                part.Allow();
                return new ByteFallbackDecoder();
            case "Fuse":
                part.Allow();
                return new FuseDecoder();
            case "Strip":
                part.Allow("content", "start", "stop");
                return new StripDecoder(Encoding.UTF8.GetBytes(part.Character("content")), part.Number("start", 0, MostStripped), part.Number("stop", 0, MostStripped));
            case "Metaspace":
                var (replacement, prepend, splits) = MetaspaceJson.Read(part);
                return new MetaspaceDecoder(replacement, prepend, splits);
            case "WordPiece":
                part.Allow("prefix", "cleanup");
                return new WordPieceDecoder(part.Text("prefix"), part.Flag("cleanup"));
            case "BPEDecoder":
                return new BpeDecoder(part.Allow("suffix").Text("suffix"));
            case "CTC":
                part.Allow("pad_token", "word_delimiter_token", "cleanup");
                return new CtcDecoder(part.Text("pad_token"), part.Text("word_delimiter_token"), part.Flag("cleanup"));
            case "Sequence":
                return new DecoderSequence([.. part.Allow("decoders").List("decoders").Select(Read)]);
            default:
                throw part.RefuseType(Known);
        }
    }

    public static void Write(Utf8JsonWriter json, IDecoder decoder)
    {
        json.WriteStartObject();
        switch (decoder)
        {
            case ByteLevelDecoder bytes:
                ByteLevelJson.Write(json, bytes.AddPrefixSpace, bytes.TrimOffsets, bytes.UseRegex);
                break;
            case ReplaceDecoder replace:
                json.WriteString("type", "Replace");
                PatternJson.Write(json, replace.Pattern);
                json.WriteString("content", replace.Content);
                break;
            case ByteFallbackDecoder:
                json.WriteString("type", "ByteFallback");
                break;
            case FuseDecoder:
                json.WriteString("type", "Fuse");
                break;
            case StripDecoder strip:
                json.WriteString("type", "Strip");
                json.WriteString("content", strip.Character);
                json.WriteNumber("start", strip.Start);
                json.WriteNumber("stop", strip.Stop);
                break;
            case MetaspaceDecoder metaspace:
                MetaspaceJson.Write(json, metaspace.Replacement, metaspace.Prepend, metaspace.Splits);
                break;
            case WordPieceDecoder words:
                json.WriteString("type", "WordPiece");
                json.WriteString("prefix", words.Prefix);
                json.WriteBoolean("cleanup", words.Cleanup);
                break;
            case BpeDecoder pairs:
                json.WriteString("type", "BPEDecoder");
                json.WriteString("suffix", pairs.Suffix);
                break;
            case CtcDecoder ctc:
                json.WriteString("type", "CTC");
                json.WriteString("pad_token", ctc.Padding);
                json.WriteString("word_delimiter_token", ctc.WordDelimiter);
                json.WriteBoolean("cleanup", ctc.Cleanup);
                break;
            case DecoderSequence sequence:
                json.WriteString("type", "Sequence");
                json.WriteStartArray("decoders");
                foreach (var step in sequence.Steps)
                    Write(json, step);
                json.WriteEndArray();
                break;
            default:
                throw new ArgumentException($"{decoder.GetType().Name} has no form in tokenizer.json.", nameof(decoder));
        }
        json.WriteEndObject();
    }
}
