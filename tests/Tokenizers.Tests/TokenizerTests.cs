using System.Diagnostics;
using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers.Tests;

public sealed class TokenizerTests
{
    private static readonly Tokenizer Tokenizer = Texts.Tokenizer;

    [Fact]
    public void Every_text_comes_back_and_is_shorter_in_tokens()
    {
        foreach (string text in Texts.All)
        {
            int[] ids = Tokenizer.Encode(text);
            Assert.Equal(text, Tokenizer.Decode(ids));
            Assert.True(ids.Length < Encoding.UTF8.GetByteCount(text));
        }
        Assert.Empty(Tokenizer.Encode(""));
    }

    [Fact]
    public void Every_one_and_two_bytes_come_back()
    {
        var ids = new List<int>();
        for (int first = 0; first < 256; first++)
        {
            AssertRoundTrip([(byte)first], ids);
            for (int second = 0; second < 256; second++)
                AssertRoundTrip([(byte)first, (byte)second], ids);
        }
    }

    [Fact]
    public void Random_bytes_and_broken_texts_come_back()
    {
        var ids = new List<int>();
        for (ulong seed = 0; seed < 300; seed++)
            AssertRoundTrip([.. Texts.Numbers(seed).Take((int)seed * 3).Select(number => (byte)number)], ids);
        AssertRoundTrip([0xED, 0xA0, 0x80, 0xED, 0xB0, 0x80], ids);   // encoded surrogates
        AssertRoundTrip([0xC0, 0x80, 0xF8, 0x88, 0x80, 0x80, 0x80, 0xFE, 0xFF], ids);
        foreach (string text in Texts.All)
        {
            byte[] utf8 = Encoding.UTF8.GetBytes(text);
            for (int cut = 0; cut < utf8.Length; cut++)
                AssertRoundTrip(utf8[cut..], ids);
            for (int cut = 0; cut < utf8.Length; cut += 3)
                AssertRoundTrip([.. utf8[..cut], 0x80, .. utf8[cut..]], ids);
        }
    }

    [Fact]
    public void Encodes_as_the_definition_does()
    {
        foreach (string text in Texts.All)
            Assert.Equal(NaiveBpe.Encode(Tokenizer.Model, Encoding.UTF8.GetBytes(text)), Tokenizer.Encode(text));
        for (ulong seed = 0; seed < 20; seed++)
        {
            // Words around the length where the way of merging changes.
            byte[] word = [.. Texts.Numbers(seed).Take(55 + (int)seed).Select(number => (byte)"aeinrst"[(int)(number % 7)])];
            var ids = new List<int>();
            Tokenizer.Encode(word, ids);
            Assert.Equal(NaiveBpe.Encode(Tokenizer.Model, word), ids);
        }
    }

