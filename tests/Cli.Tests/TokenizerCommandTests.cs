using System.Text.Json.Nodes;

namespace OpenEuroLLM.Cli.Tests;

public sealed class TokenizerCommandTests(SmallRun run) : IDisposable
{
    private const string Text = "Tá an aimsir go breá.\nIl-Malti u l-Ingliż: għażla.\nЁлка, ŝanĝo, 日本 \t 12345 🙂\n";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Encoded_and_decoded_text_is_the_same()
    {
        string ids = Oellm.Succeeds("tokenizer", "encode", "--tokenizer", run.In("tokenizer"), _folder.Write("text.txt", Text)).Output;
        Assert.Equal(3, ids.TrimEnd().Split('\n').Length);
        Assert.Matches(@"^[\d \n]+$", ids);
        Assert.Equal(Text, Oellm.Succeeds("tokenizer", "decode", "--tokenizer", run.In("tokenizer"), _folder.Write("ids.txt", ids)).Output);
        string json = Oellm.Succeeds("tokenizer", "encode", "--tokenizer", run.In("model", "tokenizer.json"), "--json", _folder.At("text.txt")).Output;
        Assert.Equal(ids, string.Concat(json.TrimEnd().Split('\n').Select(line => string.Join(' ', JsonNode.Parse(line)!["ids"]!.AsArray().Select(id => id!.ToString())) + "\n")));
    }

    [Fact]
    public void Bytes_pass_through_pipes_as_they_are()
    {
        var ids = Oellm.Process(["tokenizer", "encode", "--tokenizer", run.In("tokenizer")], input: Text);
        Assert.Equal((0, ""), (ids.Code, ids.Error));
        Assert.Equal(Text, Oellm.Process(["tokenizer", "decode", "--tokenizer", run.In("tokenizer")], input: ids.Output).Output);
    }

    [Fact]
    public void Trains_from_files()
    {
        Oellm.Succeeds("tokenizer", "train", "--input", run.In("corpus", "train"), "--vocabulary-size", "600", "--out", _folder.At("tokenizer"));
        Oellm.Succeeds("verify", _folder.At("tokenizer"));
        Assert.Equal("Tá sé.\n", Oellm.Succeeds("tokenizer", "decode", "--tokenizer", _folder.At("tokenizer"),
            _folder.Write("ids.txt", Oellm.Succeeds("tokenizer", "encode", "--tokenizer", _folder.At("tokenizer"), _folder.Write("text.txt", "Tá sé.\n")).Output)).Output);
    }

    [Fact]
    public void Trains_by_a_recipe_with_languages_kept_level()
    {
        string recipe = _folder.Write("recipe.jsonc", """
            { "tokenizer": { "vocabularySize": 700, "parity": 0.8, "split": "europe", "digits": "Single", "spaceRun": 4, "reserve": 2, "reservedTokens": ["<|tool|>"],
              "sourceWeights": [ { "source": "sample*", "weight": 0.5 } ], "forbidden": ["Tá"] } }
            """);
        var trained = JsonNode.Parse(Oellm.Succeeds("tokenizer", "train", recipe, "tokenizer.vocabularySize=650", "--reserve", "5", "--input", run.In("corpus", "train"),
            "--out", _folder.At("level"), "--memory", "300MB", "--json").Output)!;
        Assert.Equal(650, (int)trained["vocabularySize"]!);
        Assert.Equal(0, (int)trained["droppedWords"]!);
        Oellm.Succeeds("verify", _folder.At("level"));
        var settings = JsonNode.Parse(File.ReadAllText(_folder.At("level/manifest.json")))!["settings"]!;
        Assert.Equal((0.8, 5, 4), ((double)settings["parity"]!, (int)settings["reserve"]!, (int)settings["spaceRun"]!));
        var report = JsonNode.Parse(File.ReadAllText(_folder.At("level/training.json")))!["languages"]!.AsObject();
        Assert.All(report, language => Assert.True((double)language.Value!["tokensPerByteOfContent"]! > 0));
        string ids = Oellm.Succeeds("tokenizer", "encode", "--tokenizer", _folder.At("level"), _folder.Write("run.txt", "    \n1234\n")).Output;
        Assert.Equal([1, 4], ids.TrimEnd().Split('\n').Select(line => line.Split(' ').Length));
    }

