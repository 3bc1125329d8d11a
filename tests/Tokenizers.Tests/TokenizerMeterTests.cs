using System.Text;

namespace OpenEuroLLM.Tokenizers.Tests;

public sealed class TokenizerMeterTests
{
    private static LanguageMeasure Measure(params ReadOnlySpan<string> texts)
    {
        var meter = new TokenizerMeter(Texts.Tokenizer);
        foreach (string text in texts) meter.Add("xx", Encoding.UTF8.GetBytes(text));
        return meter.Result()["xx"];
    }

    [Fact]
    public void Counts_are_those_of_the_definition()
    {
        foreach (string text in Texts.All)
        {
            var counts = Measure(text);
            int[] ids = Texts.Tokenizer.Encode(text);
            Assert.Equal((1, Encoding.UTF8.GetByteCount(text), text.EnumerateRunes().Count()), (counts.Texts, counts.Bytes, counts.Characters));
            Assert.Equal((ids.Length, ids.Distinct().Count()), (counts.Tokens, counts.VocabularyUsed));
            Assert.Equal((0, 0), (counts.UnknownTokens, counts.ChangedTexts));
            // Words and the tokens that touch them, the slow way.
            var marks = new List<(int Start, int End)>();
            int at = 0;
            foreach (int id in ids) marks.Add((at, at += Texts.Tokenizer.TokenBytes(id).Length));
            var words = Words(text).ToList();
            var touching = words.Select(word => marks.Count(mark => mark.Start < word.End && mark.End > word.Start)).ToList();
            Assert.Equal((words.Count, touching.Sum(), touching.Count(count => count == 1)), (counts.Words, counts.WordTokens, counts.WholeWords));
        }
    }

    private static IEnumerable<(int Start, int End)> Words(string text) =>
        System.Text.RegularExpressions.Regex.Matches(text, @"[\p{L}\p{M}\p{N}]+").Select(match =>
            (Encoding.UTF8.GetByteCount(text[..match.Index]), Encoding.UTF8.GetByteCount(text[..(match.Index + match.Length)])));

    [Fact]
    public void Words_are_runs_of_letters_marks_and_numbers()
    {
        static List<string> Find(byte[] text)
        {
            var found = new List<string>();
            var scanner = new WordFinder(text);
            while (scanner.TryNext(out int start, out int end)) found.Add(Encoding.UTF8.GetString(text, start, end - start));
            return found;
        }
        Assert.Equal(["L", "été", "a", "3", "fois"], Find("L'été, a 3 fois…"u8.ToArray()));
        Assert.Equal(["e\u0301t", "𐐷x", "½"], Find(Encoding.UTF8.GetBytes("e\u0301t—𐐷x 🙂 ½")));
        Assert.Equal(["ab", "c"], Find([.. "ab"u8, 0xFF, .. "c"u8, 0xC3]));
        Assert.Equal([], Find([]));
    }

    [Fact]
    public void Meters_add_up_in_any_order()
    {
        string[] texts = [.. Texts.All];
        var whole = new TokenizerMeter(Texts.Tokenizer);
        for (int i = 0; i < texts.Length; i++) whole.Add(i % 2 == 0 ? "aa" : "bb", Encoding.UTF8.GetBytes(texts[i]));
        var parts = Enumerable.Range(0, 3).Select(_ => new TokenizerMeter(Texts.Tokenizer)).ToList();
        for (int i = 0; i < texts.Length; i++) parts[i % 3].Add(i % 2 == 0 ? "aa" : "bb", Encoding.UTF8.GetBytes(texts[i]));
        var sum = new TokenizerMeter(Texts.Tokenizer);
        foreach (var part in Enumerable.Reverse(parts)) sum.Add(part);
        Assert.Equal(whole.Result().OrderBy(pair => pair.Key), sum.Result().OrderBy(pair => pair.Key));
        Assert.Equal(whole.VocabularyUsed(), sum.VocabularyUsed());
    }

    [Fact]
    public void Long_texts_are_measured_in_parts_that_lose_nothing()
    {
        string line = string.Concat(Enumerable.Repeat("Žluťoučký kůň 🙂 úpěl. ", 40)) + "\n";
        byte[] lines = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(line, 3000)));
        byte[] single = [.. lines.Where(letter => letter != '\n')];
        foreach (byte[] text in (byte[][])[lines, single])
        {
            var meter = new TokenizerMeter(Texts.Tokenizer);
            meter.Add("cs", text);
            var counts = meter.Result()["cs"];
            Assert.Equal((1, text.Length, Encoding.UTF8.GetString(text).EnumerateRunes().Count(), 0), (counts.Texts, counts.Bytes, counts.Characters, counts.ChangedTexts));
            Assert.Equal(3000 * 40 * 3, counts.Words);
        }
    }

    [Fact]
    public void Broken_text_and_no_text_are_measured_too()
    {
        var meter = new TokenizerMeter(Texts.Tokenizer);
        meter.Add("xx", [0xFF, (byte)'a', 0xC3]);
        meter.Add("yy", []);
        Assert.Equal((3, 1, 0), (meter.Result()["xx"].Characters, meter.Result()["xx"].Words, meter.Result()["xx"].ChangedTexts));
        Assert.Null(meter.Result()["yy"].TokensPerWord);
        Assert.Equal((1, 0), (meter.Result()["yy"].Texts, meter.Result()["yy"].Tokens));
    }
}
