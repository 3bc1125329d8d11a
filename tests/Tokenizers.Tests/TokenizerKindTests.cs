using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers.Tests;

/// <summary>What holds for tokenizers of every kind, and what hostile ones are refused for.</summary>
public sealed class TokenizerKindTests
{
    private const string Added = """[{"id":1,"content":"<s>","special":true},{"id":2,"content":"<tag>","special":false}]""";

    private static readonly Dictionary<string, (string Model, string Parts)> Kinds = new()
    {
        ["unigram"] = ("""{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["<s>",0],["<tag>",0],["<",-3],["s",-3],[">",-3],["a",-3],["▁",-3],["ta",-2],["g",-4]]}""",
            """ "pre_tokenizer":{"type":"Metaspace","replacement":"▁","prepend_scheme":"never","split":true},"decoder":{"type":"Metaspace","replacement":"▁","prepend_scheme":"never"} """),
        ["word level"] = ("""{"type":"WordLevel","vocab":{"<unk>":0,"<s>":1,"<tag>":2,"a":3},"unk_token":"<unk>"}""", """ "pre_tokenizer":{"type":"WhitespaceSplit"} """),
        ["word piece"] = ("""{"type":"WordPiece","unk_token":"<unk>","continuing_subword_prefix":"##","max_input_chars_per_word":100,"vocab":{"<unk>":0,"<s>":1,"<tag>":2,"a":3,"##s":4}}""",
            """ "pre_tokenizer":{"type":"WhitespaceSplit"},"decoder":{"type":"WordPiece","prefix":"##","cleanup":false} """),
        ["pairs, whole pieces first"] = ("""{"type":"BPE","unk_token":"<unk>","ignore_merges":true,"vocab":{"<unk>":0,"<s>":1,"<tag>":2,"<":3,"s":4,">":5,"a":6,"<s":7},"merges":["< s","<s >"]}""",
            """ "pre_tokenizer":{"type":"WhitespaceSplit"},"decoder":{"type":"Fuse"} """),
        ["pairs with bytes"] = ("""{"type":"BPE","unk_token":"<unk>","byte_fallback":true,"fuse_unk":true,"vocab":{"<unk>":0,"<s>":1,"<tag>":2,"<":3,"s":4,">":5,"▁":6,"<0xEF>":7,"<0xBF>":8,"<0xBD>":9,"<s":10},"merges":["< s","<s >"]}""",
            """ "normalizer":{"type":"Replace","pattern":{"String":" "},"content":"▁"},"decoder":{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"}]} """),
    };

    public static IEnumerable<TheoryDataRow<string>> Names => Kinds.Keys.Select(name => new TheoryDataRow<string>(name));

    [Theory, MemberData(nameof(Names))]
    public void Special_tokens_written_in_a_text_stay_text(string kind)
    {
        var tokenizer = Load(kind);
        foreach (string text in (string[])["<s>", "a <s> a", "<s><s>", "<tag><s>"])
            Assert.DoesNotContain(1, tokenizer.Encode(text));
        Assert.Equal([1], tokenizer.Encode("<s>", allowSpecial: true));
        Assert.Equal([2], tokenizer.Encode("<tag>"));       // no control token: it is text
    }

    [Theory, MemberData(nameof(Names))]
    public void Each_byte_that_is_no_valid_text_is_one_replacement_character_in_its_place(string kind)
    {
        var tokenizer = Load(kind);
        var (broken, repaired) = (new List<EncodedToken>(), new List<EncodedToken>());
        tokenizer.EncodeWithOffsets([(byte)'s', 0xFF, 0xC3, (byte)'s', 0xE2, 0x82], broken);
        tokenizer.EncodeWithOffsets("s\uFFFD\uFFFDs\uFFFD\uFFFD"u8, repaired);
        Assert.Equal(repaired.Select(token => token.Id), broken.Select(token => token.Id));
        // s, 3 bytes, 3 bytes, s, 3 bytes, 3 bytes: each place of the repaired text is one in the broken one.
        int[] places = [0, 1, 1, 1, 2, 2, 2, 3, 4, 4, 4, 5, 5, 5, 6];
        int[] ends = [0, 1, 2, 2, 2, 3, 3, 3, 4, 5, 5, 5, 6, 6, 6];
        Assert.Equal(repaired.Select(token => (places[token.Start], ends[token.End])), broken.Select(token => (token.Start, token.End)));
    }

