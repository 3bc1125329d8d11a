using System.Globalization;

namespace OpenEuroLLM.Inference.Tests.Grammars;

public sealed class HostileSchemaTests
{
    [Theory]
    [InlineData("""{"type":"object","properties":{"a":{"not":{}}}}""", "#/properties/a/not")]
    [InlineData("""{"type":"object","properties":{"a/b~":{"if":{}}}}""", "#/properties/a~1b~0/if")]
    [InlineData("""{"type":"array","uniqueItems":true}""", "#/uniqueItems")]
    [InlineData("""{"type":"number","multipleOf":3}""", "#/multipleOf")]
    [InlineData("""{"type":"object","patternProperties":{"a":{}}}""", "#/patternProperties")]
    [InlineData("""{"type":"string","format":"regex"}""", "#/format")]
    [InlineData("""{"type":"strin"}""", "'strin' is no type")]
    [InlineData("""{"$ref":"#/$defs/missing"}""", "leads nowhere")]
    [InlineData("""{"$ref":"https://example.com/schema"}""", "inside the schema")]
    [InlineData("""{"$ref":"#"}""", "lead back to themselves")]
    [InlineData("""{"anyOf":[{"$ref":"#"},{"type":"null"}]}""", "leads back to itself")]
    [InlineData("""{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}""", "recursion without an end")]
    [InlineData("""{"type":"string","enum":[1,2]}""", "contradiction")]
    [InlineData("""{"type":"object","properties":{"a":false},"required":["a"]}""", "contradiction")]
    [InlineData("""{"oneOf":[{"type":"integer"},{"type":"number"}]}""", "#/oneOf/1")]
    [InlineData("""{"oneOf":[{"type":"object","properties":{"a":{"type":"string"}}},{"type":"object","properties":{"b":{"type":"string"}}}]}""", "#/oneOf/1")]
    [InlineData("""{"oneOf":[{"const":1},{"const":1.0}]}""", "#/oneOf/1")]
    [InlineData("""{"type":"string","pattern":"(a)\\1"}""", "#/pattern")]
    [InlineData("""{"type":"string","pattern":"(?=a)b"}""", "lookaround")]
    [InlineData("""{"type":"string","pattern":"(a|b)*a(a|b){20}$"}""", "more than 4096 states")]
    [InlineData("""{"type":"string","pattern":"((((a{100}){100}){100}){100})"}""", "more than 4096 states")]
    [InlineData("""{"type":"string","pattern":"^(([a-z])+.)+[A-Z]([a-z])+$","maxLength":5000}""", "more than")]
    [InlineData("""{"type":"string","maxLength":2000000000}""", "maxLength are supported up to")]
    [InlineData("""{"type":"array","items":{"type":"string","maxLength":60000},"minItems":2000000000}""", "states")]
    [InlineData("""{"type":"array","maxItems":2000000000}""", "maxItems is supported up to")]
    [InlineData("""{"type":"integer","minimum":1e300}""", "#/minimum")]
    [InlineData("""{"type":"string","maxLength""", "not valid JSON")]
    [InlineData("""{"type":"string","type":"number"}""", "key twice")]
    [InlineData("""{"type":"string","pattern":"\ud800"}""", "Unicode")]
    public void What_cannot_be_kept_is_refused_with_its_place(string schema, string expected) => Refuses(schema, expected);

