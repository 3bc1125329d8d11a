using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Building;

namespace OpenEuroLLM.Corpus.Tests.Building;

public sealed class MixingPlanTests
{
    private static readonly Dictionary<string, long> Three = new() { ["de"] = 9_000, ["mt"] = 100, ["ga"] = 900 };

    private static Dictionary<string, long> Plan(IReadOnlyDictionary<string, long> available, Mixing mixing) =>
        MixingPlan.Of(available, mixing).Languages.ToDictionary(mix => mix.Language, mix => mix.Tokens);

    [Fact]
    public void Without_settings_every_language_is_taken_once()
    {
        MixingPlan plan = MixingPlan.Of(Three, new Mixing());
        Assert.All(plan.Languages, mix => Assert.Equal((mix.Available, 1L, 0L), (mix.Tokens, mix.WholePasses, mix.LastPassTokens)));
        Assert.Equal(0, plan.Missing);
        Assert.Equal(["de", "ga", "mt"], plan.Languages.Select(mix => mix.Language));
    }

    [Fact]
    public void Shares_follow_the_temperature()
    {
        Assert.Equal(new Dictionary<string, long> { ["de"] = 900, ["ga"] = 90, ["mt"] = 10 }, Plan(Three, new Mixing(Tokens: 1_000)));
        // Square roots of 9000, 900 and 100: 94.868, 30, 10 of 134.868.
        Assert.Equal(new Dictionary<string, long> { ["de"] = 703, ["ga"] = 223, ["mt"] = 74 }, Plan(Three, new Mixing(Tokens: 1_000, Temperature: 2)));
        Dictionary<string, long> flat = Plan(Three, new Mixing(Tokens: 300, Temperature: 1000));
        Assert.All(flat.Values, tokens => Assert.InRange(tokens, 99, 101));
    }

    [Fact]
    public void What_a_language_cannot_take_goes_to_the_others_by_their_shares()
    {
        Assert.Equal(
            new Dictionary<string, long> { ["de"] = 1_350, ["ga"] = 1_350, ["mt"] = 300 },
            Plan(Three, new Mixing(Tokens: 3_000, Weights: new Dictionary<string, double> { ["de"] = 1, ["ga"] = 1, ["mt"] = 1 }, MostPasses: 3)));
        MixingPlan plan = MixingPlan.Of(Three, new Mixing(Tokens: 3_000, Temperature: 1000, MostPasses: 2.5));
        LanguageMix maltese = plan.Languages.Single(mix => mix.Language == "mt");
        Assert.Equal((250L, 2L, 50L, 0.5), (maltese.Tokens, maltese.WholePasses, maltese.LastPassTokens, maltese.LastPassShare));
    }

    [Fact]
    public void What_no_language_can_give_is_told()
    {
        MixingPlan plan = MixingPlan.Of(Three, new Mixing(Tokens: 25_000, MostPasses: 2));
        Assert.All(plan.Languages, mix => Assert.Equal(2 * mix.Available, mix.Tokens));
        Assert.Equal(5_000, plan.Missing);
    }

    [Fact]
    public void Budgets_stand_and_the_others_divide_the_rest()
    {
        var budgets = new Dictionary<string, long> { ["mt"] = 150 };
        Assert.Equal(new Dictionary<string, long> { ["de"] = 1_000, ["ga"] = 100, ["mt"] = 150 }, Plan(Three, new Mixing(Tokens: 1_250, Budgets: budgets, MostPasses: 2)));
        MixingPlan once = MixingPlan.Of(Three, new Mixing(Budgets: budgets));
        Assert.Equal([9_000, 900, 100], once.Languages.Select(mix => mix.Tokens));
        Assert.Equal(50, once.Missing);
    }

