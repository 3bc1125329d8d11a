using System.Text;
using System.Text.Json;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The pre-tokenizers as they stand in <c>tokenizer.json</c>.</summary>
internal static class PreTokenizerJson
{
    private const string Known = "ByteLevel, Split, Metaspace, Digits, Whitespace, WhitespaceSplit, Punctuation, CharDelimiterSplit, UnicodeScripts, FixedLength, BertPreTokenizer, Sequence";
    private const int DefaultLength = 5;

    public static IPreTokenizer Read(JsonPart part)
    {
        switch (part.Type)
        {
            case "ByteLevel":
                part.Allow("add_prefix_space", "trim_offsets", "use_regex");
                return new ByteLevelPreTokenizer(part.Flag("add_prefix_space"), part.Flag("trim_offsets"), part.Flag("use_regex", absent: true));
            case "Split":
                part.Allow("pattern", "behavior", "invert");
                return new SplitPreTokenizer(part.Pattern("pattern"), part.Choice<SplitBehavior>("behavior"), part.Flag("invert"));
            case "Metaspace":
                var (replacement, prepend, splits) = MetaspaceJson.Read(part);
                return new MetaspacePreTokenizer(replacement, prepend, splits);
            case "Digits":
                return new DigitsPreTokenizer(part.Allow("individual_digits").Flag("individual_digits"));
            case "Whitespace":
                part.Allow();
                return new WhiteSpacePreTokenizer();
            case "WhitespaceSplit":
                part.Allow();
                return new WhiteSpaceSplitPreTokenizer();
            case "Punctuation":
                part.Allow("behavior");
                return new PunctuationPreTokenizer(part.Has("behavior") ? part.Choice<SplitBehavior>("behavior") : SplitBehavior.Isolated);
            case "CharDelimiterSplit":
                return new CharacterDelimiterPreTokenizer(Rune.GetRuneAt(part.Allow("delimiter").Character("delimiter"), 0).Value);
            case "UnicodeScripts":
                part.Allow();
                return new UnicodeScriptsPreTokenizer();
            case "FixedLength":
                part.Allow("length");
                return new FixedLengthPreTokenizer(part.Has("length") ? part.Number("length", 1, int.MaxValue) : DefaultLength);
            case "BertPreTokenizer":
                part.Allow();
                return new BertPreTokenizer();
            case "Sequence":
                return new PreTokenizerSequence([.. part.Allow("pretokenizers").List("pretokenizers").Select(Read)]);
            default:
                throw part.RefuseType(Known);
        }
    }

    public static void Write(Utf8JsonWriter json, IPreTokenizer preTokenizer)
    {
        json.WriteStartObject();
        switch (preTokenizer)
        {
            case ByteLevelPreTokenizer bytes:
                ByteLevelJson.Write(json, bytes.AddPrefixSpace, bytes.TrimOffsets, bytes.UseRegex);
                break;
            case SplitPreTokenizer split:
                json.WriteString("type", "Split");
                PatternJson.Write(json, split.Pattern);
                json.WriteString("behavior", split.Behavior.ToString());
                json.WriteBoolean("invert", split.Invert);
                break;
            case MetaspacePreTokenizer metaspace:
                MetaspaceJson.Write(json, metaspace.Replacement, metaspace.Prepend, metaspace.Splits);
                break;
            case DigitsPreTokenizer digits:
                json.WriteString("type", "Digits");
                json.WriteBoolean("individual_digits", digits.Individual);
                break;
            case WhiteSpacePreTokenizer:
                json.WriteString("type", "Whitespace");
                break;
            case WhiteSpaceSplitPreTokenizer:
                json.WriteString("type", "WhitespaceSplit");
                break;
            case PunctuationPreTokenizer punctuation:
                json.WriteString("type", "Punctuation");
                json.WriteString("behavior", punctuation.Behavior.ToString());
                break;
            case CharacterDelimiterPreTokenizer delimiter:
                json.WriteString("type", "CharDelimiterSplit");
                json.WriteString("delimiter", new Rune(delimiter.Delimiter).ToString());
                break;
            case UnicodeScriptsPreTokenizer:
                json.WriteString("type", "UnicodeScripts");
                break;
            case FixedLengthPreTokenizer length:
                json.WriteString("type", "FixedLength");
                json.WriteNumber("length", length.Length);
                break;
            case BertPreTokenizer:
                json.WriteString("type", "BertPreTokenizer");
                break;
            case PreTokenizerSequence sequence:
                json.WriteString("type", "Sequence");
                json.WriteStartArray("pretokenizers");
                foreach (var step in sequence.Steps)
                    Write(json, step);
                json.WriteEndArray();
                break;
            default:
                throw new ArgumentException($"{preTokenizer.GetType().Name} has no form in tokenizer.json.", nameof(preTokenizer));
        }
        json.WriteEndObject();
    }
}