    [Fact]
    public void Long_words_give_the_same_tokens_by_scan_and_by_heap()
    {
        // The same letters once as a whole and once through the definition, far beyond the length of the cache and the scan.
        byte[] word = [.. Texts.Numbers(7).Take(700).Select(number => (byte)"aeinrsté"u8[(int)(number % 9)])];
        word = [.. Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(word).Replace("\uFFFD", "", StringComparison.Ordinal))];
        var ids = new List<int>();
        Tokenizer.Encode(word, ids);
        Assert.Equal(NaiveBpe.Encode(Tokenizer.Model, word), ids);
    }

    [Fact]
    public void A_word_of_a_megabyte_takes_time_in_proportion()
    {
        byte[] word = [.. Texts.Numbers(3).Take(1 << 20).Select(number => (byte)"aeinrst"[(int)(number % 7)])];
        var ids = new List<int>();
        Tokenizer.Encode(word.AsSpan(0, 1 << 16), ids);
        ids.Clear();
        long start = Stopwatch.GetTimestamp();
        Tokenizer.Encode(word, ids);
        // Quadratic work would take hours; the limit is wide because the machine may be busy.
        Assert.True(Stopwatch.GetElapsedTime(start).TotalSeconds < 20);
        Assert.Equal(word, Tokenizer.DecodeBytes([.. ids]));
        ids.Clear();
        Tokenizer.Encode(Enumerable.Repeat((byte)' ', 1 << 20).ToArray(), ids);
        Tokenizer.Encode(Enumerable.Repeat((byte)'a', 1 << 20).ToArray(), ids);
        Assert.True(Stopwatch.GetElapsedTime(start).TotalSeconds < 40);
    }

    [Fact]
    public void Special_tokens_written_in_a_text_stay_text()
    {
        int first = Tokenizer.Chat.BeginOfText;
        foreach (string content in SpecialTokens.All)
        {
            foreach (string text in (string[])[content, $"x{content}y", $" {content} ", content + content, content.ToUpperInvariant()])
            {
                int[] ids = Tokenizer.Encode(text);
                Assert.All(ids, id => Assert.True(id < first));
                Assert.Equal(text, Tokenizer.Decode(ids));
            }
        }
    }

    [Fact]
    public void Special_tokens_are_matched_when_allowed()
    {
        var chat = Tokenizer.Chat;
        int[] ids = Tokenizer.Encode("<|begin_of_text|><|user|>Où est <|usern|>?<|end_of_turn|><|assistant|>", allowSpecial: true);
        Assert.Equal([chat.BeginOfText, chat.User, .. Tokenizer.Encode("Où est <|usern|>?"), chat.EndOfTurn, chat.Assistant], ids);
        Assert.Equal("Où est <|usern|>?", Tokenizer.Decode(ids));
        Assert.Equal("<|begin_of_text|><|user|>Où est <|usern|>?<|end_of_turn|><|assistant|>", Tokenizer.Decode(ids, skipSpecial: false));
        Assert.Equal("<|user|>"u8.ToArray(), Tokenizer.TokenBytes(chat.User));
    }

    [Fact]
    public void Of_added_tokens_the_leftmost_longest_wins()
    {
        var added = new AddedTokens([new(1, "<a", true), new(2, "<a>", true), new(3, "a>b", false), new(4, "é", false)]);
        Assert.Equal((2, 1, 4), Find(added, "x<a>b"));
        Assert.Equal((1, 0, 2), Find(added, "<a"));
        Assert.Equal((3, 2, 5), Find(added, "xxa>b<a>"));
        Assert.Equal((4, 2, 4), Find(added, "xyé"));
        Assert.Null(Find(added, "< a >b"));
        Assert.Null(Find(new AddedTokens([]), "<a>"));

        static (int Id, int Start, int End)? Find(AddedTokens added, string text)
        {
            var spans = new List<AddedTokenSpan>();
            added.SplitRaw(Encoding.UTF8.GetBytes(text), ControlPlaces.Everywhere, spans);
            return spans.Where(span => span.Id is not null).Select(span => ((int, int, int)?)(span.Id!.Value, span.Start, span.End)).FirstOrDefault();
        }
    }

    [Fact]
    public void Streaming_gives_what_decoding_all_gives()
    {
        var decoder = new StreamingDecoder(Tokenizer);
        foreach (string text in Texts.All)
        {
            int[] ids = Tokenizer.Encode(text);
            Assert.Equal(text, string.Concat(ids.Select(decoder.Push)) + decoder.Flush());
        }
        for (ulong seed = 0; seed < 500; seed++)
        {
            // Any ids, single bytes above all: mostly broken UTF-8.
            int[] ids = [.. Texts.Numbers(seed).Take(30).Select(number => (int)(number % (seed % 2 == 0 ? 256u : 900u)))];
            var pieces = ids.Select(decoder.Push).ToList();
            Assert.Equal(Tokenizer.Decode(ids), string.Concat(pieces) + decoder.Flush());
        }
    }

    [Fact]
    public void Streaming_holds_back_only_incomplete_characters()
    {
        var decoder = new StreamingDecoder(Tokenizer);
        int[] bytes = [.. Encoding.UTF8.GetBytes("a🙂").Select(value => Tokenizer.Model.Find([value])!.Value)];
        Assert.Equal(["a", "", "", "", "🙂"], bytes.Select(decoder.Push));
        Assert.Equal("", decoder.Flush());
        Assert.Equal("", decoder.Push(bytes[1]));
        Assert.Equal("\uFFFDa", decoder.Push(bytes[0]));
        Assert.Equal("", decoder.Push(bytes[1]));
        Assert.Equal("", decoder.Push(Tokenizer.Chat.EndOfTurn));
        Assert.Equal("\uFFFD", decoder.Flush());
    }

    [Fact]
    public void Half_a_surrogate_pair_is_refused_and_not_replaced()
    {
        var error = Assert.Throws<UserErrorException>(() => Tokenizer.Encode("abc\uD83Dx"));
        Assert.Contains("U+D83D) at position 3", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Unknown_ids_are_refused()
    {
        Assert.Contains("Token 900 is not in the vocabulary; expected 0 to 899", Assert.Throws<UserErrorException>(() => Tokenizer.Decode([900])).Message, StringComparison.Ordinal);
        Assert.Throws<UserErrorException>(() => Tokenizer.DecodeBytes([-1]));
        Assert.Throws<UserErrorException>(() => Tokenizer.IsSpecial(900));
        Assert.Throws<UserErrorException>(() => new StreamingDecoder(Tokenizer).Push(int.MaxValue));
    }

    [Fact]
    public void Tokens_are_found_by_their_text()
    {
        int id = Tokenizer.Encode(" the")[^1];
        Assert.Equal(id, Tokenizer.TokenId(Tokenizer.Decode([id])));
        Assert.Null(Tokenizer.TokenId("no token spells this"));
        Assert.Equal(Tokenizer.Chat.Padding, Tokenizer.TokenId("<|padding|>"));
    }

    [Fact]
    public void Many_threads_get_the_same_tokens()
    {
        int[][] expected = [.. Texts.All.Select(text => Tokenizer.Encode(text))];
        Parallel.For(0, 64, new ParallelOptions { MaxDegreeOfParallelism = 8 }, round =>
        {
            int index = round % expected.Length;
            Assert.Equal(expected[index], Tokenizer.Encode(Texts.All.ElementAt(index)));
        });
    }

    private static void AssertRoundTrip(byte[] bytes, List<int> ids)
    {
        ids.Clear();
        Tokenizer.Encode(bytes, ids);
        if (!bytes.AsSpan().SequenceEqual(Tokenizer.DecodeBytes([.. ids])))
            Assert.Fail($"The bytes {Convert.ToHexString(bytes)} did not come back.");
    }
}
