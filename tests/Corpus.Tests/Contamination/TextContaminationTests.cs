using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Contamination;
using OpenEuroLLM.Corpus.Deduplication;

namespace OpenEuroLLM.Corpus.Tests.Contamination;

public sealed class TextContaminationTests
{
    private const int Ngram = 13, LeastWords = 8;

    private static TaskIndex Index(params string[] items) =>
        TaskIndex.Build(items.Select((text, i) => new TaskItem("task", $"{i}", [text])), Ngram, LeastWords, null, 100);

    private static int[] Items(TaskIndex index, string text, double share = 0.5, int? enough = null) =>
        [.. (TextContamination.Of(index, text, share, enough)?.Items ?? []).Select(item => item.Item)];

    public static TheoryData<string> Languages => [.. Tasks.Sentences.Keys];

    [Theory]
    [MemberData(nameof(Languages))]
    public void An_item_is_found_whatever_the_capitals_punctuation_and_layout(string language)
    {
        string item = Tasks.Sentences[language], around = Tasks.Words(1, 40);
        TaskIndex index = Index(item);
        string[] forms =
        [
            item,
            language is "ka" ? item : item.ToUpperInvariant(),   // Georgian is written without capitals
            item.Replace(" ", "\n\t ", StringComparison.Ordinal),
            item.Replace(",", " -- ", StringComparison.Ordinal).Replace(" ", " * ", StringComparison.Ordinal),
        ];
        foreach (string form in forms)
        {
            Assert.Equal([0], Items(index, form));
            Assert.Equal([0], Items(index, $"{around} „{form}“ {around}"));
        }
    }

    [Fact]
    public void A_translation_is_not_taken_for_the_item()
    {
        foreach (string language in Tasks.Sentences.Keys)
        {
            TaskIndex index = Index(Tasks.Sentences[language]);
            foreach (string other in Tasks.Sentences.Keys.Where(other => other != language)) Assert.Empty(Items(index, Tasks.Sentences[other], share: 0));
        }
    }

