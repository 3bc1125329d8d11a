using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Measures;
using OpenEuroLLM.Languages;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Corpus.Tests.Steps;

public sealed class QualityTests
{
    private static Document Text(string text, string language = "en") => new("1", text, language, "test", "CC0-1.0");

    private static TrainingText Training(string text, string language = "en") => new(System.Text.Encoding.UTF8.GetBytes(text), language, "test", "1");

    /// <summary>Sentences of words that hardly repeat.</summary>
    private static string Prose(int sentences, string separator = " ") => string.Join(separator, Enumerable.Range(0, sentences).Select(i =>
        "In " + string.Join(' ', Enumerable.Range(0, 18).Select(word => $"w{new CounterRandom(5, 0).At((ulong)(i * 100 + word)) % 100_000:x}rd")) + "."));

    [Fact]
    public void The_shape_counts_words_lines_and_paragraphs()
    {
        TextShape shape = TextShape.Of("„Bonġu,“ qal Pawlu…\n  \n\n• 12 #karti\nu xi ħaġa oħra...\n");
        Assert.Equal(["„Bonġu,“ qal Pawlu…", "• 12 #karti", "u xi ħaġa oħra..."], shape.Lines.Select(line => line.In("„Bonġu,“ qal Pawlu…\n  \n\n• 12 #karti\nu xi ħaġa oħra...\n").ToString()));
        Assert.Equal(2, shape.Paragraphs.Count);
        Assert.Equal(10, shape.Words.Count);
        Assert.Equal(8, shape.AlphabeticWords);          // not the bullet, not 12
        Assert.Equal(3, shape.Symbols);                  // … # ...
        Assert.Equal("BonġuqalPawlu12kartiuxiħaġaoħra".Length, shape.CoreCharacters);
    }

    [Fact]
    public void Prose_passes_every_filter()
    {
        Assert.Null(new RepetitionFilter().Judge(Text(Prose(30, "\n"))).Reason);
        Assert.Null(new QualityFilter().Judge(Text(Prose(30, "\n"))).Reason);
        Assert.Null(new LineFilter().Judge(Text(Prose(30, "\n"))).Reason);
    }

    [Fact]
    public void Repetition_is_dropped_with_the_part_that_repeats()
    {
        string prose = Prose(10, "\n\n");
        Assert.Equal("repeated-paragraphs", Repeated(string.Join("\n\n", prose, Prose(5, "\n\n"))));
        Assert.Equal("repeated-lines", Repeated(Prose(10, "\n") + string.Concat(Enumerable.Range(0, 8).Select(_ => "\nread more"))));
        Assert.Equal("top-2-gram", Repeated(Prose(2) + string.Concat(Enumerable.Range(0, 14).Select(i => $" {i} buy now"))));
        Assert.Equal("repeated-5-grams", Repeated(Prose(10) + " " + Prose(4)));
        Assert.Null(Repeated(Prose(40) + " " + Prose(2)));

        static string? Repeated(string text) => new RepetitionFilter().Judge(Text(text)).Reason;
    }

    [Fact]
    public void Repetition_counts_what_a_naive_count_does()
    {
        var random = new CounterRandom(3, 0);
        for (int trial = 0; trial < 50; trial++)
        {
            string[] words = [.. Enumerable.Range(0, 60).Select(i => "abcd"[..(1 + (int)random.Below((ulong)(trial * 1000 + i), 3))])];
            string text = string.Join(' ', words);
            TextShape shape = TextShape.Of(text);
            Repetition.NgramShares ngrams = Repetition.Prepare(text, shape);
            double all = words.Sum(word => word.Length);
            for (int n = 2; n <= 6; n++)
            {
                string[][] grams = [.. Enumerable.Range(0, words.Length - n + 1).Select(i => words[i..(i + n)])];
                double top = grams.GroupBy(gram => string.Join(' ', gram)).Where(group => group.Count() > 1).Select(group => group.Count() * (group.Key.Length - n + 1.0)).DefaultIfEmpty().Max();
                Assert.Equal(top / all, ngrams.Top(n), 1e-12);
                var seen = new HashSet<string>();
                double repeated = 0;
                for (int i = 0; i < grams.Length;)
                {
                    if (seen.Add(string.Join(' ', grams[i])))
                    {
                        i++;
                        continue;
                    }
                    repeated += grams[i].Sum(word => word.Length);
                    i += n;
                }
                Assert.Equal(repeated / all, ngrams.Repeated(n), 1e-12);
            }
        }
    }

