using OpenEuroLLM.Core;

namespace OpenEuroLLM.Inference.Tests;

public sealed class SamplerTests
{
    private static readonly float[] _logits = [1.5f, -0.25f, 3f, 2.75f, 3f, -4f, 0f, 2f];

    private static int Choose(float[] logits, Sampling sampling, int tokenIndex = 0, int choice = 0, params int[] seen) =>
        new Sampler(logits.Length).Choose((float[])logits.Clone(), sampling, [.. seen], choice, tokenIndex);

    [Fact]
    public void Greedy_takes_the_lowest_id_among_equals() => Assert.Equal(2, Choose(_logits, Sampling.Greedy));

    [Fact]
    public void The_repetition_penalty_divides_positive_and_multiplies_negative_logits()
    {
        var penalty = Sampling.Greedy with { RepetitionPenalty = 2 };
        Assert.Equal(4, Choose(_logits, penalty, seen: 2));
        Assert.Equal(3, Choose(_logits, penalty, seen: [2, 4]));
        Assert.Equal(1, Choose([-1f, -1.5f], penalty, seen: 0)); // -1 becomes -2
    }

    // The plain definition: sort, cut, normalise, walk.
    private static int ByDefinition(float[] logits, Sampling sampling, int choice, int tokenIndex, IReadOnlyCollection<int> seen)
    {
        double[] scaled = [.. logits.Select((logit, id) =>
        {
            float value = logit;
            if (seen.Contains(id)) value = value > 0 ? value / (float)sampling.RepetitionPenalty : value * (float)sampling.RepetitionPenalty;
            return (double)value;
        })];
        double highest = scaled.Max();
        var weights = scaled.Select((logit, id) => (Id: id, Logit: logit, Weight: Numerics.Exp((logit - highest) / sampling.Temperature))).ToList();
        bool cut = (sampling.TopK > 0 && sampling.TopK < logits.Length) || sampling.TopP < 1;
        if (cut) weights = [.. weights.OrderByDescending(entry => entry.Logit).ThenBy(entry => entry.Id)];
        if (sampling.TopK > 0) weights = [.. weights.Take(sampling.TopK)];
        if (sampling.TopP < 1)
        {
            double all = weights.Sum(entry => entry.Weight);
            int kept = 0;
            for (double sum = 0; sum < sampling.TopP * all && kept < weights.Count; kept++) sum += weights[kept].Weight;
            weights = [.. weights.Take(kept)];
        }

        double drawn = new CounterRandom(sampling.Seed, (ulong)choice).UniformAt((ulong)tokenIndex) * weights.Sum(entry => entry.Weight);
        double reached = 0;
        foreach (var (id, _, weight) in weights)
        {
            reached += weight;
            if (drawn < reached) return id;
        }

        return weights[^1].Id;
    }

    [Theory]
    [InlineData(1.0, 0, 1.0, 1.0)]
    [InlineData(0.3, 0, 1.0, 1.0)]
    [InlineData(2.0, 3, 1.0, 1.0)]
    [InlineData(1.0, 0, 0.6, 1.0)]
    [InlineData(1.5, 5, 0.8, 1.3)]
    [InlineData(1.0, 100, 0.999, 0.7)]
    public void Agrees_with_its_definition(double temperature, int topK, double topP, double repetitionPenalty)
    {
        var random = new CounterRandom(3, 0);
        var sampler = new Sampler(50);
        var chosen = new HashSet<int>();
        for (int round = 0; round < 200; round++)
        {
            float[] logits = [.. Enumerable.Range(0, 50).Select(id => Coarse(3 * random.NormalAt((ulong)(round * 50 + id))))];
            int[] seen = [round % 50, (round * 7) % 50];
            var sampling = new Sampling(temperature, topK, topP, repetitionPenalty, Seed: 11);
            int found = sampler.Choose((float[])logits.Clone(), sampling, [.. seen], choice: round % 3, tokenIndex: round);
            Assert.Equal(ByDefinition(logits, sampling, round % 3, round, seen), found);
            chosen.Add(found);
        }

        Assert.True(chosen.Count > 5);
    }

    // Coarse logits, so that many are equal.
    private static float Coarse(float value) => (float)Math.Round(value * 4.0) / 4;

    [Fact]
    public void Draws_follow_the_probabilities()
    {
        // Weights 4 : 2 : 1 : 1.
        float[] logits = [(float)Numerics.Log(4), (float)Numerics.Log(2), 0, 0];
        var counts = new int[4];
        for (int index = 0; index < 8000; index++) counts[Choose(logits, new Sampling(Seed: 5), index)]++;
        Assert.InRange(counts[0], 3850, 4150);
        Assert.InRange(counts[1], 1850, 2150);
        Assert.InRange(counts[2], 880, 1120);
        Assert.InRange(counts[3], 880, 1120);
    }

    [Fact]
    public void A_draw_depends_on_seed_choice_and_token_index_only()
    {
        static string Draws(ulong seed, int choice) =>
            string.Concat(Enumerable.Range(0, 40).Select(index => Choose(_logits, new Sampling(2, Seed: seed), index, choice)));
        Assert.Equal(Draws(1, 0), Draws(1, 0));
        Assert.Equal(3, new[] { Draws(1, 0), Draws(2, 0), Draws(1, 1) }.Distinct().Count());
    }

    [Fact]
    public void A_top_k_of_one_is_greedy()
    {
        for (int index = 0; index < 20; index++) Assert.Equal(2, Choose(_logits, new Sampling(2, TopK: 1), index));
    }

    [Fact]
    public void A_forbidden_token_is_never_drawn()
    {
        float[] logits = [float.NegativeInfinity, 0, float.NegativeInfinity];
        for (int index = 0; index < 50; index++) Assert.Equal(1, Choose(logits, new Sampling(2), index));
    }

    [Theory]
    [InlineData(float.NaN, "NaN")]
    [InlineData(float.PositiveInfinity, "Infinity")]
    public void A_logit_that_is_no_number_is_an_error_that_names_the_token(float damaged, string name)
    {
        var error = Assert.Throws<UserErrorException>(() => Choose([0, 1, damaged, 2], Sampling.Greedy, tokenIndex: 3));
        Assert.Contains($"logit {name} for token id 2 at token 3", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_vocabulary_that_is_wholly_forbidden_is_an_error() =>
        Assert.Throws<UserErrorException>(() => Choose([float.NegativeInfinity, float.NegativeInfinity], new Sampling()));
}