    [Fact]
    public void A_language_without_a_weight_gets_nothing() =>
        Assert.Equal(
            new Dictionary<string, long> { ["de"] = 0, ["ga"] = 300, ["mt"] = 100 },
            Plan(Three, new Mixing(Tokens: 400, Weights: new Dictionary<string, double> { ["ga"] = 1, ["mt"] = 1 })));

    [Fact]
    public void Parts_are_whole_numbers_that_add_up_within_their_caps()
    {
        var random = new CounterRandom(11, 0);
        for (ulong trial = 0; trial < 2_000; trial++)
        {
            int count = 1 + (int)random.Below(trial * 100, 39);
            UInt128[] weights = [.. Enumerable.Range(0, count).Select(i => (UInt128)(random.At(trial * 100 + (ulong)i + 1) >> (int)random.Below(trial * 100 + (ulong)i + 50, 60) >> 4))];
            long[] caps = [.. Enumerable.Range(0, count).Select(i => (long)(random.At(trial * 977 + (ulong)i) >> (2 + (int)random.Below(trial * 977 + (ulong)i + 50, 50))))];
            long all = 0;
            for (int i = 0; i < count; i++)
                if (weights[i] > 0) all = all > long.MaxValue - caps[i] ? long.MaxValue : all + caps[i];
            long total = (long)(random.At(trial * 31 + 7) >> 2) % Math.Max(1, all < long.MaxValue / 2 ? all * 2 : all);
            long[] parts = MixingPlan.Fill(total, weights, caps);
            Int128 sum = 0;
            foreach (long part in parts) sum += part;
            Assert.Equal(Math.Min(total, all), (long)sum);
            for (int i = 0; i < count; i++)
            {
                Assert.InRange(parts[i], 0, caps[i]);
                // Nobody below the cap has less, for its weight, than anybody else by more than the rounding.
                for (int j = 0; j < count; j++)
                    if (weights[i] > 0 && parts[i] < caps[i] && weights[j] > 0 && parts[j] > 1)
                        Assert.True((UInt128)(ulong)(parts[i] + 1) * weights[j] >= (UInt128)(ulong)(parts[j] - 1) * weights[i], $"trial {trial}: {i} and {j}");
            }
        }
    }

    [Fact]
    public void The_plan_does_not_depend_on_the_order_of_languages() => Assert.Equal(
        MixingPlan.Of(Three, new Mixing(Tokens: 997, Temperature: 3.3)).Languages,
        MixingPlan.Of(Three.Reverse().ToDictionary(pair => pair.Key, pair => pair.Value), new Mixing(Tokens: 997, Temperature: 3.3)).Languages);

    [Fact]
    public void Settings_that_contradict_each_other_are_refused()
    {
        var one = new Dictionary<string, double> { ["de"] = 1 };
        Refuses("both 'weights' and 'temperature'", new Mixing(Tokens: 10, Temperature: 2, Weights: one));
        Refuses("names 'de' in 'weights' and in 'budgets'", new Mixing(Tokens: 10, Weights: one, Budgets: new Dictionary<string, long> { ["de"] = 5 }));
        Refuses("'budgets' of 11 tokens together, above 'tokens' 10", new Mixing(Tokens: 10, Budgets: new Dictionary<string, long> { ["de"] = 11 }));
        Refuses("expected one of the languages kept: de, ga, mt", new Mixing(Tokens: 10, Weights: new Dictionary<string, double> { ["fr"] = 1 }));
        Refuses("the code of that language is 'de'", new Mixing(Tokens: 10, Weights: new Dictionary<string, double> { ["deu"] = 1 }));
        Refuses("expected a number above 0", new Mixing(Tokens: 10, Weights: new Dictionary<string, double> { ["de"] = 0 }));
        Refuses("neither 'tokens' nor 'mostPasses'", new Mixing(Temperature: 2));

        static void Refuses(string part, Mixing mixing) => Assert.Contains(part, Assert.Throws<UserErrorException>(() => MixingPlan.Of(Three, mixing)).Message, StringComparison.Ordinal);
    }
}
