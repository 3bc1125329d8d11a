using OpenEuroLLM.Core;

namespace OpenEuroLLM.Inference.Tests;

public sealed class PromptLookupTests
{
    private static int[] Guess(Speculation settings, int most, params int[] known)
    {
        var tokens = new int[known.Length + most];
        known.CopyTo(tokens, 0);
        var lookup = new PromptLookup(settings, tokens.Length);
        for (int guessed = lookup.Guess(tokens, known.Length, most), round = 0; round < 16; round++) lookup.Learn(guessed, guessed); // luck that pays for long ones
        return tokens[known.Length..(known.Length + lookup.Guess(tokens, known.Length, most))];
    }

    [Fact]
    public void What_followed_the_last_tokens_is_guessed_again() =>
        Assert.Equal([3, 4, 9], Guess(new Speculation(8, 2, 4), 3, 1, 2, 3, 4, 9, 9, 1, 2));

    [Fact]
    public void The_longest_match_wins_and_of_equally_long_ones_the_newest()
    {
        Assert.Equal([7], Guess(new Speculation(8, 1, 4), 1, 5, 1, 2, 7, 6, 2, 8, 5, 1, 2));
        Assert.Equal([8], Guess(new Speculation(8, 1, 1), 1, 5, 1, 2, 7, 6, 2, 8, 5, 1, 2));
    }

    [Fact]
    public void A_period_goes_on_beyond_what_is_known() =>
        Assert.Equal([1, 2, 1, 2, 1, 2], Guess(new Speculation(8, 2, 4), 6, 1, 2, 1, 2));

    [Fact]
    public void Without_a_match_of_the_fewest_tokens_nothing_is_guessed()
    {
        Assert.Empty(Guess(new Speculation(8, 3, 4), 4, 1, 2, 3, 4, 9, 2, 3));
        Assert.Empty(Guess(new Speculation(8, 3, 4), 4, 1, 2));
    }

    [Fact]
    public void Bad_luck_makes_guesses_short_and_rare_and_good_luck_long_again()
    {
        var lookup = new PromptLookup(new Speculation(8, 1, 4), 10_000);
        var tokens = new int[10_000];
        var random = new CounterRandom(1, 1);
        int guessed = 0, count = 1;
        for (; count < 2000; count++)
        {
            int offered = lookup.Guess(tokens, count, 8);
            if (offered > 0) lookup.Learn(offered, 0);
            guessed += offered;
            tokens[count] = (int)(random.UniformAt((ulong)count) * 3);
        }

        Assert.InRange(guessed, 20, 50);
        for (int round = 0; round < 200; round++) tokens[count++] = 1;
        int longest = 0;
        for (int round = 0; round < 100; round++, count++)
        {
            tokens[count] = 1;
            int offered = lookup.Guess(tokens, count + 1, 8);
            if (offered > 0) lookup.Learn(offered, offered);
            longest = Math.Max(longest, offered);
        }

        Assert.Equal(8, longest);
    }
}
