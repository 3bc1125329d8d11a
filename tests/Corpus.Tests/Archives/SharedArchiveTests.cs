using System.Text;
using OpenEuroLLM.Corpus.Archives;

namespace OpenEuroLLM.Corpus.Tests.Archives;

/// <summary>Archives that other programs have written, broken ones among them.</summary>
public sealed class SharedArchiveTests
{
    /// <summary>Number of whole records; damage as offset and reason.</summary>
    [Theory]
    [InlineData("warcio-bad.arc", 1, "0 wrong-length, 134 wrong-length, 262 wrong-length")]
    [InlineData("warcio-example-bad-non-chunked.warc.gz", 6, "")]
    [InlineData("warcio-example-bad.warc.gz.bad", 6, "")]
    [InlineData("warcio-example-digest.warc", 4, "")]
    [InlineData("warcio-example-iana.org-chunked.warc", 3, "")]
    [InlineData("warcio-example-resource.warc.gz", 3, "")]
    [InlineData("warcio-example-space-in-target-uri.warc.gz", 2, "")]
    [InlineData("warcio-example-space-in-url.arc", 1, "151 cut-short")]          // the last record has 14 bytes less than it says
    [InlineData("warcio-example-trunc.warc", 3, "1197 wrong-length")]
    [InlineData("warcio-example-wget-bad-target-uri.warc.gz", 6, "")]
    [InlineData("warcio-example-wrong-chunks.warc.gz", 2, "")]
    [InlineData("warcio-example.arc", 2, "")]
    [InlineData("warcio-example.arc.gz", 2, "")]
    [InlineData("warcio-example.warc", 6, "")]
    [InlineData("warcio-example.warc.gz", 6, "")]
    [InlineData("warcio-post-test.warc.gz", 6, "")]
    [InlineData("whirlwind.warc.gz", 4, "")]
    [InlineData("whirlwind.warc.wet.gz", 2, "")]
    [InlineData("../pages.warc.gz", 178, "")]
    public void Every_whole_record_is_read_and_damage_is_told(string name, int records, string damage)
    {
        (List<WarcRecord> read, List<ArchiveDamage> told) = Read(name);
        Assert.Equal(records, read.Count);
        Assert.Equal(damage, string.Join(", ", told.Select(one => $"{one.Offset} {one.Reason}")));
    }

    [Fact]
    public void A_capture_and_its_extract_are_of_the_same_page()
    {
        WarcRecord page = Read("whirlwind.warc.gz").Records.Single(record => record.Type == WarcRecordType.Response);
        WarcRecord text = Read("whirlwind.warc.wet.gz").Records.Single(record => record.Type == WarcRecordType.Conversion);
        Assert.Equal(("https://an.wikipedia.org/wiki/Escopete", "2024-05-18T01:58:10Z", 1023L), (page.TargetUri, page.Date, page.Offset));
        Assert.Equal((page.TargetUri, 4456), (text.TargetUri, text.Block.Length));
        HttpMessage message = HttpMessage.Parse(page.Block, ArchiveLimits.Default)!;
        Assert.Equal((200, "text/html", "UTF-8", 72848, null), (message.Status, message.MediaType, message.Charset, message.Body.Length, message.Problem));
        Assert.StartsWith("<!DOCTYPE html>", Encoding.UTF8.GetString(message.Body.Span), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("warcio-example.warc.gz", 1270, null)]                 // packed with gzip
    [InlineData("warcio-example-wrong-chunks.warc.gz", 1270, null)]
    [InlineData("warcio-example.arc", 1270, null)]
    [InlineData("warcio-example-wget-bad-target-uri.warc.gz", 1270, null)]
    [InlineData("warcio-example-iana.org-chunked.warc", 7223, null)]   // in chunks
    public void Bodies_come_without_their_encodings(string name, int bytes, string? problem)
    {
        WarcRecord record = Read(name).Records.First(record => record.Type == WarcRecordType.Response);
        HttpMessage message = HttpMessage.Parse(record.Block, ArchiveLimits.Default)!;
        Assert.Equal((bytes, problem), (message.Body.Length, message.Problem));
        Assert.Contains("<html", Encoding.UTF8.GetString(message.Body.Span), StringComparison.Ordinal);
    }

    [Fact]
    public void Angle_brackets_and_blanks_in_addresses_are_understood()
    {
        Assert.Equal("http://example.com/", Read("warcio-example-wget-bad-target-uri.warc.gz").Records[1].TargetUri);
        Assert.Equal("file:///example with spaces.png", Read("warcio-example-space-in-target-uri.warc.gz").Records[1].TargetUri);
        string bad = File.ReadAllText(Path.Combine(SharedData.Web, "warc", "warcio-example-space-in-url.arc"), Encoding.Latin1);
        using var mended = new MemoryStream(Encoding.Latin1.GetBytes(bad.Replace(" 1591\n", " 1577\n", StringComparison.Ordinal)));
        using var reader = new WarcReader(mended, Packing.None);
        Assert.Equal("http://example.com/index.cfm?FuseAction=Email&EmailTitle=Examples From The Live Web&IsPopUp=False", reader.Records().Last().TargetUri);
    }

    private static (List<WarcRecord> Records, List<ArchiveDamage> Damage) Read(string name)
    {
        string path = Path.Combine(SharedData.Web, "warc", name);
        Assert.SkipUnless(File.Exists(path), "needs the shared web archives");
        using FileStream file = File.OpenRead(path);
        var damage = new List<ArchiveDamage>();
        using var reader = new WarcReader(file, name.Contains(".gz", StringComparison.Ordinal) ? Packing.Gzip : Packing.None, damage.Add);
        return ([.. reader.Records().Select(record => record with { Block = record.Block.ToArray() })], damage);
    }
}
