using System.IO.Compression;
using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Readers;

namespace OpenEuroLLM.Corpus.Tests.Readers;

public sealed class ReaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static string Line(int number, string text = "text") => $$"""{"id":"{{number}}","text":"{{text}} {{number}}","lang":"en","source":"s","license":"l"}""";

    private static byte[] Pack(string content)
    {
        using var packed = new MemoryStream();
        using (var packing = new GZipStream(packed, CompressionLevel.Fastest)) packing.Write(Encoding.UTF8.GetBytes(content));
        return packed.ToArray();
    }

    private List<Document> Read(string? source = null, params string[] languages)
    {
        var config = new CorpusConfig(source ?? _folder.Path, languages.Length == 0 ? null : languages);
        return [.. CorpusInput.Open(config, PhysicalFileSystem.Instance).Units.SelectMany(unit => unit.Read(PhysicalFileSystem.Instance, _ => { }))];
    }

    [Fact]
    public void An_output_inside_the_source_is_refused()
    {
        var config = new CorpusConfig(_folder.Path + Path.DirectorySeparatorChar);
        foreach (string target in new[] { _folder.Path, _folder["out"], _folder["deep/out"] })
            Assert.Contains("lies in the folder that is read", Assert.Throws<UserErrorException>(() => CorpusInput.RefuseTarget(config, target, PhysicalFileSystem.Instance)).Message, StringComparison.Ordinal);
        CorpusInput.RefuseTarget(config, _folder.Path + "-out", PhysicalFileSystem.Instance);
        CorpusInput.RefuseTarget(config with { Source = CorpusConfig.SampleSource }, _folder["out"], PhysicalFileSystem.Instance);
    }

    private string Refused(string? source = null) => Assert.Throws<UserErrorException>(() => Read(source)).Message;

    [Fact]
    public void Lines_are_read_with_and_without_a_last_line_feed_a_mark_and_blank_lines()
    {
        _folder.Write("a.jsonl", "\uFEFF" + Line(1) + "\r\n\n  \n" + Line(2));
        _folder.Write("b.jsonl", Line(3) + "\n");
        _folder.Write("c.jsonl", "");
        Assert.Equal(["1", "2", "3"], Read().Select(document => document.Id));
    }

    [Fact]
    public void Lines_longer_than_every_buffer_come_whole()
    {
        string text = new('x', 300_000);
        _folder.Write("a.jsonl", Line(1, text) + "\n" + Line(2) + "\n" + Line(3, text));
        Assert.Equal([300_002, 6, 300_002], Read().Select(document => document.Text.Length));
    }

    [Fact]
    public void A_line_without_end_is_refused()
    {
        using var stream = new MemoryStream(new byte[100_000]);
        Assert.Throws<InvalidDataException>(() => new LineReader(stream, maxLineBytes: 70_000).TryRead(out _));
    }

    [Fact]
    public void Packed_lines_are_read_in_one_member_or_several()
    {
        File.WriteAllBytes(_folder["a.jsonl.gz"], [.. Pack(Line(1) + "\n"), .. Pack(Line(2) + "\n")]);
        Assert.Equal(["1", "2"], Read().Select(document => document.Id));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(40)]
    [InlineData(-9)]
    [InlineData(-8)]
    [InlineData(-1)]
    public void A_packed_file_that_is_cut_short_is_refused(int length)
    {
        byte[] whole = Pack(string.Concat(Enumerable.Range(0, 50).Select(number => Line(number) + "\n")));
        File.WriteAllBytes(_folder["a.jsonl.gz"], whole[..(length < 0 ? whole.Length + length : length)]);
        string message = Refused();
        Assert.Contains("a.jsonl.gz:", message, StringComparison.Ordinal);
        Assert.Contains("damaged or cut short", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_packed_file_with_a_changed_bit_or_other_bytes_behind_is_refused()
    {
        byte[] whole = Pack(string.Concat(Enumerable.Range(0, 50).Select(number => Line(number) + "\n")));
        File.WriteAllBytes(_folder["a.jsonl.gz"], [.. whole, 1, 2, 3]);
        Assert.Contains("damaged or cut short", Refused(), StringComparison.Ordinal);
        whole[^6] ^= 1;
        File.WriteAllBytes(_folder["a.jsonl.gz"], whole);
        Assert.Contains("damaged or cut short", Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_bad_line_is_named_by_file_and_line()
    {
        _folder.Write("a.jsonl", Line(1) + "\n" + Line(2) + "\n{\"id\":\"3\"}\n");
        Assert.Contains("a.jsonl:3: ", Refused(), StringComparison.Ordinal);
        _folder.Write("a.jsonl", Line(1) + "\nno json\n");
        Assert.Contains("a.jsonl:2: ", Refused(), StringComparison.Ordinal);
        _folder.Write("a.jsonl", Line(1)[..^1] + ",\"metadata\":{\"messages\":[{\"role\":\"robot\",\"content\":\"x\"}]}}");
        Assert.Contains("a.jsonl:1: metadata.messages has the role 'robot'", Refused(), StringComparison.Ordinal);
        _folder.Write("a.jsonl", Line(1)[..^1] + ",\"metadata\":{\"messages\":\"x\"}}");
        Assert.Contains("a.jsonl:1: metadata.messages is not a list", Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_text_file_is_a_document_in_the_language_of_its_folder_or_name()
    {
        _folder.Write("cs/dopis.txt", "Milá Jano,\n\nděkuji.");
        _folder.Write("fi-kirje.txt", "Hei!");
        _folder.Write("sv.txt", "\uFEFFHej!");
        List<Document> documents = Read();
        Assert.Equal(["cs", "fi", "sv"], documents.Select(document => document.Lang));
        Assert.Equal("Milá Jano,\n\nděkuji.", documents[0].Text);
        Assert.Equal("Hej!", documents[2].Text);
        Assert.Equal(("source/cs/dopis.txt", "text", "unknown"), (documents[0].Id, documents[0].Source, documents[0].License));
        Assert.Equal("Hei!", Assert.Single(Read(_folder["fi-kirje.txt"])).Text);
    }

    [Fact]
    public void A_text_file_of_unknown_language_needs_the_one_asked_for()
    {
        _folder.Write("letter.txt", "Hello.");
        Assert.Contains("its language is unknown", Refused(), StringComparison.Ordinal);
        Assert.Equal("ga", Assert.Single(Read(null, "ga")).Lang);
    }

    [Fact]
    public void A_text_file_that_is_not_utf8_is_refused()
    {
        File.WriteAllBytes(_folder["en.txt"], [(byte)'a', 0xE9, (byte)'b']);
        Assert.Contains("byte 1 is not UTF-8", Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_source_without_text_is_refused_and_says_what_is_expected()
    {
        Assert.Contains("holds no text", Refused(), StringComparison.Ordinal);
        Assert.Contains("is not there", Refused(_folder["missing"]), StringComparison.Ordinal);
        _folder.Write("a.jpg", "");
        Assert.Contains("holds no text", Refused(), StringComparison.Ordinal);
    }
}
