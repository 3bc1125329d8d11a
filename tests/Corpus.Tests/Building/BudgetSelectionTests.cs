using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Building;

namespace OpenEuroLLM.Corpus.Tests.Building;

public sealed class BudgetSelectionTests
{
    private static readonly CounterRandom Ranks = new CounterRandom(7, 0).Substream("mixing");

    private static (UInt128 Hash, long Tokens)[] Documents(int count, int seed, int copiesOfEach = 1)
    {
        var random = new CounterRandom((ulong)seed, 0);
        return [.. Enumerable.Range(0, count).Select(i => (ulong)(i / copiesOfEach)).Select(i => (new UInt128(random.At(2 * i), random.At(2 * i + 1)), (long)random.Below(i, 2_000)))];
    }

    private static (HashSet<UInt128> Texts, long Tokens, int Count) Taken((UInt128 Hash, long Tokens)[] documents, long budget)
    {
        var selection = BudgetSelection.Choose(Ranks, budget, () => documents);
        long copies = 0;
        (UInt128 Hash, long Tokens)[] taken = [.. documents.Where(document => selection.Takes(document.Hash, ref copies))];
        Assert.Equal(selection.Tokens, taken.Sum(document => document.Tokens));
        Assert.Equal(selection.Documents, taken.Length);
        return ([.. taken.Select(document => document.Hash)], selection.Tokens, taken.Length);
    }

    [Fact]
    public void Those_of_the_smallest_ranks_are_taken_as_many_as_fit()
    {
        var documents = Documents(3_000, 1);
        foreach (long budget in new[] { 0L, 1, 1_999, 50_000, 1_000_000, 2_900_000, long.MaxValue })
        {
            var (texts, tokens, _) = Taken(documents, budget);
            long left = budget;
            var expected = documents.OrderBy(document => Ranks.At((ulong)document.Hash)).ThenBy(document => document.Hash).TakeWhile(document => (left -= document.Tokens) >= 0).ToArray();
            Assert.Equal(expected.Select(document => document.Hash).ToHashSet(), texts);
            Assert.True(tokens <= budget);
            Assert.True(expected.Length == documents.Length || budget - tokens < 2_000);
        }
    }

    [Fact]
    public void The_order_of_the_documents_does_not_matter_and_a_larger_budget_keeps_what_a_smaller_has()
    {
        var documents = Documents(5_000, 2);
        var smaller = new HashSet<UInt128>();
        for (long budget = 0; budget < 6_000_000; budget += 470_000)
        {
            var (texts, tokens, _) = Taken(documents, budget);
            var (again, sameTokens, _) = Taken([.. documents.Reverse()], budget);
            Assert.Equal(texts, again);
            Assert.Equal(tokens, sameTokens);
            Assert.Superset(smaller, texts);
            smaller = texts;
        }
    }

    [Fact]
    public void Of_copies_of_a_text_as_many_are_taken_as_fit()
    {
        var documents = Enumerable.Repeat(((UInt128)5, 10L), 100_000).ToArray();   // more in a bucket than are kept at once, down to the last bit
        var (_, tokens, count) = Taken(documents, 123_456);
        Assert.Equal((123_450L, 12_345), (tokens, count));
        var mixed = Documents(9_000, 3, copiesOfEach: 3);
        Assert.InRange(Taken(mixed, 3_000_000).Tokens, 3_000_000 - 1_999, 3_000_000);
    }

    [Fact]
    public void Ranks_that_are_the_same_are_settled_by_the_whole_hash()
    {
        // The rank is taken from the lower half of the hash.
        var documents = Enumerable.Range(0, 200_000).Select(i => (new UInt128((ulong)i * 0x9E3779B97F4A7C15, 42), 1L)).ToArray();
        var (texts, tokens, _) = Taken(documents, 70_001);
        Assert.Equal(70_001, tokens);
        Assert.Equal(documents.Select(document => document.Item1).Order().Take(70_001).ToHashSet(), texts);
    }
}
