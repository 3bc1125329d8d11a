using System.ComponentModel.DataAnnotations;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace OpenEuroLLM.Core.Tests;

internal sealed record TrainingSettings(
    [property: Range(1e-8, 1)] double LearningRate = 3e-4,
    [property: Range(0, 100_000)] int WarmupSteps = 2_000,
    [property: Range(1L, 1e15)] long Tokens = 1000,
    ulong Seed = 0,
    Schedule Schedule = Schedule.WarmupStableDecay,
    bool Resume = true,
    double? Decay = null);

internal enum Schedule { Cosine, WarmupStableDecay }

[JsonPolymorphic(TypeDiscriminatorPropertyName = "step")]
[JsonDerivedType(typeof(MinWords), "min-words")]
[JsonDerivedType(typeof(KeepLanguages), "language")]
internal abstract record Step;

internal sealed record MinWords([property: Range(1, 1000)] int Words = 50) : Step;

internal sealed record KeepLanguages([property: MinLength(1)] IReadOnlyList<string> Keep) : Step;

internal sealed record CorpusSettings(string Source = "sample", IReadOnlyList<Step>? Steps = null, IReadOnlyDictionary<string, double>? Weights = null, [property: StringLength(8)] string? Name = null, JsonObject? Extra = null);

internal sealed record TestRecipe(TrainingSettings? Training = null, CorpusSettings? Corpus = null, NestedSettings? Nested = null)
{
    public TrainingSettings Training { get; init; } = Training ?? new();
    public CorpusSettings Corpus { get; init; } = Corpus ?? new();
}

internal sealed record NestedSettings(string Required, TrainingSettings? Inner = null, IReadOnlyList<int>? Numbers = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(TestRecipe))]
internal sealed partial class TestRecipeContext : JsonSerializerContext;

public sealed class RecipeReaderTests
{
    private static TestRecipe Read(string json, params string[] overrides) =>
        RecipeReader.Parse(Encoding.UTF8.GetBytes(json), "recipes/tiny.jsonc", TestRecipeContext.Default.TestRecipe, overrides);

    private static string Error(string json, params string[] overrides)
    {
        string message = Assert.Throws<UserErrorException>(() => Read(json, overrides)).Message;
        Assert.DoesNotContain('\n', message);
        return message;
    }

    [Fact]
    public void An_absent_section_or_setting_is_the_embedded_default()
    {
        Assert.Equal(new TestRecipe(), Read("{}"));
        var recipe = Read("""{"training":{"seed":5}}""");
        Assert.Equal(new TrainingSettings(Seed: 5), recipe.Training);
        Assert.Equal(3e-4, recipe.Training.LearningRate);
    }

    [Fact]
    public void Comments_and_trailing_commas_are_welcome()
    {
        var recipe = Read("""
            { // every stage
              "training": { "warmupSteps": 10, /* short */ "schedule": "Cosine", },
              "corpus": { "steps": [ { "step": "min-words", "words": 5 }, { "keep": ["cs", "fi",], "step": "language" }, ] },
            }
            """);
        Assert.Equal((10, Schedule.Cosine), (recipe.Training.WarmupSteps, recipe.Training.Schedule));
        Assert.Equal(new MinWords(5), recipe.Corpus.Steps![0]);
        Assert.Equal(["cs", "fi"], Assert.IsType<KeepLanguages>(recipe.Corpus.Steps[1]).Keep);
    }

    [Fact]
    public void A_value_out_of_range_is_told_as_the_style_says() =>
        Assert.Equal("recipes/tiny.jsonc: training.learningRate is 3; expected 1e-8 to 1.", Error("""{"training":{"learningRate":3}}"""));

    [Fact]
    public void All_violations_are_reported_together()
    {
        string message = Error("""{"training":{"learningRate":3,"warmupSteps":-1,"sed":1,"schedule":"cosin"},"corpus":{"steps":[{"step":"min-word"},{"step":"min-words","words":0},{"step":"language"}]},"traning":{}}""");
        Assert.Equal(
            "recipes/tiny.jsonc: training.learningRate is 3; expected 1e-8 to 1. training.warmupSteps is -1; expected 0 to 100000. "
            + "training.sed is unknown; did you mean 'seed'? training.schedule is \"cosin\"; expected one of: Cosine, WarmupStableDecay (did you mean 'Cosine'?). "
            + "corpus.steps[0]: step 'min-word' is unknown; did you mean 'min-words'? Known: min-words, language. corpus.steps[1].words is 0; expected 1 to 1000. "
            + "corpus.steps[2].keep is missing; expected a list. traning is unknown; did you mean 'training'?", message);
    }

