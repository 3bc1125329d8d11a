using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Inference.Tests.Grammars;

public sealed class GrammarMatcherTests
{
    private const int Schemas = 300;

    private static readonly JsonSerializerOptions _compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [Fact]
    public void Valid_values_are_accepted_token_by_token_compact_and_with_spaces()
    {
        for (ulong seed = 0; seed < Schemas; seed++)
        {
            var made = new RandomSchema(seed);
            var schema = made.Schema();
            var grammar = new TestGrammar(schema.ToJsonString());
            var root = JsonElement.Parse(schema.ToJsonString());
            for (int i = 0; i < 4; i++)
            {
                string text = Text(made.Value(schema, schema));
                Assert.True(PlainValidator.IsValid(root, JsonElement.Parse(text), root), $"seed {seed}: the test made {text} for {root}");
                foreach (string written in (string[])[text, Spaced(text)])
                    Assert.True(grammar.AfterTokens(Encoding.UTF8.GetBytes(written), new CounterRandom(seed, (ulong)i)) is { MayEnd: true }, $"seed {seed}: {written} is not accepted for {root}");
            }
        }
    }

    [Fact]
    public void What_is_accepted_is_valid()
    {
        int accepted = 0;
        for (ulong seed = 0; seed < Schemas; seed++)
        {
            var made = new RandomSchema(seed);
            var schema = made.Schema();
            var grammar = new TestGrammar(schema.ToJsonString());
            var root = JsonElement.Parse(schema.ToJsonString());
            for (int i = 0; i < 30; i++)
            {
                var text = new StringBuilder(Text(made.Value(schema, schema)));
                for (int change = made.Next(3); change >= 0 && text.Length > 0; change--)
                {
                    int at = made.Next(text.Length);
                    if (made.Next(2) == 0) text.Remove(at, 1);
                    else text.Insert(at, "\"{}[],:0-9.eE \\nulltrue"[made.Next(23)]);
                }

                byte[] bytes = Encoding.UTF8.GetBytes(text.ToString());
                if (!grammar.Accepts(bytes)) continue;
                accepted++;
                using var value = JsonDocument.Parse(bytes);
                Assert.True(PlainValidator.IsValid(root, value.RootElement, root), $"seed {seed}: {text} is accepted for {root}");
            }
        }

        Assert.InRange(accepted, 200, int.MaxValue);
    }

    [Fact]
    public void A_mask_allows_what_going_byte_by_byte_allows()
    {
        for (ulong seed = 0; seed < 60; seed++)
        {
            var made = new RandomSchema(seed);
            var schema = made.Schema();
            var grammar = new TestGrammar(schema.ToJsonString());
            byte[] text = Encoding.UTF8.GetBytes(Text(made.Value(schema, schema)));
            int place = 0;
            grammar.AfterTokens(text, new CounterRandom(seed, 1), state =>
            {
                if (place++ < 25) Assert.Null(grammar.FirstDifference(state));
            });
        }
    }

    [Theory]
    [InlineData("""{"type":"array","items":{"type":"string"}}""", "[\"\", \"ab")]
    [InlineData("""{"type":"array","items":{"type":"string","maxLength":40}}""", "[\"\", \"Žluťoučký kůň úpěl ďábelské ódy")]
    [InlineData("""{"type":"array","items":{"type":"string","minLength":2,"maxLength":60}}""", "[\"😀😀\", \"ab\\n")]
    [InlineData("""{"anyOf":[{"type":"string","maxLength":50},{"enum":["ab","abc, d"]},{"type":"string","pattern":"^a"}]}""", "\"abc, d\"")]
    [InlineData("""{"type":"object"}""", "{\"ab\": \"ab\", \"c\":[[\"Ž")]
    public void Masks_inside_of_strings_are_those_of_going_byte_by_byte(string schema, string text)
    {
        var grammar = new TestGrammar(schema);
        var state = grammar.Start;
        Assert.Null(grammar.FirstDifference(state));
        foreach (byte value in Encoding.UTF8.GetBytes(text))
        {
            state = grammar.After(state, [value])!;
            Assert.Null(grammar.FirstDifference(state));
        }
    }

