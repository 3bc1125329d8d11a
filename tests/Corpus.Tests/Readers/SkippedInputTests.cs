using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Tests.Archives;

namespace OpenEuroLLM.Corpus.Tests.Readers;

public sealed class SkippedInputTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_is_no_document_stands_in_the_manifest_and_the_log_whatever_the_number_of_workers_and_after_an_interruption()
    {
        for (int file = 0; file < 3; file++)
        {
            string[] lines = [.. Enumerable.Range(0, 200).Select(number => $$"""{"id":"{{file}}-{{number}}","text":"This is text number {{number}} of file {{file}}.","lang":"en","source":"s","license":"l"}""")];
            lines[100] = "spoilt";
            _folder.Write($"texts/{file}.jsonl", string.Join('\n', lines));
        }
        byte[][] members = [.. ArchiveFile.Records(5).Select(record => ArchiveFile.Gzip(record))];
        members[2][^5] ^= 1;
        Directory.CreateDirectory(_folder["texts/en"]);
        File.WriteAllBytes(_folder["texts/en/pages.warc.gz"], ArchiveFile.Join(members));
        var config = new CorpusConfig(_folder["texts"], UnitBytes: 5000, BadLineShare: 0.05);

        Manifest manifest = CorpusStage.Run(config, _folder["one"], new LocalLauncher(1), cancellation: TestContext.Current.CancellationToken);
        Assert.Equal([("bad-line", 3L), ("damaged", 1L)], manifest.Counts.Where(count => count.Step == CorpusReport.SourceStep).Select(count => (count.Reason, count.Documents)));
        Assert.Equal(601, manifest.Counts.Where(count => count.Step == CorpusReport.ReadStep).Sum(count => count.Documents));
        string[] log = File.ReadAllLines(_folder["one/skipped.jsonl"]);
        Assert.Equal(4, log.Length);
        Assert.Contains(log, line => line.Contains($"pages.warc.gz: byte {members[0].Length + members[1].Length}\",\"reason\":\"damaged\"", StringComparison.Ordinal));

        Assert.Throws<UserErrorException>(() => CorpusStage.Run(config, _folder["two"], new LocalLauncher(2), fileSystem: new FailingFiles { WritesLeft = 9 }, cancellation: TestContext.Current.CancellationToken));
        CorpusStage.Run(config, _folder["two"], new LocalLauncher(2), cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(TemporaryFolder.Contents(_folder["one"]), TemporaryFolder.Contents(_folder["two"]));
    }
}
