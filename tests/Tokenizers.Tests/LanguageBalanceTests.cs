using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers.Tests;

public sealed class LanguageBalanceTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0.5)]
    [InlineData(1.0)]
    public void Merges_are_those_of_counting_everything_anew(double parity)
    {
        for (ulong seed = 0; seed < 6; seed++)
        {
            var languages = MadeUp(seed);
            LanguageBalance Balance() => new([.. languages.Select((language, i) => new BalancedLanguage(language.Language, 1 + i, 100 * (i + 1), 50 * (i + 2)))], parity);
            var merging = new BpeMerging(languages, [1, 1, 1], new MergeRules([]), Balance());
            merging.Run(330, 1, 0, null, Stop);
            Assert.Equal(Naive(languages, Balance(), 330), merging.Merges.Select(merge => (merge.Left, merge.Right)));
            Assert.True(merging.Merges.Count > 60);
        }
    }

    [Fact]
    public void A_rare_language_ends_level_with_a_frequent_one()
    {
        // The rare language has a hundredth of the text, in letters of two bytes.
        var texts = Enumerable.Range(0, 3000).Select(i => new TrainingText(Words(i, "aeiou", "bcdfghklmnprst"), "en", "news", $"n{i}"))
            .Concat(Enumerable.Range(0, 30).Select(i => new TrainingText(Words(i, "αειου", "βγδζκλμνπρστ"), "el", "news", $"n{i}")))
            .Concat(Parallel("en", "aeiou", "bcdfghklmnprst")).Concat(Parallel("el", "αειου", "βγδζκλμνπρστ")).ToList();
        double Ratio(double parity)
        {
            var config = new BpeTrainerConfig(500, LanguageExponent: 1, Parity: parity, ParallelSources: ["parallel"]);
            var tokenizer = BpeTrainer.Train(texts, config, new LocalLauncher(2), cancellation: Stop);
            return (double)Tokens(tokenizer, "αειου", "βγδζκλμνπρστ") / Tokens(tokenizer, "aeiou", "bcdfghklmnprst");
        }
        double[] ratios = [Ratio(0), Ratio(0.5), Ratio(1)];
        Assert.True(ratios[0] > 1.5, FormattableString.Invariant($"{ratios[0]}"));
        Assert.True(ratios[0] > ratios[1] && ratios[1] > ratios[2], string.Join(' ', ratios));
        Assert.InRange(ratios[2], 0.8, 1.25);
    }

    [Fact]
    public void Parity_does_not_depend_on_workers_or_memory()
    {
        var texts = Enumerable.Range(0, 60).SelectMany(i => new[]
        {
            new TrainingText(Words(i, "aeiou", "bcdfg"), "en", "parallel", $"p{i}"), new TrainingText(Words(i, "αειου", "βγδζκ"), "el", "parallel", $"p{i}"),
        }).ToList();
        var config = new BpeTrainerConfig(400, Parity: 0.9, ParallelSources: ["par*"]);
        byte[] expected = TokenizerJson.Write(BpeTrainer.Train(texts, config, new LocalLauncher(1), cancellation: Stop));
        Assert.Equal(expected, TokenizerJson.Write(BpeTrainer.Train(Enumerable.Reverse(texts), config, new LocalLauncher(3), cancellation: Stop)));
    }

    [Fact]
    public void Content_is_found_from_translations_and_survives_a_page_translated_in_part()
    {
        var parallel = new ParallelTexts();
        for (int i = 0; i < 20; i++)
        {
            parallel.Add("s", $"d{i}", "en", 1000 + 50 * i);
            parallel.Add("s", $"d{i}", "de", (1000 + 50 * i) * 5 / 4);
            parallel.Add("s", $"d{i}", "el", i == 3 ? 10 : (1000 + 50 * i) * 2);
        }
        parallel.Add("s", "alone", "mt", 500);
        var expansions = parallel.Expansions();
        Assert.Equal(20, parallel.Documents);
        Assert.Equal(["de", "el", "en"], expansions.Keys);
        Assert.Equal(1.25, expansions["de"].BytesPerContent / expansions["en"].BytesPerContent, 0.01);
        Assert.Equal(2, expansions["el"].BytesPerContent / expansions["en"].BytesPerContent, 0.01);
    }

    [Fact]
    public void A_language_without_translations_is_measured_by_its_characters()
    {
        TrainingText[] texts =
        [
            .. Enumerable.Range(0, 10).Select(i => new TrainingText(Words(i, "aeiou", "bcdfg"), "en", "parallel", $"p{i}")),
            .. Enumerable.Range(0, 10).Select(i => new TrainingText(Words(i, "aeiou", "bcdfg"), "xx", "parallel", $"p{i}")),
            new(Words(1, "αειου", "βγδζκ"), "el"),
        ];
        var (_, report) = BpeTrainer.Train([new TextsInput(texts)], new BpeTrainerConfig(300, Parity: 1, ParallelSources: ["parallel"]), new LocalLauncher(1),
            TrainingMemory.Default, null, Stop);
        var greek = report.Languages.Single(language => language.Language == "el");
        var english = report.Languages.Single(language => language.Language == "en");
        Assert.Equal((0, 10), (greek.ParallelDocuments, english.ParallelDocuments));
        Assert.InRange(greek.BytesPerContent / english.BytesPerContent, 1.6, 2);
        Assert.NotNull(greek.TokensPerByteOfContent);
    }

    private static IEnumerable<TrainingText> Parallel(string language, string vowels, string consonants) =>
        Enumerable.Range(0, 40).Select(i => new TrainingText(Words(i + 10_000, vowels, consonants), language, "parallel", $"p{i}"));

    private static int Tokens(Tokenizer tokenizer, string vowels, string consonants) =>
        Enumerable.Range(50_000, 20).Sum(i => tokenizer.Encode(Encoding.UTF8.GetString(Words(i, vowels, consonants))).Length);

    /// <summary>Sixty words of some syllables; equal numbers give words of the same sounds in any letters.</summary>
    private static byte[] Words(int number, string vowels, string consonants)
    {
        var text = new StringBuilder();
        foreach (uint drawn in Texts.Numbers((ulong)number).Take(60))
        {
            text.Append(' ');
            for (int syllable = 0; syllable < 1 + (drawn & 3) % 3; syllable++)
            {
                int choice = (int)(drawn >> (4 + 8 * syllable)) & 0xFF;
                text.Append(consonants[choice % 11 % consonants.Length]).Append(vowels[choice % 7 % vowels.Length]);
            }
        }
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static List<LanguageWords> MadeUp(ulong seed) =>
    [
        .. Enumerable.Range(0, 3).Select(language =>
        {
            var counter = new WordCounter();
            uint[] numbers = [.. Texts.Numbers(seed * 10 + (ulong)language).Take(400)];
            for (int i = 0; i + 6 < numbers.Length; i += 6)
            {
                byte[] word = [.. numbers.AsSpan(i, 3 + (int)(numbers[i] % 4)).ToArray().Select(number => (byte)("aabbcd"[(int)(number % 6)] + language % 2))];
                counter.Add(word, new WordSum(1 + numbers[i] % 9, 64 * (1 + numbers[i] % 9), numbers[i + 1] % 5));
            }
            var list = new WordList();
            for (int word = 0; word < counter.Words; word++)
                list.Add(counter.Word(word), counter.Sum(word));
            return new LanguageWords($"l{language}", list, new TextSums(1, 100, 6400, 1, 100));
        }),
    ];

    /// <summary>All pairs of all words weighed anew for each merge; only the weights of languages are taken from the balance, at the same times.</summary>
    private static List<(int, int)> Naive(List<LanguageWords> languages, LanguageBalance balance, int tokens)
    {
        var vocabulary = ByteAlphabet.InOrder.Select(value => new[] { value }).ToList();
        var merges = new List<(int, int)>();
        var words = languages.SelectMany((language, group) => Enumerable.Range(0, language.List.Words).Select(number =>
            (Group: group, Symbols: language.List.Word(number).ToArray().Select(value => vocabulary.FindIndex(token => token[0] == value)).ToList(), Sum: language.List.Sum(number)))).ToList();
        foreach (var (group, symbols, sum) in words)
            balance.AddTokens(group, sum.Measured * symbols.Count);
        balance.Reweigh(256);
        while (vocabulary.Count < tokens)
        {
            if (balance.IsDue(vocabulary.Count))
                balance.Reweigh(vocabulary.Count);
            long[] weights = balance.Weights.ToArray();
            var best = words.SelectMany(word => word.Symbols.Zip(word.Symbols.Skip(1)).Select(pair => (Pair: pair, Score: (Int128)word.Sum.Weight * weights[word.Group])))
                .GroupBy(entry => entry.Pair)
                .Select(group => (Pair: group.Key, Score: (double)group.Aggregate((Int128)0, (sum, entry) => sum + entry.Score)))
                .OrderByDescending(entry => entry.Score).ThenBy(entry => entry.Pair.First).ThenBy(entry => entry.Pair.Second).FirstOrDefault();
            if (best.Score <= 0)
                break;
            var (left, right) = best.Pair;
            byte[] bytes = [.. vocabulary[left], .. vocabulary[right]];
            int merged = vocabulary.FindIndex(token => token.AsSpan().SequenceEqual(bytes));
            if (merged < 0)
            {
                merged = vocabulary.Count;
                vocabulary.Add(bytes);
            }
            if (!merges.Contains((left, right)))
                merges.Add((left, right));
            foreach (var (group, symbols, sum) in words)
            {
                for (int place = 0; place + 1 < symbols.Count; place++)
                {
                    if (symbols[place] != left || symbols[place + 1] != right)
                        continue;
                    symbols[place] = merged;
                    symbols.RemoveAt(place + 1);
                    balance.AddTokens(group, -sum.Measured);
                }
            }
        }
        return merges;
    }
}