    [Theory, MemberData(nameof(Names))]
    public void Ids_without_a_token_are_refused(string kind)
    {
        var tokenizer = Load(kind);
        Assert.Contains("not in the vocabulary", Assert.Throws<UserErrorException>(() => tokenizer.Decode([tokenizer.VocabularySize])).Message, StringComparison.Ordinal);
        Assert.Throws<UserErrorException>(() => tokenizer.Decode([-1]));
        Assert.Throws<UserErrorException>(() => tokenizer.TokenBytes(1 << 30));
        Assert.Throws<UserErrorException>(() => new StreamingDecoder(tokenizer).Push(-1));
        Assert.Equal("", tokenizer.Decode([1]));
        Assert.Equal(1, tokenizer.TokenId("<s>"));
        Assert.True(tokenizer.IsSpecial(1));
        Assert.False(tokenizer.IsSpecial(2));
    }

    [Fact]
    public void A_token_has_the_bytes_it_stands_for_inside_a_text()
    {
        Assert.Equal(" "u8.ToArray(), Load("unigram").TokenBytes(7));
        Assert.Equal("s"u8.ToArray(), Load("word piece").TokenBytes(4));
        Assert.Equal(" a"u8.ToArray(), Load("word piece").TokenBytes(3));
        Assert.Equal([0xEF], Load("pairs with bytes").TokenBytes(7));
        Assert.Equal(" "u8.ToArray(), Load("pairs with bytes").TokenBytes(6));
        Assert.Equal("<s>"u8.ToArray(), Load("pairs with bytes").TokenBytes(1));
    }

    [Fact]
    public void An_added_token_of_a_byte_level_tokenizer_is_its_content_even_where_that_is_in_the_byte_alphabet()
    {
        var json = JsonNode.Parse(TokenizerJson.Write(Texts.Tokenizer))!.AsObject();
        json["added_tokens"]!.AsArray().Add(JsonNode.Parse("""{"id":900,"content":"naïve","special":false}"""));
        var tokenizer = Parse(json.ToJsonString());
        int[] ids = tokenizer.Encode("so naïve!");
        Assert.Contains(900, ids);
        Assert.Equal("so naïve!", tokenizer.Decode(ids));
    }

    [Fact]
    public void Streaming_holds_back_runs_of_bytes_and_nothing_else()
    {
        var decoder = new StreamingDecoder(Load("pairs with bytes"));
        Assert.Equal(["s", " ", "", "", "", "\uFFFDs", ""], ((int[])[4, 6, 7, 8, 9, 4, 7]).Select(decoder.Push));
        Assert.Equal("\uFFFD", decoder.Flush());
        Assert.Equal("s", decoder.Push(4));
    }

    [Fact]
    public void Thousands_of_added_tokens_take_linear_time()
    {
        var json = JsonNode.Parse(TokenizerJson.Write(Texts.Tokenizer))!.AsObject();
        var added = json["added_tokens"]!.AsArray();
        for (int i = 0; i < 5000; i++)
            added.Add(new JsonObject { ["id"] = 900 + i, ["content"] = $"<extra_{i}>", ["special"] = i % 2 == 0, ["lstrip"] = true, ["rstrip"] = true });
        added.Add(new JsonObject { ["id"] = 5900, ["content"] = " ", ["special"] = false, ["lstrip"] = true, ["rstrip"] = true });
        var tokenizer = Parse(json.ToJsonString());
        long start = Stopwatch.GetTimestamp();
        Assert.Equal([901, 1903], tokenizer.Encode("<extra_1>\n<extra_1003>\t"));
        Assert.Contains(902, tokenizer.Encode("x<extra_2>", allowSpecial: true));
        Assert.DoesNotContain(902, tokenizer.Encode("x<extra_2>"));
        Assert.Equal(1 << 20, tokenizer.Encode(new string(' ', 1 << 20)).Length);
        tokenizer.Encode(string.Concat(Enumerable.Repeat("<extra_", 100_000)), allowSpecial: true);
        // Quadratic work would take hours; the limit is wide because the machine may be busy.
        Assert.True(Stopwatch.GetElapsedTime(start).TotalSeconds < 20);
    }

