using System.Text;
using System.Text.Json;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The normalizers as they stand in <c>tokenizer.json</c>.</summary>
internal static class NormalizerJson
{
    private const string Known = "NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, Strip, Nmt, Replace, Prepend, Precompiled, ByteLevel, BertNormalizer, Sequence";

    public static INormalizer Read(JsonPart part)
    {
        switch (part.Type)
        {
            case "NFC":
                part.Allow();
                return UnicodeForm.Nfc;
            case "NFD":
                part.Allow();
                return UnicodeForm.Nfd;
            case "NFKC":
                part.Allow();
                return UnicodeForm.Nfkc;
            case "NFKD":
                part.Allow();
                return UnicodeForm.Nfkd;
            case "Lowercase":
                part.Allow();
                return new Lowercase();
            case "StripAccents":
                part.Allow();
                return new StripAccents();
            case "Nmt":
                part.Allow();
                return new NmtNormalizer();
            case "ByteLevel":
                part.Allow();
                return new ByteLevelNormalizer();
            case "Strip":
                part.Allow("strip_left", "strip_right");
                return new StripNormalizer(part.Flag("strip_left"), part.Flag("strip_right"));
            case "Prepend":
                part.Allow("prepend");
                return new PrependNormalizer(Encoding.UTF8.GetBytes(part.Text("prepend")));
            case "Replace":
                part.Allow("pattern", "content");
                return new ReplaceNormalizer(part.Pattern("pattern"), Encoding.UTF8.GetBytes(part.Text("content")));
            case "Precompiled":
                return ReadPrecompiled(part.Allow("precompiled_charsmap"));
            case "BertNormalizer":
                part.Allow("clean_text", "handle_chinese_chars", "strip_accents", "lowercase");
                return new BertNormalizer(part.Flag("clean_text"), part.Flag("handle_chinese_chars"), part.Has("strip_accents") ? part.Flag("strip_accents") : null, part.Flag("lowercase"));
            case "Sequence":
                return new NormalizerSequence([.. part.Allow("normalizers").List("normalizers").Select(Read)]);
            default:
                throw part.RefuseType(Known);
        }
    }

    public static void Write(Utf8JsonWriter json, INormalizer normalizer)
    {
        json.WriteStartObject();
        switch (normalizer)
        {
            case UnicodeForm form:
                json.WriteString("type", form == UnicodeForm.Nfc ? "NFC" : form == UnicodeForm.Nfd ? "NFD" : form == UnicodeForm.Nfkc ? "NFKC" : "NFKD");
                break;
            case Lowercase:
                json.WriteString("type", "Lowercase");
                break;
            case StripAccents:
                json.WriteString("type", "StripAccents");
                break;
            case NmtNormalizer:
                json.WriteString("type", "Nmt");
                break;
            case ByteLevelNormalizer:
                json.WriteString("type", "ByteLevel");
                break;
            case StripNormalizer strip:
                json.WriteString("type", "Strip");
                json.WriteBoolean("strip_left", strip.Left);
                json.WriteBoolean("strip_right", strip.Right);
                break;
            case PrependNormalizer prepend:
                json.WriteString("type", "Prepend");
                json.WriteString("prepend", prepend.Content);
                break;
            case ReplaceNormalizer replace:
                json.WriteString("type", "Replace");
                PatternJson.Write(json, replace.Pattern);
                json.WriteString("content", replace.Content);
                break;
            case PrecompiledNormalizer precompiled:
                json.WriteString("type", "Precompiled");
                json.WriteBase64String("precompiled_charsmap", precompiled.Map.Blob);
                break;
            case BertNormalizer bert:
                json.WriteString("type", "BertNormalizer");
                json.WriteBoolean("clean_text", bert.CleanText);
                json.WriteBoolean("handle_chinese_chars", bert.SeparateChinese);
                if (bert.StripAccents is bool strips)
                    json.WriteBoolean("strip_accents", strips);
                else
                    json.WriteNull("strip_accents");
                json.WriteBoolean("lowercase", bert.Lowercase);
                break;
            case NormalizerSequence sequence:
                json.WriteString("type", "Sequence");
                json.WriteStartArray("normalizers");
                foreach (var step in sequence.Steps)
                    Write(json, step);
                json.WriteEndArray();
                break;
            default:
                throw new ArgumentException($"{normalizer.GetType().Name} has no form in tokenizer.json.", nameof(normalizer));
        }
        json.WriteEndObject();
    }

    private static PrecompiledNormalizer ReadPrecompiled(JsonPart part)
    {
        string text = part.Text("precompiled_charsmap");
        byte[] blob = new byte[text.Length / 4 * 3 + 3];
        return Convert.TryFromBase64String(text, blob, out int length) ? new PrecompiledNormalizer(CharacterMap.Parse(blob.AsSpan(0, length), part.Place))
            : throw part.Refuse($"{part.Name}.precompiled_charsmap is no base64");
    }
}
