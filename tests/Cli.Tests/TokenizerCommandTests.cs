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
