using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Privacy.Rights;

namespace OpenEuroLLM.Privacy.Tests.Rights;

public sealed class PolicyStoreTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("oellm-policies-").FullName;

    private string Store => Path.Combine(_folder, "store");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private PolicyStoreSummary Write(IEnumerable<SiteFile> files, string? store = null, long memoryBytes = 1 << 20)
    {
        using PolicyStoreWriter writer = PolicyStoreWriter.Create(store ?? Store, memoryBytes: memoryBytes);
        foreach (SiteFile file in files) writer.Add(file);
        return writer.Commit();
    }

    private static List<SiteFile> Many(int hosts, int seed = 3)
    {
        var random = new Random(seed);
        var files = new List<SiteFile>();
        for (int host = 0; host < hosts; host++)
        {
            for (int version = random.Next(1, 4); version > 0; version--)
            {
                string name = $"https://h{host}.example/", rules = $"User-agent: {(random.Next(3) == 0 ? "GPTBot" : "Googlebot")}\nDisallow: /\n# é {random.Next(2)}\n";
                files.Add(Sites.File(name + "robots.txt", rules, Sites.Spring.AddHours(random.Next(1000)), random.Next(8) == 0 ? 404 : 200));
            }
            if (random.Next(4) == 0) files.Add(Sites.File($"https://h{host}.example/.well-known/tdmrep.json", Encoding.UTF8.GetBytes("\u0000[\\").Append((byte)0xFF).ToArray()));
        }
        return files;
    }

    private static List<string> Lines(string store) => [.. File.ReadAllLines(Path.Combine(Directory.GetDirectories(store).Order(StringComparer.Ordinal).Last(), PolicyStoreFiles.Lines))];

    [Fact]
    public void Verdicts_from_a_store_are_those_from_memory()
    {
        List<SiteFile> files = Many(200);
        Write(files);
        using PolicyStore store = PolicyStore.Open(Store, cacheBytes: 20_000);   // so small that most is read again and again
        PoliciesInMemory memory = Sites.Of([.. files]);
        int excluded = 0;
        for (int page = 0; page < 3_000; page++)
        {
            string url = $"https://h{page * 7 % 210}.example/{page}";
            DateTimeOffset fetched = Sites.Spring.AddHours(page % 1000);
            RightsPolicy policy = page % 2 == 0 ? RightsPolicy.Default : new RightsPolicy { Retroactive = false };
            string expected = Sites.Judge(url, memory, policy, fetched).ToJson();
            Assert.Equal(expected, Sites.Judge(url, store, policy, fetched).ToJson());
            if (expected.Contains("\"excluded\":true", StringComparison.Ordinal)) excluded++;
        }
        Assert.InRange(excluded, 300, 2_500);
    }

    [Fact]
    public void The_order_of_adding_and_of_updates_makes_no_difference_and_neither_does_the_memory()
    {
        List<SiteFile> files = Many(100);
        PolicyStoreSummary all = Write(files);
        string second = Path.Combine(_folder, "second"), third = Path.Combine(_folder, "third");
        Write(files.AsEnumerable().Reverse(), second, memoryBytes: 5_000);   // many runs on the disk
        foreach (IEnumerable<SiteFile> part in files.Chunk(60)) Write(part, third);
        Write(files.Take(100), third);   // again
        Assert.Equal(Lines(Store), Lines(second));
        Assert.Equal(Lines(Store), Lines(third));
        Assert.Equal(100, all.Hosts);
        Assert.Equal(files.Select(file => (file.Host, file.Kind, file.Url, file.Fetched, file.Status, file.Sha256)).Distinct().Count(), all.Files.Values.Sum());
        Assert.Equal(["000001"], Directory.GetDirectories(second).Select(Path.GetFileName));
        Assert.Null(ManifestVerifier.Verify(Directory.GetDirectories(third).Single()).Problem);
    }

    [Fact]
    public void A_content_is_kept_once_for_all_its_fetches()
    {
        string rules = "User-agent: GPTBot\nDisallow: /\n" + new string('#', 10_000);
        Write(Enumerable.Range(0, 50).Select(day => Sites.File("https://example.org/robots.txt", rules, Sites.Spring.AddDays(day))));
        Assert.Equal(50, Lines(Store).Count);
        Assert.True(Lines(Store).Sum(line => line.Length) < 30_000);
        using PolicyStore store = PolicyStore.Open(Store);
        Assert.True(Sites.Judge("https://example.org/", store, new RightsPolicy { Retroactive = false }, Sites.Spring).Excluded);
    }

    [Fact]
    public void Of_one_address_the_newest_fetches_are_kept_and_the_others_counted()
    {
        PolicyStoreSummary summary = Write(Enumerable.Range(0, 100).Select(day => Sites.File("https://example.org/robots.txt", $"# {day}", Sites.Spring.AddDays(day))));
        Assert.Equal((36, 64), (summary.LeftOut, summary.Files["robots 2xx"]));
        Assert.Contains("# 99", Lines(Store)[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_long_file_is_kept_as_far_as_it_is_read_with_the_hash_of_all_of_it()
    {
        byte[] content = new byte[3 << 20];
        content.AsSpan().Fill((byte)'#');
        Write([Sites.File("https://example.org/robots.txt", content)]);
        using PolicyStore store = PolicyStore.Open(Store);
        RightsSignal signal = Sites.Judge("https://example.org/", store).Only(RightsProtocol.Robots);
        Assert.Equal(RightsSignal.Hash(content), signal.DocumentSha256);
        Assert.NotNull(signal.Problem);
    }

    [Fact]
    public void An_update_that_is_broken_off_leaves_the_store_as_it_was()
    {
        Write(Many(20));
        List<string> before = Lines(Store);
        using (PolicyStoreWriter writer = PolicyStoreWriter.Create(Store, memoryBytes: 1000))
        {
            foreach (SiteFile file in Many(50, seed: 4)) writer.Add(file);
        }
        Assert.Equal(["000001"], Directory.GetDirectories(Store).Select(Path.GetFileName));
        Directory.CreateDirectory(Path.Combine(Store, "000002.partial-999999999"));   // what a killed process leaves
        Directory.CreateDirectory(Path.Combine(Store, "000002"));
        using (PolicyStore store = PolicyStore.Open(Store)) Assert.Equal(before.Count, store.Count);
        Write(Many(20));
        Assert.Equal(["000002"], Directory.GetDirectories(Store).Select(Path.GetFileName));
        Assert.Equal(before, Lines(Store));
    }

    [Fact]
    public void An_update_that_dies_at_any_moment_leaves_the_old_store_or_the_new_one()
    {
        List<SiteFile> old = Many(5), added = Many(20, seed: 5);
        Write(old);
        int before = Lines(Store).Count;
        Write([.. old, .. added], Path.Combine(_folder, "expected"));
        List<string> expected = Lines(Path.Combine(_folder, "expected"));
        int deaths = 0, updated = 0;
        for (int changes = 0; updated == 0 || deaths < 3; changes++)
        {
            var files = new FailingFiles(changes);
            string store = Path.Combine(_folder, $"at-{changes}");
            Write(old, store);
            try
            {
                using PolicyStoreWriter writer = PolicyStoreWriter.Create(store, files, memoryBytes: 4_000);
                foreach (SiteFile file in added) writer.Add(file);
                writer.Commit();
            }
            catch (UserErrorException)
            {
                Assert.True(files.HasFailed);
            }
            if (files.HasFailed) deaths++;
            else updated++;
            using (PolicyStore opened = PolicyStore.Open(store)) Assert.Contains(opened.Count, (long[])[before, expected.Count]);
            Write(added, store);
            Assert.Equal(expected, Lines(store));
        }
        Assert.InRange(deaths, 10, 200);
    }

    [Fact]
    public void What_is_no_store_or_a_damaged_one_is_refused_in_one_line()
    {
        Assert.Contains("holds no policy store", Assert.Throws<UserErrorException>(() => PolicyStore.Open(_folder)).Message, StringComparison.Ordinal);
        Write(Many(5));
        string lines = Path.Combine(Store, "000001", PolicyStoreFiles.Lines);
        byte[] content = File.ReadAllBytes(lines);
        content.AsSpan(0, 200).Fill((byte)'x');
        File.WriteAllBytes(lines, content);
        using (PolicyStore store = PolicyStore.Open(Store)) Assert.Contains("is damaged", Assert.Throws<UserErrorException>(() => Sites.Judge("https://h0.example/", store)).Message, StringComparison.Ordinal);
        Assert.Contains("is damaged", Assert.Throws<UserErrorException>(() => Write([])).Message, StringComparison.Ordinal);
        File.WriteAllBytes(lines, content[..100]);
        Assert.Contains("policies.jsonl: 100 bytes", Assert.Throws<UserErrorException>(() => PolicyStore.Open(Store)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Many_threads_get_the_verdicts_of_one()
    {
        Write(Many(100));
        using PolicyStore store = PolicyStore.Open(Store, cacheBytes: 50_000);
        var judge = new RightsJudge(RightsPolicy.Default, store);
        string[] one = [.. Enumerable.Range(0, 2_000).Select(page => judge.Judge($"https://h{page % 110}.example/{page}", PageRights.Nothing).ToJson())];
        string[] many = new string[one.Length];
        Parallel.For(0, many.Length, page => many[page] = judge.Judge($"https://h{page % 110}.example/{page}", PageRights.Nothing).ToJson());
        Assert.Equal(one, many);
    }
}
