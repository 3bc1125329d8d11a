using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Inference.Tests;

public sealed class StopScannerTests
{
    [Fact]
    public void Holds_back_what_may_become_a_stop_text_and_gives_it_when_it_does_not()
    {
        var scanner = new StopScanner(["STOP"]);
        Assert.Equal("a ", scanner.Push("a ST"));
        Assert.Equal("", scanner.Push("O"));
        Assert.Equal("STO", scanner.Push("ST"));
        Assert.Null(scanner.Found);
        Assert.Equal("ST", scanner.Flush());
        Assert.Equal("", scanner.Flush());
    }

    [Fact]
    public void Ends_before_a_stop_text_that_came_in_pieces()
    {
        var scanner = new StopScanner(["\n\n", "END"]);
        Assert.Equal("one", scanner.Push("oneE"));
        Assert.Equal("", scanner.Push("N"));
        Assert.Equal("", scanner.Push("D, two"));
        Assert.Equal("END", scanner.Found);
        Assert.Equal("", scanner.Push("three"));
        Assert.Equal("", scanner.Flush());
    }

    [Fact]
    public void Gives_everything_at_once_without_stop_texts() => Assert.Equal("text", new StopScanner([]).Push("text"));

    [Fact]
    public void Never_cuts_a_character_outside_the_basic_plane()
    {
        // U+1F600 and U+1F601 share their first UTF-16 unit.
        var scanner = new StopScanner(["\U0001F601"]);
        Assert.Equal("a\U0001F600", scanner.Push("a\U0001F600"));
        Assert.Equal("b", scanner.Push("b\U0001F601"));
        Assert.Equal("\U0001F601", scanner.Found);
    }

    // The rule, without any streaming: the stop text that is complete first, the longest of those.
    private static (string Shown, string? Found) ByDefinition(string text, string[] stops)
    {
        for (int end = 1; end <= text.Length; end++)
        {
            string? found = stops.Where(stop => text[..end].EndsWith(stop, StringComparison.Ordinal)).MaxBy(stop => stop.Length);
            if (found is not null) return (text[..(end - found.Length)], found);
        }

        return (text, null);
    }

    [Fact]
    public void Agrees_with_its_definition_however_the_text_is_cut_into_pieces()
    {
        string[][] stopSets = [["aab"], ["ab", "bab"], ["aa", "a"], ["abc", "bc", "c"], ["\U0001F600b", "ba\U0001F600"], ["é", "cé"]];
        var random = new CounterRandom(7, 0);
        ulong index = 0;
        int found = 0;
        for (int round = 0; round < 2000; round++)
        {
            string[] stops = stopSets[round % stopSets.Length];
            string[] letters = ["a", "b", "c", "\U0001F600", "é"];
            string[] runes = [.. Enumerable.Range(0, 10).Select(_ => letters[random.Below(index++, 5)])];
            var scanner = new StopScanner(stops);
            var shown = new StringBuilder();
            for (int at = 0; at < runes.Length;)
            {
                int count = 1 + (int)random.Below(index++, 4);
                shown.Append(scanner.Push(string.Concat(runes.Skip(at).Take(count))));
                at += count;
            }

            shown.Append(scanner.Flush());
            Assert.Equal(ByDefinition(string.Concat(runes), stops), (shown.ToString(), scanner.Found));
            if (scanner.Found is not null) found++;
        }

        Assert.InRange(found, 500, 1900); // both outcomes were really met
    }

    [Fact]
    public void Finds_the_same_place_when_every_byte_of_the_text_is_a_token()
    {
        using var folder = new TestFolder();
        var random = new CounterRandom(4, 0);
        string[] characters = ["a", "b", "é", "č", "漢", "\U0001F600"];
        string[] stops = ["čé", "漢a\U0001F600", "bb", "a漢"];
        for (ulong round = 0; round < 300; round++)
        {
            string text = string.Concat(Enumerable.Range(0, 12).Select(i => characters[(int)(random.UniformAt(round * 12 + (ulong)i) * characters.Length)]));
            var decoder = new Tokenizers.StreamingDecoder(folder.Tokenizer);
            var scanner = new StopScanner(stops);
            var shown = new StringBuilder();
            foreach (byte value in Encoding.UTF8.GetBytes(text)) shown.Append(scanner.Push(decoder.Push(value))); // ids below 256 are bytes
            shown.Append(scanner.Push(decoder.Flush())).Append(scanner.Flush());
            Assert.Equal(ByDefinition(text, stops), (shown.ToString(), scanner.Found));
        }
    }
}
