using OpenEuroLLM.Core;

namespace OpenEuroLLM.Inference.Tests;

public sealed class PromptLookupTests
{
    private static readonly StepCosts _free = new(1, 1.001);

    private static int[] Guess(Speculation settings, int most, params int[] known)
    {
        var tokens = new int[known.Length + most];
        known.CopyTo(tokens, 0);
        var lookup = new PromptLookup(settings, tokens.Length, _free);
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
        var lookup = new PromptLookup(new Speculation(8, 1, 4), 10_000, new StepCosts(1, 1.3));
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

        Assert.InRange(guessed, 5, 50);
        for (int round = 0; round < 200; round++) tokens[count++] = 1;
        int longest = 0;
        for (int round = 0; round < 300; round++, count++)
        {
            tokens[count] = 1;
            int offered = lookup.Guess(tokens, count + 1, 8);
            if (offered > 0) lookup.Learn(offered, offered);
            longest = Math.Max(longest, offered);
        }

        Assert.Equal(8, longest);
    }

    public static TheoryData<string> Kinds => ["floats", "bytes", "bits", "in cache"];

    private static StepCosts Costs(string kind) => kind switch { "floats" => StepCosts.Floats, "bytes" => StepCosts.Bytes, "bits" => StepCosts.Bits, _ => StepCosts.InCache };

    private static double Cube(double x) => x * x * x;

    // Runs a text through guesses as an answer would, and says how many steps of one row its steps cost.
    private static (double Cost, int Wrong) Run(ReadOnlySpan<int> text, int prompt, StepCosts costs)
    {
        var tokens = new int[text.Length + 8];
        text[..prompt].CopyTo(tokens);
        var lookup = new PromptLookup(new Speculation(), text.Length, costs);
        var (cost, wrong) = (0.0, 0);
        for (int count = prompt; count < text.Length;)
        {
            int guessed = lookup.Guess(tokens, count, text.Length - count - 1), hits = 0;
            while (hits < guessed && tokens[count + hits] == text[count + hits]) hits++;
            if (guessed > 0) lookup.Learn(guessed, hits);
            cost += costs[1 + guessed];
            wrong += guessed - hits;
            for (int i = 0; i <= hits; i++, count++) tokens[count] = text[count];
        }

        return (cost, wrong);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_text_that_repeats_nothing_but_single_tokens_costs_hardly_more(string kind)
    {
        // Frequent tokens and rare ones, as in a language, but in no order that would come again.
        var random = new CounterRandom(7, 3);
        int[] text = [.. Enumerable.Range(0, 3000).Select(i => (int)(Cube(random.UniformAt((ulong)i)) * 2000))];
        var (cost, wrong) = Run(text, 500, Costs(kind));
        Assert.InRange(cost / 2500, 0.9, 1.03);
        Assert.InRange(wrong, 1, 2500);
    }

    [Theory]
    [InlineData("floats", 1.5)]
    [InlineData("bytes", 1.5)]
    [InlineData("bits", 1.2)]
    [InlineData("in cache", 1.2)]
    public void Clauses_that_come_again_between_new_words_pay_for_their_rows(string kind, double times)
    {
        // Ten clauses of 12 tokens, drawn again and again, each behind three tokens that are new.
        var random = new CounterRandom(9, 4);
        var text = new List<int>();
        for (int i = 0; text.Count < 1500; i++)
        {
            int clause = (int)(random.UniformAt((ulong)i) * 10);
            text.AddRange([1000 + 3 * i, 1001 + 3 * i, 1002 + 3 * i, .. Enumerable.Range(0, 12).Select(j => clause * 12 + j)]);
        }

        var (cost, _) = Run(text.ToArray(), 300, Costs(kind));
        Assert.True((text.Count - 300) / cost > times, $"{(text.Count - 300) / cost}");
    }

    [Fact]
    public void What_was_learned_of_short_matches_holds_for_longer_ones_that_were_never_tried()
    {
        int Offered(int hits)
        {
            var lookup = new PromptLookup(new Speculation(8, 1, 6), 100, StepCosts.Bits);
            var tokens = new int[100];
            int[] known = [1, 2, 3, 4, 5, 6, 9, 1, 7, 1, 8, 1, 20, 1, 21, 1, 22, 1];
            known.CopyTo(tokens, 0);
            for (int count = 8; count <= known.Length; count += 2) // matches of one token
            {
                int guessed = lookup.Guess(tokens, count, 1);
                if (guessed > 0) lookup.Learn(guessed, hits);
            }

            int[] longer = [.. known, 2, 3, 4];
            longer.CopyTo(tokens, 0);
            return lookup.Guess(tokens, longer.Length, 8);
        }

        Assert.True(Offered(1) > Offered(0), $"{Offered(1)} {Offered(0)}");
    }

    [Fact]
    public void Rows_of_other_answers_make_guesses_dearer()
    {
        int Offered(int company)
        {
            int[] known = [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2];
            var tokens = new int[known.Length + 8];
            known.CopyTo(tokens, 0);
            return new PromptLookup(new Speculation(), tokens.Length, StepCosts.Bytes).Guess(tokens, known.Length, 8, company);
        }

        Assert.InRange(Offered(0), 3, 8);
        Assert.Equal(0, Offered(40));
    }
}
