using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers.Tests;

public sealed class UnigramTrainerTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void Expected_counts_are_those_of_all_ways_to_cut_each_word()
    {
        var texts = MadeUp(("abab", 3), ("aab", 1), ("bbabaa", 2), ("abcabc", 5), ("c", 4));
        UnigramPiece[] pieces =
        [
            .. new[] { ("a", -1.5), ("b", -2.0), ("c", -2.5), ("ab", -1.7), ("ba", -3.0), ("abc", -2.2), ("aba", -4.0), ("bb", -2.8) }
                .Select(piece => new UnigramPiece(Encoding.UTF8.GetBytes(piece.Item1), piece.Item2)),
        ];
        double[] expected = new double[pieces.Length];
        for (int word = 0; word < texts.Count; word++)
        {
            var ways = Ways(texts[word].ToArray(), pieces).ToList();
            double total = ways.Sum(way => Numerics.Exp(way.Sum(piece => pieces[piece].Score)));
            foreach (var way in ways)
                foreach (int piece in way)
                    expected[piece] += texts.Weights[word] * Numerics.Exp(way.Sum(other => pieces[other].Score)) / total;
        }
        var (found, _) = UnigramTrainer.Expected(texts, pieces, new LocalLauncher(2), Stop);
        for (int piece = 0; piece < pieces.Length; piece++)
            Assert.Equal(expected[piece], found[piece], 1e-9);
    }

    [Fact]
    public void The_best_way_is_the_most_probable_of_all()
    {
        UnigramPiece[] pieces = [.. "a:-2 b:-2.2 c:-2.4 ab:-3.1 bc:-3.3 abc:-5.4 ca:-2.9 cab:-6".Split(' ').Select(entry => entry.Split(':'))
            .Select(entry => new UnigramPiece(Encoding.UTF8.GetBytes(entry[0]), double.Parse(entry[1], System.Globalization.CultureInfo.InvariantCulture)))];
        var lattice = new UnigramLattice(new ByteTrie(pieces.Select((piece, i) => (piece.Text, i))),
            [.. pieces.Select(piece => Numerics.Exp(piece.Score + UnigramLattice.LogarithmOfLift * piece.Text.Length))]);
        foreach (string word in (string[])["a", "abc", "cabcab", "bcabcaabc", "ccc", "ab"])
        {
            byte[] utf8 = Encoding.UTF8.GetBytes(word);
            foreach (bool whole in (bool[])[true, false])
            {
                var ways = Ways(utf8, pieces).Where(way => whole || way.Count > 1 || word.Length != pieces[way[0]].Text.Length).ToList();
                var best = new List<int>();
                Assert.Equal(ways.Count > 0, lattice.TryBest(utf8, best, whole));
                if (ways.Count > 0)
                    Assert.Equal(ways.Max(way => way.Sum(piece => pieces[piece].Score)), best.Sum(piece => pieces[piece].Score), 1e-12);
            }
        }
    }

    [Fact]
    public void Seeds_are_the_frequent_strings_that_the_definition_counts()
    {
        var texts = MadeUp(("anan", 3), ("banana", 4), ("bandana", 2), ("na", 7), ("xyz", 1));
        var seeds = UnigramSeeds.Find(texts, 1000, 4, Stop).ToDictionary(seed => Encoding.UTF8.GetString(seed.Text), seed => seed.Weight);
        var counted = new Dictionary<string, double>();
        for (int word = 0; word < texts.Count; word++)
        {
            string text = Encoding.UTF8.GetString(texts[word]);
            for (int start = 0; start < text.Length; start++)
                for (int length = 1; length <= 4 && start + length <= text.Length; length++)
                    counted[text.Substring(start, length)] = counted.GetValueOrDefault(text.Substring(start, length)) + texts.Weights[word];
        }
        foreach (var (text, weight) in counted)
        {
            bool isContinued = text.Length is > 1 and < 4 && counted.Any(longer => longer.Key.Length == text.Length + 1 && longer.Key.StartsWith(text, StringComparison.Ordinal) && longer.Value == weight);
            if (text.Length == 1 || (weight >= 2 && !isContinued))
                Assert.Equal(weight, seeds[text]);
            else
                Assert.DoesNotContain(text, seeds.Keys);
        }
    }

    [Theory]
    [InlineData(1, -0.57721566490153286)]
    [InlineData(0.5, -1.9635100260214235)]
    [InlineData(2, 0.42278433509846714)]
    [InlineData(10, 2.2517525890667211)]
    [InlineData(1000, 6.9072551956488121)]
    public void Digamma_agrees_with_known_values(double x, double expected) => Assert.Equal(expected, Digamma.Of(x), 1e-12);

    [Fact]
    public void Each_round_makes_the_texts_more_probable_until_pieces_are_taken_away()
    {
        var texts = Words(300);
        var pieces = UnigramSeeds.Find(texts, 400, 8, Stop).Select(seed => new UnigramPiece(seed.Text, Numerics.Log(seed.Weight / 100_000))).ToList();
        double before = double.NegativeInfinity;
        for (int round = 0; round < 4; round++)
        {
            var (counts, mean) = UnigramTrainer.Expected(texts, pieces, new LocalLauncher(1), Stop);
            Assert.True(mean > before);
            before = mean;
            double all = counts.Sum();
            pieces = [.. pieces.Zip(counts).Where(pair => pair.Second > 0).Select(pair => pair.First with { Score = Numerics.Log(pair.Second / all) })];
        }
    }

    [Fact]
    public void A_trained_tokenizer_keeps_any_text_and_is_saved_and_read_again()
    {
        var tokenizer = Train(new UnigramTrainerConfig(700, LanguageExponent: 1, Split: "europe", SeedPieces: 5000), 1);
        Assert.Equal(700, tokenizer.VocabularySize);
        Assert.Equal(Enumerable.Range(693, 7), SpecialTokens.All.Select(name => tokenizer.TokenId(name)!.Value));
        var loaded = TokenizerJson.Parse(TokenizerJson.Write(tokenizer), "tokenizer.json");
        foreach (string text in Texts.All.Append(" <unk> <0x41> two  spaces \n日本 🙂"))
        {
            int[] ids = tokenizer.Encode(text);
            Assert.Equal(ids, loaded.Encode(text));
            Assert.Equal(text, loaded.Decode(ids));
            Assert.DoesNotContain(ids, loaded.IsSpecial);
        }
        Assert.True(tokenizer.Encode(Texts.Languages[3].Text).Length < Texts.Languages[3].Text.Length * 2 / 3);
    }

    [Fact]
    public void The_result_does_not_depend_on_the_number_of_workers_or_the_order_of_texts()
    {
        var config = new UnigramTrainerConfig(650, Split: "europe", SeedPieces: 3000);
        byte[] expected = TokenizerJson.Write(Train(config, 1));
        Assert.Equal(expected, TokenizerJson.Write(Train(config, 3, reversed: true)));
    }

    [Fact]
    public void A_vocabulary_without_room_for_the_characters_is_refused() =>
        Assert.Contains("expected at least", Assert.Throws<UserErrorException>(() => Train(new UnigramTrainerConfig(300), 1)).Message, StringComparison.Ordinal);

    private static Tokenizer Train(UnigramTrainerConfig config, int workers, bool reversed = false)
    {
        var texts = Enumerable.Range(0, 4).SelectMany(_ => Texts.Training).ToList();
        if (reversed)
            texts.Reverse();
        return UnigramTrainer.Train(texts, config, new LocalLauncher(workers), cancellation: Stop);
    }

    private static UnigramTexts Words(int count)
    {
        string[] syllables = ["ka", "no", "ti", "ras", "el", "mu", "vin"];
        return MadeUp([.. Enumerable.Range(0, count).Select(i =>
            (string.Concat(Texts.Numbers((ulong)i).Take(1 + i % 4).Select(number => syllables[(int)(number % 7)])), 1 + i % 9))]);
    }

    private static UnigramTexts MadeUp(params (string Word, int Count)[] words)
    {
        var counter = new WordCounter();
        foreach (var (word, count) in words)
            counter.Add(Encoding.UTF8.GetBytes(word), count);
        var list = new WordList();
        for (int number = 0; number < counter.Words; number++)
            list.Add(counter.Word(number), counter.Sum(number));
        return UnigramTexts.Of([new LanguageWords("x", list, default)], [1], 1, 1);
    }

    private static IEnumerable<List<int>> Ways(byte[] word, UnigramPiece[] pieces)
    {
        if (word.Length == 0)
        {
            yield return [];
            yield break;
        }
        for (int piece = 0; piece < pieces.Length; piece++)
            if (word.AsSpan().StartsWith(pieces[piece].Text))
                foreach (var rest in Ways(word[pieces[piece].Text.Length..], pieces))
                    yield return [piece, .. rest];
    }
}
