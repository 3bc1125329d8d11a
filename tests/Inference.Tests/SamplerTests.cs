using OpenEuroLLM.Core;

namespace OpenEuroLLM.Inference.Tests;

public sealed class SamplerTests
{
    private static readonly float[] _logits = [1.5f, -0.25f, 3f, 2.75f, 3f, -4f, 0f, 2f];

    private static int Choose(float[] logits, Sampling sampling, int tokenIndex = 0, int choice = 0, params int[] seen) =>
        new Sampler(logits.Length).Choose((float[])logits.Clone(), State(sampling, choice, tokenIndex, seen));

    private static SamplingState State(Sampling sampling, int choice, int tokenIndex, int[] prompt)
    {
        var state = new SamplingState(sampling, choice, prompt);
        for (int index = 0; index < tokenIndex; index++) state.Add(0);
        return state;
    }

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

    // The plain definition: modify, sort, cut, normalise, walk.
    private static int ByDefinition(float[] logits, Sampling sampling, int choice, int[] prompt, List<int> answer)
    {
        float[] modified = [.. logits.Select((logit, id) =>
        {
            float value = logit + (float)(sampling.LogitBias?.GetValueOrDefault(id) ?? 0);
            if (prompt.Contains(id) || answer.Contains(id)) value = value > 0 ? value / (float)sampling.RepetitionPenalty : value * (float)sampling.RepetitionPenalty;
            int count = answer.Count(other => other == id);
            return count == 0 ? value : value - (count * (float)sampling.FrequencyPenalty + (float)sampling.PresencePenalty);
        })];
        double highest = modified.Max();
        var weights = modified.Select((logit, id) => (Id: id, Logit: logit, Weight: Numerics.Exp((logit - highest) / sampling.Temperature))).ToList();
        if ((sampling.TopK > 0 && sampling.TopK < logits.Length) || sampling.TopP < 1) weights = [.. weights.OrderByDescending(entry => entry.Logit).ThenBy(entry => entry.Id)];
        if (sampling.TopK > 0) weights = [.. weights.Take(sampling.TopK)];
        if (sampling.TopP < 1) weights = Reach(weights, sampling.TopP);
        weights = [.. weights.Where(entry => entry.Weight >= sampling.MinP)];
        if (sampling.TypicalP < 1)
        {
            double all = weights.Sum(entry => entry.Weight);
            double entropy = weights.Sum(entry => -entry.Weight / all * Numerics.Log(entry.Weight / all));
            weights = Reach([.. weights.OrderBy(entry => Math.Abs(-Numerics.Log(entry.Weight / all) - entropy)).ThenByDescending(entry => entry.Logit).ThenBy(entry => entry.Id)], sampling.TypicalP);
        }

        double drawn = new CounterRandom(sampling.Seed, (ulong)choice).UniformAt((ulong)answer.Count) * weights.Sum(entry => entry.Weight);
        double reached = 0;
        foreach (var (id, _, weight) in weights)
        {
            reached += weight;
            if (drawn < reached) return id;
        }

        return weights[^1].Id;

        static List<(int Id, float Logit, double Weight)> Reach(List<(int Id, float Logit, double Weight)> weights, double share)
        {
            double all = weights.Sum(entry => entry.Weight);
            int kept = 0;
            for (double sum = 0; sum < share * all && kept < weights.Count; kept++) sum += weights[kept].Weight;
            return weights[..kept];
        }
    }

    public static TheoryData<Sampling> Settings =>
    [
        new Sampling(), new Sampling(0.3), new Sampling(2.0, 3), new Sampling(1, TopP: 0.6), new Sampling(1.5, 5, 0.8, 1.3), new Sampling(1, 100, 0.999, 0.7),
        new Sampling(MinP: 0.2), new Sampling(1.5, TopK: 20, MinP: 0.3), new Sampling(TypicalP: 0.5), new Sampling(0.7, 30, 0.95, 1.1, 3, 0.02, 0.8),
        new Sampling(PresencePenalty: 1.5), new Sampling(FrequencyPenalty: 0.7), new Sampling(1, 10, 0.9, 1.2, 5, 0.05, 0.9, -0.5, 0.3, new Dictionary<int, double> { [3] = 2.5, [7] = -100 }),
    ];

    [Theory]
    [MemberData(nameof(Settings))]
    public void Agrees_with_its_definition(Sampling sampling)
    {
        var random = new CounterRandom(3, 0);
        var sampler = new Sampler(50);
        var chosen = new HashSet<int>();
        for (int choice = 0; choice < 4; choice++)
        {
            int[] prompt = [choice % 50, 7 * (choice + 1) % 50];
            var state = new SamplingState(sampling, choice, prompt);
            var answer = new List<int>();
            for (int round = 0; round < 50; round++)
            {
                float[] logits = [.. Enumerable.Range(0, 50).Select(id => Coarse(3 * random.NormalAt((ulong)((choice * 50 + round) * 50 + id))))];
                int expected = ByDefinition(logits, sampling, choice, prompt, answer);
                Assert.Equal(expected, sampler.Choose(logits, state));
                answer.Add(expected);
                chosen.Add(expected);
            }
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

    [Fact]
    public void Presence_counts_a_token_once_and_frequency_as_often_as_it_was_generated_and_the_prompt_not_at_all()
    {
        var state = new SamplingState(new Sampling(PresencePenalty: 0.5, FrequencyPenalty: 0.25), 0, [1, 1, 1]);
        foreach (int id in (int[])[2, 2, 3]) state.Add(id);
        float[] logits = [1, 1, 1, 1];
        state.Modify(logits);
        Assert.Equal([1, 1, 0, 0.25f], logits);
    }

    [Fact]
    public void Bias_comes_before_the_penalties()
    {
        var state = new SamplingState(new Sampling(RepetitionPenalty: 2, LogitBias: new Dictionary<int, double> { [0] = 3 }), 0, [0]);
        float[] logits = [-1, -1];
        state.Modify(logits);
        Assert.Equal([1, -1], logits); // (-1 + 3) / 2
    }

    [Fact]
    public void An_id_without_a_token_is_never_chosen()
    {
        var sampler = new Sampler(4, [1, 3]);
        for (int index = 0; index < 50; index++) Assert.Contains(sampler.Choose([0, 50, 1, 50], State(new Sampling(2), 0, index, [])), (int[])[0, 2]);
        Assert.Equal(2, sampler.Choose([0, 50, 1, 50], State(Sampling.Greedy, 0, 0, [])));
    }

    [Fact]
    public void Likelihoods_are_the_softmax_of_the_raw_logits()
    {
        var scores = new TokenScores(4, [3]);
        scores.Take([(float)Numerics.Log(4), 0, 0, (float)Numerics.Log(2)]); // 1/2, 1/8, 1/8, 1/4
        var found = scores.Of(1, 20);
        Assert.Equal(-Numerics.Log(8), found.LogProbability, 1e-6);
        Assert.Equal([0, 1, 2], found.Alternatives.Select(other => other.Id)); // without the one that has no token
        Assert.Equal(-Numerics.Log(2), found.Alternatives[0].LogProbability, 1e-6);
        Assert.Empty(scores.Of(0, 0).Alternatives);
    }
}