    [Theory]
    [InlineData("""{"training":{"warmupSteps":"many"}}""", "training.warmupSteps is \"many\"; expected a whole number.")]
    [InlineData("""{"training":{"warmupSteps":1.5}}""", "training.warmupSteps is 1.5; expected a whole number.")]
    [InlineData("""{"training":{"warmupSteps":3000000000}}""", "training.warmupSteps is 3000000000; expected a whole number.")]
    [InlineData("""{"training":{"seed":-1}}""", "training.seed is -1; expected a whole number, not negative.")]
    [InlineData("""{"training":{"learningRate":"3e-4"}}""", "training.learningRate is \"3e-4\"; expected a number.")]
    [InlineData("""{"training":{"decay":1e999}}""", "training.decay is 1e999; expected a number.")]
    [InlineData("""{"training":{"resume":1}}""", "training.resume is 1; expected true or false.")]
    [InlineData("""{"training":{"schedule":1}}""", "training.schedule is 1; expected one of: Cosine, WarmupStableDecay.")]
    [InlineData("""{"training":{"seed":null}}""", "training.seed is null; expected a whole number, not negative.")]
    [InlineData("""{"training":[]}""", "training is a list; expected an object.")]
    [InlineData("""{"corpus":{"source":null}}""", "corpus.source is null; expected text in quotes.")]
    [InlineData("""{"corpus":{"source":1}}""", "corpus.source is 1; expected text in quotes.")]
    [InlineData("""{"corpus":{"name":"far too long"}}""", "corpus.name is \"far too long\"; expected 0 to 8 characters.")]
    [InlineData("""{"corpus":{"steps":{}}}""", "corpus.steps is an object; expected a list.")]
    [InlineData("""{"corpus":{"steps":[{}]}}""", "corpus.steps[0].step is missing; expected one of: min-words, language.")]
    [InlineData("""{"corpus":{"steps":["min-words"]}}""", "corpus.steps[0] is \"min-words\"; expected an object.")]
    [InlineData("""{"corpus":{"steps":[{"step":"language","keep":[]}]}}""", "corpus.steps[0].keep is a list; expected at least 1 entries.")]
    [InlineData("""{"corpus":{"weights":{"cs":"x"}}}""", "corpus.weights.cs is \"x\"; expected a number.")]
    [InlineData("""{"nested":{}}""", "nested.required is missing; expected text in quotes.")]
    [InlineData("""{"nested":{"required":"","numbers":[1,null]}}""", "nested.numbers[1] is null; expected a whole number.")]
    [InlineData("""{"nested":{"required":"","inner":{"learningRate":0}}}""", "nested.inner.learningRate is 0; expected 1e-8 to 1.")]
    public void A_wrong_value_is_told_with_place_found_and_expected(string json, string message) => Assert.Equal("recipes/tiny.jsonc: " + message, Error(json));

    [Fact]
    public void Null_stands_for_absent_where_the_type_allows_it()
    {
        Assert.Equal(new TrainingSettings(), Read("""{"training":null}""").Training);
        Assert.Null(Read("""{"training":{"decay":null}}""").Training.Decay);
    }

    [Theory]
    [InlineData("""{"training":{"seed":1,"seed":2}}""", "seed")]
    [InlineData("""{"training":{},"training":{}}""", "training")]
    public void A_key_given_twice_is_refused(string json, string key) => Assert.Contains(key, Error(json));

    [Theory]
    [InlineData("{\n\"training\": {\n  \"seed\": ,\n}}", "recipes/tiny.jsonc:3: not a valid recipe")]
    [InlineData("", "not a valid recipe")]
    [InlineData("[]", "the content is not an object")]
    [InlineData("null", "the content is not an object")]
    public void Malformed_text_is_refused_with_its_line(string json, string message) => Assert.Contains(message, Error(json));

    [Fact]
    public void Overrides_reach_into_sections_lists_and_absent_parts()
    {
        var recipe = Read("""{"corpus":{"steps":[{"step":"min-words","words":5},{"step":"language","keep":["cs"]}]}}""",
            "training.seed=2", "training.schedule=Cosine", "corpus.steps[0].words=7", "corpus.steps.1.keep=[\"fi\",\"nb\"]", "corpus.source=../data/corpus", "corpus.weights.cs=0.5",
            "nested.required=2026", "nested.inner.tokens=2e8", "corpus.name=true", "training.resume=false");
        Assert.Equal(new TrainingSettings(Seed: 2, Schedule: Schedule.Cosine, Resume: false), recipe.Training);
        Assert.Equal(new MinWords(7), recipe.Corpus.Steps![0]);
        Assert.Equal(["fi", "nb"], ((KeepLanguages)recipe.Corpus.Steps[1]).Keep);
        Assert.Equal(("../data/corpus", 0.5, "true"), (recipe.Corpus.Source, recipe.Corpus.Weights!["cs"], recipe.Corpus.Name));
        Assert.Equal(("2026", 200_000_000L), (recipe.Nested!.Required, recipe.Nested.Inner!.Tokens));
    }

    [Theory]
    [InlineData("training.sed=1", "training.sed is unknown; did you mean 'seed'?")]
    [InlineData("training.learningRate=3", "training.learningRate is 3; expected 1e-8 to 1.")]
    [InlineData("corpus.steps[4].words=1", "corpus.steps is a list of 1; expected an index from 0 to 0.")]
    [InlineData("corpus.source.deep=1", "corpus.source is \"x\"; expected a section.")]
    [InlineData("training.seed", "override 'training.seed' has no value; expected key=value, such as training.seed=2.")]
    [InlineData("=1", "has no value")]
    public void A_bad_override_is_refused(string setting, string message) =>
        Assert.Contains(message, Error("""{"corpus":{"source":"x","steps":[{"step":"min-words"}]}}""", setting));

    [Fact]
    public void Free_form_parts_are_taken_as_they_are() =>
        Assert.Equal("""{"any":[1,{"thing":null}]}""", Read("""{"corpus":{"extra":{"any":[1,{"thing":null}]}}}""").Corpus.Extra!.ToJsonString());

    [Fact]
    public void A_missing_file_is_a_user_error() =>
        Assert.Contains("not found", Assert.Throws<UserErrorException>(() => RecipeReader.Read("no/such.jsonc", TestRecipeContext.Default.TestRecipe, [])).Message);
}