    [Theory]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}""", "additionalProperties")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"null"}},"required":["a"],"additionalProperties":false}""", "'b'")]
    [InlineData("""{"type":"array","items":{"type":"object"}}""", "#/items")]
    public void Strict_schemas_close_their_objects_and_require_all_properties(string schema, string expected)
    {
        _ = new TestGrammar(schema);
        Assert.Contains(expected, Assert.Throws<RequestException>(() => new TestGrammar(schema, strict: true)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Schemas_that_explode_are_refused_before_they_do()
    {
        // Steps are what bounds the time: a schema that took more of them than allowed would go on for minutes here.
        foreach (string schema in Exploding())
        {
            var refused = Record.Exception(() => new TestGrammar(schema));
            Assert.True(refused is RequestException, $"{schema[..60]}: {refused}");
        }
    }

    [Fact]
    public void Alternatives_that_nobody_can_tell_apart_end_the_answer_and_not_the_engine()
    {
        string branches = Many(400, """{"type":"array","items":{"type":"array","items":{"anyOf":[{"type":"string","pattern":"^.{%}x*$"},{"const":@}]}}}""");
        var limits = new Inference.Grammars.GrammarLimits() with { MaskWork = 20_000 };
        var grammar = new TestGrammar("""{"anyOf":[LIST]}""".Replace("LIST", branches, StringComparison.Ordinal), limits: limits);
        Assert.Throws<RequestException>(() => grammar.Allows(grammar.After(grammar.Start, "[[\"aaaa"u8)!, 0));
    }

    [Fact]
    public void A_large_honest_schema_is_taken()
    {
        var grammar = new TestGrammar("""{"type":"object","properties":{"word":{"enum":[WORDS]},REST},"required":["word"]}"""
            .Replace("WORDS", Many(10_000, "\"value number @\""), StringComparison.Ordinal)
            .Replace("REST", Many(1000, "\"p@\":{\"type\":\"string\",\"maxLength\":20}"), StringComparison.Ordinal));
        Assert.True(grammar.Accepts("""{"word":"value number 9999","p17":"x","p999":"y"}"""));
        Assert.False(grammar.Accepts("""{"word":"value number 10000"}"""));
    }

    private static IEnumerable<string> Exploding()
    {
        const string references = """{"$ref":"#/$defs/a"}""";
        // One place that takes long to read, and very many references to it: keywords, values, names, properties, long texts.
        yield return With("""{"allOf":[MORE],"$defs":{"a":{LIST}}}""", Many(40_000, "\"x-@\":1")).Replace("MORE", Many(20_000, references), StringComparison.Ordinal);
        yield return With("""{"allOf":[MORE],"$defs":{"a":{"enum":[LIST]}}}""", Many(40_000, "@")).Replace("MORE", Many(20_000, references), StringComparison.Ordinal);
        yield return With("""{"allOf":[MORE],"type":"object","$defs":{"a":{"required":[LIST]}}}""", Many(40_000, "\"@\"")).Replace("MORE", Many(20_000, references), StringComparison.Ordinal);
        yield return With("""{"allOf":[MORE],"$defs":{"a":{"additionalProperties":true,"properties":{LIST}}}}""", Many(30_000, "\"p@\":{}")).Replace("MORE", Many(20_000, references), StringComparison.Ordinal);
        yield return With("""{"allOf":[MORE],"type":"string","$defs":{"a":{"pattern":"LIST"}}}""", new string('a', 400_000)).Replace("MORE", Many(20_000, references), StringComparison.Ordinal);
        yield return With("""{"oneOf":[LIST]}""", string.Join(',', Enumerable.Range(0, 300).Select(i => "{\"enum\":[" + Many(250, $"\"{Number(i)}-@\"") + "]}")));
        // Classes of very many stretches, read very often; patterns that nothing satisfies together; very many patterns.
        string stretches = string.Concat(Enumerable.Range(0, 5000).Select(i => char.ToString((char)(0x4E00 + 2 * i))));
        yield return With("""{"type":"string","pattern":"^([LIST]{0,60}x){60}$"}""", stretches);
        yield return With("""{"type":"string","pattern":"^[LIST]{3000}$"}""", stretches);
        yield return With("""{"anyOf":[LIST]}""", Many(5000, """{"type":"string","pattern":"^(a|b){1000}@$","allOf":[{"pattern":"^(a|b){1001}c$"}]}"""));
        yield return With("""{"anyOf":[LIST]}""", Many(8000, """{"type":"string","format":"email","minLength":@}"""));
        yield return With("""{"anyOf":[LIST]}""", Many(100, """{"type":"string","pattern":"(a|b)*a(a|b){10}@$"}"""));
        const string choice = """{"anyOf":[{"properties":{"a":{"type":"string"}}},{"properties":{"b":{"type":"string"}}}]}""";
        yield return With("""{"type":"object","allOf":[LIST]}""", Many(40, choice));
        // A chain of references that each double the next.
        string chain = string.Join(',', Enumerable.Range(0, 60).Select(i => "\"s@\":{\"allOf\":[{\"$ref\":\"#/$defs/s%\"},{\"$ref\":\"#/$defs/s%\"}]}"
            .Replace("@", Number(i), StringComparison.Ordinal).Replace("%", Number(i + 1), StringComparison.Ordinal)));
        yield return With("""{"$ref":"#/$defs/s0","$defs":{LIST,"s60":{"type":"string"}}}""", chain);
        yield return With("""{"type":"object","properties":{LIST},"allOf":[MORE]}""", Many(5000, "\"p@\":{}")).Replace("MORE", Many(20, choice), StringComparison.Ordinal);
        yield return string.Concat(Enumerable.Repeat("""{"items":""", 5000)) + "{}" + new string('}', 5000);
        yield return string.Concat(Enumerable.Repeat("""{"allOf":[""", 110)) + "{}" + string.Concat(Enumerable.Repeat("]}", 110));
        yield return With("""{"oneOf":[LIST]}""", Many(20_000, """{"const":@}"""));
        yield return With("""{"enum":[LIST]}""", string.Join(',', Enumerable.Range(0, 40_000).Select(i => $"\"{Number(i * 7919L % 1000003)}-{new string('x', 12)}\"")));
        yield return With("""{"$defs":{LIST},"allOf":[MORE],"type":"string","format":"nothing"}""", Many(20_000, "\"d@\":{}"))
            .Replace("MORE", Many(20_000, """{"$ref":"#/$defs/d@"}"""), StringComparison.Ordinal);
        yield return With("""{"type":"string","pattern":"LIST"}""", string.Concat(Enumerable.Repeat("(a?)", 3000)) + new string('a', 3000) + "$");
        yield return With("""{"type":"string","pattern":"LIST"}""", new string('(', 5000));
        yield return new string(' ', 1 << 20) + "{}";
    }

    private static string With(string schema, string list) => schema.Replace("LIST", list, StringComparison.Ordinal);

    private static string Many(int count, string each) => string.Join(',', Enumerable.Range(0, count).Select(i =>
        each.Replace("@", Number(i), StringComparison.Ordinal).Replace("%", Number(i % 50), StringComparison.Ordinal)));

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static void Refuses(string schema, string expected) =>
        Assert.Contains(expected, Assert.Throws<RequestException>(() => new TestGrammar(schema)).Message, StringComparison.Ordinal);
}
