using System.Text;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Cli.Tests;

/// <summary>Input that no tokenizer command can like: broken text, empty files, a line without end.</summary>
public sealed class TokenizerBadInputTests(SmallRun run) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>A file of zero bytes only, which takes no room on the disk: one line without end.</summary>
    private string Endless(string name, long bytes, string before = "")
    {
        string path = _folder.Write(name, before);
        using var file = File.OpenWrite(path);
        file.SetLength(bytes);
        return path;
    }

    [Fact]
    public void Bytes_that_are_no_text_are_encoded_without_loss()
    {
        byte[] broken = [.. "caf"u8, 0xC3, 0xFF, .. " \0 ok"u8, 0xED, 0xA0, 0x80];
        string ids = Oellm.Succeeds("tokenizer", "encode", "--tokenizer", run.In("tokenizer"), _folder.Write("broken.txt", [.. broken, (byte)'\n', .. broken])).Output;
        string[] lines = ids.TrimEnd('\n').Split('\n');
        Assert.Equal(2, lines.Length);
        var tokenizer = Tokenizer.Load(run.In("tokenizer"));
        Assert.All(lines, line => Assert.Equal(broken, tokenizer.DecodeBytes([.. line.Split(' ').Select(int.Parse)])));
    }

    [Fact]
    public void Training_on_bytes_that_are_no_text_is_refused_with_their_place()
    {
        Oellm.Refuses(["tokenizer", "train", "--input", _folder.Write("broken.txt", [.. "good text\n"u8, 0xFF, 0xFE]), "--vocabulary-size", "300", "--out", _folder.At("t")], "broken.txt", "UTF-8");
        Oellm.Refuses(["tokenizer", "train", "--input", _folder.Write("broken.jsonl", [.. "{\"id\":\"1\",\"text\":\"a"u8, 0xFF, .. "\",\"lang\":\"en\",\"source\":\"s\",\"license\":\"l\"}\n"u8]), "--vocabulary-size", "300", "--out", _folder.At("t")], "broken.jsonl:1");
        Assert.False(Directory.Exists(_folder.At("t")));
    }

    [Fact]
    public void Empty_files_give_nothing_or_are_refused()
    {
        string empty = _folder.Write("empty.txt", "");
        Assert.Equal("", Oellm.Succeeds("tokenizer", "encode", "--tokenizer", run.In("tokenizer"), empty).Output);
        Assert.Equal("", Oellm.Succeeds("tokenizer", "decode", "--tokenizer", run.In("tokenizer"), empty).Output);
        Assert.Equal("\n\n", Oellm.Succeeds("tokenizer", "encode", "--tokenizer", run.In("tokenizer"), _folder.Write("blank.txt", "\n\n")).Output);
        Oellm.Refuses(["tokenizer", "train", "--input", empty, "--vocabulary-size", "300", "--out", _folder.At("t")], "no text");
        Oellm.Refuses(["tokenizer", "report", "--tokenizer", run.In("tokenizer"), "--input", empty], "no text");
        foreach (string name in (string[])["tokenizer.json", "empty.model", "cl100k_base.tiktoken"])
            Oellm.Refuses(["tokenizer", "encode", "--tokenizer", _folder.Write(name, ""), empty], name);
    }

    [Fact]
    public void Nothing_to_train_on_is_said_whatever_is_trained()
    {
        string empty = _folder.Write("empty.txt", "");
        string blank = _folder.Write("blank.jsonl", """{"id":"1","text":"","lang":"en","source":"s","license":"l"}""");
        foreach (string input in (string[])[empty, blank])
            foreach (string[] how in (string[][])[[], ["--parity", "0.8"], ["--algorithm", "unigram"]])
                Oellm.Refuses(["tokenizer", "train", "--input", input, "--vocabulary-size", "400", "--out", _folder.At("t"), .. how], "no text");
        Assert.False(Directory.Exists(_folder.At("t")));
    }

    [Fact]
    public void A_comma_in_a_number_and_an_empty_name_are_refused()
    {
        string text = _folder.Write("en.txt", "some text");
        string[] train = ["tokenizer", "train", "--input", text, "--vocabulary-size", "300"];
        Oellm.Refuses([.. train, "--out", _folder.At("t"), "--parity", "0,1"], "--parity is '0,1'", "with a point");
        Oellm.Refuses([.. train, "--out", _folder.At("t"), "--source-weight", "x=0,5"], "--source-weight is 'x=0,5'");
        Oellm.Refuses([.. train, "--out", ""], "--out is empty");
        Oellm.Refuses(["tokenizer", "encode", "--tokenizer", run.In("tokenizer"), ""], "'file' is empty");
        Oellm.Refuses(["identify", "--threshold", "x"], "--threshold is 'x'; expected a number.");
    }

    [Fact]
    public void A_line_of_a_gigabyte_is_refused_where_a_line_is_needed()
    {
        Oellm.Refuses(["tokenizer", "encode", "--tokenizer", run.In("tokenizer"), Endless("endless.txt", 1L << 30)], "endless.txt", "longer than");
        Oellm.Refuses(["tokenizer", "decode", "--tokenizer", run.In("tokenizer"), _folder.At("endless.txt")], "endless.txt", "longer than");
        Oellm.Refuses(["tokenizer", "report", "--tokenizer", run.In("tokenizer"), "--input", Endless("endless.jsonl", 1L << 30, "{\"text\":\"")], "endless.jsonl:1", "longer than");
        Oellm.Refuses(["tokenizer", "train", "--input", Endless("endless.tsv", 1L << 30, "en\t"), "--vocabulary-size", "300", "--out", _folder.At("t")], "endless.tsv:1", "longer than");
    }

    [Fact]
    public void A_text_of_one_endless_line_is_measured_and_trained_on_in_pieces()
    {
        // A gigabyte takes the same memory and fifty times as long.
        string path = Endless("en-endless.txt", 20 << 20);
        string report = Oellm.Succeeds("tokenizer", "report", "--tokenizer", run.In("tokenizer"), "--input", path, "--json").Output;
        Assert.Contains($"\"bytes\":{20 << 20},\"characters\":{20 << 20},\"words\":0,", report, StringComparison.Ordinal);
        Oellm.Succeeds("tokenizer", "train", "--input", path, "--vocabulary-size", "300", "--out", _folder.At("tokenizer"));
        byte[] text = Encoding.UTF8.GetBytes("Tá sé fuar.\n");
        Assert.Equal("Tá sé fuar.\n", Oellm.Succeeds("tokenizer", "decode", "--tokenizer", _folder.At("tokenizer"),
            _folder.Write("ids.txt", Oellm.Succeeds("tokenizer", "encode", "--tokenizer", _folder.At("tokenizer"), _folder.Write("text.txt", text)).Output)).Output);
    }
}
