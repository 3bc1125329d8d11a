using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers.Tests;

public sealed class BpeTrainerTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void Learns_what_the_definition_learns_from_the_languages()
    {
        var expected = NaiveBpe.Train(Texts.Training.Select(text => text.Utf8.ToArray()), 700, 1);
        var model = Train(Texts.Training, 700 + SpecialTokens.All.Count).Model;
        Assert.Equal(expected.Tokens, model.Tokens);
        Assert.Equal(expected.Merges, model.Merges);
    }

    [Theory]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [InlineData("abababababab bababa aabb abba aaabaaab")]
    [InlineData("abcabcabc bcabc abbc aabc abcc ababc bcbc abc ab bc")]
    [InlineData("xyzzyxyzzy zyzzyva xyxyx zzzzz yzyzyz xyzxyz")]
    public void Learns_what_the_definition_learns_from_overlapping_repetitions(string text)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        var expected = NaiveBpe.Train([utf8], 300, 1);
        var model = Train([new TrainingText(utf8, "x")], 300 + SpecialTokens.All.Count).Model;
        Assert.Equal(expected.Merges, model.Merges);
        Assert.Equal(expected.Tokens, model.Tokens);
    }

    [Fact]
    public void Learns_what_the_definition_learns_from_random_words_and_bytes()
    {
        for (ulong seed = 0; seed < 12; seed++)
        {
            var numbers = Texts.Numbers(seed).Take(600).ToArray();
            // A tiny alphabet makes ties, repetitions, and tokens that two pairs spell; all bytes make broken UTF-8.
            byte[] text = seed % 2 == 0
                ? [.. numbers.Select(number => (byte)"aabbc "[(int)(number % 6)])]
                : [.. numbers.Select(number => number % 3 == 0 ? (byte)(number >> 8) : (byte)('a' + ((number >> 8) % 3)))];
            var expected = NaiveBpe.Train([text], 330, 1);
            var model = Train([new TrainingText(text, "x")], 330 + SpecialTokens.All.Count).Model;
            Assert.Equal(expected.Merges, model.Merges);
            Assert.Equal(expected.Tokens, model.Tokens);
        }
    }

    [Fact]
    public void The_number_of_workers_and_the_order_of_texts_do_not_change_a_byte()
    {
        var texts = Enumerable.Range(0, 400).SelectMany(round => Texts.Training.Select(text =>
            text with { Utf8 = text.Utf8[(round % 7)..] })).ToList();
        var config = new BpeTrainerConfig(1000);
        byte[] expected = TokenizerJson.Write(BpeTrainer.Train(texts, config, new LocalLauncher(1), cancellation: Stop));
        Assert.Equal(expected, TokenizerJson.Write(BpeTrainer.Train(texts, config, new LocalLauncher(4), cancellation: Stop)));
        Assert.Equal(expected, TokenizerJson.Write(BpeTrainer.Train(Enumerable.Reverse(texts), config, new LocalLauncher(2), cancellation: Stop)));
    }

    [Fact]
    public void Bytes_come_first_and_special_tokens_last()
    {
        var tokenizer = Train(Texts.Training, 500);
        Assert.Equal(500, tokenizer.VocabularySize);
        Assert.Equal("!"u8.ToArray(), tokenizer.TokenBytes(0));
        Assert.Equal([0xFF], tokenizer.TokenBytes(187));
        Assert.Equal([0], tokenizer.TokenBytes(188));
        Assert.Equal([0xAD], tokenizer.TokenBytes(255));
        Assert.Equal([493, 494, 495, 496, 497, 498, 499], SpecialTokens.All.Select(content => tokenizer.TokenId(content)!.Value));
        Assert.Equal(new ChatTokens(493, 494, 495, 496, 497, 498, 499), tokenizer.Chat);
        Assert.All(Enumerable.Range(0, 500), id => Assert.Equal(id >= 493, tokenizer.IsSpecial(id)));
    }

    [Fact]
    public void A_small_language_is_lifted_by_the_exponent()
    {
        byte[] large = Encoding.UTF8.GetBytes(string.Join(' ', Enumerable.Range(0, 20_000).Select(i => $"alpha{(char)('a' + i % 20)}{(char)('a' + i % 13)}{(char)('a' + i % 7)}")));
        byte[] small = Encoding.UTF8.GetBytes(string.Join(' ', Enumerable.Repeat("ζωγραφος", 30)));
        TrainingText[] texts = [new(large, "xx"), new(small, "el")];
        var asIs = BpeTrainer.Train(texts, new BpeTrainerConfig(290, LanguageExponent: 1), new LocalLauncher(1), cancellation: Stop);
        var lifted = BpeTrainer.Train(texts, new BpeTrainerConfig(290, LanguageExponent: 0), new LocalLauncher(1), cancellation: Stop);
        Assert.True(asIs.Encode(" ζωγραφος").Length > 2 * lifted.Encode(" ζωγραφος").Length);
    }

    [Fact]
    public void What_occurs_once_is_not_merged_however_much_its_language_counts()
    {
        TrainingText[] texts = [new(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(" common words", 10_000))), "en"), new("zaqxyk"u8.ToArray(), "xx")];
        var tokenizer = BpeTrainer.Train(texts, new BpeTrainerConfig(1000, LanguageExponent: 0), new LocalLauncher(1), cancellation: Stop);
        Assert.Equal(2, tokenizer.Encode(" common words").Length);
        Assert.Equal(6, tokenizer.Encode("zaqxyk").Length);
    }

    [Fact]
    public void A_rare_pair_is_not_merged()
    {
        TrainingText[] texts = [new("abcd"u8.ToArray(), "x"), new("ab"u8.ToArray(), "x"), new("zq"u8.ToArray(), "x")];
        var merged = BpeTrainer.Train(texts, new BpeTrainerConfig(4000, MinimumPairCount: 2), new LocalLauncher(1), cancellation: Stop);
        Assert.Equal("ab"u8.ToArray(), Assert.Single(merged.Model.Tokens.Skip(256)));
        var none = BpeTrainer.Train(texts, new BpeTrainerConfig(4000, MinimumPairCount: 3), new LocalLauncher(1), cancellation: Stop);
        Assert.Equal(256 + SpecialTokens.All.Count, none.VocabularySize);
    }

    [Fact]
    public void No_token_spells_a_special_token()
    {
        // The pattern splits "<|user|>", so the guard is tried on the merge loop itself.
        var words = new WordList();
        words.Add("<|user|>"u8, new WordSum(1_000_000, 1_000_000, 0));
        var merging = new BpeMerging([new LanguageWords("x", words, default)], [1], new MergeRules(SpecialTokens.All));
        merging.Run(400, 1, 0, null, Stop);
        Assert.DoesNotContain(merging.Tokens, token => token.AsSpan().SequenceEqual("<|user|>"u8));
        Assert.True(merging.Tokens.Count > 256);
    }

    [Fact]
    public void Counts_do_not_overflow_32_bits()
    {
        var words = new WordCounter();
        for (int i = 0; i < 3; i++)
            words.Add("qx"u8, 3_000_000_000);
        words.Add("ab"u8, 5_000_000_000);
        Assert.Equal(9_000_000_000, words.Sum(0).Count);
        var list = new WordList();
        for (int number = 0; number < words.Words; number++)
            list.Add(words.Word(number), words.Sum(number));
        var merging = new BpeMerging([new LanguageWords("x", list, default)], [1], new MergeRules([]));
        merging.Run(257, 1, 0, null, Stop);
        Assert.Equal("qx"u8.ToArray(), merging.Tokens[256]);
    }

    [Fact]
    public void A_vocabulary_without_room_for_all_bytes_is_refused()
    {
        var error = Assert.Throws<UserErrorException>(() => Train(Texts.Training, 262));
        Assert.Contains("The vocabulary size is 262; expected at least 263", error.Message, StringComparison.Ordinal);
        Assert.Equal(263, Train(Texts.Training, 263).VocabularySize);
    }

    [Fact]
    public void An_error_while_reading_texts_comes_out()
    {
        static IEnumerable<TrainingText> Failing()
        {
            yield return new TrainingText("some text"u8.ToArray(), "en");
            throw new UserErrorException("corpus.jsonl:2: is broken.");
        }
        Assert.Throws<UserErrorException>(() => BpeTrainer.Train(Failing(), new BpeTrainerConfig(300), new LocalLauncher(4), cancellation: Stop));
    }

    [Fact]
    public void Progress_is_told()
    {
        var told = new List<TokenizerTrainingProgress>();
        BpeTrainer.Train(Texts.Training, new BpeTrainerConfig(800, MinimumPairCount: 1, LanguageExponent: 1), new LocalLauncher(1), new Listener(told), Stop);
        Assert.Contains(told, step => step.Phase == "counting" && step.Done == Texts.Training.Sum(text => text.Utf8.Length));
        Assert.Equal(new TokenizerTrainingProgress("merging", 793, 793), told[^1]);
    }

    private static Tokenizer Train(IEnumerable<TrainingText> texts, int size) =>
        BpeTrainer.Train(texts, new BpeTrainerConfig(size, MinimumPairCount: 1, LanguageExponent: 1), new LocalLauncher(1), cancellation: Stop);

    private sealed class Listener(List<TokenizerTrainingProgress> told) : IProgress<TokenizerTrainingProgress>
    {
        public void Report(TokenizerTrainingProgress value) => told.Add(value);
    }
}