    [Theory]
    [InlineData("""{"type":"Replace","pattern":{"String":"a"},"content":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}""", 5)]
    [InlineData("""{"type":"Replace","pattern":{"Regex":""},"content":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}""", 5)]
    [InlineData("""{"type":"Prepend","prepend":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}""", 6000)]
    public void A_normalizer_that_lets_text_explode_is_stopped(string step, int times)
    {
        string normalizer = $$"""{"type":"Sequence","normalizers":[{{string.Join(',', Enumerable.Repeat(step, times))}}]}""";
        var tokenizer = Parse($$$"""{"version":"1.0","normalizer":{{{normalizer}}},"model":{"type":"WordLevel","vocab":{"<unk>":0},"unk_token":"<unk>"}}""");
        Assert.Contains("Remove the step", Assert.Throws<UserErrorException>(() => tokenizer.Encode(new string('a', 1000))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Steps_nested_too_deeply_are_refused()
    {
        string step = """{"type":"NFC"}""";
        for (int depth = 0; depth < 100; depth++)
            step = $$"""{"type":"Sequence","normalizers":[{{step}}]}""";
        Assert.Contains("is not valid JSON", Assert.Throws<UserErrorException>(() => Parse($$$"""{"version":"1.0","normalizer":{{{step}}},"model":{}}""")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Endless_marks_on_one_letter_are_normalized_in_linear_time()
    {
        string marks = "e" + string.Concat(Enumerable.Repeat("\u0323\u0301", 200_000));
        long start = Stopwatch.GetTimestamp();
        var text = new AlignedText(Encoding.UTF8.GetBytes(marks));
        UnicodeForm.Nfd.Normalize(text);
        Assert.Equal(marks.Length, Encoding.UTF8.GetCharCount(text.Bytes));
        Assert.True(Stopwatch.GetElapsedTime(start).TotalSeconds < 20);
    }

    [Fact]
    public void Normal_forms_are_those_of_the_whole_text()
    {
        string[] texts = [.. Texts.All, "e\u0301\u0323x\u0323\u0301", "한국어 \u1112\u1161\u11AB ㄱㅏㄴ", "ｶﾞﾊﾟ ﾞ", "\u0E33\u0EB3 ﬃ ⅷ ㍿ \u2126\u212B", "\u0344\u0F73 \u1E9B\u0323", "𑄮\u11127 𝅘𝅥𝅮"];
        (UnicodeForm Form, NormalizationForm Name)[] forms =
            [(UnicodeForm.Nfc, NormalizationForm.FormC), (UnicodeForm.Nfd, NormalizationForm.FormD), (UnicodeForm.Nfkc, NormalizationForm.FormKC), (UnicodeForm.Nfkd, NormalizationForm.FormKD)];
        foreach (var (form, name) in forms)
        {
            foreach (string text in texts)
            {
                var aligned = new AlignedText(Encoding.UTF8.GetBytes(text));
                form.Normalize(aligned);
                Assert.Equal(text.Normalize(name), aligned.ToString());
                Assert.Equal(text.IsNormalized(name), form.Holds(Encoding.UTF8.GetBytes(text)));
            }
        }
    }

    [Fact]
    public void A_folder_with_vocabulary_and_merges_is_read()
    {
        var folder = Directory.CreateTempSubdirectory("oellm-legacy-");
        try
        {
            var json = JsonNode.Parse(TokenizerJson.Write(Texts.Tokenizer))!;
            Write("vocab.json", json["model"]!["vocab"]!.ToJsonString());
            Write("merges.txt", "#version: 0.2\n" + string.Join('\n', json["model"]!["merges"]!.AsArray().Select(merge => $"{merge![0]} {merge[1]}")) + "\n");
            Write("added_tokens.json", """{"<|end|>":893,"<plain>":894}""");
            Write("special_tokens_map.json", """{"eos_token":{"content":"<|end|>"}}""");
            Write("tokenizer_config.json", """{"tokenizer_class":"GPT2Tokenizer","add_prefix_space":false}""");
            var tokenizer = Tokenizer.Load(folder.FullName);
            Assert.True(tokenizer.IsSpecial(893));
            Assert.False(tokenizer.IsSpecial(894));
            Assert.Equal([893], tokenizer.Encode("<|end|>", allowSpecial: true));
            foreach (string text in Texts.All)
                Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
            tokenizer.Save(folder.FullName);
            Assert.Equal(tokenizer.Encode("1234 it's"), Tokenizer.Load(Path.Combine(folder.FullName, "tokenizer.json")).Encode("1234 it's"));

            File.Delete(Path.Combine(folder.FullName, "tokenizer.json"));
            Write("tokenizer_config.json", """{"tokenizer_class":"XTokenizer"}""");
            Assert.Contains("'XTokenizer' is not known", Assert.Throws<UserErrorException>(() => Tokenizer.Load(folder.FullName)).Message, StringComparison.Ordinal);
            Write("tokenizer_config.json", "{}");
            Write("merges.txt", "a b c\n");
            Assert.Contains("merges.txt: merge 0 is 'a b c'", Assert.Throws<UserErrorException>(() => Tokenizer.Load(folder.FullName)).Message, StringComparison.Ordinal);
            Write("vocab.json", "[");
            Assert.Contains("is not valid JSON", Assert.Throws<UserErrorException>(() => Tokenizer.Load(folder.FullName)).Message, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        void Write(string name, string content) => File.WriteAllText(Path.Combine(folder.FullName, name), content);
    }

    private static Tokenizer Load(string kind) => Parse($$"""{"version":"1.0","added_tokens":{{Added}},{{Kinds[kind].Parts}},"model":{{Kinds[kind].Model}}}""");

    private static Tokenizer Parse(string json) => TokenizerJson.Parse(Encoding.UTF8.GetBytes(json), "x/tokenizer.json");
}
