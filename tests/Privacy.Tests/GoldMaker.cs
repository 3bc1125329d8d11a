using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using OpenEuroLLM.Core;
using OpenEuroLLM.Privacy.Checks;
using OpenEuroLLM.Privacy.Masking;
using OpenEuroLLM.Privacy.Rules;

namespace OpenEuroLLM.Privacy.Tests;

/// <summary>Puts made-up numbers into the sentences of <c>Gold/sentences</c> and writes <c>Gold/LANG.jsonl</c>. In a sentence, <c>{rule}</c> is a valid number of
/// the rule and <c>{!rule}</c> one whose check fails, either with <c>:## ###</c> behind for its grouping; <c>iban:CC</c>, <c>iban4:CC</c>, <c>card</c> and
/// <c>card4</c> are accounts and cards, the latter in groups of four; <c>{phone|…}</c>, <c>{email|…}</c> and <c>{ip|…}</c> are as they stand, and <c>{-|…}</c> is no
/// personal data; every # in these four is a random digit.</summary>
public sealed class GoldMaker
{
    [Fact(Explicit = true)]
    public void Writes_the_gold_files_from_the_sentences()
    {
        DirectoryInfo root = new(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "OpenEuroLLM.slnx"))) root = root.Parent!;
        string folder = Path.Combine(root.FullName, "tests", "Privacy.Tests", "Gold");
        foreach (string file in Directory.GetFiles(Path.Combine(folder, "sentences"), "*.txt").Order(StringComparer.Ordinal))
        {
            string language = Path.GetFileNameWithoutExtension(file);
            var numbers = new MadeUp(new CounterRandom(2026, 0).Substream(language));
            File.WriteAllLines(Path.Combine(folder, language + ".jsonl"), File.ReadLines(file).Select(line => Line(language, line, numbers)));
        }
    }

    private static string Line(string language, string sentence, MadeUp numbers)
    {
        var text = new StringBuilder();
        var spans = new List<(int Start, int Length, string? Type)>();
        for (int at = 0; at < sentence.Length; at++)
        {
            if (sentence[at] != '{')
            {
                text.Append(sentence[at]);
                continue;
            }
            int end = sentence.IndexOf('}', at);
            (string? type, string value) = numbers.Of(sentence[(at + 1)..end]);
            if (value.Length > 0) spans.Add((text.Length, value.Length, type));
            text.Append(value);
            at = end;
        }
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            writer.WriteString("lang", language);
            writer.WriteString("text", text.ToString());
            foreach (bool positive in (bool[])[true, false])
            {
                writer.WriteStartArray(positive ? "spans" : "negatives");
                foreach (var (start, length, type) in spans.Where(span => span.Type is not null == positive))
                {
                    writer.WriteStartObject();
                    writer.WriteNumber("start", start);
                    writer.WriteNumber("length", length);
                    if (type is not null) writer.WriteString("type", type);
                    writer.WriteEndObject();
                }
                writer.WriteEndArray();
            }
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private sealed class MadeUp(CounterRandom random)
    {
        private ulong _next;

        public (string? Type, string Value) Of(string mark)
        {
            int bar = mark.IndexOf('|', StringComparison.Ordinal);
            if (bar >= 0)
            {
                string kind = mark[..bar];
                string value = string.Concat(mark[(bar + 1)..].Select(sign => sign == '#' ? Digit() : sign));
                return (kind switch { "phone" => "Phone", "email" => "Email", "ip" => "IpAddress", "-" => null, _ => throw new InvalidDataException(mark) }, value);
            }
            bool invalid = mark[0] == '!';
            string[] parts = (invalid ? mark[1..] : mark).Split(':');
            string made = parts[0] switch
            {
                "iban" or "iban4" => Iban(parts[1]),
                "card" or "card4" => NumberMaker.Card((random.Below(_next++, 2) == 0 ? "4929" : "5312") + new string('0', 12), Draws()),
                _ => Identifier(parts[0], parts.Length > 1 ? parts[1] : null),
            };
            if (invalid) made = Spoil(parts[0], made);
            string written = parts[0] is "iban4" or "card4" ? string.Join(' ', made.Chunk(4).Select(group => new string(group)))
                : parts.Length > 1 && parts[1].Contains('#', StringComparison.Ordinal) ? Write(parts[1], made) : made;
            string type = parts[0] switch { "iban" or "iban4" => "Iban", "card" or "card4" => "Card", _ => Form(parts[0], null).Rule.Type.ToString() };
            return (invalid ? null : type, written);
        }

        private char Digit() => (char)('0' + random.Below(_next++, 10));

        private CounterRandom Draws() => random with { Stream = random.At(_next++) };

        private static NumberForm Form(string rule, string? format)
        {
            int length = format?.Count(sign => sign is '#' or (>= 'A' and <= 'Z')) ?? 0;
            NumberForm[] forms = [.. RuleBook.BuiltIn.Forms.Where(form => form.Rule.Name == rule)];
            if (forms.Length == 0) throw new InvalidDataException($"no rule {rule}");
            NumberForm[] fitting = [.. forms.Where(form => (length == 0 || form.Pattern.Length == length) && (form.BodyFrom > 0 || length > 0 || !rule.StartsWith("vat-", StringComparison.Ordinal)))];
            if (fitting.Length == 0) throw new InvalidDataException($"{rule} has no form {format}");
            return fitting.FirstOrDefault(form => form.BodyFrom > 0) ?? fitting.FirstOrDefault(form => form.Sign is null) ?? fitting[0];
        }

        private string Identifier(string rule, string? format)
        {
            NumberForm form = Form(rule, format);
            return NumberMaker.Draw(form, form.Pattern, "", format?.Contains('-', StringComparison.Ordinal) == true ? '-' : '\0', Draws())!;
        }

        private string Iban(string country)
        {
            RuleBook rules = RuleBook.BuiltIn;
            string key = country == "EL" ? "GR" : country;
            int letters = key is "BG" or "IE" or "LV" or "MT" or "NL" or "RO" ? 4 : 0;
            string body = string.Concat(Enumerable.Range(0, rules.IbanLengths[key] - 4).Select(i => i < letters ? (char)('A' + random.Below(_next++, 26)) : Digit()));
            int check = 98 - CheckDigits.Remainder97(body + key + "00");
            return $"{key}{check:00}{body}";
        }

        /// <summary>Changes the last digit or letter until the check fails, and that of every other country's rule that needs no word of context.</summary>
        private static string Spoil(string rule, string number)
        {
            char[] spoiled = number.ToCharArray();
            int place = rule is "dk-cpr" ? 0 : spoiled.Length - 1;
            char last = spoiled[place];
            spoiled[place] = last switch { _ when rule == "dk-cpr" => '7', '9' => '0', 'Z' => 'A', _ => (char)(last + 1) };
            string result = new(spoiled);
            return RuleBook.BuiltIn.OfLength(number.Length).Any(form => (form.Rule.Name == rule || form.Tier == PersonalDataTier.A) && (form.Accepts(result, '-') || form.Accepts(result, '\0'))) ? Spoil(rule, result) : result;
        }

        private static string Write(string format, string symbols)
        {
            int next = 0;
            return string.Concat(format.Select(sign => sign is '#' or (>= 'A' and <= 'Z') ? symbols[next++] : sign));
        }
    }
}