    [Theory]
    [InlineData("too-few-words", "Only a few words.")]
    [InlineData("short-words", "a b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f g h i j k l m n o p q r s t u v w x y z")]
    [InlineData("few-words-with-letters", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 words words words 21 22 23 24 25 1000000 2000000 3000000 4000000 5000000 6000000 wordswords wordswords wordswords wordswords wordswords wordswords wordswords wordswords wordswords wordswords 7000000 8000000 9000000 1000001")]
    public void What_does_not_look_like_text_is_dropped(string reason, string text) => Assert.Equal(reason, new QualityFilter().Judge(Text(text)).Reason);

    [Fact]
    public void Lines_and_symbols_are_judged()
    {
        string words = string.Join(' ', Enumerable.Range(0, 60).Select(i => $"word{i}"));
        Assert.Equal("long-words", new QualityFilter().Judge(Text(string.Join(' ', Enumerable.Range(0, 60).Select(i => $"averyverylongword{i}")))).Reason);
        Assert.Equal("many-symbols", new QualityFilter().Judge(Text(words.Replace(" ", " #", StringComparison.Ordinal))).Reason);
        Assert.Equal("bullet-lines", new QualityFilter(AlphabeticShare: 0).Judge(Text("• " + words.Replace(" word1", "\n• word1", StringComparison.Ordinal).Replace(" word2", "\n• word2", StringComparison.Ordinal))).Reason);
        Assert.Equal("ellipsis-lines", new QualityFilter(SymbolsPerWord: 10).Judge(Text(words.Replace(" ", "…\n", StringComparison.Ordinal))).Reason);
        Assert.Equal("bracket-lines", new QualityFilter().Judge(Text(words.Replace(" word1", "\n} word1", StringComparison.Ordinal))).Reason);
        Assert.Null(new QualityFilter().Judge(Text(string.Join('\n', Enumerable.Repeat(words, 20)) + "\na set {x}")).Reason);
        Assert.Equal("placeholder-text", new QualityFilter().Judge(Text(words + " Lorem ipsum dolor sit amet")).Reason);
        Assert.Equal("few-ended-lines", new LineFilter().Judge(Text(words.Replace(" ", "\n", StringComparison.Ordinal))).Reason);
        Assert.Equal("short-lines", new LineFilter().Judge(Text(words.Replace(" ", ".\n", StringComparison.Ordinal))).Reason);
        Assert.Equal("many-lines", new LineFilter(ShortLines: 1).Judge(Text(words.Replace(" ", ".\n", StringComparison.Ordinal))).Reason);
    }

    [Fact]
    public void A_text_of_one_line_that_was_cut_off_is_no_list()
    {
        string cutOff = "Приемането на новата конституция е условие за членство в Съвета на Европа. Петер Шидер предложи в понеделник в Страсбург";
        Assert.Null(new LineFilter().Judge(Text(cutOff, "bg")).Reason);
        Assert.Equal("few-ended-lines", new LineFilter().Judge(Text(string.Join('\n', cutOff, cutOff + " 2", cutOff + " 3"), "bg")).Reason);
    }

    [Theory]
    [InlineData("“It ended well.”")]
    [InlineData("»So endete es.«")]
    [InlineData("«Τελείωσε καλά;»")]
    [InlineData("Críochnaigh sé go maith! (Bhuel…)")]
    public void A_sentence_ends_in_any_language(string line) => Assert.Null(new LineFilter(ShortLines: 1, LinesPerWord: 10).Judge(Text(line)).Reason);

    [Fact]
    public void Bounds_follow_the_language()
    {
        string words = string.Join(' ', Enumerable.Range(0, 60).Select(i => $"pitkäsanoja{i}"));   // about 12.8 characters each
        Assert.Equal("long-words", new QualityFilter().Judge(Text(words, "en")).Reason);
        Assert.Null(new QualityFilter().Judge(Text(words, "fi")).Reason);
        Assert.Equal(new LanguageQuality(1, 1), LanguageQuality.Of("en") with { StopWordShare = null });
        Assert.All(LanguageCatalog.Official, language => Assert.InRange(LanguageQuality.Of(language.Code).WordLength, 0.9, 1.7));
        Assert.All(LanguageCatalog.Official.Where(language => language.Code != "en"), language => Assert.NotEqual(1.0, LanguageQuality.Of(language.Code).WordLength));
    }

    [Fact]
    public void Words_are_measured_for_each_collection()
    {
        var measured = MeasuredWords.Of([Training("one two 3,"), Training("yksi kaksi", "fi"), Training("kolme!", "fi")], leastWords: 1);
        Assert.Equal(new WordMeasures(3, 2.333, 0.6667), measured.Languages["en"]["test"]);
        Assert.Equal(new WordMeasures(3, 4.667, 1), measured.Languages["fi"]["test"]);
        Assert.Empty(MeasuredWords.Of([Training("one two 3,")], leastWords: 4).Languages);
    }
}
