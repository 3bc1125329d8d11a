using System.IO.Compression;
using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Readers;

namespace OpenEuroLLM.Corpus.Tests;

public sealed class TrainingFileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("oellm-training-file-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("a.jsonl")]
    [InlineData("a.jsonl.gz")]
    public void Reads_what_a_document_says_escaped_or_not(string name)
    {
        string[] lines =
        [
            """{"id":"1","text":"Žluťoučký \"kůň\"\n\u00e9\ud83d\ude42 \\","lang":"cs","source":"s","license":"l"}""",
            "",
            """ {"license":"l", "url":null, "lang":"mt", "text":"plain", "date":"2026-01-01", "metadata":{"a":[1,{"b":2}]}, "source":"t", "id":"2"} """,
        ];
        var texts = Read(Write(name, string.Join('\n', lines)));
        Assert.Equal([("Žluťoučký \"kůň\"\né🙂 \\", "cs", "s", "1"), ("plain", "mt", "t", "2")], texts);
    }

    [Theory]
    [InlineData("""{"id":"1","text":"x","lang":"cs","source":"s"}""", "'license' is missing")]
    [InlineData("""{"id":"1","text":7,"lang":"cs","source":"s","license":"l"}""", "'text' is a number")]
    [InlineData("""{"id":"1","text":"x","text":"y","lang":"cs","source":"s","license":"l"}""", "twice")]
    [InlineData("""{"id":"1","text":"x","lang":"cs","source":"s","license":"l"} more""", "not valid JSON")]
    [InlineData("""{"id":"1","text":"\ud83d","lang":"cs","source":"s","license":"l"}""", "not valid Unicode")]
    [InlineData("\0\u0001\u0002", "not valid JSON")]
    public void A_line_that_is_no_document_is_named(string line, string expected)
    {
        string path = Write("a.jsonl", "\n" + line + "\n");
        var error = Assert.Throws<UserErrorException>(() => Read(path));
        Assert.Contains(path + ":2", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_gzip_file_that_is_cut_short_is_refused_wherever_it_is_cut()
    {
        string line = """{"id":"1","text":"some words to pack","lang":"en","source":"s","license":"l"}""" + "\n";
        byte[] packed = File.ReadAllBytes(Write("a.jsonl.gz", string.Concat(Enumerable.Repeat(line, 50))));
        foreach (int length in (int[])[0, 5, packed.Length / 2, packed.Length - 8, packed.Length - 1])
        {
            string path = Path.Combine(_folder.FullName, "cut.jsonl.gz");
            File.WriteAllBytes(path, packed[..length]);
            Assert.Contains("cut short", Assert.Throws<UserErrorException>(() => Read(path)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_text_file_comes_in_pieces_that_are_the_text()
    {
        string text = string.Concat(Enumerable.Range(0, 60_000).Select(i => i % 50 == 0 ? "κείμενο\n" : "λέξη και άλλη μία, "));
        var pieces = Read(Write("el-long.txt", text));
        Assert.True(pieces.Count > 1);
        Assert.All(pieces.SkipLast(1), piece => Assert.EndsWith("\n", piece.Text, StringComparison.Ordinal));
        Assert.All(pieces, piece => Assert.Equal("el", piece.Language));
        Assert.Equal(text, string.Concat(pieces.Select(piece => piece.Text)));
        string line = string.Concat(Enumerable.Repeat("ж", 1_500_000));
        Assert.Equal(line, string.Concat(Read(Write("x.txt", line)).Select(piece => piece.Text)));
        Assert.Equal([("", "und")], Read(Write("empty.txt", "\uFEFF")).Select(piece => (piece.Text, piece.Language)));
        Assert.Empty(Read(Write("nothing.txt", "")));
    }

    [Fact]
    public void A_binary_text_file_is_refused()
    {
        string path = Path.Combine(_folder.FullName, "x.txt");
        File.WriteAllBytes(path, [0x7F, 0x45, 0x4C, 0x46, 0xFF, 0xFE, 0x00]);
        Assert.Contains("no UTF-8", Assert.Throws<UserErrorException>(() => Read(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_line_longer_than_the_limit_is_refused_in_bounded_memory()
    {
        string path = Path.Combine(_folder.FullName, "long.jsonl");
        using (var file = new FileStream(path, FileMode.Create))
            file.SetLength(300L << 20);      // a sparse file: zeros without a line feed
        long before = GC.GetAllocatedBytesForCurrentThread();
        var error = Assert.Throws<UserErrorException>(() => Read(path));
        Assert.Contains("longer than", error.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 700L << 20);
    }

    private static List<(string Text, string Language, string Source, string Id)> Read(string path) =>
        [.. new TrainingFile(path).Read(_ => { }).Select(text => (Encoding.UTF8.GetString(text.Utf8.Span), text.Language, text.Source, text.Id))];

    private string Write(string name, string text)
    {
        string path = Path.Combine(_folder.FullName, name);
        using Stream file = File.Create(path);
        using Stream content = name.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionLevel.Fastest) : file;
        content.Write(Encoding.UTF8.GetBytes(text));
        return path;
    }
}