    [Theory]
    [InlineData("""{"type":"string","maxLength":3}""", "\"äöü\"", true)]
    [InlineData("""{"type":"string","maxLength":3}""", "\"äöüß\"", false)]
    [InlineData("""{"type":"string","maxLength":3}""", "\"\\n\\\"😀\"", true)]
    [InlineData("""{"type":"string"}""", "\"\\u00e9\"", false)]
    [InlineData("""{"type":"integer","minimum":-9007199254740991,"maximum":9007199254740991}""", "-999999999999999", true)]
    [InlineData("""{"type":"integer","exclusiveMinimum":9,"exclusiveMaximum":11}""", "10", true)]
    [InlineData("""{"type":"integer","exclusiveMinimum":9,"exclusiveMaximum":11}""", "9", false)]
    [InlineData("""{"type":"integer","exclusiveMinimum":9,"exclusiveMaximum":11}""", "11", false)]
    [InlineData("""{"type":"integer","minimum":1.5}""", "1", false)]
    [InlineData("""{"type":"number","minimum":-0.5,"maximum":0.25}""", "-0.5", true)]
    [InlineData("""{"type":"number","minimum":-0.5,"maximum":0.25}""", "-0.51", false)]
    [InlineData("""{"type":"number","minimum":-0.5,"maximum":0.25}""", "0.2500", true)]
    [InlineData("""{"type":"number","minimum":-0.5,"maximum":0.25}""", "0.2501", false)]
    [InlineData("""{"type":"number","exclusiveMinimum":0}""", "0.0", false)]
    [InlineData("""{"type":"number","exclusiveMinimum":0}""", "0.0000000001", true)]
    [InlineData("""{"type":"number"}""", "-1.5e-07", true)]
    [InlineData("""{"type":"number"}""", "01", false)]
    [InlineData("""{"type":"number","minimum":1e-300}""", "0", false)]
    [InlineData("""{"type":"object","properties":{"b":{},"a":{}},"propertyOrdering":["a","b"],"required":["a","b"]}""", """{"a":1,"b":2}""", true)]
    [InlineData("""{"type":"OBJECT","properties":{"b":{"type":"STRING","nullable":true},"a":{"type":"ARRAY","items":{"type":"INTEGER"},"maxItems":"1"}}}""", """{"b":null,"a":[1]}""", true)]
    [InlineData("""{"type":"OBJECT","properties":{"a":{"type":"ARRAY","items":{"type":"INTEGER"},"maxItems":"1"}}}""", """{"a":[1,2]}""", false)]
    [InlineData("""{"properties":{"a":{"$ref":"#/definitions/x%20y"}},"definitions":{"x y":{"const":1}}}""", """{"a": 1}""", true)]
    [InlineData("""{"type":"array","prefixItems":[{"const":1}],"items":false}""", "[1,2]", false)]
    [InlineData("""{"type":"object"}""", """{"a":{"b":[1, {"c":"d"}]}}""", true)]
    [InlineData("""{"type":"object"}""", "{ }", false)]
    [InlineData("""{"type":"object"}""", "{\"a\":\n1}", false)]
    [InlineData("{}", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", true)]
    [InlineData("{}", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", false)]
    [InlineData("""{"oneOf":[{"type":"integer","maximum":5},{"type":"integer","exclusiveMinimum":5},{"enum":["a"]},{"enum":["b",null]}]}""", "null", true)]
    public void Values_at_the_edges_are_told_apart(string schema, string value, bool accepted) => Assert.Equal(accepted, new TestGrammar(schema).Accepts(value));

    [Fact]
    public void Each_format_accepts_only_texts_of_it()
    {
        foreach (string format in (string[])["date", "time", "date-time", "duration", "uuid", "email", "hostname", "ipv4", "ipv6", "uri"])
        {
            var grammar = new TestGrammar($$"""{"type":"string","format":"{{format}}"}""");
            var schema = JsonElement.Parse($$"""{"format":"{{format}}"}""");
            for (ulong seed = 0; seed < 40; seed++)
            {
                // Any way through the grammar, byte by byte; it ends where it may, sooner or later.
                var random = new CounterRandom(seed, 3);
                var (state, text) = (grammar.Start, new List<byte>());
                for (ulong step = 0; !(state.MayEnd && (state.MustEnd || random.UniformAt(3 * step) < 0.2)) && step < 400; step++)
                {
                    byte[] next = [.. Enumerable.Range(0, 256).Select(value => (byte)value).Where(value => grammar.After(state, [value]) is not null)];
                    bool closes = next.Contains((byte)'"') && text.Count > 0 && random.UniformAt(3 * step + 1) < 0.3;
                    text.Add(closes ? (byte)'"' : next[(int)(random.UniformAt(3 * step + 2) * next.Length)]);
                    state = grammar.After(state, [text[^1]])!;
                }

                if (!state.MayEnd) continue;
                var value = JsonElement.Parse(Encoding.UTF8.GetString([.. text]));
                Assert.True(PlainValidator.IsValid(schema, value, schema), $"{value} is no {format}");
            }
        }
    }

    // The writer escapes what lies beyond the basic plane, too.
    private static string Text(JsonNode? value) => (value?.ToJsonString(_compact) ?? "null").Replace("\\uD83D\\uDE00", "😀", StringComparison.Ordinal);

    private static string Spaced(string text)
    {
        var spaced = new StringBuilder();
        bool inText = false;
        for (int i = 0; i < text.Length; i++)
        {
            spaced.Append(text[i]);
            if (inText && text[i] == '\\') spaced.Append(text[++i]);
            else if (text[i] == '"') inText = !inText;
            else if (!inText && text[i] is ',' or ':') spaced.Append(' ');
        }

        return spaced.ToString();
    }
}
