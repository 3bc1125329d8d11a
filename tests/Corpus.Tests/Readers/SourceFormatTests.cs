using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Archives;
using OpenEuroLLM.Corpus.Readers;
using OpenEuroLLM.Corpus.Tests.Archives;

namespace OpenEuroLLM.Corpus.Tests.Readers;

public sealed class SourceFormatTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<SkippedInput> _skipped = [];

    public void Dispose() => _folder.Dispose();

    private static string Line(int number, string text = "text") => $$"""{"id":"{{number}}","text":"{{text}} {{number}}","lang":"en","source":"s","license":"l"}""";

    private List<Document> Read(CorpusConfig? config = null)
    {
        _skipped.Clear();
        CorpusInput input = CorpusInput.Open((config ?? new CorpusConfig()) with { Source = _folder.Path }, PhysicalFileSystem.Instance);
        return [.. input.Units.SelectMany(unit => unit.Read(PhysicalFileSystem.Instance, _ => { }, _skipped.Add))];
    }

    private string Refused(CorpusConfig? config = null) => Assert.Throws<UserErrorException>(() => Read(config)).Message;

    [Theory]
    [InlineData("a.jsonl", true)]
    [InlineData("a.JSONL.gz", true)]
    [InlineData("a.warc.wet.gz", true)]
    [InlineData("a.arc", true)]
    [InlineData("a.warc.zst", true)]
    [InlineData("a.htm", true)]
    [InlineData("a.tsv.gz", true)]
    [InlineData("a.gz", false)]
    [InlineData("a.jsonl.bz2", false)]
    [InlineData("jsonl", false)]
    public void An_ending_says_the_format_and_the_packing(string name, bool known) => Assert.Equal(known, SourceFormat.Of(name) is not null);

    [Fact]
    public void Every_format_is_read_packed_in_every_way()
    {
        string[] packings = Zstandard.IsAvailable ? ["", ".gz", ".zst"] : ["", ".gz"];
        foreach (string packing in packings)
        {
            void Write(string name, string content) => File.WriteAllBytes(_folder[name + packing], packing switch { "" => ArchiveFile.Bytes(content), ".gz" => ArchiveFile.Gzip(ArchiveFile.Bytes(content)), _ => ArchiveFile.Zstd(ArchiveFile.Bytes(content)) });
            Write("a.jsonl", Line(1) + "\n");
            Write("b.csv", "id,text,lang\n2,\"two, too\",fi\n");
            Write("c.tsv", "id\ttext\tlang\n3\tthree\tfi\n");
            Write("fi-d.txt", "four");
            Write("e.warc", Encoding.UTF8.GetString(ArchiveFile.Record(5, "five")));
            Write("ga-f.html", "<html><body><article><p>" + string.Join(' ', Enumerable.Repeat("Is leathanach é seo agus tá téacs air, abairt i ndiaidh abairte.", 20)) + "</p></article></body></html>");
        }
        List<Document> documents = Read();
        Assert.Equal(6 * packings.Length, documents.Count);
        Assert.Equal(["en", "fi", "fi", "und", "fi", "ga"], documents.Where((_, index) => index % packings.Length == 0).Select(document => document.Lang));
        Assert.Contains(documents, document => document.Text == "two, too" && document.Id == "2");
        Assert.Contains(documents, document => document.Text == "five" && document.Url == "http://example.org/5");
        Assert.Contains(documents, document => document.Lang == "ga" && document.Text.StartsWith("Is leathanach", StringComparison.Ordinal));
        Assert.Empty(_skipped);
    }

    [Fact]
    public void Any_division_of_a_file_into_ranges_gives_the_same_documents()
    {
        var random = new Random(41);
        _folder.Write("a.jsonl", "\uFEFF" + string.Concat(Enumerable.Range(0, 60).Select(number => Line(number, new string('x', random.Next(40))) + (number % 5 == 0 ? "\r\n\n" : "\n"))));
        File.WriteAllBytes(_folder["b.warc"], ArchiveFile.Join(ArchiveFile.Records(20)));
        File.WriteAllBytes(_folder["c.warc.gz"], ArchiveFile.Join(ArchiveFile.Records(20).Select(record => ArchiveFile.Gzip(record))));
        string[] whole = [.. Read().Select(document => document.Id + document.Text)];
        Assert.Equal(100, whole.Length);
        foreach (long bytes in (long[])[1, 7, 64, 100, 333, 1000, 5000]) Assert.Equal(whole, Read(new CorpusConfig(UnitBytes: bytes)).Select(document => document.Id + document.Text));
    }

    [Fact]
    public void Few_bad_lines_are_passed_over_and_told_and_many_stop_the_run()
    {
        string[] lines = [.. Enumerable.Range(0, 300).Select(number => Line(number))];
        (lines[70], lines[200]) = ("no json", "{\"id\":\"3\"}");
        _folder.Write("a.jsonl", string.Join('\n', lines));
        Assert.Equal(298, Read().Count);
        Assert.Equal([new SkippedInput("bad-line", _folder["a.jsonl"] + ":71"), new SkippedInput("bad-line", _folder["a.jsonl"] + ":201")], _skipped);
        Assert.Contains("a.jsonl:71: ", Refused(new CorpusConfig(BadLineShare: 0)), StringComparison.Ordinal);
        Assert.Contains("a.jsonl:71: ", Refused(new CorpusConfig(BadLineShare: 0.005)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_line_of_any_length_is_passed_over_in_bounded_memory()
    {
        using (FileStream file = File.Create(_folder["a.jsonl"]))
        {
            for (int number = 0; number < 200; number++) file.Write(ArchiveFile.Bytes(Line(number) + "\n"));
            byte[] piece = new byte[1 << 20];
            Array.Fill(piece, (byte)'x');
            for (int i = 0; i < 66; i++) file.Write(piece);
            file.Write(ArchiveFile.Bytes("\n" + Line(1000)));
        }
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(201, Read().Count);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 140 << 20);
        Assert.Equal("line-too-long", Assert.Single(_skipped).Reason);
    }

    [Fact]
    public void A_packed_file_that_is_cut_short_gives_its_lines_where_most_are_there()
    {
        byte[] first = ArchiveFile.Gzip(ArchiveFile.Bytes(string.Concat(Enumerable.Range(0, 500).Select(number => Line(number) + "\n")))), second = ArchiveFile.Gzip(ArchiveFile.Bytes(Line(500)));
        File.WriteAllBytes(_folder["a.jsonl.gz"], [.. first, .. second[..^3]]);
        Assert.InRange(Read().Count, 500, 501);
        Assert.Equal("cut-short", Assert.Single(_skipped).Reason);
    }

    [Fact]
    public void Chats_and_preferences_become_documents_with_turns()
    {
        _folder.Write("fi-chats.jsonl", """
            {"messages":[{"role":"user","content":"Hei!"},{"role":"assistant","content":"Hei hei!"}],"id":7,"rating":5}
            {"conversations":[{"from":"system","value":"Vastaa."},{"from":"human","value":"Mitä?"},{"from":"gpt","value":"Tätä."}]}
            {"prompt":"Kuka?","chosen":"Minä.","rejected":"Sinä."}
            {"prompt":[{"role":"user","content":"Missä?"}],"chosen":[{"role":"assistant","content":"Täällä."}],"rejected":[{"role":"assistant","content":"Siellä."}]}
            {"chosen":[{"role":"user","content":"Miksi?"},{"role":"assistant","content":"Siksi."}],"rejected":[{"role":"user","content":"Miksi?"},{"role":"assistant","content":"En tiedä."}]}
            {"text":"Pelkkä teksti.","lang":"sv"}
            """);
        List<Document> documents = Read(new CorpusConfig(TextLicense: "CC0-1.0"));
        Assert.Equal(["Hei!\n\nHei hei!", "Vastaa.\n\nMitä?\n\nTätä.", "Kuka?\n\nMinä.", "Missä?\n\nTäällä.", "Miksi?\n\nSiksi.", "Pelkkä teksti."], documents.Select(document => document.Text));
        Assert.Equal(["7", "source/fi-chats.jsonl:2"], documents.Take(2).Select(document => document.Id));
        Assert.Equal(("fi", "fi-chats", "CC0-1.0"), (documents[0].Lang, documents[0].Source, documents[0].License));
        Assert.Equal("sv", documents[5].Lang);
        Assert.Equal([("system", "Vastaa."), ("user", "Mitä?"), ("assistant", "Tätä.")], ChatMessages.Of(documents[1].Metadata)!);
        Assert.Equal(["Sinä.", "Siellä.", "En tiedä."], documents.Skip(2).Take(3).Select(document => (string?)document.Metadata!["rejected"]));
        Assert.Equal(5, (int?)documents[0].Metadata!["rating"]);
    }

    [Theory]
    [InlineData("{\"messages\":[]}", "the messages are not a list")]
    [InlineData("{\"messages\":[{\"role\":\"user\"}]}", "a message has no 'content'")]
    [InlineData("{\"lang\":\"fi\",\"messages\":[{\"role\":\"robot\",\"content\":\"x\"}]}", "has the role 'robot'")]
    [InlineData("{\"prompt\":5,\"chosen\":\"x\"}", "field 'prompt' is neither")]
    [InlineData("{\"text\":5}", "field 'text' is not a string")]
    [InlineData("{\"text\":\"x\"}", "the language of the text is unknown")]
    [InlineData("{\"text\":\"x\",\"text\":\"y\"}", "not valid")]
    public void A_chat_that_cannot_be_read_is_named_with_what_is_wrong(string line, string words)
    {
        _folder.Write("a.jsonl", line);
        string message = Refused();
        Assert.Contains("a.jsonl:1: ", message, StringComparison.Ordinal);
        Assert.Contains(words, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Columns_are_found_by_name_or_number()
    {
        _folder.Write("a.csv", "key,body,note\n1,Teksti,ok\n2,,empty\n");
        CorpusConfig named = new(Languages: ["fi"], Columns: new ColumnNames(Text: "body", Id: "key"), BadLineShare: 0.5);
        Document document = Assert.Single(Read(named));
        Assert.Equal(("1", "Teksti", "fi", "ok"), (document.Id, document.Text, document.Lang, (string?)document.Metadata!["note"]));
        Assert.Equal(_folder["a.csv"] + ":3", Assert.Single(_skipped).Place);
        Assert.Contains("has the columns 'key', 'body', 'note'; expected one named 'text'", Refused(), StringComparison.Ordinal);
        Assert.Equal(["key", "1", "2"], Read(new CorpusConfig(Languages: ["fi"], Columns: new ColumnNames(Text: "3", Id: "1"))).Select(read => read.Id));
    }

    [Fact]
    public void Pages_of_archives_become_documents_and_the_rest_is_counted()
    {
        byte[] Response(int number, string head, byte[] body) => ArchiveFile.Record(number, [.. ArchiveFile.Bytes($"HTTP/1.1 {head}\r\n\r\n"), .. body], "response");
        string words = string.Join(' ', Enumerable.Repeat("Příliš žluťoučký kůň úpěl ďábelské ódy a běžel dál.", 20));
        byte[] latin2 = OpenEuroLLM.Corpus.Encodings.CharacterEncoding.Of("iso-8859-2").TryEncode($"<html lang=cs><title>Kůň</title><body><article><p>{words}</p></article>")!;
        byte[] cutShort = ArchiveFile.Gzip(Response(9, "200 OK\r\nContent-Type: text/html", latin2));
        File.WriteAllBytes(_folder["a.warc.gz"], ArchiveFile.Join(((byte[][])
        [
            Response(1, "200 OK\r\nContent-Type: text/html", latin2),
            Response(2, "404 Not Found\r\nContent-Type: text/html", latin2),
            Response(3, "200 OK\r\nContent-Type: image/png", [1, 2, 3]),
            Response(4, "200 OK\r\nContent-Type: text/html\r\nContent-Encoding: compress", latin2),
            Response(5, "200 OK\r\nContent-Type: text/html", ArchiveFile.Bytes("<html><body></body>")),
            ArchiveFile.Record(6, ArchiveFile.Bytes("GET / HTTP/1.1\r\n\r\n"), "request"),
        ]).Select(record => ArchiveFile.Gzip(record)).Append(cutShort[..^20])));
        Document document = Assert.Single(Read());
        Assert.Equal(("urn:test:1", "und", "http://example.org/1", "iso-8859-2", "Kůň"), (document.Id, document.Lang, document.Url, (string?)document.Metadata!["encoding"], (string?)document.Metadata!["title"]));
        Assert.Equal(words, document.Text.Trim());
        Assert.Equal(["not-found", "other-type", "unknown-coding", "no-text", "other-record", "cut-short"], _skipped.Select(skipped => skipped.Reason));
    }
}
