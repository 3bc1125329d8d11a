using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Building;

namespace OpenEuroLLM.Corpus.Tests.Building;

public sealed class HeldOutChoiceTests
{
    private static readonly CounterRandom Ranks = new CounterRandom(1, 0).Substream("held-out");

    /// <summary>The definition: all distinct texts in memory, in order of their ranks.</summary>
    private static HashSet<UInt128> Definition(double share, int most, UInt128[] hashes)
    {
        HashSet<UInt128> distinct = [.. hashes];
        if (distinct.Count < 2 || share == 0) return [];
        int wanted = Math.Min(most, (int)Math.Max(1, Math.Round(share * distinct.Count)));
        return [.. distinct.OrderBy(hash => Ranks.At((ulong)hash)).ThenBy(hash => hash).Take(wanted)];
    }

    [Theory]
    [InlineData(0, 0.02, 50)]
    [InlineData(1, 0.5, 50)]
    [InlineData(2, 0.02, 50)]
    [InlineData(100, 0.02, 50)]
    [InlineData(100, 0.5, 7)]
    [InlineData(2_000, 0.02, 50)]
    [InlineData(2_000, 0.02, 0)]
    [InlineData(2_000, 0, 50)]
    [InlineData(2_000, 0.3, 100_000)]
    [InlineData(2_000, 0.0001, 3)]
    public void It_is_that_of_the_definition_with_copies_and_without(int texts, double share, int most)
    {
        var random = new CounterRandom(9, 0);
        UInt128[] distinct = [.. Enumerable.Range(0, texts).Select(i => new UInt128(random.At((ulong)i), random.At((ulong)i + 1_000_000)))];
        UInt128[] copies = [.. distinct, .. distinct.Where((_, i) => i % 3 == 0), .. distinct.Where((_, i) => i % 5 == 0)];
        foreach (UInt128[] hashes in new[] { distinct, copies })
        {
            foreach (int capacity in new[] { 1, 64, 1 << 16 })   // the first two look again and again
            {
                Assert.Equal(Definition(share, most, hashes), HeldOutChoice.Of(Ranks, share, most, () => hashes, capacity).ToHashSet());
                Assert.Equal(Definition(share, most, hashes), HeldOutChoice.Of(Ranks, share, most, () => hashes.Reverse(), capacity).ToHashSet());
            }
        }
    }

    [Fact]
    public void Many_texts_are_looked_at_once_when_the_most_are_wanted()
    {
        int looks = 0;
        var chosen = HeldOutChoice.Of(Ranks, 0.02, 50, () =>
        {
            looks++;
            return Enumerable.Range(0, 300_000).Select(i => (UInt128)i * 0x9E3779B97F4A7C15);
        });
        Assert.Equal((50, 1), (chosen.Count, looks));
    }
}
