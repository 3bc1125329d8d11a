using System.Text.Json;

namespace OpenEuroLLM.Inference.Tests.Grammars;

public sealed class GrammarGenerationTests : IDisposable
{
    private const string Schema = """
        {"type":"object","properties":{"name":{"type":"string","minLength":2,"maxLength":6},"age":{"type":"integer","minimum":18,"maximum":120},
        "kind":{"enum":["a","ab","c\"d",null]},"when":{"type":"string","format":"date"},"tags":{"type":"array","items":{"type":"boolean"},"minItems":1,"maxItems":2}},
        "required":["name","age","kind","when","tags"],"additionalProperties":false}
        """;

    private readonly SmallLlama _model = new();

    public void Dispose() => _model.Dispose();

    [Fact]
    public async Task Every_answer_that_ends_is_valid_for_the_schema_alone_and_in_company_with_and_without_guesses()
    {
        using var engine = _model.Load(threads: 2);
        var requests = Enumerable.Range(0, 12).Select(i => Request(new Grammar.JsonSchema(Schema, Strict: true), i % 3 == 0 ? 0 : 1, (ulong)i)).ToList();
        var alone = new List<string>();
        foreach (var request in requests)
        {
            var events = await SmallLlama.Collect(engine, request);
            alone.Add(SmallLlama.Said(events));
            Assert.Equal(FinishReason.Stop, events.OfType<GenerationEvent.Finished>().Single().Reason);
            Check(TextOf(events));
        }

        var together = await Task.WhenAll(requests.Select(request => Task.Run(() => SmallLlama.Collect(engine, request with { Speculation = new Speculation(4, 1, 3) }))));
        Assert.Equal(alone, together.Select(SmallLlama.Said));
    }

    [Fact]
    public async Task An_answer_that_is_cut_off_says_so_and_one_that_ends_is_an_object()
    {
        using var engine = _model.Load();
        for (ulong seed = 0; seed < 20; seed++)
        {
            var events = await SmallLlama.Collect(engine, Request(new Grammar.JsonObject(), 1, seed));
            string text = TextOf(events);
            Assert.StartsWith("{", text, StringComparison.Ordinal);
            if (events.OfType<GenerationEvent.Finished>().Single().Reason == FinishReason.Length) continue;
            using var document = JsonDocument.Parse(text);
            Assert.Equal(JsonValueKind.Object, document.RootElement.ValueKind);
        }
    }

    [Theory]
    [InlineData("""{"type":"object","properties":{"a":{"not":{}}}}""", "#/properties/a/not")]
    [InlineData("""{"$ref":"#"}""", "lead back to themselves")]
    [InlineData("""{"anyOf":[{"$ref":"#"},{"type":"null"}]}""", "leads back to itself")]
    [InlineData("""{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}""", "recursion without an end")]
    [InlineData("""{"type":"string","pattern":"(a)\\1"}""", "not supported")]
    [InlineData("""{"type":"string","pattern":"(a|b)*a(a|b){20}$"}""", "more than 4096 states")]
    [InlineData("""{"type":"string","maxLength":2000000000}""", "/maxLength|maxLength are supported up to")]
    [InlineData("""{"type":"string","maxLength""", "not valid JSON")]
    public async Task A_schema_that_cannot_be_kept_is_refused_with_its_place(string schema, string expected)
    {
        using var engine = _model.Load();
        var refused = await Assert.ThrowsAsync<RequestException>(() => SmallLlama.Collect(engine, Request(new Grammar.JsonSchema(schema, Strict: false), 1, 1)));
        Assert.Contains(expected.Split('|')[^1], refused.Message, StringComparison.Ordinal);
    }

    private static GenerationRequest Request(Grammar grammar, double temperature, ulong seed) =>
        new(new GenerationInput.Tokens(SmallLlama.Tokens(20, seed)), new Sampling(temperature, Seed: seed), 300, Grammar: grammar);

    private static string TextOf(IEnumerable<GenerationEvent> events) => string.Concat(events.OfType<GenerationEvent.Text>().Select(text => text.Value));

    private static void Check(string text)
    {
        using var document = JsonDocument.Parse(text, new JsonDocumentOptions { AllowDuplicateProperties = false });
        var root = document.RootElement;
        Assert.Equal(["name", "age", "kind", "when", "tags"], root.EnumerateObject().Select(property => property.Name));
        Assert.InRange(root.GetProperty("name").GetString()!.EnumerateRunes().Count(), 2, 6);
        Assert.InRange(root.GetProperty("age").GetInt32(), 18, 120);
        Assert.Contains(root.GetProperty("kind").GetString(), new[] { "a", "ab", "c\"d", null });
        Assert.True(DateOnly.TryParseExact(root.GetProperty("when").GetString(), "yyyy-MM-dd", out _));
        Assert.InRange(root.GetProperty("tags").GetArrayLength(), 1, 2);
        Assert.All(root.GetProperty("tags").EnumerateArray(), tag => Assert.True(tag.ValueKind is JsonValueKind.True or JsonValueKind.False));
    }
}
