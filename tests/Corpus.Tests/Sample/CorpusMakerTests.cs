using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Making;

namespace OpenEuroLLM.Corpus.Tests.Sample;

public sealed class CorpusMakerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_same_seed_makes_the_same_bytes_in_one_file_or_several()
    {
        Make("all.jsonl", 0, 300);
        Make("first.jsonl", 0, 120);
        Make("second.jsonl", 120, 180);
        byte[] all = File.ReadAllBytes(_folder["all.jsonl"]);
        byte[] joined = [.. File.ReadAllBytes(_folder["first.jsonl"]), .. File.ReadAllBytes(_folder["second.jsonl"])];
        Assert.True(all.AsSpan().SequenceEqual(joined));
        CorpusMaker.Open([], ["de", "fi"], seed: 2).Write(_folder["other.jsonl"], 0, 300, cancellation: TestContext.Current.CancellationToken);
        Assert.False(all.AsSpan().SequenceEqual(File.ReadAllBytes(_folder["other.jsonl"])));
    }

    [Fact]
    public void Good_documents_are_distinct_and_copies_are_found()
    {
        CorpusMaker.Open([], ["de"], seed: 1, MutationShares.None).Write(_folder["good.jsonl"], 0, 500, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(500, Documents("good.jsonl").Select(document => document.Text).Distinct().Count());

        MadeCorpus made = Make("mixed.jsonl", 0, 2000);
        Assert.All(Enum.GetValues<MadeKind>(), kind => Assert.True(made.Kinds.GetValueOrDefault(kind) > 0, $"no document is {kind}"));
        int copies = 2000 - Documents("mixed.jsonl").Select(document => document.Text).Distinct().Count();
        // A word may be replaced by itself: a near copy is now and then an exact one.
        Assert.InRange(copies, made.Kinds[MadeKind.ExactCopy], made.Kinds[MadeKind.ExactCopy] + 10);
    }

    [Fact]
    public void Web_archives_of_made_pages_are_read_again()
    {
        Directory.CreateDirectory(_folder["pages"]);
        MadeCorpus made = CorpusMaker.Open([], ["de"], seed: 1, MutationShares.None).Write(_folder["pages/de-made.warc.gz"], 0, 100, cancellation: TestContext.Current.CancellationToken);
        Manifest manifest = CorpusStage.Run(new CorpusConfig(_folder["pages"], ["de"], [new UnicodeNormalization()]), _folder["corpus"], new LocalLauncher(1), cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(made.Documents, Assert.Single(CorpusReport.Of(manifest)).Read);
    }

    private MadeCorpus Make(string name, long first, long documents) =>
        CorpusMaker.Open([], ["de", "fi"], seed: 1).Write(_folder[name], first, documents, cancellation: TestContext.Current.CancellationToken);

    private IEnumerable<Document> Documents(string name) => File.ReadLines(_folder[name]).Select(line => Document.Parse(System.Text.Encoding.UTF8.GetBytes(line), name));
}
