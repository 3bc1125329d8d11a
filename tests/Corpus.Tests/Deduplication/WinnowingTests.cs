using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Deduplication;

namespace OpenEuroLLM.Corpus.Tests.Deduplication;

public sealed class WinnowingTests
{
    private static List<Fingerprint> Of(string text, int leastWords)
    {
        var fingerprints = new List<Fingerprint>();
        new Winnowing(leastWords).Add(text, fingerprints);
        return fingerprints;
    }

    private static string Words(ulong seed, int count, uint vocabulary = uint.MaxValue)
    {
        var random = new CounterRandom(seed, 3);
        return string.Join(' ', Enumerable.Range(0, count).Select(i => $"w{random.Below((ulong)i, vocabulary)}"));
    }

    [Theory]
    [InlineData(10)]
    [InlineData(33)]
    [InlineData(50)]
    public void A_common_run_of_the_least_length_is_always_found_at_the_same_place(int leastWords)
    {
        for (ulong trial = 0; trial < 300; trial++)
        {
            string run = Words(trial, leastWords);
            string one = Words(trial + 1000, (int)(trial * 7 % 90)) + " " + run, other = run + " " + Words(trial + 2000, (int)(trial * 5 % 80));
            int oneStart = one.Length - run.Length;
            Assert.Contains(Of(one, leastWords), first => Of(other, leastWords).Any(second => first.Key == second.Key && first.Start - oneStart == second.Start));
        }
    }

    [Fact]
    public void A_shorter_text_has_none_and_equal_texts_have_the_same()
    {
        Assert.Empty(Of(Words(1, 49), 50));
        Assert.Single(Of(Words(1, 50), 50));
        Assert.Empty(Of("", 50));
        Assert.Equal(Of(Words(1, 400), 50), Of(Words(1, 400), 50));
    }

    [Fact]
    public void Punctuation_layout_and_capitals_make_no_difference()
    {
        string text = Words(4, 120);
        Assert.Equal(Of(text, 50).Select(fingerprint => fingerprint.Key), Of(text.ToUpperInvariant().Replace(" ", ",\n– ", StringComparison.Ordinal), 50).Select(fingerprint => fingerprint.Key));
    }

    [Fact]
    public void Places_are_beginnings_of_words_in_ascending_order()
    {
        string text = Words(5, 5_000, vocabulary: 3);
        List<Fingerprint> found = Of(text, 50);
        Assert.All(found, fingerprint => Assert.True(text[fingerprint.Start] == 'w'));
        Assert.All(found.Zip(found.Skip(1)), pair => Assert.True(pair.First.Start < pair.Second.Start));
    }

    [Fact]
    public void Fingerprints_are_few_and_their_highest_bits_are_spread()
    {
        List<Fingerprint> found = Of(Words(6, 100_000), 50);
        Assert.InRange(found.Count, 7_200, 7_600);   // 2 of 27 words: twice one in a window of 26
        // What is least in a window is small, and so unevenly spread over the range, unless the key is mixed again.
        int low = found.Count(fingerprint => fingerprint.Key >> 63 == 0);
        Assert.InRange((double)low / found.Count, 0.47, 0.53);
    }
}
