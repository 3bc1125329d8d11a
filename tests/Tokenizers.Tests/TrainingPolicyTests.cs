using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers.Tests;

public sealed class TrainingPolicyTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void A_run_of_spaces_up_to_the_limit_is_one_token_and_a_longer_one_is_cut()
    {
        foreach (int longest in (int[])[2, 3, 7, 8, 16, 21])
        {
            var merging = Merge("x", longest);
            var model = new BpeModel([.. merging.Tokens], merging.Merges, ignoreMerges: false);
            Assert.Equal(256 + longest - 1, merging.Tokens.Count);
            for (int run = 1; run <= longest; run++)
            {
                var ids = new List<int>();
                model.EncodeWord(Encoding.UTF8.GetBytes(new string(' ', run)), ids);
                Assert.Equal(run, Assert.Single(ids.Select(id => merging.Tokens[id].Length)));
            }
        }
    }

    [Fact]
    public void No_token_is_a_longer_run_of_spaces_than_the_limit()
    {
        var merging = Merge(new string(' ', 64), 5, extra: 40);
        Assert.Equal(5, merging.Tokens.Where(token => token.All(value => value == ' ')).Max(token => token.Length));
    }

    [Fact]
    public void Tokens_are_no_longer_than_allowed_and_never_forbidden_texts()
    {
        TrainingText[] texts = [new(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(" internationalisation forbiddenword", 50))), "en")];
        var config = new BpeTrainerConfig(400, LongestTokenBytes: 6, Forbidden: [" forb"]);
        var tokenizer = BpeTrainer.Train(texts, config, new LocalLauncher(1), cancellation: Stop);
        var tokens = tokenizer.Model.Tokens.Select(token => Encoding.UTF8.GetString(token!)).ToList();
        Assert.Equal(6, tokens.Max(token => token.Length));
        Assert.DoesNotContain(" forb", tokens);
        var free = BpeTrainer.Train(texts, config with { Forbidden = [], LongestTokenBytes = 128 }, new LocalLauncher(1), cancellation: Stop);
        Assert.Contains(" forbiddenword", free.Model.Tokens.Select(token => Encoding.UTF8.GetString(token!)));
    }

    [Fact]
    public void A_run_of_spaces_that_must_not_be_a_token_makes_nothing_else_one()
    {
        TrainingText[] texts = [new(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("some text    here ", 50))), "en")];
        foreach (var config in (BpeTrainerConfig[])[new(300, SpaceRun: 8, Forbidden: ["  "]), new(300, SpaceRun: 16, LongestTokenBytes: 2)])
            Assert.DoesNotContain(BpeTrainer.Train(texts, config, new LocalLauncher(1), cancellation: Stop).Model.Tokens.Skip(256), token => token!.Contains((byte)'!'));
    }

    [Fact]
    public void A_source_counts_as_much_as_it_weighs()
    {
        TrainingText[] texts =
        [
            new(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(" olden", 30))), "en", "novels-1890"),
            new(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(" fresh", 20))), "en", "news"),
        ];
        string First(params SourceWeight[] weights) => Encoding.UTF8.GetString(BpeTrainer.Train(texts, new BpeTrainerConfig(264, SourceWeights: weights), new LocalLauncher(1), cancellation: Stop)
            .Model.Tokens[256]!);
        Assert.Contains(First(), " olden", StringComparison.Ordinal);
        Assert.Contains(First(new SourceWeight("novels-*", 0.5)), " fresh", StringComparison.Ordinal);
    }

    [Fact]
    public void Reserved_tokens_stand_before_the_special_tokens_which_stay_last()
    {
        var tokenizer = BpeTrainer.Train(Texts.Training, new BpeTrainerConfig(500, MinimumPairCount: 1, Reserve: 3, ReservedTokens: ["<|tool_call|>"]), new LocalLauncher(1), cancellation: Stop);
        Assert.Equal(500, tokenizer.VocabularySize);
        Assert.Equal([489, 490, 491, 492], new[] { "<|tool_call|>", "<|reserved_0|>", "<|reserved_1|>", "<|reserved_2|>" }.Select(name => tokenizer.TokenId(name)!.Value));
        Assert.Equal([493, 494, 495, 496, 497, 498, 499], SpecialTokens.All.Select(name => tokenizer.TokenId(name)!.Value));
        Assert.All(Enumerable.Range(489, 11), id => Assert.True(tokenizer.IsSpecial(id)));
        int[] ids = tokenizer.Encode("<|tool_call|> <|reserved_1|><|user|>");
        Assert.DoesNotContain(ids, tokenizer.IsSpecial);
    }

    [Theory]
    [InlineData("tool", "could stand in a text")]
    [InlineData("<|Tool call|>", "could stand in a text")]
    [InlineData("<||>", "could stand in a text")]
    [InlineData("<|user|>", "stands there twice")]
    public void An_unsafe_control_token_is_refused(string name, string expected)
    {
        var error = Assert.Throws<UserErrorException>(() => BpeTrainer.Train(Texts.Training, new BpeTrainerConfig(500, ReservedTokens: [name]), new LocalLauncher(1), cancellation: Stop));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_lint_finds_every_way_from_text_to_a_control_token()
    {
        byte[][] tokens = ["a"u8.ToArray(), "b"u8.ToArray(), "<|x|>"u8.ToArray()];
        Assert.Empty(VocabularyLint.Faults(tokens[..2], [], [new AddedToken(2, "<|x|>", true)]));
        Assert.Contains("a token of text too", Assert.Single(VocabularyLint.Faults(tokens, [], [new AddedToken(3, "<|x|>", true)])), StringComparison.Ordinal);
        Assert.Contains("has the id 1", Assert.Single(VocabularyLint.Faults(tokens[..2], [], [new AddedToken(1, "<|x|>", true)])), StringComparison.Ordinal);
        Assert.Contains("a merge makes", Assert.Single(VocabularyLint.Faults(tokens[..2], [new Merge(0, 1, 2)], [new AddedToken(2, "<|x|>", true)])), StringComparison.Ordinal);
        Assert.Contains("stands there twice", VocabularyLint.Faults(tokens[..2], [], [new AddedToken(2, "<|x|>", true), new AddedToken(3, "<|x|>", true)])[0], StringComparison.Ordinal);
        Assert.Contains("is a part of", Assert.Single(VocabularyLint.Faults(tokens[..2], [], [new AddedToken(2, "<|x|>", true), new AddedToken(3, "<|x|><|y|>", true)])), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("europe", null, "12345", "123|45")]
    [InlineData("europe", DigitPolicy.Single, "123", "1|2|3")]
    [InlineData("europe", DigitPolicy.Runs, "12345", "12345")]
    [InlineData("llama-3", DigitPolicy.Single, "a12", "a|1|2")]
    [InlineData("gpt-2", null, " 12345", " 12345")]
    [InlineData("gpt-4o", DigitPolicy.Single, "ab12", "ab|1|2")]
    [InlineData("qwen-2", DigitPolicy.Groups, "1234", "123|4")]
    [InlineData("europe", null, "b'mod x'inhu", "b|'mod| x|'inhu")]
    [InlineData("llama-3", null, "b'mod", "b|'m|od")]
    [InlineData("europe", null, "it's don't", "it|'s| don|'t")]
    [InlineData("europe", null, "e\u0301te\u0301 \u0301a", "e\u0301te\u0301| \u0301a")]
    public void Words_are_cut_as_the_pattern_and_the_digits_say(string split, DigitPolicy? digits, string text, string expected)
    {
        var (pattern, _) = TrainingSplit.Find(split, digits);
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        var words = new List<string>();
        for (int at = 0; pattern.TryMatch(utf8, at, out int start, out int end) && end > at; at = end)
            words.Add(Encoding.UTF8.GetString(utf8[start..end]));
        Assert.Equal(expected, string.Join('|', words));
    }

    [Fact]
    public void An_unknown_pattern_is_refused_with_a_suggestion()
    {
        var error = Assert.Throws<UserErrorException>(() => BpeTrainer.Train(Texts.Training, new BpeTrainerConfig(500, Split: "europa"), new LocalLauncher(1), cancellation: Stop));
        Assert.Contains("'europe'", error.Message, StringComparison.Ordinal);
    }

    private static BpeMerging Merge(string word, int longestRun, int extra = 0)
    {
        var words = new WordList();
        words.Add(Encoding.UTF8.GetBytes(word), new WordSum(100, 100, 0));
        var merging = new BpeMerging([new LanguageWords("x", words, default)], [1], new MergeRules([], 128, longestRun));
        merging.Run(256 + longestRun - 1 + extra, 1, longestRun, null, Stop);
        return merging;
    }
}
