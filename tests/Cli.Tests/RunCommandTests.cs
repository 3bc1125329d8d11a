namespace OpenEuroLLM.Cli.Tests;

public sealed class RunCommandTests(SmallRun run) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Killed_in_every_part_and_repeated_it_ends_with_the_same_results_from_the_recipe_kept_in_a_run()
    {
        string target = _folder.At("run");
        string[] command = ["run", run.In("recipe.jsonc"), "--out", target, "--threads", "2"];
        foreach (string moment in (string[])["tokenizer ", "training    step 8/", "evaluation "])
        {
            var killed = Oellm.Process(command, killAt: moment);
            Assert.NotEqual(0, killed.Code);
            Assert.Contains($"\n{moment}", killed.Error, StringComparison.Ordinal);
            Assert.False(File.Exists(Path.Combine(target, "manifest.json")));
        }
        var finished = Oellm.Process(command);
        Assert.True(finished.Code == 0, finished.Error);
        Assert.Equal(SmallRun.Results(run.Root), SmallRun.Results(target));
        Oellm.Succeeds("verify", target);
    }

    [Fact]
    public void A_full_disk_is_one_line_and_the_run_goes_on_once_there_is_room()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "needs root on Linux, to mount a small disk");
        string disk = _folder.At("disk");
        Directory.CreateDirectory(disk);
        Assert.SkipUnless(Mounted("mount", "-t", "tmpfs", "-o", "size=3m", "none", disk), "mounting is not allowed here");
        try
        {
            string[] command = ["run", run.In("recipe.jsonc"), "--out", Path.Combine(disk, "run")];
            Oellm.Refuses(command, disk, "the disk is full; free some space or choose another folder.");
            Assert.True(Mounted("mount", "-o", "remount,size=64m", disk));
            Oellm.Succeeds(command);
            Assert.Equal(SmallRun.Results(run.Root), SmallRun.Results(Path.Combine(disk, "run")));
        }
        finally
        {
            Mounted("umount", disk);
        }
    }

    private static bool Mounted(string program, params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
