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

    [Fact]
    public async Task Every_complete_answer_is_valid_for_its_random_schema()
    {
        using var engine = _model.Load();
        int complete = 0;
        for (ulong seed = 0; seed < 60; seed++)
        {
            string schema = new RandomSchema(seed).Schema().ToJsonString();
            var root = JsonElement.Parse(schema);
            foreach (double temperature in (double[])[0.5, 1.5])
            {
                var events = await SmallLlama.Collect(engine, Request(new Grammar.JsonSchema(schema, Strict: false), temperature, seed));
                var end = events.OfType<GenerationEvent.Finished>().Single();
                if (end.Reason == FinishReason.Length) continue;
                complete++;
                Assert.True(PlainValidator.IsValid(root, JsonElement.Parse(TextOf(events)), root), $"seed {seed}: {TextOf(events)} for {schema}");
            }
        }

        Assert.InRange(complete, 40, 120);
    }

    [Fact]
    public async Task The_form_of_one_answer_changes_no_other_and_choices_differ_within_it()
    {
        using var engine = _model.Load(threads: 2);
        var free = SmallLlama.Request(SmallLlama.Tokens(30, 5), 40);
        var form = Request(new Grammar.JsonSchema(Schema, Strict: true), 1, 3) with { Choices = 3, Logprobs = 2, Stop = ["!!"] };
        string alone = SmallLlama.Said(await SmallLlama.Collect(engine, free));
        string formAlone = string.Join('|', (await SmallLlama.Collect(engine, form)).GroupBy(happened => happened.Choice).OrderBy(group => group.Key).Select(SmallLlama.Said));
        var together = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Task.Run(() => SmallLlama.Collect(engine, i % 2 == 0 ? free : form))));
        for (int i = 0; i < together.Length; i++)
            Assert.Equal(i % 2 == 0 ? alone : formAlone, i % 2 == 0 ? SmallLlama.Said(together[i])
                : string.Join('|', together[i].GroupBy(happened => happened.Choice).OrderBy(group => group.Key).Select(SmallLlama.Said)));
        foreach (var choice in together[1].GroupBy(happened => happened.Choice)) Check(TextOf(choice));
    }

    [Fact]
    public async Task An_answer_that_is_complete_ends_without_an_end_token_and_says_so()
    {
        using var engine = _model.Load();
        var events = await SmallLlama.Collect(engine, Request(new Grammar.JsonSchema("""{"const":[1]}""", Strict: false), 1, 3) with { MaxTokens = 3 });
        Assert.Equal("[1]", TextOf(events));
        Assert.Equal((FinishReason.Stop, true), (events.OfType<GenerationEvent.Finished>().Single().Reason, events.OfType<GenerationEvent.Finished>().Single().EndedByForm));
        var cut = await SmallLlama.Collect(engine, Request(new Grammar.JsonSchema("""{"const":[1]}""", Strict: false), 1, 3) with { MaxTokens = 2 });
        Assert.Equal((FinishReason.Length, "[1"), (cut.OfType<GenerationEvent.Finished>().Single().Reason, TextOf(cut)));
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