    [Fact]
    public void Trains_a_unigram_model()
    {
        Oellm.Succeeds("tokenizer", "train", "--algorithm", "unigram", "--input", run.In("corpus", "train"), "--vocabulary-size", "900", "--out", _folder.At("unigram"));
        Oellm.Succeeds("verify", _folder.At("unigram"));
        string ids = Oellm.Succeeds("tokenizer", "encode", "--tokenizer", _folder.At("unigram"), _folder.Write("text.txt", Text)).Output;
        Assert.Equal(Text, Oellm.Succeeds("tokenizer", "decode", "--tokenizer", _folder.At("unigram"), _folder.Write("ids.txt", ids)).Output);
        Oellm.Refuses(["tokenizer", "train", "--algorithm", "unigram", "--parity", "1", "--input", run.In("corpus", "train"), "--out", _folder.At("t")], "--parity", "leave them out");
    }

    [Fact]
    public void Built_in_tokenizers_are_found_by_name()
    {
        foreach (string name in (string[])["europa-64k", "europa-tokenizer-16k"])
        {
            string ids = Oellm.Succeeds("tokenizer", "encode", "--tokenizer", name, _folder.Write("text.txt", Text)).Output;
            Assert.Equal(Text, Oellm.Succeeds("tokenizer", "decode", "--tokenizer", name, _folder.Write("ids.txt", ids)).Output);
            Oellm.Succeeds("verify", Path.Combine(AppContext.BaseDirectory, "models", "europa-tokenizer-" + name[(name.LastIndexOf('-') + 1)..]));
        }
        Oellm.Refuses(["tokenizer", "encode", "--tokenizer", "europa-63k", _folder.At("text.txt")], "did you mean 'europa-64k'?");
    }

    [Fact]
    public void Wrong_settings_of_training_are_named()
    {
        string[] start = ["tokenizer", "train", "--input", run.In("corpus", "train"), "--out", _folder.At("t")];
        Oellm.Refuses([.. start, "--memory", "lots"], "--memory is 'lots'", "4GB");
        Oellm.Refuses([.. start, "--memory", "10MB"], "--memory is 10000000; expected 256000000");
        Oellm.Refuses([.. start, "--parity", "2"], "--parity is 2; expected 0 to 1");
        Oellm.Refuses([.. start, "--split", "europa"], "'europa' is unknown; did you mean 'europe'?");
        Oellm.Refuses([.. start, "--source-weight", "news"], "--source-weight is 'news'");
        Oellm.Refuses([.. start, "--reserved-token", "tool"], "'tool' could stand in a text");
        Oellm.Refuses(["tokenizer", "train", "--input", _folder.Write("empty.txt", ""), "--out", _folder.At("t")], "no text to train");
        Assert.False(Directory.Exists(_folder.At("t")));
    }

    [Fact]
    public void Wrong_input_is_named()
    {
        Oellm.Refuses(["tokenizer", "encode", "--tokenizer", _folder.At("nowhere"), _folder.Write("a.txt", "x")], _folder.At("nowhere"));
        Oellm.Refuses(["tokenizer", "encode", "--tokenizer", run.In("tokenizer"), _folder.At("nowhere.txt")], _folder.At("nowhere.txt"), "not found");
        Oellm.Refuses(["tokenizer", "encode", "--tokenizer", _folder.Write("tokenizer.json", "{"), _folder.At("a.txt")], _folder.At("tokenizer.json"));
        Oellm.Refuses(["tokenizer", "decode", "--tokenizer", run.In("tokenizer"), _folder.Write("ids.txt", "3 four\n")], "ids.txt:1", "'four'", "expected whole numbers");
        Oellm.Refuses(["tokenizer", "train", "--input", _folder.At("nowhere"), "--out", _folder.At("t")], _folder.At("nowhere"), "expected");
        Oellm.Refuses(["tokenizer", "train", "--input", _folder.At("a.txt"), "--vocabulary-size", "3", "--out", _folder.At("t")], "--vocabulary-size is 3; expected 263 to");
    }

    [Fact]
    public void An_id_outside_the_vocabulary_is_named() =>
        Assert.Contains("99999", Oellm.Refuses(["tokenizer", "decode", "--tokenizer", run.In("tokenizer"), _folder.Write("ids.txt", "1 99999\n")]), StringComparison.Ordinal);
}
