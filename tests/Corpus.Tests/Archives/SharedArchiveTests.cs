using OpenEuroLLM.Corpus.Archives;

namespace OpenEuroLLM.Corpus.Tests.Archives;

/// <summary>Archives that other programs have written, broken ones among them.</summary>
public sealed class SharedArchiveTests(ITestOutputHelper output)
{
    [Fact]
    public void Print()
    {
        foreach (string path in Directory.EnumerateFiles(Path.Combine(SharedData.Web, "warc")).Append(Path.Combine(SharedData.Web, "pages.warc.gz")).Order(StringComparer.Ordinal))
        {
            using FileStream file = File.OpenRead(path);
            var damage = new List<ArchiveDamage>();
            using var reader = new WarcReader(file, path.Contains(".gz", StringComparison.Ordinal) ? Packing.Gzip : Packing.None, damage.Add);
            output.WriteLine(Path.GetFileName(path));
            int n = 0;
            foreach (WarcRecord record in reader.Records())
            {
                if (n++ > 12) continue;
                HttpMessage? http = record.Type == WarcRecordType.Response ? HttpMessage.Parse(record.Block, ArchiveLimits.Default) : null;
                output.WriteLine($"  {record.Offset} {record.Type} {record.TargetUri} {record.Date} {record.Block.Length} {http?.Status} {http?.MediaType} {http?.Charset} {http?.Body.Length} {http?.Problem}");
            }
            output.WriteLine($"  = {n}; " + string.Join(", ", damage));
        }
    }
}
