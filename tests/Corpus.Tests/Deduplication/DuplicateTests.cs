using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Deduplication;

namespace OpenEuroLLM.Corpus.Tests.Deduplication;

public sealed class DuplicateTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static Document Text(string text, string? url = null, string language = "en") => new("1", text, language, "test", "CC0-1.0", url);

    [Fact]
    public void The_first_of_equal_texts_stays_whatever_the_rest() =>
        Assert.Equal([false, false, true, false, true], Decide(new ExactDuplicates(), [Text("one"), Text("two"), Text("one", language: "fr"), Text("ONE"), Text("two")]));

    [Fact]
    public void The_first_of_an_address_stays_and_documents_without_one() => Assert.Equal(
        [false, true, false, false, false, true],
        Decide(new UrlDuplicates(Source: null),
        [
            Text("a", "https://www.example.eu/page/?utm_source=x&b=2&a=1#top"), Text("b", "http://example.eu/page?a=1&b=2"), Text("c"), Text("d"),
            Text("e", "https://example.eu/page?a=1&b=3"), Text("f", "https://EXAMPLE.eu:443/page/index.html?b=3&a=1"),
        ]));

    [Fact]
    public void An_address_that_names_a_collection_makes_no_duplicates() =>
        Assert.Equal([false, false], Decide(new UrlDuplicates(), [Text("a", "https://example.eu/texts"), Text("b", "https://example.eu/texts")]));

    [Theory]
    [InlineData("https://www.Example.eu/", "example.eu")]
    [InlineData("http://example.eu:80/a/index.PHP", "example.eu/a")]
    [InlineData("http://example.eu:8080/a/", "example.eu:8080/a")]
    [InlineData("https://example.eu/a;jsessionid=17", "example.eu/a")]
    [InlineData("https://example.eu/a?fbclid=1&utm_medium=mail", "example.eu/a")]
    [InlineData("https://example.eu/a?sid=17", "example.eu/a?sid=17")]
    [InlineData("https://example.eu/a?sid=0123456789abcdef", "example.eu/a")]
    [InlineData("https://δοκιμή.gr/σελίδα", "xn--jxalpdlp.gr/%CF%83%CE%B5%CE%BB%CE%AF%CE%B4%CE%B1")]
    [InlineData("https://xn--jxalpdlp.gr/%CF%83%CE%B5%CE%BB%CE%AF%CE%B4%CE%B1", "xn--jxalpdlp.gr/%CF%83%CE%B5%CE%BB%CE%AF%CE%B4%CE%B1")]
    [InlineData("urn:isbn:1", null)]
    [InlineData("not an address", null)]
    [InlineData(null, null)]
    public void Addresses_have_one_form(string? url, string? expected) => Assert.Equal(expected, CanonicalUrl.Of(url));

    [Fact]
    public void Punctuation_layout_and_capitals_make_no_shingle()
    {
        Assert.Equal(ShinglesOf("Ένα δύο τρία τέσσερα πέντε έξι"), ShinglesOf("ένα,  ΔΎΟ\nτρία – «τέσσερα» πέντε: έξι!"));
        Assert.NotEqual(ShinglesOf("one two three four five"), ShinglesOf("two one three four five"));
        Assert.Equal(2, ShinglesOf("one two three four five six").Count);
        Assert.Single(ShinglesOf("one two"));
        Assert.Empty(ShinglesOf("… – !"));

        static List<uint> ShinglesOf(string text)
        {
            var hashes = new List<uint>();
            Shingles.Add(text, 5, hashes);
            return hashes;
        }
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.5)]
    [InlineData(0.8)]
    [InlineData(0.95)]
    public void Signatures_estimate_the_similarity_of_sets(double jaccard)
    {
        var minHash = MinHash.Of(256);
        const int union = 2000;
        int shared = (int)(union * jaccard);
        double sum = 0;
        for (int trial = 0; trial < 50; trial++)
        {
            var random = new CounterRandom((ulong)trial, 0);
            uint[] all = [.. Enumerable.Range(0, union).Select(i => (uint)random.At((ulong)i))];
            int middle = shared + (union - shared) / 2;
            byte[] one = new byte[256], other = new byte[256];
            minHash.Sign(all.AsSpan(..middle), one);
            minHash.Sign([.. all[..shared], .. all[middle..]], other);
            sum += minHash.Similarity(one, other);
        }
        Assert.Equal(jaccard, sum / 50, 0.015);   // the mean of 50 estimates has a standard deviation of at most 0.0045
    }

    [Fact]
    public void Near_duplicates_are_found_and_others_are_not()
    {
        const int groups = 2_000;
        var (documents, kind) = Planted(groups);
        bool[] dropped = Decide(new NearDuplicates(), documents);
        int Share(string wanted) => Enumerable.Range(0, documents.Count).Count(i => kind[i] == wanted && dropped[i]);
        Assert.True(Share("alike") >= 0.95 * groups, $"{Share("alike")} of {groups} found");
        Assert.Equal(0, Share("original"));
        Assert.Equal(0, Share("half"));
    }

    [Theory]
    [InlineData(1, 1L << 20)]
    [InlineData(2, 1L << 20)]
    [InlineData(3, 4096)]
    public void The_outcome_depends_on_neither_units_nor_workers_nor_memory(int workers, long memory)
    {
        var (documents, _) = Planted(300);
        foreach (DuplicateStep step in (DuplicateStep[])[new NearDuplicates(), new ExactDuplicates()])
            Assert.Equal(Decide(step, documents), Decide(step, documents, unitSize: 17 * workers, workers, memory));
    }

    [Fact]
    public void Pairs_are_found_again_by_their_later_rows()
    {
        var pairs = new RowPairs();
        foreach ((int first, int later) in ((int, int)[])[(7, 3_000), (0, 5), (2, 5), (0, 5), (1, 2_000_000_000), (4, 9)]) pairs.Add(first, later);
        for (int row = 10; row < 2_000; row++) pairs.Add(row - 1, row);
        pairs.Write(PhysicalFileSystem.Instance, _folder["some.pairs"], "key", "test");
        Assert.Null(RowPairFile.TryOpen(PhysicalFileSystem.Instance, _folder["some.pairs"], "kez"));
        Assert.Null(RowPairFile.TryOpen(PhysicalFileSystem.Instance, _folder["no.pairs"], "key"));
        RowPairFile file = RowPairFile.TryOpen(PhysicalFileSystem.Instance, _folder["some.pairs"], "key")!;
        Assert.Equal([new(0, 5), new(2, 5)], file.Of(0, 9));
        Assert.Equal([new(4, 9), new(9, 10)], file.Of(9, 11));
        Assert.Equal([new(1_998, 1_999), new(7, 3_000), new(1, 2_000_000_000)], file.Of(1_999, int.MaxValue));
        Assert.Empty(file.Of(6, 9));
        Assert.Equal(1_995, file.Of(0, int.MaxValue).Count());
    }

    [Fact]
    public void The_plan_says_how_likely_pairs_are_joined()
    {
        var plan = new NearDuplicates().Plan();
        Assert.Equal(1.0, plan[^1].Jaccard);
        Assert.Equal(1.0, plan[^1].Probability, 1e-9);
        Assert.True(plan.Single(row => row.Jaccard == 0.8).Probability > 0.98);
        Assert.True(plan.Single(row => row.Jaccard == 0.5).Probability < 1e-6);
        Assert.All(plan.Zip(plan.Skip(1)), pair => Assert.True(pair.First.Probability <= pair.Second.Probability + 1e-12));
    }

    /// <summary>Groups of documents of random words: an original, one with a similarity of 0.8 to it, and one with 0.5.</summary>
    private static (List<Document> Documents, List<string> Kind) Planted(int groups)
    {
        const int words = 405;   // 401 shingles
        var documents = new List<Document>();
        var kind = new List<string>();
        for (int group = 0; group < groups; group++)
        {
            var random = new CounterRandom((ulong)group, 7);
            string[] original = [.. Enumerable.Range(0, words).Select(i => $"w{random.At((ulong)i):x}")];
            Add(original, "original");
            // A changed word changes 5 shingles: with c words changed far apart, similarity is (401 - 5c) / (401 + 5c).
            Add(Changed(original, 8), "alike");     // 361 / 441 = 0.82
            Add(Changed(original, 27), "half");     // 266 / 536 = 0.50
        }
        return (documents, kind);

        void Add(string[] text, string what)
        {
            documents.Add(Text(string.Join(' ', text)));
            kind.Add(what);
        }

        static string[] Changed(string[] text, int changes) => [.. text.Select((word, i) => i % (text.Length / changes) == 7 && i / (text.Length / changes) < changes ? "x" + word : word)];
    }

    private bool[] Decide(DuplicateStep step, List<Document> documents, int unitSize = int.MaxValue, int workers = 1, long memory = 1L << 24)
    {
        string[] paths = [.. documents.Chunk(Math.Min(unitSize, documents.Count)).Select((unit, number) =>
        {
            string path = _folder[$"{number}.measures"];
            using FileStream file = File.Create(path);
            var rows = new MeasureRows(step.MeasureBytes);
            foreach (Document document in unit)
            {
                rows.Begin(0);
                step.Measure(document, rows);
                file.Write(rows.Bytes);
            }
            return path;
        })];
        using var table = new MeasureTable(PhysicalFileSystem.Instance, paths, step.MeasureBytes);
        IReadOnlyList<KeyPart> parts = KeyPart.Of(table.Rows, step.KeyBytes, step.Kinds, memory);
        new LocalLauncher(workers).Run(parts.Count, part =>
        {
            var found = new RowPairs();
            step.Compare(table, parts[part], found, TestContext.Current.CancellationToken);
            found.Write(PhysicalFileSystem.Instance, _folder[$"{part}.pairs"], "key", "test");
        });
        var clusters = new Clusters(table.Rows);
        for (int part = 0; part < parts.Count; part++)
            foreach (RowPair pair in RowPairFile.TryOpen(PhysicalFileSystem.Instance, _folder[$"{part}.pairs"], "key")!.Of(0, table.Rows)) clusters.Join(pair.First, pair.Later);
        return [.. Enumerable.Range(0, table.Rows).Select(row => clusters.First(row) != row)];
    }
}