    [Theory]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(12)]
    [InlineData(13)]
    [InlineData(14)]
    [InlineData(40)]
    public void Items_of_every_length_are_found_at_every_place(int words)
    {
        string item = Tasks.Words(2, words);
        TaskIndex index = Index(item);
        Assert.Equal(Math.Max(1, words - Ngram + 1), index.Items[0].Ngrams);
        for (int before = 0; before < 30; before++)
        {
            string text = $"{Tasks.Words(3, before)} {item} {Tasks.Words(4, 30 - before)}";
            TextContamination found = TextContamination.Of(index, text, 0.5, null)!;
            TextCut passage = Assert.Single(found.Passages);
            Assert.Equal(item, text[passage.Start..passage.End]);
        }
    }

    [Fact]
    public void An_item_with_one_word_changed_in_every_run_is_not_found()
    {
        string[] words = Tasks.Words(5, 60).Split(' ');
        TaskIndex index = Index(string.Join(' ', words));
        for (int i = 6; i < words.Length; i += Ngram) words[i] = "changed";
        Assert.Empty(Items(index, string.Join(' ', words), share: 0));
    }

    [Fact]
    public void Items_too_short_to_be_evidence_are_not_looked_for()
    {
        TaskIndex index = Index(Tasks.Words(6, 7));
        Assert.Equal(0, index.Items[0].Ngrams);
        Assert.Empty(Items(index, Tasks.Words(6, 7)));
    }

    [Fact]
    public void Parts_that_are_all_short_are_looked_for_together()
    {
        TaskIndex index = TaskIndex.Build([new TaskItem("task", "a", [Tasks.Words(7, 5), Tasks.Words(8, 4)])], Ngram, LeastWords, null, 100);
        Assert.Equal([0], Items(index, $"x {Tasks.Words(7, 5)}\n\n{Tasks.Words(8, 4)} y"));
        Assert.Empty(Items(index, $"{Tasks.Words(7, 5)} x {Tasks.Words(8, 4)}"));
    }

    [Theory]
    [InlineData(0.5, null, 24)]
    [InlineData(0.8, null, 27)]
    [InlineData(1.0, null, 30)]
    [InlineData(0.0, null, 13)]
    [InlineData(0.8, 3, 15)]
    public void The_share_decides_how_much_of_an_item_is_the_item(double share, int? enough, int leastWords)
    {
        string[] words = Tasks.Words(9, 30).Split(' ');   // 18 n-grams
        TaskIndex index = Index(string.Join(' ', words));
        for (int count = 1; count <= words.Length; count++)
        {
            int ngrams = Math.Max(0, count - Ngram + 1);
            bool expected = ngrams >= Math.Max(1, Math.Min(Math.Ceiling(share * 18), enough ?? 18));
            Assert.Equal(expected, Items(index, $"x {string.Join(' ', words[..count])} y", share, enough).Length == 1);
            Assert.Equal(count >= leastWords || (share == 0.5 && count >= 21), expected);
        }
    }

    [Fact]
    public void An_ngram_that_comes_again_counts_once()
    {
        string[] words = Tasks.Words(9, 40).Split(' ');   // 28 n-grams, of which 14 are wanted
        string run = string.Join(' ', words[..20]);       // 8
        Assert.Empty(Items(Index(string.Join(' ', words)), $"{run} x {run} y {run}"));
    }

    [Fact]
    public void The_template_of_a_task_is_no_evidence()
    {
        string template = Tasks.Words(10, 20);
        TaskIndex index = Index([.. Enumerable.Range(0, 100).Select(i => $"{template} {Tasks.Words((ulong)(100 + i), 20)}")]);
        Assert.Empty(Items(index, $"x {template} y", share: 0));
        Assert.Equal([42], Items(index, $"{template} {Tasks.Words(142, 20)}"));
    }

    [Fact]
    public void A_passage_of_several_questions_is_evidence()
    {
        string passage = Tasks.Words(11, 40);
        TaskIndex index = TaskIndex.Build(
            Enumerable.Range(0, 100).Select(i => new TaskItem("task", $"{i}", i < 5 ? [passage, Tasks.Words((ulong)(200 + i), 10)] : [Tasks.Words((ulong)(200 + i), 40)])), Ngram, LeastWords, null, 100);
        Assert.Equal(5, Items(index, passage).Length);
    }

    [Fact]
    public void Texts_that_have_no_item_never_seem_to()
    {
        // Few different words, so that runs of some words are common; all runs of an item are looked for by comparing words.
        string[] lexicon = ["a", "b", "c"];
        var random = new CounterRandom(77, 1);
        ulong next = 0;
        string Text(int count) => string.Join(' ', Enumerable.Range(0, count).Select(_ => lexicon[random.Below(next++, 3)]));
        int found = 0;
        for (int round = 0; round < 300; round++)
        {
            string[] items = [.. Enumerable.Range(0, 5).Select(_ => Text(5 + (int)random.Below(next++, 12)))];
            string text = Text(600);
            TaskIndex index = TaskIndex.Build(items.Select((item, i) => new TaskItem("task", $"{i}", [item])), 7, 5, null, 10);
            int[] expected = [.. Enumerable.Range(0, items.Length).Where(i => Naive(items[i], text, 7))];
            Assert.Equal(expected, Items(index, text, share: 0));
            found += expected.Length;
        }
        Assert.InRange(found, 100, 1400);
    }

    [Fact]
    public void Random_texts_with_many_items_have_none()
    {
        TaskIndex index = Index([.. Enumerable.Range(0, 2000).Select(i => Tasks.Words((ulong)(1000 + i), 30))]);
        for (ulong i = 0; i < 50; i++) Assert.Null(TextContamination.Of(index, Tasks.Words(50_000 + i, 5000), 0, null));
    }

    [Fact]
    public void A_text_of_one_item_again_and_again_is_judged_in_linear_time()
    {
        string item = Tasks.Words(12, 13);
        string text = string.Join(' ', Enumerable.Repeat(item, 20_000));
        TextContamination found = TextContamination.Of(Index(item), text, 0.5, null)!;
        Assert.Equal(20_000, found.Passages.Count);
        Assert.Equal(new TextCut(0, text.Length), Assert.Single(found.Cuts(text, 30)));
    }

    [Fact]
    public void What_remains_of_a_cut_text_reads_well()
    {
        string item = Tasks.Sentences["de"];
        string[] ngram = item.Split(' ');
        string half = string.Join(' ', ngram[..18]);   // begins within the sentence and breaks off
        string text = $"Das ist der Anfang. Man liest hier: {half} oder so. Danach geht es weiter.\n\nUnd ein Absatz.";
        TextContamination found = TextContamination.Of(Index(item), text, 0.3, null)!;
        string remaining = new UnitVerdict(null, found.Cuts(text, 30)).Remaining(text);
        Assert.Equal("Das ist der Anfang. Danach geht es weiter.\n\nUnd ein Absatz.", remaining);
    }

    [Fact]
    public void More_memory_than_allowed_is_refused()
    {
        UserErrorException error = Assert.Throws<UserErrorException>(() => TaskIndex.Build([new TaskItem("t", "1", [Tasks.Words(13, 40_000)])], Ngram, LeastWords, null, 1));
        Assert.Contains("'mostMegabytes' is 1", error.Message, StringComparison.Ordinal);
    }

    private static bool Naive(string item, string text, int ngram)
    {
        string[] words = item.Split(' ');
        if (words.Length < 5) return false;
        int length = Math.Min(ngram, words.Length);
        return Enumerable.Range(0, words.Length - length + 1).Any(first => $" {text} ".Contains($" {string.Join(' ', words[first..(first + length)])} ", StringComparison.Ordinal));
    }
}
