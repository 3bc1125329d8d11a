using System.Text;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers.Tests;

public sealed class TokenizerJsonTests : IDisposable
{
    private static readonly Tokenizer Tokenizer = Texts.Tokenizer;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("oellm-tokenizer-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void A_saved_tokenizer_comes_back_and_saves_the_same_bytes()
    {
        Tokenizer.Save(_folder.FullName);
        var again = Tokenizer.Load(_folder.FullName);
        Assert.Equal(Tokenizer.VocabularySize, again.VocabularySize);
        foreach (string text in Texts.All)
            Assert.Equal(Tokenizer.Encode(text), again.Encode(text));
        Assert.Equal(Tokenizer.Chat, again.Chat);

        string copy = _folder.CreateSubdirectory("copy").FullName;
        Tokenizer.Load(Path.Combine(_folder.FullName, "tokenizer.json")).Save(copy);
        foreach (string name in (string[])["tokenizer.json", "tokenizer_config.json"])
            Assert.Equal(File.ReadAllBytes(Path.Combine(_folder.FullName, name)), File.ReadAllBytes(Path.Combine(copy, name)));
    }

    [Fact]
    public void A_foreign_configuration_is_kept()
    {
        Tokenizer.Save(_folder.FullName);
        byte[] configuration = """{"tokenizer_class":"X","model_max_length":8192}"""u8.ToArray();
        File.WriteAllBytes(Path.Combine(_folder.FullName, "tokenizer_config.json"), configuration);
        string copy = _folder.CreateSubdirectory("copy").FullName;
        Tokenizer.Load(_folder.FullName).Save(copy);
        Assert.Equal(configuration, File.ReadAllBytes(Path.Combine(copy, "tokenizer_config.json")));
    }

    [Fact]
    public void The_file_has_the_keys_in_the_order_of_the_format()
    {
        var root = Json();
        Assert.Equal(
            ["version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "model"],
            root.Select(entry => entry.Key));
        Assert.Equal(SplitPattern.Regex, (string?)root["pre_tokenizer"]!["pretokenizers"]![0]!["pattern"]!["Regex"]);
        Assert.Equal(Tokenizer.Chat.BeginOfText, (int)root["post_processor"]!["special_tokens"]!["<|begin_of_text|>"]!["ids"]![0]!);
        Assert.Equal(893, root["model"]!["vocab"]!.AsObject().Count);
        Assert.Equal(0, (int)root["model"]!["vocab"]!["!"]!);
        Assert.Equal(7, root["added_tokens"]!.AsArray().Count);
        string text = Encoding.UTF8.GetString(TokenizerJson.Write(Tokenizer));
        Assert.DoesNotContain('\r', text);
        Assert.DoesNotContain("\\u", text.Replace("\\u0022", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.EndsWith("}\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Merges_in_the_older_form_are_read()
    {
        var root = Json();
        var merges = root["model"]!["merges"]!.AsArray();
        root["model"]!["merges"] = new JsonArray([.. merges.Select(merge => (JsonNode)$"{(string?)merge![0]} {(string?)merge[1]}")]);
        var older = Parse(root);
        foreach (string text in Texts.All)
            Assert.Equal(Tokenizer.Encode(text), older.Encode(text));
    }

    [Fact]
    public void Whole_words_are_taken_when_merges_are_ignored()
    {
        // "abc" is a token, but the merge that would make it cannot be reached: "bc" has the lower rank.
        var root = Json();
        var vocab = new JsonObject();
        foreach (byte value in ByteAlphabet.InOrder)
            vocab[ByteAlphabet.ToCharacter(value).ToString()] = vocab.Count;
        foreach (string token in (string[])["bc", "ab", "abc"])
            vocab[token] = vocab.Count;
        root["model"]!["vocab"] = vocab;
        root["model"]!["merges"] = new JsonArray((JsonNode)"b c", (JsonNode)"a b", (JsonNode)"ab c");
        int[] Ids(params string[] tokens) => [.. tokens.Select(token => (int)vocab[token]!)];
        Assert.Equal(Ids("a", "bc"), Parse(root).Encode("abc"));
        root["model"]!["ignore_merges"] = true;
        var whole = Parse(root);
        Assert.Equal(Ids("abc"), whole.Encode("abc"));
        Assert.Equal([.. Ids("abc", ".", ".", "a", "bc", "ab")], whole.Encode("abc..abcab"));
    }

    public static TheoryData<string, string, string> Damages => new()
    {
        { "version", "\"1.1\"", "version is '1.1'; expected '1.0'" },
        { "version", "1", "version is 1; expected a text" },
        { "truncation", "{\"max_lenght\":512}", "truncation has the field 'max_lenght'" },
        { "padding", "7", "padding is no object" },
        { "normalizer", "{\"type\":\"NFX\"}", "normalizer 'NFX' is not known here; known: NFC" },
        { "normalizer", "{\"type\":\"Strip\",\"strip_left\":true}", "normalizer.strip_right is missing" },
        { "normalizer", "{\"type\":\"NFC\",\"x\":1}", "the field 'x'" },
        { "normalizer", "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFC\"},{\"type\":\"Nothing\"}]}", "normalizer.normalizers[1] 'Nothing' is not known here" },
        { "normalizer", "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"%%\"}", "no base64" },
        { "normalizer", "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"AAAA\"}", "character map is damaged" },
        { "normalizer", "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"/////wAAAAA=\"}", "character map is damaged" },
        { "normalizer", "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"(\"},\"content\":\"\"}", "normalizer.pattern" },
        { "normalizer", "{\"type\":\"Replace\",\"pattern\":{\"Glob\":\"*\"},\"content\":\"\"}", "the field 'Glob'" },
        { "normalizer", "{\"type\":\"Replace\",\"pattern\":{},\"content\":\"\"}", "expected a String or a Regex" },
        { "normalizer", "[]", "normalizer '(no type)' is not known here" },
        { "pre_tokenizer", "{\"type\":\"Split\",\"pattern\":{\"String\":\" \"},\"behavior\":\"Kept\",\"invert\":false}", "pre_tokenizer.behavior is 'Kept'; expected Removed, Isolated" },
        { "pre_tokenizer", "{\"type\":\"Metaspace\",\"replacement\":\"__\"}", "pre_tokenizer.replacement is '__'; expected one character" },
        { "pre_tokenizer", "{\"type\":\"Metaspace\",\"replacement\":\"_\",\"prepend_scheme\":\"last\"}", "expected first, always or never" },
        { "pre_tokenizer", "{\"type\":\"Metaspace\",\"replacement\":\"_\",\"prepend_scheme\":\"first\",\"add_prefix_space\":false}", "add_prefix_space false" },
        { "pre_tokenizer", "{\"type\":\"FixedLength\",\"length\":0}", "pre_tokenizer.length is 0" },
        { "pre_tokenizer", "{\"type\":\"CharDelimiterSplit\",\"delimiter\":\"\"}", "expected one character" },
        { "pre_tokenizer", "{\"type\":\"Sequence\"}", "pre_tokenizer.pretokenizers is missing" },
        { "pre_tokenizer", "{\"type\":\"Jieba\"}", "pre_tokenizer 'Jieba' is not known here; known: ByteLevel" },
        { "pre_tokenizer.pretokenizers.0.pattern", "{\"Regex\":\"(?<n>a)\\\\g<n>\"}", "pre_tokenizer.pretokenizers[0].pattern" },
        { "pre_tokenizer.pretokenizers.1.use_regex", "1", "use_regex is 1; expected true or false" },
        { "post_processor", "{\"type\":\"BertProcessing\"}", "post_processor.sep is missing" },
        { "post_processor", "{\"type\":\"BertProcessing\",\"sep\":[\"a\"],\"cls\":[\"b\",1]}", "expected a token and its id" },
        { "post_processor", "{\"type\":\"X\"}", "post_processor 'X' is not known here" },
        { "post_processor", "{\"type\":\"Sequence\",\"processors\":[{\"type\":\"BertProcessing\",\"sep\":[\"a\",1],\"cls\":[\"b\",1]},{\"type\":\"BertProcessing\",\"sep\":[\"a\",1],\"cls\":[\"b\",1]}]}", "more than one step that adds tokens" },
        { "post_processor.single.0", "{\"SpecialToken\":{\"id\":\"<none>\",\"type_id\":0}}", "names '<none>', which special_tokens has not" },
        { "post_processor.single.1", "{\"Sequence\":{\"id\":\"B\",\"type_id\":0}}", "names the sequence B" },
        { "post_processor.pair", "[]", "does not use both sequences" },
        { "decoder", "{\"type\":\"Metaspace\"}", "decoder.replacement is missing" },
        { "decoder", "{\"type\":\"Fuze\"}", "decoder 'Fuze' is not known here; known: ByteLevel" },
        { "decoder", "{\"type\":\"Strip\",\"content\":\" \",\"start\":-1,\"stop\":0}", "decoder.start is -1" },
        { "surprise", "1", "the field 'surprise'" },
        { "model", "null", "model is missing" },
        { "model.type", "\"Trigram\"", "model 'Trigram' is not known here" },
        { "model.dropout", "0.1", "model.dropout is 0.1" },
        { "model.unk_token", "\"<unk>\"", "model.unk_token is '<unk>', which is not in the vocabulary" },
        { "model.byte_fallback", "\"yes\"", "model.byte_fallback" },
        { "model.surprise", "1", "the field 'surprise'" },
        { "model.merges", "[[\"a\"]]", "merge 0 is" },
        { "model.merges", "[\"a b c\"]", "merge 0 is" },
        { "model.merges", "[7]", "merge 0 is" },
        { "model.merges", "[[\"q\",\"zzz\"]]", "needs the token 'zzz'" },
        { "model.merges.1", "null", "merge 1 is" },
        { "model.merges", "null", "merges is no list" },
        { "model.vocab", "{\"a\":0}", "needs the token" },
        { "model.vocab", "[]", "no object" },
        { "model.vocab.ŁŁ", "1", "id 1 stands there twice" },
        { "model.vocab.!", "-1", "token '!' has the id -1" },
        { "model.vocab.!", "2000000000", "token '!' has the id 2000000000" },
        { "model.vocab.!", "16777215", "without so many holes" },
        { "model.vocab.!", "899", "of the added token '<|padding|>'" },
        { "model.vocab.<|user|>", "900", "as an added token 896" },
        { "added_tokens", "7", "added_tokens is 7; expected a list" },
        { "added_tokens.0.lstrip", "3", "added_tokens[0].lstrip is 3" },
        { "added_tokens.0.content", "\"\"", "content of 0 bytes" },
        { "added_tokens.0.id", "-1", "added_tokens[0].id is -1" },
        { "added_tokens.0.id", "895", "stands there twice" },
        { "added_tokens.0.content", "\"<|user|>\"", "stands there twice" },
        { "added_tokens.0", "null", "no object" },
    };

    [Theory, MemberData(nameof(Damages))]
    public void Refuses_what_is_unknown_or_damaged_by_name(string path, string value, string message)
    {
        var root = Json();
        string[] steps = path.Split('.');
        JsonNode parent = root;
        foreach (string step in steps[..^1])
            parent = parent is JsonArray list ? list[int.Parse(step, System.Globalization.CultureInfo.InvariantCulture)]! : parent[step]!;
        if (parent is JsonArray array)
            array[int.Parse(steps[^1], System.Globalization.CultureInfo.InvariantCulture)] = JsonNode.Parse(value);
        else
            parent[steps[^1]] = JsonNode.Parse(value);
        var error = Assert.Throws<UserErrorException>(() => Parse(root));
        Assert.StartsWith("x/tokenizer.json: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void Refuses_a_merge_twice()
    {
        var root = Json();
        var merges = root["model"]!["merges"]!.AsArray();
        merges.Add(merges[3]!.DeepClone());
        Assert.Contains("stands there twice", Assert.Throws<UserErrorException>(() => Parse(root)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{\"version\":\"1.0\",\"version\":\"1.0\"}")]
    [InlineData("{\"version\":\"\\ud800\"}")]
    public void Refuses_what_is_no_tokenizer(string json)
    {
        var error = Assert.Throws<UserErrorException>(() => TokenizerJson.Parse(Encoding.UTF8.GetBytes(json), "x/tokenizer.json"));
        Assert.StartsWith("x/tokenizer.json: ", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void Every_cut_of_the_file_is_refused()
    {
        byte[] json = TokenizerJson.Write(Tokenizer);
        for (int length = 0; length < json.Length - 2; length += 257)
            Assert.Throws<UserErrorException>(() => TokenizerJson.Parse(json.AsMemory(0, length), "x"));
    }

    [Fact]
    public void A_missing_file_is_named()
    {
        string path = Path.Combine(_folder.FullName, "nothing");
        Assert.Contains("nothing: not found", Assert.Throws<UserErrorException>(() => Tokenizer.Load(path)).Message, StringComparison.Ordinal);
        Assert.Contains("tokenizer.json: not found", Assert.Throws<UserErrorException>(() => Tokenizer.Load(_folder.FullName)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tokenizer_without_control_tokens_says_which_is_missing()
    {
        var root = Json();
        root["added_tokens"] = new JsonArray();
        root["post_processor"] = null;
        var plain = Parse(root);
        Assert.Equal(893, plain.VocabularySize);
        Assert.Contains("no token '<|begin_of_text|>'", Assert.Throws<UserErrorException>(() => plain.Chat).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_byte_alphabet_is_that_of_the_format()
    {
        Assert.Equal('Ġ', ByteAlphabet.ToCharacter((byte)' '));
        Assert.Equal('Ċ', ByteAlphabet.ToCharacter((byte)'\n'));
        Assert.Equal('\u0100', ByteAlphabet.ToCharacter(0));
        Assert.Equal('\u0143', ByteAlphabet.ToCharacter(173));
        Assert.Equal("Ã©", ByteAlphabet.ToText("é"u8));
        Assert.Equal(Enumerable.Range(0, 256).Select(value => (byte)value), ByteAlphabet.ToBytes(ByteAlphabet.ToText([.. Enumerable.Range(0, 256).Select(value => (byte)value)]))!);
        Assert.Null(ByteAlphabet.ToBytes("a b"));
        Assert.Null(ByteAlphabet.ToBytes("\u0144"));
    }

    private static JsonObject Json() => JsonNode.Parse(TokenizerJson.Write(Tokenizer))!.AsObject();

    private static Tokenizer Parse(JsonObject root) => TokenizerJson.Parse(Encoding.UTF8.GetBytes(root.ToJsonString()), "x/tokenizer.json");
}
