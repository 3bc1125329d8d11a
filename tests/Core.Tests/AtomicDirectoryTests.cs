using System.Text.Json.Nodes;

namespace OpenEuroLLM.Core.Tests;

public sealed class AtomicDirectoryTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static void Fill(AtomicDirectory output, string text = "text")
    {
        File.WriteAllText(Path.Combine(output.Path, "a.txt"), text);
        Directory.CreateDirectory(Path.Combine(output.Path, "sub"));
        File.WriteAllText(Path.Combine(output.Path, "sub", "b.txt"), "more");
        output.Count(new ManifestCount("step", "kept", "cs", Documents: 2, Bytes: 4));
    }

    private string Make(string name, string text = "text", bool replace = false, IFileSystem? files = null)
    {
        using var output = AtomicDirectory.Create(_folder[name], "test", new JsonObject { ["seed"] = 1 }, files, replace: replace);
        Fill(output, text);
        output.Commit();
        return _folder[name];
    }

    [Fact]
    public void A_committed_folder_has_its_files_manifest_and_run_record_and_nothing_beside_it()
    {
        string made = Make("out");
        Assert.Equal(["a.txt", "manifest.json", "run.json", "sub/b.txt"],
            Directory.GetFiles(made, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(made, path).Replace('\\', '/')).Order(StringComparer.Ordinal));
        Assert.Equal(["out"], Directory.GetDirectories(_folder.Path).Select(Path.GetFileName));
        var manifest = Manifest.Read(PhysicalFileSystem.Instance, made);
        Assert.Equal(["a.txt", "sub/b.txt"], manifest.Outputs.Select(output => output.Path));
        Assert.Equal("982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1", manifest.Outputs[0].Sha256); // sha256sum of "text"
        Assert.True(ManifestVerifier.Verify(made).Matches);
    }

    [Fact]
    public void Equal_work_gives_an_equal_manifest_whatever_the_order_of_counting_and_the_workers()
    {
        byte[] Run(string name, int workers, params ManifestCount[] counts)
        {
            using var output = AtomicDirectory.Create(_folder[name], "test", new JsonObject { ["b"] = 1, ["a"] = 2 });
            for (int i = 0; i < 9; i++) File.WriteAllText(Path.Combine(output.Path, $"{8 - i}.txt"), $"{i}");
            foreach (var count in counts) output.Count(count);
            return output.Commit(workers).ToJson();
        }

        ManifestCount one = new("s", "kept", "cs", Documents: 1), two = new("s", "kept", "cs", Documents: 2), other = new("s", "dropped", "fi", Documents: 5);
        byte[] first = Run("first", 1, one, two, other);
        Assert.Equal(first, Run("second", 4, other, new("s", "kept", "cs", Documents: 3)));
        Assert.Equal(first, File.ReadAllBytes(Path.Combine(_folder["first"], "manifest.json")));
    }

    [Fact]
    public void Without_a_commit_nothing_is_left()
    {
        using (var output = AtomicDirectory.Create(_folder["out"], "test", [])) Fill(output);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void A_failure_at_any_operation_leaves_the_target_whole_or_absent()
    {
        var counting = new FaultyFileSystem(0, () => new IOException());
        Make("counted", files: counting);
        Assert.True(counting.Operations > 20);
        for (int failAt = 1; failAt <= counting.Operations; failAt++)
        {
            foreach (bool dead in (bool[])[false, true])
            {
                string name = $"out-{failAt}-{dead}";
                var files = new FaultyFileSystem(failAt, () => new IOException("disk gone"), dead);
                Assert.Throws<UserErrorException>(() => { Make(name, files: files); });
                if (Directory.Exists(_folder[name])) Assert.True(ManifestVerifier.Verify(_folder[name]).Matches);
                Make(name, replace: true); // and the rerun is undisturbed by remains
                Assert.True(ManifestVerifier.Verify(_folder[name]).Matches);
                Assert.DoesNotContain(Directory.GetDirectories(_folder.Path), path => path.Contains(".partial-", StringComparison.Ordinal));
            }
        }
    }

    [Fact]
    public void A_failure_while_replacing_leaves_the_old_or_the_new_whole_or_nothing()
    {
        Make("counted");
        var counting = new FaultyFileSystem(0, () => new IOException());
        Make("counted", "new", replace: true, files: counting);
        for (int failAt = 1; failAt <= counting.Operations; failAt++)
        {
            string name = $"out-{failAt}";
            Make(name, "old");
            try
            {
                Make(name, "new", replace: true, files: new FaultyFileSystem(failAt, () => new IOException("disk gone")));
            }
            catch (UserErrorException)
            {
                // expected at most operations
            }

            Assert.True(Directory.Exists(_folder[name])); // a single failure never loses the old folder
            Assert.True(ManifestVerifier.Verify(_folder[name]).Matches);
            Assert.Contains(File.ReadAllText(Path.Combine(_folder[name], "a.txt")), (string[])["old", "new"]);
        }
    }

    [Fact]
    public void A_full_disk_is_told_as_such()
    {
        var counting = new FaultyFileSystem(0, () => new IOException());
        Make("counted", files: counting);
        var error = Assert.Throws<UserErrorException>(() => Make("out", files: new FaultyFileSystem(counting.Operations - 6, () => new IOException("No space left on device", 28))));
        Assert.Equal($"{_folder["out"]}: the disk is full; free some space or choose another folder.", error.Message);
        Assert.False(Directory.Exists(_folder["out"]));
    }

    [Fact]
    public void A_place_that_cannot_be_written_is_told_before_any_work()
    {
        var error = Assert.Throws<UserErrorException>(() =>
            AtomicDirectory.Create(_folder["out"], "test", [], new FaultyFileSystem(1, () => new UnauthorizedAccessException())));
        Assert.Equal($"{_folder["out"]}: permission denied; choose a folder you may read and write.", error.Message);
        File.WriteAllText(_folder["file"], "");
        Assert.Contains("is a file", Assert.Throws<UserErrorException>(() => AtomicDirectory.Create(_folder["file"], "test", [])).Message);
        Assert.Throws<UserErrorException>(() => AtomicDirectory.Create(Path.Combine(_folder["file"], "out"), "test", []));
    }

    [Fact]
    public void A_finished_folder_is_replaced_only_on_demand_and_a_foreign_one_never()
    {
        Make("out", "old");
        Assert.Contains("exists already", Assert.Throws<UserErrorException>(() => Make("out", "new")).Message);
        Assert.Equal("old", File.ReadAllText(Path.Combine(_folder["out"], "a.txt")));
        Make("out", "new", replace: true);
        Assert.Equal("new", File.ReadAllText(Path.Combine(_folder["out"], "a.txt")));

        Directory.CreateDirectory(_folder["empty"]);
        Make("empty");
        Directory.CreateDirectory(_folder["home"]);
        File.WriteAllText(Path.Combine(_folder["home"], "letter.txt"), "mine");
        Assert.Contains("not ours to replace", Assert.Throws<UserErrorException>(() => Make("home", replace: true)).Message);
        Assert.Equal("mine", File.ReadAllText(Path.Combine(_folder["home"], "letter.txt")));
    }

    [Fact]
    public void Remains_of_ended_processes_are_removed_and_those_of_running_ones_kept()
    {
        string stale = Directory.CreateDirectory(_folder["out.partial-999999999"]).FullName;
        string other = Directory.CreateDirectory(_folder["output.partial-999999999"]).FullName;
        string running = Directory.CreateDirectory(_folder[$"out.partial-{System.Diagnostics.Process.GetCurrentProcess().Parent()}"]).FullName;
        Make("out");
        Assert.False(Directory.Exists(stale));
        Assert.True(Directory.Exists(other));
        Assert.True(Directory.Exists(running));
    }

    [Fact]
    public void One_process_writes_a_folder_only_once_at_a_time()
    {
        using var first = AtomicDirectory.Create(_folder["out"], "test", []);
        Fill(first);
        Assert.Contains("being written already", Assert.Throws<UserErrorException>(() => AtomicDirectory.Create(_folder["out"], "test", [])).Message);
        first.Commit();
        Assert.True(ManifestVerifier.Verify(_folder["out"]).Matches);
    }

    [Fact]
    public void Inputs_are_recorded_with_their_hashes_relative_to_the_target()
    {
        Make("first");
        File.WriteAllText(_folder["extra.json"], "{}");
        using var output = AtomicDirectory.Create(_folder["second"], "test", []);
        output.AddInputDirectory(_folder["first"]);
        output.AddInputDirectory(_folder["first"]); // twice counts once
        output.AddInputFile(_folder["extra.json"], "sample/extra.json");
        var manifest = output.Commit();
        Assert.Equal(["../first/manifest.json", "sample/extra.json"], manifest.Inputs.Select(input => input.Path));
        string hash = Manifest.HashFile(PhysicalFileSystem.Instance, Path.Combine(_folder["first"], "manifest.json"));
        Assert.Equal(new ManifestInput("../first/manifest.json", hash, hash), manifest.Inputs[0]);
        Assert.Equal("44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", manifest.Inputs[1].Sha256); // sha256sum of "{}"
        var run = RunRecord.Parse(File.ReadAllBytes(Path.Combine(_folder["second"], "run.json")), "run.json");
        Assert.Equal("../first/run.json", Assert.Single(run.Inputs).Path);
    }

    [Fact]
    public void An_unfinished_input_folder_is_refused()
    {
        Directory.CreateDirectory(_folder["raw"]);
        using var output = AtomicDirectory.Create(_folder["out"], "test", []);
        Assert.Contains("no manifest.json", Assert.Throws<UserErrorException>(() => output.AddInputDirectory(_folder["raw"])).Message);
        Assert.Contains("not found", Assert.Throws<UserErrorException>(() => output.AddInputFile(_folder["nothing"], "nothing")).Message);
        string short_ = Make("short");
        File.WriteAllText(Path.Combine(short_, "a.txt"), "longer than it was");
        Assert.Contains("manifest.json says 4", Assert.Throws<UserErrorException>(() => output.AddInputDirectory(short_)).Message);
    }
}

internal static class ProcessParent
{
    /// <summary>Some running process other than this one: the parent on Linux.</summary>
    public static int Parent(this System.Diagnostics.Process process)
    {
        using (process)
        {
            if (!OperatingSystem.IsLinux()) return System.Diagnostics.Process.GetProcesses().First(other => other.Id > 4 && other.Id != process.Id).Id;
            string stat = File.ReadAllText("/proc/self/stat");
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
        }
    }
}
